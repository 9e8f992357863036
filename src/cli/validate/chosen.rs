//! The files that are named on the command line, and what is wrong with them alone.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::Ui;
use crate::config::FILE;
use crate::error::Error;
use crate::lead_file::Loaded;
use crate::yaml::Diagnostic;

/// Leaves of what was loaded the named files, and the errors and warnings that have a place in one of them.
///
/// # Errors
/// A file is not there, or it is no file of the workspace.
pub(super) fn choose(
    loaded: &mut Loaded,
    files: &[PathBuf],
    directory: &Path,
    root: &Path,
    ui: &Ui,
) -> Result<(), Error> {
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let names = names_of(file, directory, root)?;
        let is_known = |name: &String| {
            name == FILE
                || loaded.leads_by_file.contains_key(name.as_str())
                || loaded.diagnostics.iter().any(|made| *made.file == **name)
        };
        match names.into_iter().find(is_known) {
            Some(name) => drop(chosen.insert(name)),
            None => {
                return Err(Error::NotLeadFile {
                    file: file.display().to_string(),
                });
            }
        }
    }
    let is_unread = |made: &Diagnostic| made.is_error() && *made.file == *FILE;
    if !chosen.contains(FILE) && loaded.diagnostics.iter().any(is_unread) {
        ui.warning(&format!(
            "{FILE} has errors, so that agents and tags may not have been checked: `convertalk validate` shows them"
        ));
    }
    loaded
        .leads_by_file
        .retain(|file, _| chosen.contains(&**file));
    loaded.files = loaded.leads_by_file.len();
    loaded.leads = loaded.leads_by_file.values().sum();
    loaded.diagnostics.retain(|made| {
        let mut related = made.related.iter();
        chosen.contains(&*made.file) || related.any(|other| chosen.contains(&*other.file))
    });
    Ok(())
}

/// What a file may be called in the workspace: as its path is written, and where links lead.
fn names_of(file: &Path, directory: &Path, root: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Io {
        what: format!("read {}", file.display()),
        source,
    };
    // As for `fmt`: from here, or else from the folder of -C.
    let path = if file.exists() {
        file.to_owned()
    } else {
        directory.join(file)
    };
    let real = std::fs::canonicalize(&path).map_err(failed)?;
    let written = std::path::absolute(&path).map_err(failed)?;
    let parent = written.parent().map(std::fs::canonicalize);
    let named = match (parent, written.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => written,
    };
    let below = [named, real].into_iter().filter_map(|path| {
        let parts = path.strip_prefix(root).ok()?.components();
        let parts: Vec<String> = parts
            .filter(|part| matches!(part, Component::Normal(_)))
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        Some(parts.join("/"))
    });
    Ok(below.collect())
}

//! Lead files that are named on the command line.

use std::path::{Component, Path};

use crate::config::Workspace;
use crate::error::Error;

/// A file or folder by its path in the workspace, which relative paths begin at; `flag` names it.
///
/// # Errors
/// It is outside the workspace, or not UTF-8.
pub(super) fn lead_path(
    path: &Path,
    workspace: &Workspace,
    flag: &'static str,
) -> Result<String, Error> {
    let wrong = |why| Error::LeadPath { flag, why };
    let below = path.strip_prefix(&workspace.root).unwrap_or(path);
    let mut parts = Vec::new();
    for part in below.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                parts.push(part.to_str().ok_or_else(|| wrong("is not UTF-8"))?);
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(wrong("is outside the workspace"));
            }
        }
    }
    Ok(parts.join("/"))
}

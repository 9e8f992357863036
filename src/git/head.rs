//! Head: the commit that the files are of, and whether they are as committed.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::base::{BaseError, commit, prefix};
use super::batch::{Batch, EntryKind};
use super::repository;
use super::runner::{GitError, git_with_input};
use crate::config::FILE;
use crate::lead_file::discover as files;

/// The commit that files are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// Its whole hash.
    pub commit: String,
    /// Whether the workspace file or a lead file, an untracked or ignored one included, is not as committed.
    pub dirty: bool,
}

/// The commit of a workspace with these globs.
///
/// # Errors
/// The workspace is in no repository, that has no commit yet, or git cannot read it.
pub fn head(root: &Path, globs: &[String]) -> Result<Head, BaseError> {
    // Known without git, which takes longer to start than many a plan takes.
    if repository::top(root).is_none() {
        return Err(GitError::NoRepository.into());
    }
    let commit = commit(root, "HEAD")?;
    let dirty = committed(root, globs, &commit)? != present(root, globs)?;
    Ok(Head { commit, dirty })
}

/// Hashes by path; `None` for what git keeps no content of.
type Hashes = BTreeMap<String, Option<String>>;

/// The files of the workspace that a commit holds.
fn committed(root: &Path, globs: &[String], commit: &str) -> Result<Hashes, BaseError> {
    let (mut batch, prefix) = (Batch::start(root)?, prefix(root)?);
    let entries = batch.folder(commit, &prefix)?.unwrap_or_default();
    let takes = files::matcher(globs);
    let all = batch.walk(&entries, &|path| files::may_hold(globs, path))?;
    let ours = all
        .into_iter()
        .filter(|entry| entry.path == FILE || takes(&entry.path));
    let mut hashes = Hashes::new();
    for entry in ours {
        let hash = match entry.kind {
            EntryKind::File => Some(entry.id),
            EntryKind::Folder => None,
            EntryKind::Link => batch.behind(commit, &format!("{prefix}{}", entry.path))?,
        };
        hashes.insert(entry.path, hash);
    }
    Ok(hashes)
}

/// The files of the workspace that lie there, hashed as git would commit them.
fn present(root: &Path, globs: &[String]) -> Result<Hashes, BaseError> {
    let mut paths = files::find(root, globs).files;
    paths.push(FILE.to_owned());
    // Git is given one path a line.
    let (odd, plain): (Vec<String>, Vec<String>) =
        paths.into_iter().partition(|path| path.contains('\n'));
    // Relative to the top of the repository, where git reads them.
    let prefix = prefix(root)?;
    let asked: String = plain
        .iter()
        .map(|path| format!("{prefix}{path}\n"))
        .collect();
    let ids = git_with_input(root, &["hash-object", "--stdin-paths"], asked)?;
    let hashes = plain
        .into_iter()
        .zip(ids.lines().map(|id| Some(id.to_owned())));
    Ok(hashes
        .chain(odd.into_iter().map(|path| (path, None)))
        .collect())
}

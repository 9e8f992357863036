//! Head: the commit that the files are of, and whether they are as committed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::base::{BaseError, command, commit, prefix_of};
use super::batch::{Batch, EntryKind};
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

/// The commit of a workspace with these globs. `None` outside of a repository, before its first commit, and without git.
///
/// # Errors
/// Git fails at something that it has begun.
pub fn head(root: &Path, globs: &[String]) -> Result<Option<Head>, BaseError> {
    let commit = match commit(root, "HEAD") {
        Ok(commit) => commit,
        Err(BaseError::NoRepository | BaseError::NoCommit { .. } | BaseError::NoGit(_)) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let dirty = committed(root, globs, &commit)? != present(root, globs)?;
    Ok(Some(Head { commit, dirty }))
}

/// Hashes by path; `None` for what git keeps no content of.
type Hashes = BTreeMap<String, Option<String>>;

/// The files of the workspace that a commit holds.
fn committed(root: &Path, globs: &[String], commit: &str) -> Result<Hashes, BaseError> {
    let mut batch = Batch::start(root)?;
    let entries = batch.folder(commit, &prefix_of(root)?)?.unwrap_or_default();
    let takes = files::matcher(globs);
    let all = batch.walk(&entries, &|path| files::may_hold(globs, path))?;
    let ours = all
        .into_iter()
        .filter(|entry| entry.path == FILE || takes(&entry.path));
    let hash = |id, kind| (kind == EntryKind::File).then_some(id);
    Ok(ours
        .map(|entry| (entry.path, hash(entry.id, entry.kind)))
        .collect())
}

/// The files of the workspace that lie there, hashed as git would commit them.
fn present(root: &Path, globs: &[String]) -> Result<Hashes, BaseError> {
    let mut paths = files::find(root, globs).files;
    paths.push(FILE.to_owned());
    // Git is given one path a line.
    let (odd, plain): (Vec<String>, Vec<String>) =
        paths.into_iter().partition(|path| path.contains('\n'));
    let failed = |error: std::io::Error| BaseError::Git(error.to_string());
    let mut child = command(root)
        .args(["hash-object", "--stdin-paths"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let requests = child.stdin.take();
    // Relative to the top of the repository, where git reads them.
    let prefix = prefix_of(root)?;
    let asked: String = plain
        .iter()
        .map(|path| format!("{prefix}{path}\n"))
        .collect();
    // From another thread: git answers while it is being asked, and both pipes are short.
    let asker = std::thread::spawn(move || {
        requests.map(|mut requests| requests.write_all(asked.as_bytes()))
    });
    let output = child.wait_with_output().map_err(failed)?;
    let _asked = asker.join();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(BaseError::Git(words.trim().to_owned()));
    }
    let ids = String::from_utf8_lossy(&output.stdout);
    let hashes = plain
        .into_iter()
        .zip(ids.lines().map(|id| Some(id.to_owned())));
    Ok(hashes
        .chain(odd.into_iter().map(|path| (path, None)))
        .collect())
}

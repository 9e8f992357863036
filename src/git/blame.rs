//! Blame: the commit that last changed a line of a lead file.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::base::BaseError;
use super::commits::cut_off;
use super::runner::{GitError, git};

/// A commit, as shown to readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Commit {
    /// The full hash.
    pub id: String,
    /// The author.
    pub author: String,
    /// The date (RFC 3339, UTC).
    pub at: String,
    /// The subject.
    pub subject: String,
}

/// The commit that last changed a line. `None` outside of a repository, and for an uncommitted line.
///
/// # Errors
/// Git cannot be run, or does not read the repository; or the clone is too shallow to know.
pub fn blame(root: &Path, file: &str, line: u32) -> Result<Option<Commit>, BaseError> {
    let range = format!("{line},{line}");
    match git(root, &["blame", "--porcelain", "-L", &range, "--", file]) {
        Ok(output) => match commit(&output) {
            Some(commit) if cut_off(root).contains(&commit.id) => Err(BaseError::CutOff),
            commit => Ok(commit),
        },
        // A file that was never committed.
        Err(GitError::NoRepository | GitError::Failed { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The commit that the output of `git blame --porcelain` names.
fn commit(output: &str) -> Option<Commit> {
    let id = output.split_whitespace().next()?.to_owned();
    let of = |key: &str| {
        output
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
            .unwrap_or_default()
            .to_owned()
    };
    let at = jiff::Timestamp::from_second(of("author-time").parse().ok()?).ok()?;
    let is_commit =
        id.bytes().all(|byte| byte.is_ascii_hexdigit()) && id.bytes().any(|byte| byte != b'0');
    is_commit.then(|| Commit {
        id,
        author: of("author"),
        at: at.to_string(),
        subject: of("summary"),
    })
}

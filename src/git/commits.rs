//! Commits by their names, and how they descend from each other.

use std::collections::BTreeSet;
use std::path::Path;

use super::base::{BaseError, short};
use super::runner::git;

/// The common ancestor of `other` and this branch.
///
/// # Errors
/// There is none, as in a shallow clone.
pub fn merge_base(root: &Path, other: &str) -> Result<String, BaseError> {
    let tip = commit(root, other)?;
    let found = git(root, &["merge-base", &tip, "HEAD"]);
    found
        .map(|text| text.trim().to_owned())
        .map_err(|error| match error.status() {
            Some(1) => BaseError::NoMergeBase {
                other: other.to_owned(),
                shallow: is_shallow(root),
            },
            _ => error.into(),
        })
}

/// The full hash of the commit that a reference names.
///
/// # Errors
/// No repository, or no such commit.
pub fn commit(root: &Path, reference: &str) -> Result<String, BaseError> {
    git(root, &["rev-parse", "--git-dir"])?;
    let name = format!("{reference}^{{commit}}");
    let words = [
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        &name,
    ];
    match git(root, &words) {
        Ok(found) if is_hash(found.trim()) => Ok(found.trim().to_owned()),
        Ok(_) => Err(no_commit(root, reference)),
        Err(error) if error.status().is_some() => Err(no_commit(root, reference)),
        Err(error) => Err(error.into()),
    }
}

/// Whether `commit` is `ancestor` or descends from it.
///
/// # Errors
/// One of them is not in the repository, or the clone is too shallow to know.
pub fn descends(root: &Path, commit: &str, ancestor: &str) -> Result<bool, BaseError> {
    if commit == ancestor {
        return Ok(true);
    }
    let asked = git(root, &["merge-base", "--is-ancestor", ancestor, commit]);
    let Err(error) = asked else {
        return Ok(true);
    };
    let gone = |commit| BaseError::Gone {
        commit: short(commit),
    };
    match error.status() {
        Some(1) if is_shallow(root) => Err(BaseError::Shallow {
            commit: short(ancestor),
        }),
        Some(1) => Ok(false),
        Some(_) if self::commit(root, ancestor).is_err() => Err(gone(ancestor)),
        Some(_) if self::commit(root, commit).is_err() => Err(gone(commit)),
        Some(_) | None => Err(error.into()),
    }
}

/// Why a reference names no commit.
fn no_commit(root: &Path, reference: &str) -> BaseError {
    let shallow = is_shallow(root);
    if reference == "HEAD" {
        return BaseError::NoCommits;
    }
    let remotes = git(root, &["remote"]).unwrap_or_default();
    let of_remote = |remote: &str| {
        let branch = reference.strip_prefix("refs/remotes/").unwrap_or(reference);
        let branch = branch.strip_prefix(remote)?.strip_prefix('/')?;
        Some(BaseError::NeverFetched {
            remote: remote.to_owned(),
            branch: branch.to_owned(),
            shallow,
        })
    };
    if let Some(never) = remotes.lines().find_map(of_remote) {
        return never;
    }
    let is_there = |remote: &&str| {
        let name = format!("refs/remotes/{remote}/{reference}");
        git(root, &["show-ref", "--verify", "--quiet", &name]).is_ok()
    };
    BaseError::NoCommit {
        reference: reference.to_owned(),
        shallow,
        remote: remotes
            .lines()
            .find(is_there)
            .map(|remote| format!("{remote}/{reference}")),
    }
}

fn is_shallow(root: &Path) -> bool {
    git(root, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|text| text.trim() == "true")
}

/// The commits whose parents are missing, as in a shallow clone: each seems to have made every line that it has.
pub(super) fn cut_off(root: &Path) -> BTreeSet<String> {
    let file = git(root, &["rev-parse", "--git-path", "shallow"]);
    let file = file.map(|path| root.join(path.trim_end_matches('\n')));
    let all = file
        .ok()
        .and_then(|path| std::fs::read_to_string(path).ok());
    all.iter()
        .flat_map(|all| all.lines())
        .map(str::to_owned)
        .collect()
}

fn is_hash(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

//! Base: the files at an earlier commit, read from git without touching the work tree.
//!
//! Takes a folder and a reference, and returns the commit and the desired state of its files, validated by its own `convertalk.yaml`. Git
//! itself is called (`rev-parse`, `ls-tree`, `cat-file --batch`): it supports every kind of repository and needs no library.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::batch::{Batch, EntryKind, TreeEntry};
use super::repository::top;
use super::runner::{GitError, git};
use crate::config::{FILE, Overrides, Workspace, parse};
use crate::lead::desired::Desired;
use crate::lead_file::desired_of;
use crate::lead_file::discover as files;
use crate::yaml::diagnostic::Diagnostic;
use crate::yaml::file as load;

mod error;

pub use super::commits::{commit, descends, merge_base};
pub use error::BaseError;

/// The files of a workspace at a commit.
#[derive(Debug)]
pub struct BaseFiles {
    /// The full hash.
    pub commit: String,
    /// Empty if there was no workspace yet.
    pub desired: Desired,
}

/// The path from the repository's top to the workspace, as git gives it, with `/` at its end; empty at the top.
pub(super) fn prefix(root: &Path) -> Result<String, GitError> {
    git(root, &["rev-parse", "--show-prefix"]).map(|text| text.trim_end_matches('\n').to_owned())
}

/// Reads the desired state of the workspace in `root` at `reference`.
///
/// # Errors
/// No repository, no such commit, files with errors, or files that the commit does not hold.
pub fn read(root: &Path, reference: &str, overrides: &Overrides) -> Result<BaseFiles, BaseError> {
    let commit = commit(root, reference)?;
    let mut all = read_all(root, [commit.as_str()], overrides)?;
    let desired = all.remove(&commit).unwrap_or_default();
    Ok(BaseFiles { commit, desired })
}

/// Reads the desired state of the workspace in `root` at each of some commits, given by their whole hashes, through one process.
///
/// # Errors
/// As [`read`]'s, for the first commit that has one.
pub fn read_all<'c>(
    root: &Path,
    commits: impl IntoIterator<Item = &'c str>,
    overrides: &Overrides,
) -> Result<BTreeMap<String, Desired>, BaseError> {
    let prefix = prefix(root)?;
    let mut batch = Batch::start(root)?;
    let mut all = BTreeMap::new();
    // Commits that changed other files than these have the same desired state.
    let mut known: Vec<(Vec<TreeEntry>, String)> = Vec::new();
    for commit in commits {
        let Some(snapshot) = files_at(root, &mut batch, &prefix, commit, overrides)? else {
            all.insert(commit.to_owned(), Desired::new());
            continue;
        };
        let same = known.iter().find(|(files, _)| *files == snapshot.files);
        let same = same.and_then(|(_, commit)| all.get(commit)).cloned();
        let desired = match same {
            Some(desired) => desired,
            None => desired_at(&mut batch, commit, &snapshot)?,
        };
        known.push((snapshot.files, commit.to_owned()));
        all.insert(commit.to_owned(), desired);
    }
    Ok(all)
}

/// A workspace at a commit.
#[derive(Debug)]
pub struct CommitState {
    /// The workspace.
    pub workspace: Workspace,
    /// What its lead files declare.
    pub desired: Desired,
    /// The workspace file and the lead files, with the hashes of their contents: equal for equal files.
    pub files: Vec<(String, String)>,
}

/// Reads a workspace and its desired state at a commit.
///
/// # Errors
/// As [`read`]'s; no workspace in that commit.
pub fn workspace_at(
    root: &Path,
    commit: &str,
    overrides: &Overrides,
) -> Result<CommitState, BaseError> {
    let prefix = prefix(root)?;
    let mut batch = Batch::start(root)?;
    let snapshot = files_at(root, &mut batch, &prefix, commit, overrides)?;
    let snapshot = snapshot.ok_or_else(|| BaseError::NoWorkspace {
        commit: short(commit),
    })?;
    let desired = desired_at(&mut batch, commit, &snapshot)?;
    let files = snapshot.files.into_iter();
    Ok(CommitState {
        workspace: snapshot.workspace,
        desired,
        files: files.map(|entry| (entry.path, entry.id)).collect(),
    })
}

/// The files of a workspace at a commit.
struct CommitFiles {
    workspace: Workspace,
    /// The workspace file and the lead files.
    files: Vec<TreeEntry>,
}

/// Reads the workspace file of a commit, and which files are its lead files. `None` where there was no workspace yet.
fn files_at(
    root: &Path,
    batch: &mut Batch,
    prefix: &str,
    commit: &str,
    overrides: &Overrides,
) -> Result<Option<CommitFiles>, BaseError> {
    let Some(folder) = batch.folder(commit, prefix)? else {
        return Err(BaseError::Gone {
            commit: short(commit),
        });
    };
    let Some(config) = folder.iter().find(|entry| entry.path == FILE) else {
        return not_moved(root, commit).map(|()| None);
    };
    let link = |path: &str| BaseError::Link {
        commit: short(commit),
        path: path.to_owned(),
    };
    let file = match config.kind {
        EntryKind::File => config.id.clone(),
        EntryKind::Folder => return Err(link(FILE)),
        EntryKind::Link => {
            let file = batch.behind(commit, &format!("{prefix}{FILE}"))?;
            file.ok_or_else(|| link(FILE))?
        }
    };
    let text = batch.content(&file)?;
    let text =
        load::decode(&Arc::from(FILE), text).map_err(|error| broken(commit, vec![*error]))?;
    let (workspace, diagnostics) = parse(root, &text, overrides);
    let Some(workspace) = workspace else {
        return Err(broken(commit, diagnostics));
    };
    let globs = workspace.leads.clone();
    let takes = files::matcher(&globs);
    let may_hold = |path: &str| files::may_hold(&globs, path);
    let mut files = batch.walk(&folder, &may_hold)?;
    for entry in &mut files {
        let is_link = entry.kind == EntryKind::Link;
        if is_link && (takes(&entry.path) || may_hold(&entry.path)) {
            let file = batch.behind(commit, &format!("{prefix}{}", entry.path))?;
            entry.id = file.ok_or_else(|| link(&entry.path))?;
            entry.kind = EntryKind::File;
        }
    }
    files.retain(|entry| entry.path == FILE || takes(&entry.path));
    Ok(Some(CommitFiles { workspace, files }))
}

fn desired_at(
    batch: &mut Batch,
    commit: &str,
    snapshot: &CommitFiles,
) -> Result<Desired, BaseError> {
    let mut read = Vec::with_capacity(snapshot.files.len());
    let mut unreadable = Vec::new();
    for entry in snapshot.files.iter().filter(|entry| entry.path != FILE) {
        let file: Arc<str> = Arc::from(entry.path.as_str());
        let text = batch.content(&entry.id)?;
        match load::decode(&file, text) {
            Ok(text) => read.push((file, text)),
            Err(error) => unreadable.push(*error),
        }
    }
    let (desired, mut diagnostics) = desired_of(read, &snapshot.workspace);
    diagnostics.extend(unreadable);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(broken(commit, diagnostics));
    }
    Ok(desired)
}

/// Refuses a commit in which the workspace was in another folder.
fn not_moved(root: &Path, commit: &str) -> Result<(), BaseError> {
    let everywhere = git(
        root,
        &["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit],
    )?;
    // If that folder still exists, it is another workspace and this one is new; if not, it may have become this one.
    let top = top(root).unwrap_or_default();
    let is_one = |path: &&str| *path == FILE || path.ends_with(&format!("/{FILE}"));
    let other = everywhere
        .split('\0')
        .filter(is_one)
        .find(|path| !top.join(path).exists());
    match other {
        Some(found) => Err(BaseError::Elsewhere {
            commit: short(commit),
            found: found.to_owned(),
        }),
        None => Ok(()),
    }
}

pub(super) fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

fn broken(commit: &str, mut diagnostics: Vec<Diagnostic>) -> BaseError {
    diagnostics.retain(Diagnostic::is_error);
    BaseError::Broken {
        commit: short(commit),
        errors: diagnostics,
    }
}

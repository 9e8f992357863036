//! Base: the files at an earlier commit, read from git without touching the work tree.
//!
//! Takes a folder and a reference, and returns the commit and the desired state of its files, validated by its own `convertalk.yaml`. Git
//! itself is called (`rev-parse`, `ls-tree`, `cat-file --batch`): it supports every kind of repository and needs no library.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::batch::{Batch, EntryKind, TreeEntry};
use crate::config::{FILE, Overrides, Workspace, parse};
use crate::lead::desired::Desired;
use crate::lead_file::desired_of;
use crate::lead_file::discover as files;
use crate::yaml::diagnostic::Diagnostic;
use crate::yaml::file as load;

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Git is not installed.
    #[error("git could not be started: {0}")]
    NoGit(String),
    /// Git failed for another reason.
    #[error("git failed: {0}")]
    Git(String),
    /// The workspace is not in a repository.
    #[error("the workspace is not in a git repository")]
    NoRepository,
    /// The commit does not exist.
    #[error("commit `{reference}` not found in this repository")]
    NoCommit {
        /// The reference as given.
        reference: String,
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// Git finds no common ancestor of the two branches.
    #[error("`{other}` and this branch have no common ancestor")]
    NoMergeBase {
        /// The target branch of the pull request.
        other: String,
    },
    /// At that commit, the workspace was in another folder.
    #[error("at {commit} the workspace was in another folder: {found}")]
    Elsewhere {
        /// The commit.
        commit: String,
        /// Where a `convertalk.yaml` was found.
        found: String,
    },
    /// A link or a submodule where files are expected.
    #[error("at {commit}, {path} is a link or a submodule, whose content is not in that commit")]
    Link {
        /// The commit.
        commit: String,
        /// The path.
        path: String,
    },
    /// A commit that was there once.
    #[error("the commit {commit} is not in this repository")]
    Gone {
        /// The commit.
        commit: String,
    },
    /// The clone ends before a commit whose place in the history counts.
    #[error("this clone is shallow: whether the files descend from {commit} cannot be known")]
    Shallow {
        /// The commit.
        commit: String,
    },
    /// A commit without a workspace.
    #[error("at {commit} there is no workspace in this folder")]
    NoWorkspace {
        /// The commit.
        commit: String,
    },
    /// `auto` outside of a pull request.
    #[error("`--base auto` works in GitHub pull requests and GitLab merge requests only")]
    NoPullRequest,
    /// The files of that commit contain errors.
    #[error("the files of {commit} contain errors, so they cannot be used as the base: {first}")]
    Broken {
        /// The commit.
        commit: String,
        /// The first error, with its place.
        first: String,
    },
}

impl BaseError {
    /// The hint.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoGit(_) => "install git, or leave out --base",
            Self::Git(_) => "fix the problem that git reports, or leave out --base",
            Self::NoMergeBase { .. } => {
                "fetch the full history (`fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab), or name a commit"
            }
            Self::Elsewhere { .. } => {
                "use a commit after the move as the base, or leave out --base"
            }
            Self::Link { .. } => "replace it with a file, or leave out --base",
            Self::NoRepository => "run `git init` and commit, or leave out --base",
            Self::NoWorkspace { .. } => "check the branch, and the folder after -C",
            Self::Gone { .. } => {
                "fetch it, in a shallow clone with the whole history (`fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` at GitLab)"
            }
            Self::NoCommit { shallow: true, .. } | Self::Shallow { .. } => {
                "this clone is shallow: fetch the full history (`fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab)"
            }
            Self::NoCommit { shallow: false, .. } => {
                "see `git log`; the name of a remote branch is origin/NAME"
            }
            Self::NoPullRequest => "name a commit, a branch or a tag",
            Self::Broken { .. } => "use a commit with valid files as the base, or leave out --base",
        }
    }
}

/// The files of a workspace at a commit.
#[derive(Debug)]
pub struct BaseFiles {
    /// The full hash.
    pub commit: String,
    /// Empty if there was no workspace yet.
    pub desired: Desired,
}

/// The common ancestor of `other` and this branch.
///
/// # Errors
/// There is none, as in a shallow clone.
pub fn merge_base(root: &Path, other: &str) -> Result<String, BaseError> {
    let found = git(root, &["merge-base", "--end-of-options", other, "HEAD"])
        .map(|text| text.trim().to_owned());
    found.map_err(|error| match error {
        BaseError::Git(_) => BaseError::NoMergeBase {
            other: other.to_owned(),
        },
        error => error,
    })
}

/// The path from the repository's top to a folder in it, with `/` at its end; empty at the top and outside a repository.
pub fn prefix(root: &Path) -> String {
    git(root, &["rev-parse", "--show-prefix"])
        .map(|text| text.trim_end_matches('\n').to_owned())
        .unwrap_or_default()
}

/// As [`prefix`], where there must be a repository.
pub(super) fn prefix_of(root: &Path) -> Result<String, BaseError> {
    git(root, &["rev-parse", "--show-prefix"]).map(|text| text.trim_end_matches('\n').to_owned())
}

/// The top of the repository that contains a folder.
pub fn top(folder: &Path) -> Option<PathBuf> {
    git(folder, &["rev-parse", "--show-toplevel"])
        .ok()
        .map(|text| PathBuf::from(text.trim_end_matches('\n')))
}

/// The full hash of the commit that a reference names.
///
/// # Errors
/// No repository, or no such commit.
pub fn commit(root: &Path, reference: &str) -> Result<String, BaseError> {
    git(root, &["rev-parse", "--git-dir"])?;
    let name = format!("{reference}^{{commit}}");
    let commit = git(
        root,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ],
    )
    .unwrap_or_default()
    .trim()
    .to_owned();
    if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(no_commit(root, reference));
    }
    Ok(commit)
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
    let prefix = prefix_of(root)?;
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
    let prefix = prefix_of(root)?;
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
    if config.kind != EntryKind::File {
        return Err(link(FILE));
    }
    let text = batch.content(&config.id)?;
    let text = load::decode(&Arc::from(FILE), text).map_err(|error| broken(commit, &error))?;
    let (workspace, diagnostics) = parse(root, &text, overrides);
    let Some(workspace) = workspace else {
        let first = diagnostics.iter().find(|made| made.is_error());
        return Err(first.map_or_else(|| link(FILE), |first| broken(commit, first)));
    };
    let globs = workspace.leads.clone();
    let takes = files::matcher(&globs);
    let may_hold = |path: &str| files::may_hold(&globs, path);
    let mut files = batch.walk(&folder, &may_hold)?;
    let unseen = files.iter().find(|entry| {
        entry.kind == EntryKind::Link && (takes(&entry.path) || may_hold(&entry.path))
    });
    if let Some(entry) = unseen {
        return Err(link(&entry.path));
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
    for entry in snapshot.files.iter().filter(|entry| entry.path != FILE) {
        let file: Arc<str> = Arc::from(entry.path.as_str());
        let text = batch.content(&entry.id)?;
        let text = load::decode(&file, text).map_err(|error| broken(commit, &error))?;
        read.push((file, text));
    }
    let (desired, diagnostics) = desired_of(read, &snapshot.workspace);
    match diagnostics.iter().find(|made| made.is_error()) {
        Some(first) => Err(broken(commit, first)),
        None => Ok(desired),
    }
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

/// Whether `commit` is `ancestor` or descends from it.
///
/// # Errors
/// One of them is not in the repository, or the clone is too shallow to know.
pub fn descends(root: &Path, commit: &str, ancestor: &str) -> Result<bool, BaseError> {
    if commit == ancestor {
        return Ok(true);
    }
    let output = command(root)
        .args(["merge-base", "--is-ancestor", ancestor, commit])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| BaseError::NoGit(error.to_string()))?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) if is_shallow(root) => Err(BaseError::Shallow {
            commit: short(ancestor),
        }),
        Some(1) => Ok(false),
        _ => Err(BaseError::Gone {
            commit: short(ancestor),
        }),
    }
}

fn no_commit(root: &Path, reference: &str) -> BaseError {
    BaseError::NoCommit {
        reference: reference.to_owned(),
        shallow: is_shallow(root),
    }
}

fn is_shallow(root: &Path) -> bool {
    git(root, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|text| text.trim() == "true")
}

fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

fn broken(commit: &str, first: &Diagnostic) -> BaseError {
    BaseError::Broken {
        commit: short(commit),
        first: format!("{}:{}: {}", first.file, first.line, first.message),
    }
}

/// Runs git in a folder, with English messages and without the variables by which a hook or a wrapper points to another repository.
pub(super) fn command(root: &Path) -> Command {
    const REPOSITORY_VARIABLES: [&str; 8] = [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
    ];
    let mut command = Command::new("git");
    command.arg("-C").arg(root).env("LC_ALL", "C");
    for name in REPOSITORY_VARIABLES {
        command.env_remove(name);
    }
    command
}

pub(crate) fn git(root: &Path, words: &[&str]) -> Result<String, BaseError> {
    let output = command(root)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| BaseError::NoGit(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("not a git repository") {
        Err(BaseError::NoRepository)
    } else {
        Err(BaseError::Git(said.trim().to_owned()))
    }
}

//! Why there is no base, and what to do about it.

use crate::git::runner::GitError;
use crate::yaml::Diagnostic;

/// How a clone gets the whole history.
const WHOLE: &str =
    "(`fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab, `git fetch --unshallow`)";

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Git did not answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Git answered with something that is not what was asked for.
    #[error("unexpected output from git: {0}")]
    Answer(String),
    /// The repository has no commit yet.
    #[error("the repository has no commit yet")]
    NoCommits,
    /// The commit does not exist.
    #[error("commit `{reference}` not found in this repository")]
    NoCommit {
        /// The reference as given.
        reference: String,
        /// Whether the clone is shallow.
        shallow: bool,
        /// A remote branch of that name.
        remote: Option<String>,
    },
    /// A branch of a remote repository that this clone does not have.
    #[error(
        "the branch `{branch}` of `{remote}` is not in this clone: it was never fetched, or does not exist"
    )]
    NeverFetched {
        /// The remote repository.
        remote: String,
        /// The branch.
        branch: String,
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// Git finds no common ancestor of the two branches.
    #[error("`{other}` and this branch have no common ancestor")]
    NoMergeBase {
        /// The target branch of the pull request.
        other: String,
        /// Whether the clone is shallow.
        shallow: bool,
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
    #[error("at {commit}, {path} is a submodule, or a link that leads to no file of that commit")]
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
    #[error("this clone is shallow: cannot tell whether the files descend from {commit}")]
    Shallow {
        /// The commit.
        commit: String,
    },
    /// The clone ends before the commit that is looked for.
    #[error("this clone is shallow, and older commits are not in it")]
    CutOff,
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
    #[error(
        "the files of {commit} contain errors, so they cannot be used as the base: {}",
        first_of(errors)
    )]
    Broken {
        /// The commit.
        commit: String,
        /// The errors, of which there is at least one.
        errors: Vec<Diagnostic>,
    },
}

/// The first of the errors, with its place, and how many there are.
fn first_of(errors: &[Diagnostic]) -> String {
    let Some(first) = errors.first() else {
        return String::new();
    };
    let more = match errors.len() {
        1 => String::new(),
        all => format!(" (the first of {all} errors)"),
    };
    format!("{}:{}: {}{more}", first.file, first.line, first.message)
}

impl BaseError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let words = match self {
            Self::Git(error) => return error.hint(),
            Self::Answer(_) => "check the repository: git fsck",
            Self::NoCommits => "commit the files, or leave out --base",
            Self::NeverFetched {
                remote,
                branch,
                shallow,
            } => {
                let fetch = format!(
                    "fetch it: git fetch {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"
                );
                return match shallow {
                    true => {
                        format!("{fetch}; this clone is shallow, so with the whole history {WHOLE}")
                    }
                    false => fetch,
                };
            }
            Self::NoMergeBase { shallow: true, .. }
            | Self::NoCommit { shallow: true, .. }
            | Self::Shallow { .. } => {
                return format!("this clone is shallow: fetch the full history {WHOLE}");
            }
            Self::CutOff => return format!("fetch the full history {WHOLE}"),
            Self::NoMergeBase { shallow: false, .. } => {
                "their histories have nothing in common: name a commit to compare with"
            }
            Self::Gone { .. } => {
                return format!("fetch it, in a shallow clone with the whole history {WHOLE}");
            }
            Self::NoCommit {
                remote: Some(remote),
                ..
            } => return format!("the branch is here as `{remote}`"),
            Self::NoCommit { reference, .. } if is_hash(reference) => {
                return format!("if it is elsewhere, fetch it: git fetch origin {reference}");
            }
            Self::NoCommit { .. } => {
                "see `git log`; the name of a remote branch is origin/NAME, once it is fetched"
            }
            Self::Elsewhere { .. } => {
                "use a commit after the move as the base, or leave out --base"
            }
            Self::Link { .. } => "replace it with a file, or leave out --base",
            Self::NoWorkspace { .. } => "check the branch, and the folder after -C",
            Self::NoPullRequest => "name a commit, a branch or a tag",
            Self::Broken { .. } => "use a commit with valid files as the base, or leave out --base",
        };
        words.to_owned()
    }

    /// Whether there are no commits to be read: no git, no repository, or none with a commit.
    pub fn is_without_history(&self) -> bool {
        matches!(
            self,
            Self::Git(GitError::NotStarted(_) | GitError::NoRepository) | Self::NoCommits
        )
    }

    /// Whether the commit is there, and its files cannot be the base.
    pub fn is_about_files(&self) -> bool {
        match self {
            Self::Elsewhere { .. }
            | Self::Link { .. }
            | Self::NoWorkspace { .. }
            | Self::Broken { .. } => true,
            Self::Git(_)
            | Self::Answer(_)
            | Self::NoCommits
            | Self::NoCommit { .. }
            | Self::NeverFetched { .. }
            | Self::NoMergeBase { .. }
            | Self::Gone { .. }
            | Self::Shallow { .. }
            | Self::CutOff
            | Self::NoPullRequest => false,
        }
    }
}

fn is_hash(reference: &str) -> bool {
    reference.len() >= 7 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

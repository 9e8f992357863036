//! Base: what the files said at an earlier commit, read from git without touching the work tree.
//!
//! Given a folder and a ref; hands on the commit and the desired state of its files, judged by its own `convertalk.yaml`. Git itself is
//! asked (`rev-parse`, `ls-tree`, `cat-file --batch`): it knows every kind of repository, and there is nothing to build.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::config::{FILE, Overrides, parse};
use crate::lead::desired::Desired;
use crate::lead_file::desired_of;
use crate::lead_file::discover as files;
use crate::yaml::file as load;

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Git is not there.
    #[error("git could not be started: {0}")]
    NoGit(String),
    /// Git failed in a way of its own.
    #[error("git says: {0}")]
    Git(String),
    /// The workspace is in no repository.
    #[error("the workspace is in no git repository")]
    NoRepository,
    /// No such commit.
    #[error("there is no commit `{reference}` here")]
    NoCommit {
        /// As it was asked for.
        reference: String,
        /// Whether the clone is a shallow one.
        shallow: bool,
    },
    /// Git knows no commit where the two branches parted.
    #[error("git knows no commit from which both `{other}` and this branch come")]
    NoMergeBase {
        /// The branch that the pull request is to go into.
        other: String,
    },
    /// There was no workspace in this folder, but there was one elsewhere.
    #[error("at {commit} the workspace was not in this folder but at {found}")]
    Elsewhere {
        /// The commit.
        commit: String,
        /// Where a `convertalk.yaml` was.
        found: String,
    },
    /// A link or a submodule stands where files are looked for.
    #[error(
        "at {commit}, {path} is a link or a submodule, and what it leads to is not in that commit"
    )]
    Link {
        /// The commit.
        commit: String,
        /// The path.
        path: String,
    },
    /// `auto` outside of a pull request.
    #[error(
        "`--base auto` works in GitHub pull requests and GitLab merge requests, and this is neither"
    )]
    NoPullRequest,
    /// The files of that commit hold mistakes.
    #[error("the files of {commit} hold mistakes, so nothing can be explained with them: {first}")]
    Broken {
        /// The commit.
        commit: String,
        /// The first mistake, with its place.
        first: String,
    },
}

impl BaseError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoGit(_) => "install git, or go without --base",
            Self::Git(_) => "mend what git names, or go without --base",
            Self::NoMergeBase { .. } => {
                "fetch the whole history (`fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` at GitLab), or name a commit"
            }
            Self::Elsewhere { .. } => {
                "take a commit since the move as the base, or go without --base"
            }
            Self::Link { .. } => "put a file in its place, or go without --base",
            Self::NoRepository => "run `git init` and commit, or go without --base",
            Self::NoCommit { shallow: true, .. } => {
                "this clone is shallow: fetch the whole history (`fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` at GitLab)"
            }
            Self::NoCommit { shallow: false, .. } => {
                "see `git log`; a branch of the remote is written origin/NAME"
            }
            Self::NoPullRequest => "name a commit, a branch or a tag",
            Self::Broken { .. } => {
                "take a commit whose files are whole as the base, or go without --base"
            }
        }
    }
}

/// What the files of a workspace said at a commit.
#[derive(Debug)]
pub struct Base {
    /// The whole hash.
    pub commit: String,
    /// Empty where there was no workspace yet.
    pub desired: Desired,
}

/// The commit where the branch of `other` and this one parted.
///
/// # Errors
/// Git knows of none, as in a shallow clone.
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

/// The way from the repository's top to a folder in it, with `/` at its end; empty at the top, and outside of any repository.
pub fn prefix(root: &Path) -> String {
    git(root, &["rev-parse", "--show-prefix"])
        .map(|text| text.trim_end_matches('\n').to_owned())
        .unwrap_or_default()
}

/// The top of the repository that a folder is in.
pub fn top(folder: &Path) -> Option<PathBuf> {
    git(folder, &["rev-parse", "--show-toplevel"])
        .ok()
        .map(|text| PathBuf::from(text.trim_end_matches('\n')))
}

/// The whole hash of the commit that a reference names.
///
/// # Errors
/// No repository, or no such commit in it.
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
        let shallow = git(root, &["rev-parse", "--is-shallow-repository"])
            .is_ok_and(|text| text.trim() == "true");
        return Err(BaseError::NoCommit {
            reference: reference.to_owned(),
            shallow,
        });
    }
    Ok(commit)
}

/// Reads the desired state of the workspace in `root` at `reference`.
///
/// # Errors
/// No repository, no such commit, files with mistakes, or files that the commit does not hold.
pub fn read(root: &Path, reference: &str, overrides: &Overrides) -> Result<Base, BaseError> {
    let commit = commit(root, reference)?;
    let short: String = commit.chars().take(12).collect();
    let listed = git(root, &["ls-tree", "-r", "-z", &commit])?;
    let entries: Vec<Entry<'_>> = listed.split('\0').filter_map(entry).collect();
    let Some(config) = entries.iter().find(|entry| entry.path == FILE) else {
        let everywhere = git(
            root,
            &["ls-tree", "-r", "-z", "--name-only", "--full-tree", &commit],
        )?;
        // One that is still there is another workspace, and this one is new; one that is gone may have become this one.
        let top = top(root).unwrap_or_default();
        let is_one = |path: &&str| *path == FILE || path.ends_with(&format!("/{FILE}"));
        let other = everywhere
            .split('\0')
            .filter(is_one)
            .find(|path| !top.join(path).exists());
        return match other {
            Some(found) => Err(BaseError::Elsewhere {
                commit: short,
                found: found.to_owned(),
            }),
            None => Ok(Base {
                commit,
                desired: Desired::new(),
            }),
        };
    };
    let link = |path: &str| BaseError::Link {
        commit: short.clone(),
        path: path.to_owned(),
    };
    let broken = |first: &crate::yaml::Diagnostic| BaseError::Broken {
        commit: short.clone(),
        first: format!("{}:{}: {}", first.file, first.line, first.message),
    };
    if !config.is_file {
        return Err(link(FILE));
    }
    let text = texts(root, &[config.id])?.pop().unwrap_or_default();
    let text = load::decode(&Arc::from(FILE), text).map_err(|error| broken(&error))?;
    let (workspace, diagnostics) = parse(root, &text, overrides);
    let Some(workspace) = workspace else {
        return Err(diagnostics
            .iter()
            .find(|made| made.is_error())
            .map_or_else(|| link(FILE), broken));
    };
    let takes = files::matcher(&workspace.leads);
    let unseen = entries.iter().find(|entry| {
        !entry.is_file && (takes(entry.path) || files::may_hold(&workspace.leads, entry.path))
    });
    if let Some(entry) = unseen {
        return Err(link(entry.path));
    }
    let leads: Vec<&Entry<'_>> = entries
        .iter()
        .filter(|entry| entry.path != FILE && takes(entry.path))
        .collect();
    let ids: Vec<&str> = leads.iter().map(|entry| entry.id).collect();
    let mut read = Vec::with_capacity(leads.len());
    for (entry, text) in leads.iter().zip(texts(root, &ids)?) {
        let file: Arc<str> = Arc::from(entry.path);
        let text = load::decode(&file, text).map_err(|error| broken(&error))?;
        read.push((file, text));
    }
    let (desired, diagnostics) = desired_of(read, &workspace);
    match diagnostics.iter().find(|made| made.is_error()) {
        Some(first) => Err(broken(first)),
        None => Ok(Base { commit, desired }),
    }
}

/// A path of a commit.
struct Entry<'a> {
    path: &'a str,
    id: &'a str,
    /// Not a link, and not a submodule.
    is_file: bool,
}

/// `MODE TYPE ID<tab>PATH`
fn entry(text: &str) -> Option<Entry<'_>> {
    let (head, path) = text.split_once('\t')?;
    let mut head = head.split(' ');
    let (mode, _, id) = (head.next()?, head.next()?, head.next()?);
    Some(Entry {
        path,
        id,
        is_file: matches!(mode, "100644" | "100755"),
    })
}

/// Git in a folder, its own words in English, and without what a hook or a wrapper may have told it of another repository.
fn command(root: &Path) -> Command {
    const TOLD: [&str; 8] = [
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
    for name in TOLD {
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

/// The texts of many files, with one process.
fn texts(root: &Path, ids: &[&str]) -> Result<Vec<Vec<u8>>, BaseError> {
    let failed = |error: std::io::Error| BaseError::Git(error.to_string());
    let mut child = command(root)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let (Some(mut asking), Some(answering)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(BaseError::Git("no pipes".to_owned()));
    };
    let asked: String = ids.iter().map(|id| format!("{id}\n")).collect();
    // Asked from another thread: git answers while it is being asked, and both pipes are short.
    let asker = std::thread::spawn(move || asking.write_all(asked.as_bytes()));
    let mut answers = BufReader::new(answering);
    let mut texts = Vec::with_capacity(ids.len());
    for id in ids {
        let mut head = String::new();
        answers.read_line(&mut head).map_err(failed)?;
        let size = head
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<usize>().ok());
        let size = size.ok_or_else(|| BaseError::Git(format!("no file {id}")))?;
        let mut text = vec![0; size + 1];
        answers.read_exact(&mut text).map_err(failed)?;
        text.pop();
        texts.push(text);
    }
    let _asked = asker.join();
    let _ended = child.wait();
    Ok(texts)
}

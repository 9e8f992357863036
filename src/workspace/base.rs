//! Base: what the files said at an earlier commit, read from git without touching the work tree.
//!
//! Given a folder and a ref; hands on the commit and the desired state of its files, judged by its own `convertalk.yaml`. Git itself is
//! asked (`rev-parse`, `ls-tree`, `cat-file --batch`): it knows every kind of repository, and there is nothing to build.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::{FILE, Overrides, desired_of, files, parse};
use crate::desired::Desired;

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Git is not there, or failed in a way of its own.
    #[error("git could not be asked: {0}")]
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
    /// `auto` outside of a pull request.
    #[error("`--base auto` works in GitHub pull requests and GitLab merge requests, and this is neither")]
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
            Self::Git(_) => "install git, or go without --base",
            Self::NoRepository => "run `git init` and commit, or go without --base",
            Self::NoCommit { shallow: true, .. } => {
                "this clone is shallow: fetch the whole history (`fetch-depth: 0` for actions/checkout)"
            }
            Self::NoCommit { shallow: false, .. } => "see `git log`; a branch of the remote is written origin/NAME",
            Self::NoPullRequest => "name a commit, a branch or a tag",
            Self::Broken { .. } => "take a later commit as the base, or go without --base",
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

/// The commit where the branch of `other` and this one parted; `None` where git knows of none.
pub fn merge_base(root: &Path, other: &str) -> Option<String> {
    git(root, &["merge-base", "--end-of-options", other, "HEAD"]).ok().map(|text| text.trim().to_owned())
}

/// Reads the desired state of the workspace in `root` at `reference`.
///
/// # Errors
/// No repository, no such commit, or files with mistakes.
pub fn read(root: &Path, reference: &str, overrides: &Overrides) -> Result<Base, BaseError> {
    if git(root, &["rev-parse", "--git-dir"])?.is_empty() {
        return Err(BaseError::NoRepository);
    }
    let name = format!("{reference}^{{commit}}");
    let commit =
        git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).unwrap_or_default().trim().to_owned();
    if commit.is_empty() {
        let shallow = git(root, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|text| text.trim() == "true");
        return Err(BaseError::NoCommit { reference: reference.to_owned(), shallow });
    }
    let listed = git(root, &["ls-tree", "-r", "-z", &commit])?;
    let blobs: Vec<(&str, &str)> = listed.split('\0').filter_map(blob).collect();
    let Some((_, config)) = blobs.iter().find(|(path, _)| *path == FILE) else {
        return Ok(Base { commit, desired: Desired::new() });
    };
    let broken = |first: &super::Diagnostic| BaseError::Broken {
        commit: commit.chars().take(12).collect(),
        first: format!("{}:{}: {}", first.file, first.line, first.message),
    };
    let text = texts(root, &[*config])?.pop().unwrap_or_default();
    let (workspace, diagnostics) = parse(root, &text, overrides);
    let Some(workspace) = workspace else {
        return Err(diagnostics
            .iter()
            .find(|made| made.is_error())
            .map_or_else(|| BaseError::Git("no workspace".to_owned()), broken));
    };
    let globs = files::matcher(&workspace.leads);
    let leads: Vec<(&str, &str)> = blobs.into_iter().filter(|(path, _)| *path != FILE && globs.is_match(path)).collect();
    let ids: Vec<&str> = leads.iter().map(|(_, id)| *id).collect();
    let read = leads.iter().map(|(path, _)| Arc::from(*path)).zip(texts(root, &ids)?).collect();
    let (desired, diagnostics) = desired_of(read, &workspace);
    match diagnostics.iter().find(|made| made.is_error()) {
        Some(first) => Err(broken(first)),
        None => Ok(Base { commit, desired }),
    }
}

/// `MODE TYPE ID<tab>PATH`: the path and the id of a file; links and submodules hold no leads.
fn blob(entry: &str) -> Option<(&str, &str)> {
    let (head, path) = entry.split_once('\t')?;
    let mut head = head.split(' ');
    let (mode, _, id) = (head.next()?, head.next()?, head.next()?);
    matches!(mode, "100644" | "100755").then_some((path, id))
}

fn git(root: &Path, words: &[&str]) -> Result<String, BaseError> {
    let output = Command::new("git").arg("-C").arg(root).args(words).stdin(Stdio::null()).output();
    let output = output.map_err(|error| BaseError::Git(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("not a git repository") { Err(BaseError::NoRepository) } else { Err(BaseError::Git(said.trim().to_owned())) }
}

/// The texts of many files, with one process.
fn texts(root: &Path, ids: &[&str]) -> Result<Vec<String>, BaseError> {
    let failed = |error: std::io::Error| BaseError::Git(error.to_string());
    let mut child = Command::new("git")
        .arg("-C")
        .arg(root)
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
        let size = head.trim().rsplit(' ').next().and_then(|size| size.parse::<usize>().ok());
        let size = size.ok_or_else(|| BaseError::Git(format!("no file {id}")))?;
        let mut text = vec![0; size + 1];
        answers.read_exact(&mut text).map_err(failed)?;
        text.pop();
        texts.push(String::from_utf8_lossy(&text).into_owned());
    }
    let _asked = asker.join();
    let _ended = child.wait();
    Ok(texts)
}

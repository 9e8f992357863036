//! The one place that runs git, and keeps git's own words where it fails.
//!
//! Every call goes to the repository of the folder that is given, whatever variables a hook or a wrapper has set, and asks for English
//! messages. [`GitError`] says which kind of failure it was, so that no caller has to guess: a repository that git does not trust is not
//! a missing commit.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why git did not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Git is not installed, or cannot be run.
    #[error("git could not be started")]
    NotStarted(#[source] io::Error),
    /// The folder is in no repository.
    #[error("the workspace is not in a git repository")]
    NoRepository,
    /// Git reads no repository that belongs to another user, as in a job's container.
    #[error("git refuses to read this repository: {said}")]
    NotTrusted {
        /// Git's message.
        said: String,
        /// The command that makes git trust it, as git gives it.
        remedy: String,
    },
    /// Git gave up for another reason.
    #[error("git {command} failed: {said}")]
    Failed {
        /// The command of git.
        command: String,
        /// Its exit code.
        status: Option<i32>,
        /// Git's message.
        said: String,
    },
    /// The pipes to git broke.
    #[error("git {command} could not be completed")]
    Pipe {
        /// The command of git.
        command: String,
        /// The reason.
        source: io::Error,
    },
}

impl GitError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotStarted(_) => "install git, and check that it is in PATH".to_owned(),
            Self::NoRepository => "run `git init` and commit, or leave out --base".to_owned(),
            Self::NotTrusted { remedy, .. } => {
                format!("the folder belongs to another user, as in a container: {remedy}")
            }
            Self::Failed { .. } | Self::Pipe { .. } => {
                "fix the problem that git reports".to_owned()
            }
        }
    }

    /// The exit code that git ended with.
    pub(super) fn status(&self) -> Option<i32> {
        match self {
            Self::Failed { status, .. } => *status,
            Self::NotStarted(_)
            | Self::NoRepository
            | Self::NotTrusted { .. }
            | Self::Pipe { .. } => None,
        }
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

/// What a command of git prints.
pub(crate) fn git(root: &Path, words: &[&str]) -> Result<String, GitError> {
    let output = command(root).args(words).stdin(Stdio::null()).output();
    answer(words, output.map_err(GitError::NotStarted)?)
}

/// The same, of a command that reads stdin.
pub(super) fn git_with_input(
    root: &Path,
    words: &[&str],
    input: String,
) -> Result<String, GitError> {
    let mut child = command(root)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(GitError::NotStarted)?;
    let stdin = child.stdin.take();
    // From another thread: git answers while it is being asked, and both pipes are short.
    let asker = std::thread::spawn(move || stdin.map(|mut all| all.write_all(input.as_bytes())));
    let output = child.wait_with_output().map_err(|source| GitError::Pipe {
        command: command_of(words),
        source,
    })?;
    // Where it did not read all, it says why.
    let _asked = asker.join();
    answer(words, output)
}

fn answer(words: &[&str], output: Output) -> Result<String, GitError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failure(words, output.status.code(), &said))
}

/// The error of a command that ended with this message.
pub(super) fn failure(words: &[&str], status: Option<i32>, said: &str) -> GitError {
    // `(or any of the parent directories)`: another text names the part of a repository that is not there.
    if said.contains("not a git repository (or any") {
        return GitError::NoRepository;
    }
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    if said.contains("dubious ownership") {
        let remedy = lines().find(|line| line.starts_with("git config "));
        return GitError::NotTrusted {
            said: plain(lines().next().unwrap_or_default()),
            remedy: remedy
                .unwrap_or("git config --global --add safe.directory '*'")
                .to_owned(),
        };
    }
    let all: Vec<&str> = lines().collect();
    GitError::Failed {
        command: command_of(words),
        status,
        said: match all[..] {
            [] => "it gave no reason".to_owned(),
            _ => plain(&all.join("; ")),
        },
    }
}

/// Without the word that only says that it is an error.
fn plain(said: &str) -> String {
    let said = said.strip_prefix("fatal: ").unwrap_or(said);
    said.strip_prefix("error: ").unwrap_or(said).to_owned()
}

/// `rev-parse`, of its words.
fn command_of(words: &[&str]) -> String {
    let mut words = words
        .iter()
        .skip_while(|word| **word == "-c" || word.contains('='));
    words.next().copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_kind_and_keeps_the_words_of_git() {
        let words = ["-c", "core.quotePath=false", "log", "x"];
        let unrelated = failure(&words, Some(128), "fatal: bad object x\n");
        assert_eq!(unrelated.to_string(), "git log failed: bad object x");
        assert_eq!(unrelated.status(), Some(128));
        let none = "fatal: not a git repository (or any of the parent directories): .git\n";
        assert!(matches!(
            failure(&words, Some(128), none),
            GitError::NoRepository
        ));
        let torn = "fatal: not a git repository: /gone/.git/worktrees/x\n";
        assert_eq!(
            failure(&words, Some(128), torn).to_string(),
            "git log failed: not a git repository: /gone/.git/worktrees/x"
        );
        let owned = "fatal: detected dubious ownership in repository at '/a b'\n\
            To add an exception for this directory, call:\n\n\tgit config --global --add safe.directory '/a b'\n";
        let owned = failure(&words, Some(128), owned);
        assert_eq!(
            owned.to_string(),
            "git refuses to read this repository: detected dubious ownership in repository at '/a b'"
        );
        assert!(
            owned
                .hint()
                .ends_with("git config --global --add safe.directory '/a b'")
        );
    }
}

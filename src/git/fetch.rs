//! Fetching the branch that a remote-tracking reference follows. Nothing but that reference changes; the work tree stays as it is.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::base::BaseError;
use super::runner::{command, git};

/// How long a fetch may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Why nothing could be fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch from {remote}: {reason}")]
pub struct FetchError {
    remote: String,
    /// In git's own words.
    reason: String,
}

impl FetchError {
    /// The hint.
    pub fn hint(&self) -> &'static str {
        "check the network, and git's access to the remote: convertalk never prompts for a password"
    }
}

/// A remote, and the branch of it that a reference follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteBranch {
    remote: String,
    /// `None` where the reference is no plain branch: then all of them are fetched.
    branch: Option<String>,
}

impl RemoteBranch {
    /// The remote branch that `reference` names, such as `origin/main`; `None` where no remote has such a name.
    ///
    /// # Errors
    /// There is no repository.
    pub fn find(root: &Path, reference: &str) -> Result<Option<Self>, BaseError> {
        let remotes = git(root, &["remote"])?;
        Ok(branch_of(reference, remotes.lines()))
    }

    /// Fetches it.
    ///
    /// # Errors
    /// Git fails, or takes longer than two minutes.
    pub async fn fetch(&self, root: &Path) -> Result<(), FetchError> {
        let failed = |reason: String| FetchError {
            remote: self.remote.clone(),
            reason,
        };
        let mut command = tokio::process::Command::from(command(root));
        // What git does in the background would outlive this process, or be left to it as a zombie.
        command
            .args(["-c", "gc.autoDetach=false"])
            .args(["-c", "maintenance.autoDetach=false"])
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
            .arg(&self.remote)
            .args(self.refspec())
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(LONGEST, command.output())
            .await
            .map_err(|_| failed(format!("no answer within {} s", LONGEST.as_secs())))?
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            Ok(())
        } else {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(failed(without_credentials(words.trim())))
        }
    }

    /// The branch alone, whatever the remote is configured to fetch.
    fn refspec(&self) -> Option<String> {
        let Self { remote, branch } = self;
        branch
            .as_ref()
            .map(|branch| format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}"))
    }
}

fn branch_of<'r>(reference: &str, remotes: impl Iterator<Item = &'r str>) -> Option<RemoteBranch> {
    let name = ["refs/remotes/", "remotes/"]
        .iter()
        .find_map(|prefix| reference.strip_prefix(prefix))
        .unwrap_or(reference);
    // A remote's name may contain a slash.
    let of_remote = |remote: &'r str| Some((remote, name.strip_prefix(remote)?.strip_prefix('/')?));
    let (remote, branch) = remotes
        .filter_map(of_remote)
        .max_by_key(|(remote, _)| remote.len())?;
    let is_plain = !branch.is_empty() && branch != "HEAD" && !branch.contains(['~', '^', ':', '@']);
    Some(RemoteBranch {
        remote: remote.to_owned(),
        branch: is_plain.then(|| branch.to_owned()),
    })
}

/// Addresses without what is before their `@`.
fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = address
            .find(|letter: char| letter.is_whitespace() || ['/', '\'', '"'].contains(&letter))
            .unwrap_or(address.len());
        let secret = address[..end].rfind('@').map_or(0, |at| at + 1);
        rest = &address[secret..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_branch_of_a_remote() {
        let found = |reference| branch_of(reference, ["origin", "team/fork", "team"].into_iter());
        let branch = |remote: &str, branch: Option<&str>| {
            Some(RemoteBranch {
                remote: remote.to_owned(),
                branch: branch.map(str::to_owned),
            })
        };
        assert_eq!(found("origin/main"), branch("origin", Some("main")));
        assert_eq!(
            found("refs/remotes/origin/release/1"),
            branch("origin", Some("release/1"))
        );
        assert_eq!(found("team/fork/main"), branch("team/fork", Some("main")));
        assert_eq!(found("origin/main~1"), branch("origin", None));
        assert_eq!(found("main"), None);
        assert_eq!(found("originals/main"), None);
    }

    #[test]
    fn credentials_in_an_address_are_not_shown() {
        assert_eq!(
            without_credentials("fatal: 'https://user:secret@git.example/x' and ssh://git@host/y"),
            "fatal: 'https://git.example/x' and ssh://host/y"
        );
        assert_eq!(without_credentials("a@b: no address"), "a@b: no address");
    }
}

//! What to do about an error: one hint each, or none.

use std::borrow::Cow;

use super::Error;
use crate::api::ApiError;
use crate::atomic_file::WriteError;
use crate::observe::ObserveError;

impl Error {
    /// The hint; `command` is the command that failed.
    pub fn hint(&self, command: &str) -> Option<String> {
        let words = match self {
            Self::Api(_) | Self::Observe(ObserveError::Page { .. }) => {
                return self.api().and_then(ApiError::hint).map(Cow::into_owned);
            }
            Self::Observe(ObserveError::PageCap { .. }) => {
                "if the inbox is that large, raise api.page_cap"
            }
            Self::Observe(ObserveError::Nowhere) => {
                "check api.endpoint: expected the host alone, such as https://api.v7.convertalk.com"
            }
            Self::NoWorkspace(error) => error.hint(),
            Self::Invalid { .. } | Self::Unchanged { .. } => return None,
            Self::NoToken { .. } => {
                "tokens are read from the environment only; `endpoint: sandbox` needs none"
            }
            Self::Usage(_) | Self::UnknownTopic(_) | Self::Select(_) => {
                return Some(format!("see `convertalk {command} --help`"));
            }
            Self::Output { .. } => "choose another file name",
            Self::Base(error) => return Some(error.hint()),
            Self::Fetch(error) => error.hint(),
            Self::Notify(_) => "check --notify, or CONVERTALK_NOTIFY_URL",
            Self::Fleet(error) => error.hint(),
            Self::UnknownRule { .. } => "rules are in policy.rules of convertalk.yaml, by `name`",
            Self::Ambiguous { .. } => "use more characters of the uuid",
            Self::Snapshot(error) => error.hint(),
            Self::PlanFile { source, .. } => source.hint(),
            Self::NoRun(_) => "see `convertalk runs`",
            Self::RunFile { .. } => {
                "run files are in .convertalk/runs/, or where --run-file put them"
            }
            Self::Applied { source, .. } => source.hint(),
            Self::ForeignRun { .. } => {
                "undo it in its own workspace, with the same environment variables"
            }
            Self::Missing { .. } => {
                "check the uuids; remove leads that are gone, add `create: true`, or skip them with --missing skip"
            }
            Self::Unreadable(_) => "check these leads in the inbox, or leave them out with --only",
            Self::NeedsYes => "in a pipeline, add --yes",
            Self::Locked => "wait for it to end; its run file is in .convertalk/runs/",
            Self::Sandbox(error) => return error.hint().map(str::to_owned),
            Self::Io { .. } | Self::Json(_) | Self::Declined | Self::Interrupted => return None,
            Self::Write(WriteError::Changed(_)) => "run it again",
            Self::Write(WriteError::Io(..)) => return None,
            Self::LeadPath { .. } => "name a path in the workspace, such as leads/eu.yaml",
            Self::NotLeadFile { .. } if command == "pull" => {
                "nothing was written: name a file or folder that a glob matches with --out, or add a glob"
            }
            Self::NotLeadFile { .. } => "name a file that a glob matches, or add a glob",
            Self::NotAdded { .. } => "write to another file or folder: --out FILE|DIR",
            Self::Internal(_) => "please report it, with the command that you ran",
        };
        Some(words.to_owned())
    }
}

//! Why a command fails: the errors, their codes for programs, and their hints; and the table of exit codes.

use std::io;
use std::path::{Path, PathBuf};

use crate::api::{ApiError, Failure, NotSent, WebhookError};
use crate::apply::applied::RecordError;
use crate::apply::history::NoRunError;
use crate::apply::journal::RunFileError;
use crate::atomic_file::WriteError;
use crate::config::NoWorkspace;
use crate::fleet::FleetError;
use crate::git::base::BaseError;
use crate::git::fetch::FetchError;
use crate::instance::SchemaFault;
use crate::observe::{ObserveError, UnreadableLeads};
use crate::plan::file::PlanFileError;
use crate::sandbox::{FileError, SandboxError};
use crate::select::SelectError;
use crate::snapshot::SnapshotError;
use crate::text::{chain, visible};
use crate::yaml::excerpt::quoted;

pub use exit::Exit;

mod exit;
mod hint;

/// Why a command could not do its work. The outcome of a run is a report, not an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no workspace.
    #[error(transparent)]
    NoWorkspace(#[from] NoWorkspace),
    /// The files contain errors, which have been printed.
    #[error("{errors} {}", if *errors == 1 { "error" } else { "errors" })]
    Invalid {
        /// The number of errors.
        errors: usize,
    },
    /// Bulk edits that cannot all be made, each reported already.
    #[error("{errors} {}; no file was changed", if *errors == 1 { "error" } else { "errors" })]
    Unchanged {
        /// The number of errors.
        errors: usize,
        /// The exit code: a guard may have refused them.
        exit: Exit,
    },
    /// No token is set.
    #[error("neither {name} nor CONVERTALK_TOKEN is set")]
    NoToken {
        /// The variable that is read first.
        name: &'static str,
    },
    /// Options that cannot be combined.
    #[error("{0}")]
    Usage(&'static str),
    /// Nothing to explain has this name.
    #[error("{} is neither a command nor a code; docs/codes.md lists the codes", quoted(.0))]
    UnknownTopic(String),
    /// There is no base to explain differences with.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The notification was not accepted.
    #[error("notification failed")]
    Notify(#[source] WebhookError),
    /// The desired state cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The workspaces below a folder cannot be listed.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Selectors that are invalid or match nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// `--allow` names an unknown rule.
    #[error("--allow: unknown rule `{name}`{}", known_rules(known))]
    UnknownRule {
        /// The name.
        name: String,
        /// The names of the workspace's rules.
        known: Vec<String>,
    },
    /// The start of a uuid matches several leads.
    #[error("{leads} declared leads start with `{uuid}`, or have it in their label")]
    Ambiguous {
        /// The start of the uuid.
        uuid: String,
        /// The number of leads.
        leads: usize,
    },
    /// The API could not be used.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The listing could not be read completely.
    #[error(transparent)]
    Observe(#[from] ObserveError<ApiError>),
    /// Records of declared leads could not be understood.
    #[error(transparent)]
    Unreadable(#[from] UnreadableLeads),
    /// A snapshot cannot be used.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The sandbox could not be used.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A saved plan cannot be used.
    #[error("{}", path.display())]
    PlanFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: PlanFileError,
    },
    /// A run file cannot be used.
    #[error("{}", path.display())]
    RunFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: RunFileError,
    },
    /// The applied record is of no use.
    #[error("{}", path.display())]
    Applied {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RecordError,
    },
    /// There is no such run.
    #[error(transparent)]
    NoRun(#[from] NoRunError),
    /// The run was for another inbox.
    #[error("{}: the run was for another endpoint, bot or customer", path.display())]
    ForeignRun {
        /// The file.
        path: PathBuf,
    },
    /// Declared leads are not in the inbox.
    #[error("{leads} declared {} not in the inbox; nothing was written", if *leads == 1 { "lead is" } else { "leads are" })]
    Missing {
        /// The number of leads.
        leads: usize,
    },
    /// Confirmation is required, but stdin is not a terminal.
    #[error("confirmation is required, but stdin is not a terminal")]
    NeedsYes,
    /// The user did not confirm.
    #[error("not applied; nothing was written")]
    Declined,
    /// Another run is in progress.
    #[error("another apply is running in this workspace")]
    Locked,
    /// An operation on a file, a folder or a device failed.
    #[error("cannot {what}")]
    Io {
        /// The operation.
        what: String,
        /// The reason.
        source: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A path that names no place for lead files.
    #[error("{flag} {why}")]
    LeadPath {
        /// The flag that names it.
        flag: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file that would hold leads is not one of the workspace's lead files.
    #[error("no glob in `leads` of convertalk.yaml matches {file}")]
    NotLeadFile {
        /// Its path in the workspace.
        file: String,
    },
    /// Leads cannot be added to a lead file.
    #[error("{file}: {why}; nothing was written")]
    NotAdded {
        /// The file, and the line where there is one.
        file: String,
        /// The reason.
        why: String,
    },
    /// A file cannot be written at this path.
    #[error("{} {why}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: &'static str,
    },
    /// JSON could not be written.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    /// The user interrupted the prompt.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// A bug in this program.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<ObserveError<SnapshotError>> for Error {
    fn from(error: ObserveError<SnapshotError>) -> Self {
        match error {
            ObserveError::Page { source, .. } => Self::Snapshot(source),
            ObserveError::Nowhere | ObserveError::PageCap { .. } => {
                Self::Internal("a snapshot has one page")
            }
        }
    }
}

fn known_rules(known: &[String]) -> String {
    match known {
        [] => "; the workspace has no rules".to_owned(),
        known => format!("; the workspace has: {}", known.join(", ")),
    }
}

impl Error {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self.failure() {
            Some(Failure::NotSent(NotSent::Interrupted)) => Exit::Interrupted,
            _ => match self {
                Self::Interrupted => Exit::Interrupted,
                Self::Unchanged { exit, .. } => *exit,
                _ => Exit::Error,
            },
        }
    }

    fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) | Self::Observe(ObserveError::Page { source: error, .. }) => {
                Some(error)
            }
            _ => None,
        }
    }

    fn failure(&self) -> Option<&Failure> {
        self.api().and_then(ApiError::failure)
    }

    /// The error and its causes in one line, escaped for a terminal.
    pub fn message(&self) -> String {
        match self.failure() {
            Some(Failure::NotSent(NotSent::Interrupted)) => {
                "interrupted; nothing was written".to_owned()
            }
            _ => visible(&chain(self)),
        }
    }

    /// What kind of error it is, for programs: stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoWorkspace(_) => "no-workspace",
            Self::Invalid { .. } => "invalid-files",
            Self::Unchanged { .. } => "unchanged",
            Self::NoRun(_) => "no-run",
            Self::NoToken { .. } => "no-token",
            Self::Usage(_) | Self::UnknownTopic(_) => "usage",
            Self::Base(_) => "base",
            Self::Applied { .. } => "applied-record",
            Self::Fetch(_) => "fetch",
            Self::Notify(_) => "notify",
            Self::Fleet(_) => "workspaces",
            Self::Select(_) => "selector",
            Self::UnknownRule { .. } => "unknown-rule",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Api(_) => "api",
            Self::Observe(_) => "incomplete-listing",
            Self::Unreadable(_) => "unreadable",
            Self::Snapshot(_) => "snapshot",
            Self::Sandbox(_) => "sandbox",
            Self::PlanFile { .. } => "plan-file",
            Self::RunFile { .. } => "run-file",
            Self::ForeignRun { .. } => "foreign-run",
            Self::Missing { .. } => "missing",
            Self::NeedsYes => "needs-yes",
            Self::Declined => "declined",
            Self::Locked => "locked",
            Self::Io { .. } => "io",
            Self::Write(_) => "write",
            Self::LeadPath { .. } => "lead-path",
            Self::NotLeadFile { .. } => "not-a-lead-file",
            Self::NotAdded { .. } => "not-added",
            Self::Output { .. } => "output",
            Self::Json(_) => "json",
            Self::Interrupted => "interrupted",
            Self::Internal(_) => "internal",
        }
    }

    /// The place in a document that was read back and is not as its schema says.
    pub fn fault(&self) -> Option<(&Path, &SchemaFault)> {
        match self {
            Self::PlanFile {
                path,
                source: PlanFileError::NotAPlan(fault),
            }
            | Self::RunFile {
                path,
                source: RunFileError::NotARun(fault),
            }
            | Self::Applied {
                path,
                source: RecordError::NotARecord(fault),
            }
            | Self::Snapshot(SnapshotError::NotASnapshot { path, fault })
            | Self::Sandbox(SandboxError::File(FileError::Shape(path, fault))) => {
                Some((path, fault))
            }
            _ => None,
        }
    }
}

//! The table of exit codes.

use std::process::ExitCode;

/// The exit codes, the same in every format. The highest that applies wins, but [`Exit::Error`] where nothing could start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done; a plan with changes too, without `--detailed-exitcode`.
    Done = 0,
    /// Usage, files, credentials, an incomplete listing, missing leads.
    Error = 1,
    /// `plan --detailed-exitcode`: apply would write something.
    Changes = 2,
    /// Refused by a guard; nothing written.
    Refused = 3,
    /// Some leads had changed since the plan, and were not written.
    Stale = 4,
    /// Some writes failed or were not tried.
    Partial = 5,
    /// Written, but reading back disagrees.
    Unverified = 6,
    /// Interrupted.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

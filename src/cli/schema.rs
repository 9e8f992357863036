//! `convertalk schema`

use std::path::Path;

use clap::{Args, ValueEnum};

use super::ui::Ui;
use crate::error::{Error, Exit};
use crate::lead_file::schema;
use crate::{config, config_test, lead_file};

/// Print the JSON Schema of a file format
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// The file format
    #[arg(value_name = "FILE")]
    of: Of,
    /// For lead files: include the agent names and tags of this workspace
    #[arg(long)]
    workspace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// convertalk.yaml
    Workspace,
    /// A lead file
    Leads,
    /// A plan in JSON
    Plan,
    /// A line of a run file
    Run,
    /// `apply --format json` and `undo --format json`
    Apply,
    /// `pull --format json`
    Pull,
    /// `fmt --format json`
    Fmt,
    /// `init --format json`
    Init,
    /// `doctor --format json`
    Doctor,
    /// `validate --format json`
    Validate,
    /// `explain --format json`
    Explain,
    /// `snapshot --format json`
    SnapshotResult,
    /// `show RUN --format json`
    ShowRun,
    /// A line of a snapshot
    Snapshot,
    /// The seed and the state of a sandbox
    Seed,
    /// The applied record
    Applied,
    /// Where declared leads were listed
    Listing,
    /// What runs learned about the platform
    Platform,
    /// The list of workspaces in JSON
    Workspaces,
    /// An error in JSON
    Error,
    /// A file of tests
    Tests,
    /// The results of tests in JSON
    TestResults,
    /// `list --format json`
    List,
    /// `set --format json`
    Set,
    /// `runs --format json`
    Runs,
    /// `explain --history --format json`
    History,
    /// The status of `watch`
    Status,
}

impl Schema {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let schema = match (self.of, self.workspace) {
            (Of::Leads, true) => {
                let loaded =
                    lead_file::load(&config::find(directory)?, &super::session::overrides());
                schema::leads_for(&loaded.workspace.ok_or(Error::Invalid { errors: 1 })?)
            }
            (Of::Leads, false) => schema::leads(),
            (Of::Workspace, _) => config::schema::workspace(),
            (Of::Plan, _) => schemars::schema_for!(crate::plan::Plan),
            (Of::Apply, _) => schemars::schema_for!(crate::report::ApplyReport<'static>),
            (Of::Pull, _) => schemars::schema_for!(crate::report::PullReport),
            (Of::Fmt, _) => schemars::schema_for!(crate::report::FmtReport),
            (Of::Init, _) => schemars::schema_for!(crate::report::InitReport),
            (Of::Doctor, _) => schemars::schema_for!(crate::report::DoctorReport),
            (Of::Validate, _) => schemars::schema_for!(crate::report::ValidateReport<'static>),
            (Of::Explain, _) => schemars::schema_for!(crate::plan::explain::Explanation),
            (Of::SnapshotResult, _) => schemars::schema_for!(crate::report::SnapshotReport),
            (Of::ShowRun, _) => schemars::schema_for!(crate::report::RunDocument),
            (Of::Snapshot, _) => schemars::schema_for!(crate::snapshot::SnapshotLine),
            (Of::Seed, _) => crate::sandbox::seed_schema(),
            (Of::Listing, _) => schemars::schema_for!(crate::hints::HintsRecord),
            (Of::Platform, _) => {
                schemars::schema_for!(crate::apply::platform::PlatformRecord)
            }
            (Of::Applied, _) => schemars::schema_for!(crate::apply::applied::AppliedRecord),
            (Of::List, _) => schemars::schema_for!(crate::report::LeadList),
            (Of::Set, _) => schemars::schema_for!(crate::report::SetReport),
            (Of::Runs, _) => schemars::schema_for!(crate::apply::history::RunList),
            (Of::History, _) => schemars::schema_for!(crate::report::LeadHistory),
            (Of::Status, _) => schemars::schema_for!(crate::watch::status::WatchStatus),
            (Of::Run, _) => schemars::schema_for!(crate::apply::journal::Line),
            (Of::Workspaces, _) => schemars::schema_for!(crate::fleet::Workspaces),
            (Of::Error, _) => schemars::schema_for!(crate::report::ErrorDocument),
            (Of::Tests, _) => config_test::schema(),
            (Of::TestResults, _) => schemars::schema_for!(config_test::Results),
        };
        ui.json(&schema)?;
        Ok(Exit::Done)
    }
}

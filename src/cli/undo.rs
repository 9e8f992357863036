//! `convertalk undo`

use std::path::{Path, PathBuf};

use clap::Args;

use super::execution::{Execution, Job};
use super::options::Scope;
use super::session::{Session, block_on, files, lock, now, select};
use super::show::read_run;
use super::ui::Ui;
use crate::apply::still_open;
use crate::apply::undo::{Inverse, inverse};
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::observe::observe;
use crate::plan::{DifferencePolicy, Present, bare, hold, rejudge, to_write};
use crate::report::style::visible;
use crate::select::Selection;

/// Write back what a run replaced
///
/// The inverse of a run, through the same guards and verification. A lead that has moved since is skipped as stale. What the API cannot
/// take away stays, and is told: notes, new attributes, created leads.
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// The run file
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    execution: Execution,
}

impl Undo {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        self.execution.check_consent()?;
        if self.scope.base.is_some() {
            return Err(Error::Usage(
                "undo has no use for --base: it writes back what the run replaced",
            ));
        }
        let end = self.execution.end();
        let files = files(directory, ui)?;
        let Inverse {
            target,
            mut changes,
            kept,
        } = inverse(&read_run(&self.run)?, &self.run.display().to_string());
        for (id, why) in &kept {
            ui.note(&format!(
                "stays: {}: {}",
                visible(id.as_str()),
                visible(why)
            ));
        }
        let stop = Cancellation::at(end);
        let _lock = lock(&files.workspace)?;
        block_on(&stop, async {
            Session::with(&files.workspace, &stop, async |session| {
                if target.as_ref() != Some(session.target()) {
                    return Err(Error::ForeignRun {
                        path: self.run.clone(),
                    });
                }
                if !self.scope.only.is_empty() {
                    let selection = Selection::parse(&self.scope.only, &files.workspace.agents)?;
                    let chosen = select(&selection, &files.desired, None, ui)?;
                    changes.retain(|change| chosen.contains_key(&change.uuid));
                }
                let writer = session.writer(&files.workspace)?;
                let wanted = changes.iter().map(|change| change.uuid.clone()).collect();
                let live = observe(&writer, wanted, self.scope.reads_all(&files.workspace))
                    .await?
                    .readable()?;
                let mut plan = bare(changes, session.target().clone(), now());
                for held in hold(&mut plan, &files.desired) {
                    let lead = visible(held.uuid.as_str());
                    ui.note(&format!("stays: {lead}: held: {}", visible(&held.reason)));
                }
                let policy = DifferencePolicy::default();
                let written = to_write(&plan.changes, policy).into_owned();
                rejudge(
                    &mut plan,
                    &Present {
                        live: &live,
                        open: &still_open(&written, &live),
                        written: &written,
                        declared: files.desired.len(),
                        agents: &files.workspace.agents,
                        limits: &self.scope.limits(&files.workspace, true)?,
                        policy,
                    },
                );
                self.execution
                    .carry_out(&Job {
                        plan: &plan,
                        policy,
                        live: &live,
                        ledger: None,
                        files: &files,
                        scope: &self.scope,
                        writer: &writer,
                        stop: &stop,
                        ui,
                    })
                    .await
            })
            .await
        })
    }
}

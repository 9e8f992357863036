//! `convertalk undo`

use std::path::Path;

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::compared::select;
use super::complete;
use super::execution::Execution;
use super::job::{Job, JobOutput};
use super::options::{OutputFormat, Scope};
use super::session::{Session, files, lock, now};
use super::show::{commit_of, read_run};
use super::signals::block_on;
use super::ui::Ui;
use crate::apply::precheck::{Precheck, precheck};
use crate::apply::undo::{Inverse, inverse};
use crate::apply::{Outcome, history, still_open};
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::hints::with_hints;
use crate::lead::{Desired, DesiredLead, LeadId, Place};
use crate::observe::{Live, observe};
use crate::plan::{Change, DifferencePolicy, Plan, Present, bare, hold, rejudge, to_write};
use crate::report::Stays;
use crate::report::style::{count, visible};
use crate::select::Selection;

/// Restore what a run replaced
///
/// Reverses a run, with the same guards and verification. A lead that has changed since is skipped as stale. What the API cannot
/// remove stays and is listed: notes, new attributes, created leads. The files are not changed: revert the commit, too.
#[derive(Debug, Args)]
#[command(mut_arg("base", |arg| arg.hide(true)))]
pub(super) struct Undo {
    /// The run: a file, an id or the first characters of one, or last
    #[arg(value_name = "RUN|last", add = ArgValueCompleter::new(complete::kept_runs))]
    run: String,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    execution: Execution,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

impl Undo {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        if self.scope.base.is_some() {
            return Err(Error::Usage(
                "--base cannot be used with undo, which restores what the run replaced",
            ));
        }
        let end = self.execution.end();
        let files = files(directory, ui)?;
        self.execution.check_files(&files.workspace, [])?;
        let root = &files.workspace.root;
        let path = history::find(Some(root), &self.run)?;
        self.execution.check_consent()?;
        let shown = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let Inverse {
            target,
            mut changes,
            kept,
        } = inverse(&read_run(&path)?, &shown);
        let mut stays: Vec<Stays> = kept
            .into_iter()
            .map(|(uuid, reason)| Stays { uuid, reason })
            .collect();
        changes
            .iter_mut()
            .for_each(|change| name(change, &files.desired));
        let stop = Cancellation::at(end);
        let _lock = lock(&files.workspace)?;
        block_on(&stop, async {
            Session::with(&files.workspace, &stop, async |session| {
                if target.as_ref() != Some(session.target()) {
                    return Err(Error::ForeignRun { path: path.clone() });
                }
                if !self.scope.only.is_empty() {
                    let selection = Selection::parse(&self.scope.only, &files.workspace.agents)?;
                    let leads = leads_of(&changes, &files.desired);
                    let chosen = select(&selection, &leads, None, ui)?;
                    changes.retain(|change| chosen.contains_key(&change.uuid));
                }
                let writer = session.writer(&files.workspace)?;
                let wanted = changes.iter().map(|change| change.uuid.clone()).collect();
                let full = self.scope.reads_all(&files.workspace);
                let reading = ui.reading(&session.requests);
                let live = with_hints(
                    &writer,
                    &files.workspace.root,
                    session.target(),
                    Some(&files.desired),
                    async |hints| observe(&writer, &wanted, full, hints).await,
                )
                .await;
                drop(reading);
                let live = live?;
                // What was undone already, or done again by hand, is not to be undone.
                let asked = changes.len();
                changes.retain(|change| {
                    let now = precheck(change, live.get(&change.uuid));
                    !matches!(now, Precheck::AlreadyApplied)
                });
                let mut plan = bare(changes, session.target().clone(), now());
                plan.summary.in_sync = asked - plan.summary.declared;
                plan.summary.declared = asked;
                stays.extend(
                    hold(&mut plan, &files.desired)
                        .into_iter()
                        .map(|held| Stays {
                            uuid: held.uuid,
                            reason: format!("held: {}", held.reason),
                        }),
                );
                for Stays { uuid, reason } in &stays {
                    let lead = visible(uuid.as_str());
                    ui.note(&format!("stays: {lead}: {}", visible(reason)));
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
                let (exit, report) = self
                    .execution
                    .execute(&Job {
                        plan: &plan,
                        policy,
                        live: &live,
                        ledger: None,
                        files: &files,
                        scope: &self.scope,
                        writer: &writer,
                        stop: &stop,
                        ui,
                        output: JobOutput {
                            last_shown: None,
                            format: Some(self.format),
                            stays,
                            reports: None,
                        },
                    })
                    .await?;
                let is_written = |id: &LeadId| {
                    let outcome = report.as_ref().and_then(|report| report.outcome(id));
                    matches!(outcome, Some(Outcome::Verified | Outcome::Written))
                };
                let asked_for = still_asked_for(&plan, &files.desired, &live, is_written);
                if asked_for > 0 {
                    ui.note(&still(asked_for, commit_of(&path).as_deref()));
                }
                Ok(exit)
            })
            .await
        })
    }
}

/// The leads of a run, with what the files declare of them by now, if anything.
fn leads_of(changes: &[Change], desired: &Desired) -> Desired {
    let lead = |change: &Change| {
        let id = change.uuid.clone();
        let undeclared = || DesiredLead {
            place: Place {
                file: change.source.file.as_str().into(),
                line: change.source.line,
            },
            label: None,
            hold: None,
            create: false,
            fields: Vec::new(),
        };
        let declared = desired.get(&id).cloned();
        (id, declared.unwrap_or_else(undeclared))
    };
    changes.iter().map(lead).collect()
}

/// Gives a change its lead's label. Its fields have no line of their own: the place is one in the run file, and what is written is in no file.
fn name(change: &mut Change, desired: &Desired) {
    let lead = desired.get(&change.uuid);
    change.label = lead
        .and_then(|lead| lead.label.as_deref())
        .map(str::to_owned);
    for field in &mut change.fields.0 {
        field.line = 0;
    }
}

/// How many leads that were written the files still want as they were before.
fn still_asked_for(
    plan: &Plan,
    desired: &Desired,
    live: &Live,
    is_written: impl Fn(&LeadId) -> bool,
) -> usize {
    let is_asked_for = |change: &&Change| {
        if !is_written(&change.uuid) {
            return false;
        }
        let (Some(lead), Some(seen)) = (desired.get(&change.uuid), live.get(&change.uuid)) else {
            return false;
        };
        change.fields.iter().any(|change| {
            let desired = lead.get(&change.field);
            let now = seen.lead.value(&change.field);
            let compare = change.field.spec().compare;
            desired.is_some_and(|desired| desired.value.is_met(&now, compare))
        })
    };
    plan.changes.iter().filter(is_asked_for).count()
}

/// What is left to do in the files.
fn still(leads: usize, commit: Option<&str>) -> String {
    let revert = match commit {
        Some(commit) => format!("run `git revert {commit}`"),
        None => "git revert the commit that declared it".to_owned(),
    };
    format!(
        "the files still declare what this run undid for {}, so the next apply writes it again (unless `--base applied` keeps drift). Either {revert}, or run `convertalk pull --update`",
        count(leads, "lead")
    )
}

//! A pass that may write, and the memory of what it wrote.

use std::collections::BTreeSet;

use super::{PassMade, Passes};
use crate::apply::Outcome;
use crate::cancel::Cancellation;
use crate::cli::compared::plan;
use crate::cli::job::{Job, JobOutput, RunReports};
use crate::cli::options::OutputFormat;
use crate::cli::session::{Files, Session, lock};
use crate::diff::Side;
use crate::error::Error;
use crate::lead::{Field, LeadId};
use crate::plan::{Class, to_write};
use crate::watch::fights::FieldWrite;
use crate::watch::reconcile::Clock;

impl<C: Clock> Passes<'_, C> {
    /// A pass that may write.
    pub(super) async fn write(
        &self,
        files: &Files,
        left_alone: BTreeSet<(LeadId, Field)>,
    ) -> Result<PassMade, Error> {
        let args = self.args;
        let stop = Cancellation::at(args.execution.end());
        let _lock = lock(&files.workspace)?;
        let work = Session::with_access(&files.workspace, &stop, self.access, async |session| {
            let target = session.target();
            let writer = session.writer(&files.workspace)?;
            let compared = self.compared(files, target, left_alone)?;
            let ledger = args.recording.open(files, &compared, target, self.ui)?;
            let (plan, live) =
                plan(files, &args.scope, &compared, target, &writer, self.ui).await?;
            let job = Job {
                plan: &plan,
                policy: compared.policy,
                live: &live,
                ledger: ledger.as_ref(),
                files,
                scope: &args.scope,
                writer: &writer,
                stop: &stop,
                ui: self.ui,
                output: JobOutput {
                    format: match args.format {
                        OutputFormat::Text => Some(OutputFormat::Text),
                        OutputFormat::Json => None,
                    },
                    last_shown: Some(&self.last_shown),
                    reports: Some(RunReports {
                        reports: &args.reports,
                        meter: None,
                    }),
                    ..JobOutput::default()
                },
            };
            let ran = args.execution.execute(&job).await;
            let (exit, report, error) = match ran {
                Ok((exit, report)) => (exit, report, None),
                Err(error) => {
                    self.ui.error(&error);
                    (error.exit(), None, Some(self.ui.problem(&error)))
                }
            };
            Ok(PassMade {
                plan,
                exit,
                report,
                error,
            })
        });
        self.interruptible(work, &stop).await
    }

    /// Notes which fields were written, so that those that do not last are left alone.
    pub(super) fn note_writes(&self, files: &Files, made: &PassMade) {
        let now = self.clock.now();
        let written = to_write(&made.plan.changes, self.policy(files));
        let outcome = |id: &LeadId| {
            let report = made.report.as_ref()?;
            report.outcomes.get(id).map(|(outcome, _)| *outcome)
        };
        let noted = self.memory.update(|memory| {
            memory.fights.prune(&files.desired, now);
            for change in written.iter() {
                let outcome = outcome(&change.uuid);
                if !outcome.is_some_and(Outcome::may_have_written) {
                    continue;
                }
                let Some(lead) = files.desired.get(&change.uuid) else {
                    continue;
                };
                for field in change.fields.iter() {
                    let Some(desired) = lead.get(&field.field) else {
                        continue;
                    };
                    let reverts_a_part =
                        field.intended.is_some() && field.taken == Some(Side::File);
                    let write = FieldWrite {
                        uuid: &change.uuid,
                        field: &field.field,
                        declared: &desired.value,
                        was_drift: field.class == Some(Class::Drift) || reverts_a_part,
                        is_expected_to_last: !self.has_record
                            || outcome == Some(Outcome::Unverified),
                    };
                    memory.fights.note(&write, now);
                }
            }
        });
        if let Err(error) = noted {
            self.ui
                .warning(&format!("cannot write .convertalk/watch.json: {error}"));
        }
    }
}

//! A pass that writes nothing: it makes a plan, prints it and reports it.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::{Observing, PassMade, Passes};
use crate::cancel::Cancellation;
use crate::cli::compared::plan;
use crate::cli::options::OutputFormat;
use crate::cli::reports::ReportedPlan;
use crate::cli::session::{Files, Session};
use crate::error::{Error, Exit};
use crate::lead::{Field, LeadId};
use crate::plan::Plan;
use crate::report::{self, Audience, Format};
use crate::watch::reconcile::Clock;

impl<C: Clock> Passes<'_, C> {
    /// A pass that holds only a reader.
    pub(super) async fn observe(
        &self,
        files: &Files,
        observing: Observing,
        left_alone: BTreeSet<(LeadId, Field)>,
    ) -> Result<PassMade, Error> {
        let stop = Cancellation::at(self.args.execution.end());
        let work = Session::with_access(&files.workspace, &stop, self.access, async |session| {
            let mut compared = self.compared(files, session.target(), left_alone)?;
            compared.is_dry = true;
            let reader = session.reader(&files.workspace)?;
            let (scope, target) = (&self.args.scope, session.target());
            plan(files, scope, &compared, target, &reader, self.ui).await
        });
        let (plan, _) = self.interruptible(work, &stop).await?;
        self.show(&plan)?;
        let exit = match observing {
            Observing::NoRecord => Exit::Error,
            Observing::Suspended => Exit::Done,
            Observing::DryRun if plan.is_stuck() => Exit::Error,
            Observing::DryRun if !plan.refusals.is_empty() => Exit::Refused,
            Observing::DryRun => Exit::Done,
        };
        let error = match observing {
            Observing::NoRecord => {
                let error = self.args.recording.missing(&files.workspace.root);
                let problem = self.ui.problem(&error);
                let help = problem.help.as_deref().unwrap_or_default();
                self.ui.warning(&format!("{}; {help}", problem.message));
                Some(problem)
            }
            Observing::DryRun | Observing::Suspended => None,
        };
        Ok(PassMade {
            plan,
            exit,
            report: None,
            error,
        })
    }

    /// Prints a plan of which nothing is written, unless it is the one that was printed last.
    fn show(&self, plan: &Plan) -> Result<(), Error> {
        self.write_reports(plan)?;
        let is_text = self.args.format == OutputFormat::Text;
        if !is_text || self.args.reports.takes_stdout() {
            return Ok(());
        }
        let audience = Audience {
            names: self.args.scope.names,
            ..Audience::default()
        };
        let text = report::plan(plan, Format::Text, audience);
        let mut last = self
            .last_shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *last == text {
            return Ok(());
        }
        last.clone_from(&text);
        self.ui.result(&text)
    }

    /// Writes the reports of a plan of which nothing is written.
    fn write_reports(&self, plan: &Plan) -> Result<(), Error> {
        let root = Some(self.source.root());
        let names = self.args.scope.names;
        let reported = ReportedPlan::new(plan, names, root, &String::new);
        let printed = self.args.reports.write(
            |format| !format.is_of_run(),
            |format| Ok(reported.render(format)),
        )?;
        printed.map_or(Ok(()), |printed| self.ui.write_result(printed))
    }
}

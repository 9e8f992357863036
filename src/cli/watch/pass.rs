//! A pass: `apply --base applied` of the desired state in force, by the same code, or a plan where nothing may be written.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Mutex;

use super::WatchArgs;
use super::source::DesiredSource;
use crate::api::ApiSettings;
use crate::apply::{Outcome, Report};
use crate::cancel::{Cancellation, Reason};
use crate::cli::compared::Compared;
use crate::cli::session::{Access, Files, head_if_known, target};
use crate::cli::ui::Ui;
use crate::error::{Error, Exit};
use crate::lead::{Field, LeadId};
use crate::plan::{DifferencePolicy, Plan, Refusal, Target};
use crate::policy::Guard;
use crate::report::Problem;
use crate::text::visible;
use crate::watch::WatchHandle;
use crate::watch::fights::named;
use crate::watch::memory::MemoryFile;
use crate::watch::reconcile::{Clock, LookEnd, PassEnd, Reconciler};
use crate::watch::status::{LeadStates, PassResult};

mod observing;
mod writing;

/// What the loop drives.
pub(super) struct Passes<'a, C> {
    pub(super) args: &'a WatchArgs,
    pub(super) source: DesiredSource,
    /// The API as it was at the start; `None` before a valid workspace was seen.
    pub(super) started: Option<ApiSettings>,
    /// Whether there is a repository, and so a record.
    pub(super) has_record: bool,
    pub(super) access: &'a Access,
    pub(super) memory: &'a MemoryFile,
    pub(super) handle: &'a WatchHandle,
    pub(super) clock: &'a C,
    pub(super) stop: &'a Cancellation,
    pub(super) last_shown: Mutex<String>,
    pub(super) ui: &'a Ui,
}

/// Why a pass writes nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Observing {
    DryRun,
    Suspended,
    NoRecord,
}

/// A plan, and what came of it.
struct PassMade {
    plan: Plan,
    exit: Exit,
    report: Option<Report>,
    error: Option<Problem>,
}

impl<C: Clock> Reconciler for Passes<'_, C> {
    async fn look(&mut self) -> LookEnd {
        self.ui.start_pass();
        let mut look = self.source.look(self.ui).await;
        if self.source.files().is_none() {
            let root = self.source.root().to_owned();
            self.source.fall_back(self.args.recording.commit(&root));
            look.valid = self.source.commit();
        }
        if self.started.is_none() {
            self.started = self.source.files().map(|files| files.workspace.api.clone());
        }
        look
    }

    async fn pass(&mut self) -> PassEnd {
        if self.source.files().is_none() {
            let look = self.look().await;
            if self.source.files().is_none() {
                return failed(Exit::Error, look.error);
            }
        }
        let Some(files) = self.source.files() else {
            return failed(Exit::Error, None);
        };
        let suspended = files.workspace.suspend.clone();
        if let Some(refusal) = self.target_refusal(files) {
            return PassEnd {
                result: PassResult::Refused,
                refusals: vec![refusal],
                suspended,
                applied: self.applied(files),
                ..failed(Exit::Refused, None)
            };
        }
        let observing = self.observing(files);
        let now = self.clock.now();
        let memory = self.memory.read();
        let left_alone = memory.fights.left_alone(&files.desired, now);
        self.note_what_is_not_written(observing, suspended.as_deref(), &left_alone);
        let made = match observing {
            Some(observing) => self.observe(files, observing, left_alone.clone()).await,
            None => self.write(files, left_alone.clone()).await,
        };
        let mut end = match made {
            Ok(made) => {
                if observing.is_none() {
                    self.note_writes(files, &made);
                }
                self.end(made, observing, &left_alone)
            }
            Err(error) => {
                self.ui.error(&error);
                failed(error.exit(), Some(self.ui.problem(&error)))
            }
        };
        // Fields that this pass reverted for the third time are left alone from now on.
        let memory = self.memory.read();
        end.fighting = named(&memory.fights.left_alone(&files.desired, now));
        end.suspended = suspended;
        end.applied = self.applied(files);
        end
    }

    fn target(&self) -> Option<Target> {
        let files = self.source.files()?;
        let mut workspace = files.workspace.clone();
        workspace.api = self.started.clone()?;
        Some(target(&workspace))
    }
}

impl<C: Clock> Passes<'_, C> {
    fn applied(&self, files: &Files) -> Option<String> {
        self.has_record
            .then(|| self.args.recording.commit(&files.workspace.root))?
    }

    /// Says why the plan that follows is not written, or not all of it.
    fn note_what_is_not_written(
        &self,
        observing: Option<Observing>,
        suspended: Option<&str>,
        left_alone: &BTreeSet<(LeadId, Field)>,
    ) {
        if observing == Some(Observing::Suspended) {
            let why = visible(suspended.unwrap_or_default());
            self.ui.note(&format!(
                "suspended by watch.suspend, nothing is written: {why}"
            ));
        }
        for (id, field) in left_alone {
            let (lead, field) = (visible(id.as_str()), visible(&field.to_string()));
            self.ui.note(&format!(
                "left alone: {lead}: {field} was written again three times in a day and did not last"
            ));
        }
    }

    fn observing(&self, files: &Files) -> Option<Observing> {
        let begins = self.args.recording.begin.is_some();
        if self.args.dry_run {
            Some(Observing::DryRun)
        } else if files.workspace.suspend.is_some() {
            Some(Observing::Suspended)
        } else if self.has_record && !begins && !self.args.recording.exists(&files.workspace.root) {
            Some(Observing::NoRecord)
        } else {
            None
        }
    }

    /// Refuses a desired state that goes to another place than the one that this process was started for.
    fn target_refusal(&self, files: &Files) -> Option<Refusal> {
        let started = self.started.as_ref()?;
        let keys = started.target_differences(&files.workspace.api);
        let named: Vec<String> = keys.iter().map(|key| format!("api.{key}")).collect();
        (!keys.is_empty()).then(|| Refusal {
            rule: Guard::Target,
            message: format!("the files change {}", named.join(", ")),
            source: None,
            lift: "restart watch, with the tokens that go with it".to_owned(),
            leads: Vec::new(),
        })
    }

    fn policy(&self, files: &Files) -> DifferencePolicy {
        self.args.differences.policy(&files.workspace)
    }

    fn compared(
        &self,
        files: &Files,
        target: &Target,
        left_alone: BTreeSet<(LeadId, Field)>,
    ) -> Result<Compared, Error> {
        let policy = self.policy(files);
        let compared = if self.has_record
            && (self.args.recording.begin.is_some()
                || self.args.recording.exists(&files.workspace.root))
        {
            let (scope, recording) = (&self.args.scope, &self.args.recording);
            Compared::new(files, scope, recording, policy, target, self.ui)?
        } else {
            Compared {
                head: head_if_known(files, self.ui),
                policy,
                ..Compared::default()
            }
        };
        Ok(Compared {
            left_alone,
            ..compared
        })
    }

    /// Hands an interrupt of the loop to a pass, which ends in its own way. Other reasons to stop stay with the pass.
    async fn interruptible<T>(&self, work: impl Future<Output = T>, stop: &Cancellation) -> T {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.stop.until_interrupted() => stop.ask(Reason::Interrupted),
        }
        work.await
    }

    fn end(
        &self,
        made: PassMade,
        observing: Option<Observing>,
        left_alone: &BTreeSet<(LeadId, Field)>,
    ) -> PassEnd {
        let PassMade {
            plan,
            exit,
            report,
            error,
        } = made;
        let outcomes: BTreeMap<LeadId, Outcome> = report
            .iter()
            .flat_map(|report| &report.outcomes)
            .map(|(id, (outcome, _))| (id.clone(), *outcome))
            .collect();
        let wrote = outcomes.values().any(|outcome| outcome.may_have_written());
        let is_frozen =
            !plan.refusals.is_empty() && plan.refusals.iter().all(|one| one.rule == Guard::Freeze);
        let result = match observing {
            Some(Observing::Suspended) => PassResult::Suspended,
            Some(Observing::DryRun | Observing::NoRecord) => PassResult::Observed,
            None if exit == Exit::Refused && is_frozen => PassResult::Observed,
            None => result(exit, wrote),
        };
        let fighting = left_alone.iter().map(|(id, _)| id);
        let fighting: BTreeSet<LeadId> = fighting
            .filter(|id| plan.changes.iter().any(|change| change.uuid == **id))
            .cloned()
            .collect();
        let known = report.as_ref().map(Report::known_outcomes);
        let known = known.unwrap_or_default();
        let mut counts = BTreeMap::new();
        for outcome in outcomes.values() {
            *counts.entry(outcome.as_str()).or_default() += 1;
        }
        let end = PassEnd {
            exit: if is_frozen && observing.is_none() {
                Exit::Done
            } else {
                exit
            },
            result,
            wrote: report.is_some(),
            states: Some(LeadStates::after(&plan, &known, &fighting)),
            fighting: Vec::new(),
            refusals: plan.refusals.clone(),
            error,
            suspended: None,
            applied: None,
            outcomes: counts,
        };
        self.handle.publish_plan(plan);
        end
    }
}

fn failed(exit: Exit, error: Option<Problem>) -> PassEnd {
    PassEnd {
        exit,
        result: PassResult::Error,
        wrote: false,
        states: None,
        fighting: Vec::new(),
        refusals: Vec::new(),
        error,
        suspended: None,
        applied: None,
        outcomes: BTreeMap::new(),
    }
}

fn result(exit: Exit, wrote: bool) -> PassResult {
    match exit {
        Exit::Done | Exit::Changes if wrote => PassResult::Changed,
        Exit::Done | Exit::Changes => PassResult::Ok,
        Exit::Error => PassResult::Error,
        Exit::Refused => PassResult::Refused,
        Exit::Stale => PassResult::Stale,
        Exit::Partial | Exit::Interrupted => PassResult::Partial,
        Exit::Unverified => PassResult::Unverified,
    }
}

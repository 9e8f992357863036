//! The applied record of a run: written before its first write and at its end.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::session::now;
use crate::apply::Report;
use crate::apply::applied::{self, AppliedRecord, BehindOutcome, RunState};
use crate::diff::Side;
use crate::error::Error;
use crate::lead::{Desired, LeadId};
use crate::observe::Live;
use crate::plan::{Action, Change, Class, Head, Plan, Target};
use crate::state::refuse_links;

/// The record of a run.
pub(super) struct Ledger<'f> {
    pub(super) path: PathBuf,
    pub(super) root: &'f Path,
    pub(super) target: Target,
    /// The commit that is applied.
    pub(super) head: Head,
    /// What the files declare at that commit.
    pub(super) declared: Cow<'f, Desired>,
    pub(super) record: Option<AppliedRecord>,
    /// What they declared at each lead's own commit; `None` where that cannot be read.
    pub(super) own: Option<Cow<'f, Desired>>,
    pub(super) begins_live: bool,
}

/// A run that is under way, or is over.
pub(super) struct RunFile<'a> {
    pub(super) id: &'a str,
    pub(super) path: &'a Path,
}

impl Ledger<'_> {
    /// Notes before the first write that every lead to be written is open.
    pub(super) fn begin(
        &self,
        run: &RunFile<'_>,
        plan: &Plan,
        live: &Live,
        changes: &[Change],
    ) -> Result<(), Error> {
        let mut open = self.open_leads(plan, live);
        for change in changes {
            open.insert(change.uuid.clone(), BehindOutcome::Untried);
        }
        self.save(Some(run), &open, &[])
    }

    /// Notes what became of the leads; `None` where nothing was to be written.
    pub(super) fn end(
        &self,
        run: Option<(&RunFile<'_>, &Report)>,
        plan: &Plan,
        live: &Live,
    ) -> Result<(), Error> {
        let mut open = self.open_leads(plan, live);
        let mut written = Vec::new();
        if let Some((_, report)) = run {
            for (id, outcome) in report.known_outcomes() {
                match BehindOutcome::from_outcome(outcome) {
                    Some(reason) => drop(open.insert(id, reason)),
                    None => drop(open.remove(&id)),
                }
            }
            let outcomes = report.outcomes.iter();
            let may_have = outcomes.filter(|(_, (outcome, _))| outcome.may_have_written());
            written.extend(may_have.map(|(id, _)| id.clone()));
        }
        for id in left_alone(plan) {
            open.entry(id.clone()).or_insert(BehindOutcome::Untried);
        }
        self.save(run.map(|(run, _)| run), &open, &written)
    }

    /// The leads that this run is not about, and why.
    fn open_leads(&self, plan: &Plan, live: &Live) -> BTreeMap<LeadId, BehindOutcome> {
        let mut open = BTreeMap::new();
        if self.begins_live {
            return open;
        }
        if let Some(selected) = &plan.selected {
            let others = self.declared.keys();
            let others = others.filter(|id| selected.binary_search(id).is_err());
            open.extend(others.map(|id| (id.clone(), BehindOutcome::NotSelected)));
        }
        let missing = plan.missing.iter().map(|missing| &missing.uuid);
        open.extend(missing.map(|id| (id.clone(), BehindOutcome::Missing)));
        // A held lead keeps its base, so that what its file says by then is still intended when it is released.
        for held in &plan.held {
            let is_met = self.declared.get(&held.uuid).is_some_and(|lead| {
                live.get(&held.uuid)
                    .is_some_and(|seen| crate::diff::changes(&lead.fields, &seen.lead).is_empty())
            });
            if !is_met {
                open.insert(held.uuid.clone(), BehindOutcome::Untried);
            }
        }
        open
    }

    fn save(
        &self,
        run: Option<&RunFile<'_>>,
        open: &BTreeMap<LeadId, BehindOutcome>,
        written: &[LeadId],
    ) -> Result<(), Error> {
        let own_place = |path: &Path| !path.starts_with(self.root.join(".convertalk/runs"));
        let state = RunState {
            target: &self.target,
            head: &self.head,
            run: run.map(|run| (run.id, Some(run.path).filter(|path| own_place(path)))),
            now: now(),
            declared: &self.declared,
            own: self.own.as_deref(),
            open,
            written,
        };
        let Some(record) = applied::after(self.record.as_ref(), &state) else {
            return Ok(());
        };
        // Where nothing happened, the file stays as it is.
        let same = self.record.as_ref().is_some_and(|before| {
            !before.is_ahead_of_file
                && before.commit == record.commit
                && before.run == record.run
                && before.behind == record.behind
        });
        if same && self.path.exists() {
            return Ok(());
        }
        if self.path.starts_with(self.root.join(".convertalk")) {
            let made = crate::state::folder(self.root);
            let made = made.and_then(|_| refuse_links(self.root, &self.path));
            made.map_err(|source| Error::Io {
                what: format!("write {}", self.path.display()),
                source,
            })?;
        }
        Ok(record.save(&self.path)?)
    }
}

/// Leads with a difference that the files made and that is left alone all the same: it did not last.
fn left_alone(plan: &Plan) -> impl Iterator<Item = &LeadId> {
    let is_ours = |class| matches!(class, Class::Intended | Class::Change);
    let is_left = move |change: &&Change| match change.action {
        Action::Create => is_ours(change.class) && change.taken == Some(Side::Live),
        Action::Update => change.fields.iter().any(|field| {
            let is_left = field.intended.is_none() && field.taken == Some(Side::Live);
            is_left && field.class.is_none_or(is_ours)
        }),
    };
    plan.changes
        .iter()
        .filter(is_left)
        .map(|change| &change.uuid)
}

//! What the files are compared with, and the plan that is made of it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::options::{OnMissing, Scope};
use super::recording::{APPLIED, Recording};
use super::session::{Files, head_if_known, head_of, now, overrides};
use super::ui::Ui;
use crate::config::Workspace;
use crate::error::Error;
use crate::git;
use crate::git::base::BaseError;
use crate::hints::with_hints;
use crate::lead::desired::Desired;
use crate::lead::{Field, FieldMask, LeadId};
use crate::observe::{Live, ObserveError, Reader, observe_declared};
use crate::plan::{Base, DifferencePolicy, Head, Input, Plan, Refusal, Target, make};
use crate::policy::Guard;
use crate::select::Selection;

/// What a plan is compared with, and what is done about differences that the files did not make.
#[derive(Default)]
pub(super) struct Compared {
    /// The commit that the files are of.
    pub(super) head: Option<Head>,
    /// The base, and what the files said there.
    pub(super) base: Option<(Base, Desired)>,
    pub(super) policy: DifferencePolicy,
    /// Fields that are left as the inbox has them.
    pub(super) left_alone: BTreeSet<(LeadId, Field)>,
    /// Why the applied record refuses the plan.
    pub(super) refusal: Option<Refusal>,
    /// The applied record only begins: nothing is written.
    pub(super) begins_live: bool,
    /// Nothing is recorded, hints neither.
    pub(super) is_dry: bool,
    /// What is to be known of the base.
    pub(super) warning: Option<Refusal>,
}

impl Compared {
    /// With the base of a plan or an apply.
    pub(super) fn new(
        files: &Files,
        scope: &Scope,
        recording: &Recording,
        policy: DifferencePolicy,
        target: &Target,
        ui: &Ui,
    ) -> Result<Self, Error> {
        match scope.base.as_deref() {
            Some(APPLIED) => {
                let head = head_of(files)?;
                let applied = recording.base(files, target, &head, &scope.allow, ui)?;
                // A record that only begins writes nothing.
                let policy = if applied.begins_live {
                    DifferencePolicy::default()
                } else {
                    policy
                };
                Ok(Self {
                    head: Some(head),
                    base: Some(applied.base),
                    policy,
                    left_alone: BTreeSet::new(),
                    refusal: applied.refusal,
                    begins_live: applied.begins_live,
                    is_dry: false,
                    warning: None,
                })
            }
            reference => Ok(Self {
                head: head_if_known(files, ui),
                base: reference
                    .map(|reference| base(&files.workspace, reference))
                    .transpose()?,
                policy,
                ..Self::default()
            }),
        }
    }

    /// Without a base, because the files at the base cannot be used.
    pub(super) fn without_base(
        files: &Files,
        policy: DifferencePolicy,
        error: &BaseError,
        ui: &Ui,
    ) -> Self {
        Self {
            head: head_if_known(files, ui),
            policy,
            warning: Some(Refusal {
                rule: Guard::Base,
                message: format!("{error}; differences are shown without classes"),
                source: None,
                lift: "once the files of the base are valid, plan again; apply refuses this base"
                    .to_owned(),
                leads: Vec::new(),
            }),
            ..Self::default()
        }
    }
}

/// A fresh plan of the leads that `scope` selects, and the listing that it was made from.
pub(super) async fn plan<R: Reader>(
    files: &Files,
    scope: &Scope,
    compared: &Compared,
    target: &Target,
    reader: &R,
    ui: &Ui,
) -> Result<(Plan, Live), Error>
where
    Error: From<ObserveError<R::Error>>,
{
    let Files {
        workspace, desired, ..
    } = files;
    let selection = Selection::parse(&scope.only, &workspace.agents)?;
    let said = compared.base.as_ref().map(|(_, said)| said);
    let selected = select(&selection, desired, said, ui)?;
    let limits = scope.limits(workspace, reader.writes())?;
    let ruled = FieldMask::exactly(&workspace.policy.fields());
    let full = scope.reads_all(workspace);
    let keeps_hints = (!compared.is_dry).then_some(desired);
    let live = with_hints(
        reader,
        &workspace.root,
        target,
        keeps_hints,
        async |hints| observe_declared(reader, &selected, ruled, full, hints).await,
    )
    .await?;
    let mut plan = make(Input {
        desired: &selected,
        all: desired,
        live: &live,
        agents: &workspace.agents,
        limits: &limits,
        target: target.clone(),
        base: compared
            .base
            .as_ref()
            .map(|(base, desired)| (base.clone(), desired)),
        whose: compared.policy,
        left_alone: &compared.left_alone,
        created_at: now(),
    });
    plan.skips_missing = scope.missing == OnMissing::Skip;
    plan.head.clone_from(&compared.head);
    plan.refusals.extend(compared.refusal.clone());
    plan.warnings.extend(compared.warning.clone());
    if !scope.only.is_empty() {
        plan.selected = Some(selected.keys().cloned().collect());
    }
    Ok((plan, live))
}

/// The declared leads that are selected; warns about selectors that match nothing while others do.
pub(super) fn select<'d>(
    selection: &Selection,
    desired: &'d Desired,
    base: Option<&Desired>,
    ui: &Ui,
) -> Result<Cow<'d, Desired>, Error> {
    let selected = selection.of_desired(desired, base)?;
    ui.unmatched(&selected.unmatched);
    Ok(selected.leads)
}

/// The files at a commit. `auto` is where the branch of a pull request left its target branch.
pub(super) fn base(workspace: &Workspace, reference: &str) -> Result<(Base, Desired), Error> {
    let root = &workspace.root;
    let found = match reference {
        "auto" => super::pull_request::merge_base(root)?,
        other => other.to_owned(),
    };
    let git::base::BaseFiles { commit, desired } = git::base::read(root, &found, &overrides())?;
    Ok((
        Base {
            reference: reference.to_owned(),
            commit,
        },
        desired,
    ))
}

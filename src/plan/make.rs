//! The planner: turns the outcomes of the diff into changes and checks them against the limits.

use std::collections::{BTreeMap, BTreeSet};

use super::classify::{self, classify};
use super::decide::{self, DifferencePolicy, to_write};
use super::policy::{self, Limits};
use super::{
    Action, Base, Change, Class, FORMAT_VERSION, Held, Missing, Plan, Refusal, Source, Summary,
    Target, summary,
};
use crate::diff::{DiffOutcome, FieldChange, diff, in_sync};
use crate::lead::desired::{Desired, DesiredLead};
use crate::lead::{Field, LeadId};
use crate::observe::{Listing, Live};
use crate::policy::{Agent, Guard};

/// The input of a plan.
#[derive(Debug)]
pub struct Input<'a> {
    /// The declared leads of this run.
    pub desired: &'a Desired,
    /// All declared leads: the base of percentages.
    pub all: &'a Desired,
    /// The live listing.
    pub live: &'a Live,
    /// Agents with a name.
    pub agents: &'a BTreeMap<String, Agent>,
    /// The limits.
    pub limits: &'a Limits<'a>,
    /// The inbox.
    pub target: Target,
    /// The base commit, and the files at that commit.
    pub base: Option<(Base, &'a Desired)>,
    /// How drift and conflicts are treated, if there is a base.
    pub whose: DifferencePolicy,
    /// Fields that are left as the inbox has them, whatever the policy is.
    pub left_alone: &'a BTreeSet<(LeadId, Field)>,
    /// The current time (RFC 3339, UTC).
    pub created_at: String,
}

/// Makes a plan.
pub fn make(input: Input<'_>) -> Plan {
    let Input {
        desired,
        all,
        live,
        agents,
        limits,
        target,
        base,
        whose,
        left_alone,
        created_at,
    } = input;
    let mut numbers = Summary {
        declared: desired.len(),
        ..Summary::default()
    };
    let mut changes = Vec::new();
    let (mut missing, mut held) = (Vec::new(), Vec::new());
    for (id, lead, outcome) in diff(desired, live) {
        if let Some(reason) = &lead.hold {
            held.push(Held {
                uuid: id.clone(),
                label: label(lead),
                reason: reason.to_string(),
                source: Source::from(&lead.place),
            });
            continue;
        }
        match outcome {
            DiffOutcome::InSync => numbers.in_sync += 1,
            DiffOutcome::Differs(fields) => {
                let unwritten = live.get(id).map(|seen| in_sync(&lead.fields, &seen.lead));
                changes.push(Change {
                    unwritten: super::Fields(unwritten.unwrap_or_default()),
                    ..change(id, lead, Action::Update, fields)
                });
            }
            // A second lead beside the one that is meant would be created.
            DiffOutcome::Absent(_) | DiffOutcome::Missing if live.lookalike(id).is_some() => {
                missing.push(Missing {
                    uuid: id.clone(),
                    label: label(lead),
                    source: Source::from(&lead.place),
                    listed_as: live.lookalike(id).cloned(),
                });
            }
            DiffOutcome::Absent(fields) => changes.push(change(id, lead, Action::Create, fields)),
            DiffOutcome::Missing => {
                missing.push(Missing {
                    uuid: id.clone(),
                    label: label(lead),
                    source: Source::from(&lead.place),
                    listed_as: None,
                });
            }
        }
    }
    let mut released = Vec::new();
    if let Some((_, base)) = &base {
        classify(&mut changes, desired, base, live);
        released = classify::released(all, base, |id| {
            desired.contains_key(id) || !all.contains_key(id) && desired.len() == all.len()
        });
    }
    decide::leave_alone(&mut changes, left_alone);
    decide::decide(&mut changes, whose);
    let declared = all.len();
    let written = to_write(&changes, whose);
    decide::number(&mut numbers, &changes, &written);
    numbers.missing = missing.len();
    numbers.held = held.len();
    let agents = summary::workload(&written, live, &[], agents);
    let mut verdict = policy::judge(
        &policy::Facts {
            changes: &written,
            live,
            declared,
            agents: &agents,
        },
        limits,
    );
    verdict
        .refusals
        .extend(decide::refusals(&changes, whose, limits));
    Plan {
        base: base.map(|(base, _)| base),
        listing: live.listing,
        summary: numbers,
        transitions: summary::transitions(&written),
        missing,
        held,
        released,
        refusals: verdict.refusals,
        warnings: verdict.warnings,
        agents,
        ..bare(changes, target, created_at)
    }
}

/// A plan of changes that do not come from the files, such as the inverse of a run. Limits are not yet checked.
pub fn bare(changes: Vec<Change>, target: Target, created_at: String) -> Plan {
    Plan {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        plan_id: plan_id(&target, &changes),
        target,
        head: None,
        base: None,
        selected: None,
        listing: Listing::default(),
        summary: Summary {
            declared: changes.len(),
            to_update: changes.len(),
            ..Summary::default()
        },
        changes,
        missing: Vec::new(),
        skips_missing: false,
        held: Vec::new(),
        released: Vec::new(),
        refusals: Vec::new(),
        warnings: Vec::new(),
        transitions: Vec::new(),
        agents: Vec::new(),
        digest: None,
    }
}

/// The state by which an existing plan is checked again.
#[derive(Debug)]
pub struct Present<'a> {
    /// The live listing.
    pub live: &'a Live,
    /// The changes that this run would write.
    pub written: &'a [Change],
    /// Those of them that are still to be written, according to the precheck.
    pub open: &'a [Change],
    /// The number of declared leads.
    pub declared: usize,
    /// Agents with a name.
    pub agents: &'a BTreeMap<String, Agent>,
    /// The limits.
    pub limits: &'a Limits<'a>,
    /// How drift and conflicts are treated.
    pub policy: DifferencePolicy,
}

/// Checks a plan again, with the current limits and the changes that are still to be made. Refusals from when it was made stay,
/// unless this run overrides their rule.
pub fn rejudge(plan: &mut Plan, present: &Present<'_>) {
    let Present {
        live,
        written,
        open,
        declared,
        agents,
        limits,
        policy,
    } = *present;
    decide::decide(&mut plan.changes, policy);
    decide::number(&mut plan.summary, &plan.changes, written);
    plan.agents = summary::workload(open, live, &plan.agents, agents);
    plan.transitions = summary::transitions(open);
    let mut verdict = policy::judge(
        &policy::Facts {
            changes: open,
            live,
            declared,
            agents: &plan.agents,
        },
        limits,
    );
    verdict
        .refusals
        .extend(decide::refusals(open, policy, limits));
    // These depend on this run's flags and time, and are judged anew.
    let is_of_then = |guard: &Guard| [Guard::Conflict, Guard::Drift, Guard::Freeze].contains(guard);
    plan.refusals
        .retain(|refusal| !is_of_then(&refusal.rule) && !limits.overrides(&refusal.rule));
    let about = |refusal: &Refusal| {
        written
            .iter()
            .any(|change| refusal.leads.contains(&change.uuid))
    };
    plan.refusals
        .retain(|refusal| refusal.leads.is_empty() || about(refusal));
    let news = verdict
        .refusals
        .into_iter()
        .filter(|refusal| !plan.refusals.contains(refusal));
    plan.refusals.extend(news.collect::<Vec<_>>());
    plan.warnings = verdict.warnings;
    plan.listing = live.listing;
}

/// Removes leads that are held now from a plan; returns those that it would have changed.
pub fn hold(plan: &mut Plan, desired: &Desired) -> Vec<Held> {
    let held = |id: &LeadId| {
        let (lead, reason) = desired
            .get(id)
            .and_then(|lead| Some((lead, lead.hold.as_ref()?)))?;
        Some(Held {
            uuid: id.clone(),
            label: label(lead),
            reason: reason.to_string(),
            source: Source::from(&lead.place),
        })
    };
    let news: Vec<Held> = plan
        .changes
        .iter()
        .filter_map(|change| held(&change.uuid))
        .collect();
    if !news.is_empty() {
        plan.changes.retain(|change| held(&change.uuid).is_none());
        plan.missing.retain(|missing| held(&missing.uuid).is_none());
        plan.held.extend(news.iter().cloned());
        plan.held.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        plan.held.dedup();
        plan.summary.held = plan.held.len();
        plan.summary.missing = plan.missing.len();
    }
    news
}

/// Reduces a plan to these leads; [`rejudge`] recounts its totals.
pub fn narrow(plan: &mut Plan, chosen: &Desired) {
    plan.changes
        .retain(|change| chosen.contains_key(&change.uuid));
    plan.missing
        .retain(|missing| chosen.contains_key(&missing.uuid));
    plan.refusals.retain(|refusal| {
        refusal.leads.is_empty() || refusal.leads.iter().any(|id| chosen.contains_key(id))
    });
    let was_selected = |id: &&LeadId| {
        plan.selected
            .as_ref()
            .is_none_or(|selected| selected.binary_search(id).is_ok())
    };
    plan.selected = Some(chosen.keys().filter(was_selected).cloned().collect());
    plan.held.retain(|held| chosen.contains_key(&held.uuid));
    plan.released
        .retain(|released| chosen.contains_key(&released.uuid));
    let (changes, missing, held) = (plan.changes.len(), plan.missing.len(), plan.held.len());
    let in_sync = chosen.len().saturating_sub(changes + missing + held);
    plan.summary = Summary {
        declared: chosen.len(),
        in_sync,
        missing,
        held,
        ..plan.summary
    };
}

fn change(id: &LeadId, lead: &DesiredLead, action: Action, fields: Vec<FieldChange>) -> Change {
    Change {
        uuid: id.clone(),
        label: label(lead),
        action,
        class: Class::Change,
        source: Source::from(&lead.place),
        fields: super::Fields(fields),
        unwritten: super::Fields::default(),
        taken: None,
    }
}

fn label(lead: &DesiredLead) -> Option<String> {
    lead.label.as_deref().map(str::to_owned)
}

/// A hash of what anyone may see. Contact values are left out: they could be guessed, and a hash would confirm the guess.
fn plan_id(target: &Target, changes: &[Change]) -> String {
    let mut id = super::hash_of(&(target, super::file::Anonymous(changes))).unwrap_or_default();
    id.truncate(16);
    id
}

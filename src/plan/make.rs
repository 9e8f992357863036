//! The planner: standings of leads become changes, and the whole is held against the limits.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::policy::{self, Limits};
use super::{Action, Base, Change, Class, FORMAT_VERSION, Missing, Plan, Source, Summary, Target, summary};
use crate::desired::{Desired, DesiredLead};
use crate::diff::{FieldChange, Standing, diff};
use crate::lead::LeadId;
use crate::observe::{Listing, Live};
use crate::workspace::Agent;

/// Everything that a plan follows from.
#[derive(Debug)]
pub struct Input<'a> {
    /// The declared leads that this run is about.
    pub desired: &'a Desired,
    /// How many leads the files declare in all: what a share of them is a share of.
    pub declared: usize,
    /// What the API lists.
    pub live: &'a Live,
    /// Agents with a name.
    pub agents: &'a BTreeMap<String, Agent>,
    /// What the plan may not do.
    pub limits: &'a Limits<'a>,
    /// The inbox.
    pub target: Target,
    /// The commit that differences are explained with.
    pub base: Option<Base>,
    /// Now (RFC 3339, UTC).
    pub created_at: String,
}

/// Plans.
pub fn make(input: Input<'_>) -> Plan {
    let Input { desired, declared, live, agents, limits, target, base, created_at } = input;
    let mut numbers = Summary { declared: desired.len(), ..Summary::default() };
    let mut changes = Vec::new();
    let mut missing = Vec::new();
    for (id, lead, standing) in diff(desired, live) {
        match standing {
            Standing::InSync => numbers.in_sync += 1,
            Standing::Differs(fields) => changes.push(change(id, lead, Action::Update, fields)),
            Standing::Absent(fields) => changes.push(change(id, lead, Action::Create, fields)),
            Standing::Missing => {
                missing.push(Missing { uuid: id.clone(), label: label(lead), source: Source::from(&lead.place) });
            }
        }
    }
    numbers.to_create = changes.iter().filter(|change| change.action == Action::Create).count();
    numbers.to_update = changes.len() - numbers.to_create;
    numbers.missing = missing.len();
    let agents = summary::workload(&changes, live, agents);
    let verdict = policy::judge(&policy::Facts { changes: &changes, live, declared, agents: &agents }, limits);
    Plan {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        plan_id: plan_id(&target, &changes),
        target,
        base,
        listing: live.listing,
        summary: numbers,
        transitions: summary::transitions(&changes),
        changes,
        missing,
        released: Vec::new(),
        refusals: verdict.refusals,
        warnings: verdict.warnings,
        agents,
        digest: None,
    }
}

/// A plan that writes back what a run replaced.
pub fn undoing(changes: Vec<Change>, target: Target, created_at: String) -> Plan {
    Plan {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        plan_id: plan_id(&target, &changes),
        target,
        base: None,
        listing: Listing::default(),
        summary: Summary { declared: changes.len(), to_update: changes.len(), ..Summary::default() },
        changes,
        missing: Vec::new(),
        released: Vec::new(),
        refusals: Vec::new(),
        warnings: Vec::new(),
        transitions: Vec::new(),
        agents: Vec::new(),
        digest: None,
    }
}

/// Judges a plan anew, by the limits of now and the listing of now. What it was refused for when it was made stays, unless this
/// run `lifts` something.
pub fn rejudge(
    plan: &mut Plan,
    live: &Live,
    declared: usize,
    agents: &BTreeMap<String, Agent>,
    limits: &Limits<'_>,
    lifts: bool,
) {
    plan.agents = summary::workload(&plan.changes, live, agents);
    plan.transitions = summary::transitions(&plan.changes);
    let verdict = policy::judge(&policy::Facts { changes: &plan.changes, live, declared, agents: &plan.agents }, limits);
    if lifts {
        plan.refusals.clear();
    }
    let news = verdict.refusals.into_iter().filter(|refusal| !plan.refusals.contains(refusal));
    plan.refusals.extend(news.collect::<Vec<_>>());
    plan.warnings = verdict.warnings;
    plan.listing = live.listing;
}

fn change(id: &LeadId, lead: &DesiredLead, action: Action, fields: Vec<FieldChange>) -> Change {
    Change {
        uuid: id.clone(),
        label: label(lead),
        action,
        class: Class::Change,
        source: Source::from(&lead.place),
        fields: super::Fields(fields),
    }
}

fn label(lead: &DesiredLead) -> Option<String> {
    lead.label.as_deref().map(str::to_owned)
}

fn plan_id(target: &Target, changes: &[Change]) -> String {
    let bytes = serde_json::to_vec(&(target, changes)).unwrap_or_default();
    Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

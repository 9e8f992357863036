//! A lead by name: its abbreviated uuid, which can be copied whole, its label, and a link to its card.

use super::super::field_summary::PlanNames;
use crate::lead::LeadId;
use crate::plan::Plan;

/// A lead by name.
pub(super) struct LeadLink {
    /// The start of the uuid, which identifies the lead, and the rest.
    pub(super) short: String,
    pub(super) rest: String,
    pub(super) label: Option<String>,
    /// Its index among the leads with a change.
    pub(super) number: Option<usize>,
    /// Where it is declared.
    pub(super) place: Option<String>,
}

/// Links to a lead, which need not have a change.
pub(super) fn lead_link(plan: &Plan, names: &PlanNames<'_>, id: &LeadId) -> LeadLink {
    // Plans list changes in the order of their uuids. In a file that does not, a link may be missing.
    let number = plan
        .changes
        .binary_search_by(|change| change.uuid.cmp(id))
        .ok();
    let change = number.and_then(|number| plan.changes.get(number));
    let missing = plan.missing.iter().find(|missing| missing.uuid == *id);
    let released = plan.released.iter().find(|released| released.uuid == *id);
    let held = plan.held.iter().find(|held| held.uuid == *id);
    let labels = [
        change.map(|lead| &lead.label),
        missing.map(|lead| &lead.label),
        held.map(|lead| &lead.label),
        released.map(|lead| &lead.label),
    ];
    let label = labels.into_iter().flatten().flatten().next().cloned();
    let place = change
        .map(|lead| &lead.source)
        .or(missing.map(|lead| &lead.source))
        .or(held.map(|lead| &lead.source))
        .map(|place| place.to_string());
    named(names, id, label, number, place)
}

pub(super) fn named(
    names: &PlanNames<'_>,
    id: &LeadId,
    label: Option<String>,
    number: Option<usize>,
    place: Option<String>,
) -> LeadLink {
    let short = names.lead(id).to_owned();
    let rest = id
        .as_str()
        .strip_prefix(&short)
        .unwrap_or_default()
        .to_owned();
    LeadLink {
        short,
        rest,
        label,
        number,
        place,
    }
}

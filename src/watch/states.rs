//! The states of the declared leads, by a plan and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use super::status::{LeadState, LeadStates};
use crate::apply::Outcome;
use crate::diff::{FieldChange, Side};
use crate::lead::LeadId;
use crate::plan::{Change, Class, Plan};

impl LeadStates {
    /// The states after a plan of which `outcomes` has been carried out; without any, those that the plan found. Leads of `fighting` have a
    /// field that is left alone.
    pub fn after(
        plan: &Plan,
        outcomes: &BTreeMap<LeadId, Outcome>,
        fighting: &BTreeSet<LeadId>,
    ) -> Self {
        let mut states = Self {
            declared: plan.summary.declared,
            missing: plan.missing.len(),
            held: plan.held.len(),
            ..Self::default()
        };
        // A lead may be in two lists, and a fighting one need not differ.
        let mut by_lead: BTreeMap<&LeadId, LeadState> = BTreeMap::new();
        for change in &plan.changes {
            let is_settled = outcomes
                .get(&change.uuid)
                .is_some_and(|outcome| settles(*outcome));
            by_lead.insert(&change.uuid, state(change, is_settled));
        }
        by_lead.extend(fighting.iter().map(|id| (id, LeadState::Fighting)));
        for missing in &plan.missing {
            by_lead.remove(&missing.uuid);
        }
        for held in &plan.held {
            by_lead.remove(&held.uuid);
        }
        for state in by_lead.into_values() {
            match state {
                LeadState::InSync | LeadState::Held | LeadState::Missing => {}
                LeadState::Drift => states.drift += 1,
                LeadState::Intended => states.intended += 1,
                LeadState::Conflict => states.conflict += 1,
                LeadState::Fighting => states.fighting += 1,
            }
        }
        let others = LeadState::ALL.iter().map(|state| states.count(*state));
        states.in_sync = states.declared.saturating_sub(others.sum());
        states
    }
}

/// Whether an outcome says that the lead has what was to be written.
fn settles(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Verified | Outcome::Written | Outcome::Already => true,
        Outcome::Stale | Outcome::Failed | Outcome::Untried | Outcome::Unverified => false,
    }
}

/// The last state that applies to any field of a lead.
fn state(change: &Change, is_settled: bool) -> LeadState {
    if change.stays() {
        return LeadState::Drift;
    }
    let states = change
        .fields
        .iter()
        .map(|field| field_state(field, change.class, is_settled));
    // A lead that is to be created without any field.
    let whole = if change.fields.is_empty() && !is_settled {
        LeadState::Intended
    } else {
        LeadState::InSync
    };
    states.max().unwrap_or(whole)
}

fn field_state(field: &FieldChange, class: Class, is_settled: bool) -> LeadState {
    // A part that is not intended drifted; it stays unless it is taken from the file.
    let keeps_a_part = field.intended.is_some() && field.taken != Some(Side::File);
    if field.stays() || is_settled && keeps_a_part {
        return LeadState::Drift;
    }
    if is_settled {
        return LeadState::InSync;
    }
    match field.class.unwrap_or(class) {
        Class::Change | Class::Intended => LeadState::Intended,
        Class::Drift => LeadState::Drift,
        Class::Conflict => LeadState::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 17 leads: 3 in sync, 2 missing, 2 drifted, 1 in conflict, 9 intended, of which the first has a tag that drifted.
    fn plan() -> Plan {
        let file = include_str!("../../tests/it/html/every_class.json");
        serde_json::from_str(file).expect("a plan")
    }

    fn after(plan: &Plan, outcome: Option<Outcome>) -> LeadStates {
        let ids = plan.changes.iter().filter(|change| !change.stays());
        let outcomes = ids.filter_map(|change| Some((change.uuid.clone(), outcome?)));
        LeadStates::after(plan, &outcomes.collect(), &BTreeSet::new())
    }

    fn sum(states: &LeadStates) -> usize {
        LeadState::ALL
            .iter()
            .map(|state| states.count(*state))
            .sum()
    }

    #[test]
    fn without_outcomes_they_are_those_of_the_plan() {
        let expected = LeadStates {
            declared: 17,
            in_sync: 3,
            intended: 9,
            drift: 2,
            conflict: 1,
            missing: 2,
            held: 0,
            fighting: 0,
        };
        assert_eq!(after(&plan(), None), expected);
    }

    #[test]
    fn what_was_written_is_in_sync_but_for_drift_that_stays() {
        for outcome in Outcome::ALL {
            let states = after(&plan(), Some(outcome));
            let is_settled = matches!(
                outcome,
                Outcome::Verified | Outcome::Written | Outcome::Already
            );
            // The lead in conflict is decided by then; the first lead has a tag that drifted.
            let expected = if is_settled { (12, 0, 3) } else { (3, 9, 2) };
            let found = (states.in_sync, states.intended, states.drift);
            assert_eq!(found, expected, "{outcome:?}");
            assert_eq!(sum(&states), states.declared, "{outcome:?}");
        }
    }

    #[test]
    fn each_lead_is_in_one_state_the_last_that_applies() {
        let mut plan = plan();
        let both = |lead: &crate::plan::Missing| crate::plan::Held {
            uuid: lead.uuid.clone(),
            label: None,
            reason: "r".to_owned(),
            source: lead.source.clone(),
        };
        plan.held = vec![both(&plan.missing[0])];
        plan.missing.remove(0);
        let fighting = BTreeSet::from([plan.changes[0].uuid.clone(), LeadId::new("in-sync")]);
        let states = LeadStates::after(&plan, &BTreeMap::new(), &fighting);
        assert_eq!((states.held, states.missing, states.fighting), (1, 1, 2));
        assert_eq!((states.intended, states.in_sync), (8, 2));
        assert_eq!(sum(&states), 17);
    }
}

//! Laws of the pure stages, each held for any leads and any demands.

use std::collections::BTreeMap;
use std::sync::Arc;

use convertalk::apply::precheck::{Precheck, precheck};
use convertalk::diff::{FieldChange, changes, holds, value};
use convertalk::lead::{
    AgentId, Desired, DesiredField, DesiredValue, Field, Kind, Lead, LeadId, Status, TagRule, Value,
};
use convertalk::lead_file::desired_of;
use convertalk::observe::Live;
use convertalk::plan::file::{PlanFileError, from_bytes, masked, saved, unseal};
use convertalk::plan::{Action, Change, Class, Fields, Input, Limits, Plan, Source, Target, make};
use convertalk::policy::Policy;
use convertalk::redaction::{Redaction, RedactionKey};
use proptest::prelude::*;

use crate::arbitrary::{declared, desired_fields, inbox, lead, live, observed, workspace, written};

pub(crate) fn plan(desired: &Desired, live: &Live) -> Plan {
    let (agents, policy) = (workspace().agents, Policy::default());
    let limits = Limits::new(&policy, &agents);
    let target = Target {
        endpoint: "https://api.example.com".into(),
        bot_id: "b".into(),
        customer_id: "c".into(),
    };
    let created_at = "2026-01-02T03:04:05Z".to_owned();
    let whose = convertalk::plan::DifferencePolicy::default();
    make(Input {
        desired,
        all: desired,
        live,
        agents: &agents,
        limits: &limits,
        target,
        base: None,
        left_alone: &std::collections::BTreeSet::new(),
        whose,
        created_at,
    })
}

/// Does to a lead what a change says.
fn played(lead: &Lead, field: &Field, after: &Value) -> Lead {
    let mut lead = lead.clone();
    let value = match after {
        Value::Notes(notes) => {
            let news = notes.iter().filter(|note| !lead.notes().contains(note));
            Value::Notes(lead.notes().iter().chain(news).cloned().collect())
        }
        other => other.clone(),
    };
    lead.set(field.clone(), value);
    lead
}

fn after(live: &Live, plan: &Plan) -> Live {
    let mut live = live.clone();
    for change in &plan.changes {
        let seen = live
            .leads
            .entry(change.uuid.clone())
            .or_insert_with(|| observed(Lead::default()));
        let lead = change.fields.iter().fold(seen.lead.clone(), |lead, field| {
            played(&lead, &field.field, &field.after)
        });
        Arc::make_mut(seen).lead = lead;
    }
    live
}

/// What a file would say of a lead that it describes in full.
fn described(lead: &Lead, patch: bool) -> Vec<DesiredField> {
    let mut values: Vec<(Field, DesiredValue)> = Vec::new();
    let status = lead
        .status()
        .filter(|status| Status::writable(status.as_str()).is_some());
    values.extend(status.map(|status| (Field::STATUS, DesiredValue::Choice(status.clone()))));
    values.push((Field::AGENT, DesiredValue::Reference(lead.agent().cloned())));
    let gone = ["not there at all".to_owned()].into();
    let rule = match patch {
        true => TagRule::Patch {
            present: lead.tags().iter().take(1).cloned().collect(),
            absent: gone,
        },
        false => TagRule::Exact(lead.tags().clone()),
    };
    values.push((Field::TAGS, DesiredValue::Set(rule)));
    for (field, value) in lead.values() {
        values.extend(
            value
                .text()
                .map(|text| (field.clone(), DesiredValue::Text(text.clone()))),
        );
    }
    values.push((Field::NOTES, DesiredValue::Notes(lead.notes().to_vec())));
    let on_line_3 = |(field, value)| DesiredField {
        field,
        value,
        line: 3,
    };
    values.into_iter().map(on_line_3).collect()
}

/// A lead whose value is neither as before nor as planned; `None` where there is none.
fn elsewhere(lead: &Lead, field: &Field, before: &Value, planned: &Value) -> Option<Lead> {
    let other = match field.kind() {
        Kind::Choice => Status::WRITABLE
            .map(Value::Choice)
            .into_iter()
            .find(|status| status != before && status != planned)?,
        Kind::Reference => Value::Reference(AgentId::parse("ffffffffffffffffffffffff")?),
        Kind::Boolean => return None,
        Kind::Set => Value::Set(["another".to_owned()].into()),
        Kind::KeyedText | Kind::Text => Value::Text("another".to_owned()),
        Kind::Notes => {
            let there = before.notes();
            let others = lead.notes().iter().filter(|note| !there.contains(note));
            let notes = Value::Notes(others.cloned().collect());
            let mut lead = lead.clone();
            lead.set(field.clone(), notes);
            return (!there.is_empty()).then_some(lead);
        }
    };
    Some(played(lead, field, &other))
}

proptest! {
    #[test]
    fn a_file_that_describes_the_inbox_plans_nothing(leads in prop::collection::vec(lead(), 1..6), patch: bool) {
        let numbered = || leads.iter().enumerate().map(|(number, lead)| (LeadId::new(crate::world::uuid(number)), lead.clone()));
        let desired = numbered().map(|(id, lead)| (id, declared(described(&lead, patch), patch))).collect();
        let plan = plan(&desired, &live(numbered().map(|(id, lead)| (id, observed(lead))).collect()));
        prop_assert!(plan.is_empty(), "{:?}", plan.changes);
        prop_assert_eq!((plan.summary.in_sync, plan.summary.declared), (leads.len(), leads.len()));
        prop_assert!(plan.transitions.is_empty() && plan.agents.iter().all(|agent| agent.before == agent.after));
    }

    #[test]
    fn playing_a_plan_satisfies_the_files_and_leaves_all_else((desired, live) in inbox()) {
        let first = plan(&desired, &live);
        let then = after(&live, &first);
        let second = plan(&desired, &then);
        prop_assert!(second.is_empty(), "{:?}", second.changes);
        prop_assert_eq!(&second.missing, &first.missing);
        for (id, seen) in &then.leads {
            let Some(was) = live.leads.get(id).map(|seen| &seen.lead) else { continue };
            let change = first.changes.iter().find(|change| change.uuid == *id);
            let written = |field: &Field| change.is_some_and(|change| change.fields.iter().any(|other| other.field == *field));
            let all = was.values().chain(seen.lead.values()).map(|(field, _)| field);
            for field in all.filter(|field| !written(field)) {
                prop_assert_eq!(value(was, field), value(&seen.lead, field));
            }
            prop_assert!(was.notes().iter().all(|note| seen.lead.notes().contains(note)), "no note is lost");
        }
        for change in first.changes.iter().flat_map(|change| change.fields.iter()) {
            prop_assert_ne!(&change.before, &change.after);
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written_in_any_order((desired, live) in inbox(), turn in 0_usize..9, split in 1_usize..4) {
        let read = |turn: usize| {
            let mut leads: Vec<_> = desired.iter().collect();
            let half = turn % leads.len().max(1);
            leads.rotate_left(half);
            let mut files: Vec<(Arc<str>, String)> = leads.chunks(split).enumerate().map(|(number, leads)| {
                let lines = leads.iter().map(|(id, lead)| format!("  {id}: {}\n", written(lead))).collect::<String>();
                (format!("leads/{number}.yaml").into(), format!("version: 1\nleads:\n{lines}"))
            }).collect();
            if turn % 2 == 1 { files.reverse() }
            desired_of(files, &workspace())
        };
        let meaning = |desired: &Desired| -> BTreeMap<LeadId, (bool, Vec<(Field, DesiredValue)>)> {
            let wanted = |fields: &[DesiredField]| fields.iter().map(|desired| (desired.field.clone(), desired.value.clone())).collect();
            desired.iter().map(|(id, lead)| (id.clone(), (lead.create, wanted(&lead.fields)))).collect()
        };
        let (one, diagnostics) = read(turn);
        prop_assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{diagnostics:?}");
        prop_assert_eq!(meaning(&one), meaning(&desired));
        let other = read(0).0;
        prop_assert_eq!(meaning(&other), meaning(&one));
        let changes = |desired: &Desired| -> Vec<_> {
            let sides = |change: &FieldChange| (change.field.clone(), change.before.clone(), change.after.clone());
            let all = plan(desired, &live).changes.into_iter();
            all.map(|change| (change.uuid, change.fields.iter().map(sides).collect::<Vec<_>>())).collect()
        };
        prop_assert_eq!(changes(&other), changes(&one));
    }

    #[test]
    fn the_order_of_fields_does_not_matter(fields in desired_fields(), lead in lead(), turn in 0_usize..9) {
        let mut turned = fields.clone();
        turned.rotate_left(turn % fields.len().max(1));
        turned.reverse();
        let sorted = |fields: &[DesiredField]| {
            let mut changes = changes(fields, &lead);
            changes.sort_by(|one, other| one.field.cmp(&other.field));
            changes
        };
        prop_assert_eq!(sorted(&fields), changes(&fields, &lead), "changes come in the fields' order");
        prop_assert_eq!(sorted(&turned), changes(&fields, &lead));
    }

    #[test]
    fn settling_writes_just_what_is_open_and_never_over_others(
        fields in desired_fields(), was in lead(), picks in prop::collection::vec(0..3, 12),
    ) {
        // Tags beside others have a test of their own.
        let whole = |change| FieldChange { patch: None, ..change };
        let planned: Vec<FieldChange> = changes(&fields, &was).into_iter().map(whole).collect();
        prop_assume!(!planned.is_empty());
        let (mut now, mut open, mut moved) = (was.clone(), Vec::new(), Vec::new());
        for (change, pick) in planned.iter().zip(picks.iter().chain(std::iter::repeat(&0))) {
            match (pick, elsewhere(&now, &change.field, &change.before, &change.after)) {
                (1, _) => now = played(&now, &change.field, &change.after),
                (2, Some(other)) => {
                    now = other;
                    moved.push(change.field.to_string());
                }
                _ => open.push(change.clone()),
            }
        }
        let source = Source { file: "leads/all.yaml".into(), line: 3 };
        let (uuid, fields) = (LeadId::new(crate::world::uuid(1)), Fields(planned));
        let change = Change { uuid, label: None, action: Action::Update, class: Class::Change, source, fields, unwritten: Fields::default(), taken: None };
        match precheck(&change, Some(&observed(now.clone()))) {
            Precheck::AlreadyApplied => prop_assert!(open.is_empty() && moved.is_empty()),
            Precheck::Stale(why) => prop_assert_eq!(why, format!("{} changed since the plan", moved.join(", "))),
            Precheck::Proceed(task) => {
                prop_assert!(moved.is_empty() && !open.is_empty());
                prop_assert_eq!(&task.change.fields.0, &open);
            }
            Precheck::Unreadable(why) => prop_assert!(false, "{why}"),
        }
        prop_assert!(matches!(precheck(&change, None), Precheck::Stale(_)), "an update of what is not listed is stale");
        let create = Change { action: Action::Create, ..change };
        let done = create.fields.iter().all(|change| holds(&now, &change.field, &change.after));
        match precheck(&create, Some(&observed(now))) {
            Precheck::AlreadyApplied => prop_assert!(done),
            Precheck::Stale(_) => prop_assert!(!done),
            Precheck::Proceed(_) => prop_assert!(false, "a listed lead is never created"),
            Precheck::Unreadable(why) => prop_assert!(false, "{why}"),
        }
        prop_assert!(matches!(precheck(&create, None), Precheck::Proceed(task) if task.change.fields == create.fields));
    }

    #[test]
    fn the_numbers_add_up((desired, live) in inbox()) {
        let plan = plan(&desired, &live);
        let numbers = plan.summary;
        prop_assert_eq!(numbers.declared, numbers.in_sync + numbers.to_update + numbers.to_create + numbers.missing);
        prop_assert_eq!((numbers.to_update + numbers.to_create, numbers.missing), (plan.changes.len(), plan.missing.len()));
        let all = || plan.changes.iter().flat_map(|change| change.fields.iter());
        let moves = all().filter(|change| change.field == Field::STATUS).count();
        prop_assert_eq!(plan.transitions.iter().map(|transition| transition.count).sum::<usize>(), moves);
        let then = after(&live, &plan);
        let carried = |live: &Live, id: &str| {
            live.leads.values().filter(|seen| seen.lead.agent().is_some_and(|agent| agent.as_str() == id)).count() as u64
        };
        for load in &plan.agents {
            prop_assert_eq!((load.before, load.after), (carried(&live, &load.id), carried(&then, &load.id)), "{}", load.id);
        }
        let assigned = then.leads.values().filter(|seen| seen.lead.agent().is_some()).count() as u64;
        prop_assert_eq!(plan.agents.iter().map(|load| load.after).sum::<u64>(), assigned);
    }

    #[test]
    fn a_masked_plan_tells_no_contact_value_and_comes_back_whole((desired, live) in inbox(), none: bool, moved: bool) {
        let plan = plan(&desired, &live);
        let key = RedactionKey::new(&secrecy::SecretString::from("t0ken".to_owned()));
        let names = if none { Redaction::None } else { Redaction::Initials };
        let bytes = saved(&plan, names, Some(&key)).expect("bytes");
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        let contacts = plan.changes.iter().flat_map(|change| change.fields.iter());
        for change in contacts.filter(|change| change.field.is_personal()) {
            for value in [&change.before, &change.after].into_iter().filter_map(Value::text) {
                prop_assert!(!text.contains(value.as_str()), "{value} is in\n{text}");
            }
        }
        let read = from_bytes(&bytes).expect("a plan");
        let whole = Plan { digest: None, ..unseal(read.clone(), &desired, &live, &key) };
        prop_assert_eq!(&whole, &plan);
        // A lead that moved since is never taken for one that did not.
        let mut now = live.clone();
        now.leads.values_mut().filter(|_| moved).for_each(|seen| {
            let texts: Vec<(Field, Value)> = seen.lead.values().filter(|(field, _)| field.is_personal())
                .map(|(field, value)| (field.clone(), value.map_text(|text| format!("{text}9")))).collect();
            texts.into_iter().for_each(|(field, value)| Arc::make_mut(seen).lead.set(field, value));
        });
        for (change, real) in unseal(read, &desired, &now, &key).changes.iter().zip(&plan.changes) {
            let seen = now.get(&change.uuid);
            match (precheck(change, seen), precheck(real, seen)) {
                (Precheck::Proceed(one), Precheck::Proceed(other)) => prop_assert_eq!(one.change.fields, other.change.fields),
                (Precheck::AlreadyApplied, Precheck::AlreadyApplied) | (Precheck::Stale(_), Precheck::Stale(_)) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn a_saved_plan_is_read_as_it_was_or_not_at_all((desired, live) in inbox(), at: prop::sample::Index, flip in 1_u8..) {
        let plan = plan(&desired, &live);
        let mut bytes = saved(&plan, Redaction::Full, None).expect("bytes");
        let read = from_bytes(&bytes).expect("a plan");
        prop_assert_eq!(&Plan { digest: None, ..read.clone() }, &plan);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        match from_bytes(&bytes) {
            Ok(again) => prop_assert_eq!(again, read),
            Err(PlanFileError::Tampered | PlanFileError::NotAPlan { .. } | PlanFileError::Version(_)
                | PlanFileError::NoDigest) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

/// A saved plan whose file or lead has changed since, one contact value at a time.
fn taken(
    planned: Option<&str>,
    live_then: Option<&str>,
    live_now: Option<&str>,
    file_now: Option<&str>,
) -> Precheck {
    let seen = |name: Option<&str>| {
        let name = name.map(|name| (Field::NAME, Value::Text(name.to_owned())));
        let status = (Field::STATUS, Value::Choice(Status::Open));
        let lead = Lead::new(name.into_iter().chain([status]));
        live([(LeadId::new("lead-1"), observed(lead))].into())
    };
    let file = |name: Option<&str>| -> Desired {
        let wanted = name.map(|name| DesiredField {
            field: Field::NAME,
            value: DesiredValue::Text(name.to_owned()),
            line: 3,
        });
        [(
            LeadId::new("lead-1"),
            declared(wanted.into_iter().collect(), false),
        )]
        .into()
    };
    let key = RedactionKey::new(&secrecy::SecretString::from("t0ken".to_owned()));
    let saved = masked(
        &plan(&file(planned), &seen(live_then)),
        Redaction::Initials,
        Some(&key),
    )
    .into_owned();
    let now = seen(live_now);
    precheck(
        &unseal(saved, &file(file_now), &now, &key).changes[0],
        now.leads.values().next(),
    )
}

#[test]
fn a_masked_value_is_never_written_as_if_it_were_one() {
    let written = taken(Some("Asha Rao"), None, None, Some("Asha Rao"));
    assert!(
        matches!(written, Precheck::Proceed(task) if task.change.fields[0].after == Value::Text("Asha Rao".into()))
    );
    let since = taken(
        Some("Asha Rao"),
        Some("Bo Li"),
        Some("Bo Li"),
        Some("Someone Else"),
    );
    assert!(
        matches!(since, Precheck::Stale(_)),
        "the file says something else now: {since:?}"
    );
}

#[test]
fn a_mask_is_never_written_where_there_was_nothing() {
    for file_now in [None, Some("Someone Else")] {
        let result = taken(Some("Asha Rao"), None, None, file_now);
        assert!(matches!(result, Precheck::Stale(_)), "{result:?}");
    }
}

#[test]
fn a_live_value_that_looks_like_a_mask_is_not_overwritten() {
    let result = taken(
        Some("Asha Rao"),
        Some("Bo Li"),
        Some("B. L."),
        Some("Asha Rao"),
    );
    assert!(matches!(result, Precheck::Stale(_)), "{result:?}");
}

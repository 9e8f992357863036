//! Values for the laws and the fuzzing: leads as the API may show them, and as files may declare them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convertalk::config::{Overrides, Workspace, parse};
use convertalk::lead::{
    AgentId, Desired, DesiredField, DesiredLead, DesiredValue, Field, FieldId, Kind, Lead, LeadId,
    Note, Place, Status, TagRule, TagSet, Value,
};
use convertalk::observe::{Leads, Listing, Live, Observed};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use serde_json::{Value as Json, json};

pub(crate) const CONFIG: &str = "version: 1
api: { endpoint: https://api.example.com, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents:
  priya: 631aa793bcfa100487d13d0d
  rahul: 631aa793bcfa100487d13d0e
";

pub(crate) fn workspace() -> Workspace {
    parse(std::path::Path::new("."), CONFIG, &Overrides::default())
        .0
        .expect("a workspace")
}

/// Text as people write it, and as people attack with it.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        select(vec![
            "no",
            "0123",
            "1e3",
            "null",
            "~",
            "2026-01-02",
            "a: b",
            "# c",
            "\u{202e}x",
            "::",
            "é𝄞"
        ])
        .prop_map(str::to_owned),
        "[ -~]{1,12}".prop_map(|text| format!("x{}", text.trim_end()))
    ]
}

fn tags() -> impl Strategy<Value = TagSet> {
    // A tag that cannot be seen is an error in a lead file.
    let visible = text().prop_filter("a tag that can be seen", |tag| {
        convertalk::text::invisible_in(tag).is_none()
    });
    vec(visible, 0..5).prop_map(TagSet::from)
}

fn status() -> impl Strategy<Value = Status> {
    select(Status::WRITABLE.to_vec())
}

fn agent() -> impl Strategy<Value = AgentId> {
    select(vec![
        "631aa793bcfa100487d13d0d",
        "631aa793bcfa100487d13d0e",
        "00000000000000000000000a",
    ])
    .prop_map(|id| AgentId::parse(id).expect("24 hex digits"))
}

fn notes() -> impl Strategy<Value = Vec<Note>> {
    vec(
        ("[ab]{1,2}", "[ab]{0,1}").prop_map(|(title, description)| Note { title, description }),
        0..4,
    )
}

/// Texts of one field each, in normal form, long enough that none of them is in a plan by chance.
fn texts() -> impl Strategy<Value = BTreeMap<Field, String>> {
    let single = |id: &FieldId| id.spec().kind == Kind::Text;
    let ids: Vec<FieldId> = FieldId::all().filter(single).collect();
    let pair = (select(ids), "[a-d]{7}").prop_map(|(id, word)| {
        let field = Field::single(id).expect("a field of one text");
        (field, text_of(id, &word))
    });
    vec(pair, 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

/// The first of some texts that the field takes as it is.
fn text_of(id: FieldId, word: &str) -> String {
    let code = 1_000_000 + word.bytes().map(u32::from).sum::<u32>();
    let takes =
        |text: &String| (id.spec().normalise)(text) == *text && (id.spec().check)(text).is_none();
    [
        format!("Qx{word} Zz{word}"),
        format!("qx{word}@zz{word}.example"),
        word.bytes().map(|byte| format!("{byte:03}")).collect(),
        format!("+{code}"),
        format!("https://pictures.example/{word}.png"),
    ]
    .into_iter()
    .find(takes)
    .expect("a text that the field takes")
}

pub(crate) fn lead() -> impl Strategy<Value = Lead> {
    let word = prop_oneof![6 => status(), 1 => Just(Status::Other("DELETED".into()))];
    (
        of(word),
        of(agent()),
        tags(),
        btree_map(text(), text(), 0..4),
        texts(),
        notes(),
    )
        .prop_map(|(status, agent, tags, attributes, texts, notes)| {
            let mut lead = Lead::default();
            lead.set(Field::STATUS, status.map_or(Value::Absent, Value::Choice));
            lead.set(Field::AGENT, agent.map_or(Value::Absent, Value::Reference));
            lead.set(Field::TAGS, Value::Set(tags));
            lead.set(Field::NOTES, Value::Notes(notes));
            for (key, text) in attributes {
                lead.set(Field::attribute(key), Value::Text(text));
            }
            for (field, text) in texts {
                lead.set(field, Value::Text(text));
            }
            lead
        })
}

fn rule() -> impl Strategy<Value = TagRule> {
    let patch = (tags(), tags()).prop_filter_map("names a tag", |(present, absent)| {
        let absent: TagSet = absent.difference(&present).cloned().collect();
        (!present.is_empty() || !absent.is_empty()).then_some(TagRule::Patch { present, absent })
    });
    prop_oneof![tags().prop_map(TagRule::Exact), patch]
}

/// At most one of each field, in the fields' order, as a valid file has them.
pub(crate) fn desired_fields() -> impl Strategy<Value = Vec<DesiredField>> {
    let singles = (of(status()), of(of(agent())), of(rule()));
    (singles, btree_map(text(), text(), 0..3), texts(), notes()).prop_map(
        |((status, agent, rule), attributes, texts, notes)| {
            let mut values: Vec<(Field, DesiredValue)> = Vec::new();
            values.extend(status.map(|status| (Field::STATUS, DesiredValue::Choice(status))));
            values.extend(agent.map(|agent| (Field::AGENT, DesiredValue::Reference(agent))));
            values.extend(rule.map(|rule| (Field::TAGS, DesiredValue::Set(rule))));
            for (key, text) in attributes {
                values.push((Field::attribute(key), DesiredValue::Text(text)));
            }
            for (field, text) in texts {
                values.push((field, DesiredValue::Text(text)));
            }
            let distinct: BTreeSet<Note> = notes.into_iter().collect();
            if !distinct.is_empty() {
                let notes = DesiredValue::Notes(distinct.into_iter().collect());
                values.push((Field::NOTES, notes));
            }
            let on_line_3 = |(field, value)| DesiredField {
                field,
                value,
                line: 3,
            };
            values.into_iter().map(on_line_3).collect()
        },
    )
}

/// A declared lead as the files have it, on line 3 of one file.
pub(crate) fn declared(fields: Vec<DesiredField>, create: bool) -> DesiredLead {
    DesiredLead {
        place: Place {
            file: "leads/all.yaml".into(),
            line: 3,
        },
        label: None,
        hold: None,
        create,
        fields,
    }
}

/// A few leads, each declared, live, or both.
pub(crate) fn inbox() -> impl Strategy<Value = (Desired, Live)> {
    vec((of(lead()), of((desired_fields(), any::<bool>()))), 1..9).prop_map(|leads| {
        let (mut desired, mut seen) = (Desired::new(), BTreeMap::new());
        for (number, (live, file)) in leads.into_iter().enumerate() {
            let id = LeadId::new(crate::world::uuid(number));
            if let Some((fields, create)) = file {
                seen.extend(live.map(|live| (id.clone(), observed(live))));
                desired.insert(id, declared(fields, create));
            }
        }
        (desired, live(seen))
    })
}

pub(crate) fn observed(lead: Lead) -> Arc<Observed> {
    Arc::new(Observed {
        lead,
        updated: 1,
        ..Observed::default()
    })
}

pub(crate) fn live(leads: Leads) -> Live {
    let listing = Listing {
        complete: false,
        leads_read: leads.len() as u64,
        pages_read: 1,
    };
    Live {
        leads,
        listing,
        ..Live::default()
    }
}

/// A lead as a file has it. JSON is YAML.
pub(crate) fn written(lead: &DesiredLead) -> Json {
    let mut file = json!({ "create": lead.create });
    for DesiredField { field, value, .. } in &lead.fields {
        let json = match value {
            DesiredValue::Choice(status) => json!(status.as_str()),
            DesiredValue::Reference(agent) => {
                json!(agent.as_ref().map_or("none", |agent| agent.as_str()))
            }
            DesiredValue::Set(TagRule::Exact(tags)) => json!(tags),
            DesiredValue::Set(TagRule::Patch { present, absent }) => {
                json!({ "present": present, "absent": absent })
            }
            DesiredValue::Text(text) => json!(text),
            DesiredValue::Boolean(value) => json!(value),
            DesiredValue::Notes(notes) => json!(notes),
        };
        match field.path() {
            (group, None) => file[group] = json,
            (group, Some(member)) => file[group][member] = json,
        }
    }
    file
}

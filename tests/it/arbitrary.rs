//! Values for the laws and the fuzzing: leads as the API may show them, and demands as files may make them.

use std::collections::{BTreeMap, BTreeSet};

use convertalk::config::{Overrides, Workspace, parse};
use convertalk::desired::{Demand, Desired, DesiredLead, Place};
use convertalk::lead::{AgentId, ContactField, Lead, LeadId, Note, Status, TagRule, Wanted};
use convertalk::observe::{Echo, Leads, Listing, Live, Observed};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
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

fn tags() -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(text(), 0..5)
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

/// Contact values in normal form, long enough that none of them is in a plan by chance.
fn contact() -> impl Strategy<Value = BTreeMap<ContactField, String>> {
    let value = |(field, word): (ContactField, String)| {
        let text = match field {
            ContactField::Name => format!("Qx{word} Zz{word}"),
            ContactField::Email => format!("qx{word}@zz{word}.example"),
            ContactField::Phone => word.bytes().map(|byte| format!("{byte:03}")).collect(),
            ContactField::DialCode => {
                format!("+{}", 1_000_000 + word.bytes().map(u32::from).sum::<u32>())
            }
            ContactField::Picture => format!("https://pictures.example/{word}.png"),
        };
        (field, text)
    };
    vec(
        (select(ContactField::ALL.to_vec()), "[a-d]{7}").prop_map(value),
        0..4,
    )
    .prop_map(|pairs| pairs.into_iter().collect())
}

pub(crate) fn lead() -> impl Strategy<Value = Lead> {
    let word = prop_oneof![6 => status(), 1 => Just(Status::Other("DELETED".into()))];
    (
        of(word),
        of(agent()),
        tags(),
        btree_map(text(), text(), 0..4),
        contact(),
        notes(),
    )
        .prop_map(|(status, agent, tags, attributes, contact, notes)| Lead {
            status,
            agent,
            tags,
            attributes,
            contact,
            notes,
        })
}

fn rule() -> impl Strategy<Value = TagRule> {
    let patch = (tags(), tags()).prop_filter_map("names a tag", |(present, absent)| {
        let absent: BTreeSet<String> = absent.difference(&present).cloned().collect();
        (!present.is_empty() || !absent.is_empty()).then_some(TagRule::Patch { present, absent })
    });
    prop_oneof![tags().prop_map(TagRule::Exact), patch]
}

/// At most one demand for each field, in the fields' order, as a valid file makes them.
pub(crate) fn demands() -> impl Strategy<Value = Vec<Demand>> {
    let singles = (of(status()), of(of(agent())), of(rule()));
    (singles, btree_map(text(), text(), 0..3), contact(), notes()).prop_map(
        |((status, agent, rule), attributes, contact, notes)| {
            let mut wanted: Vec<Wanted> = status.map(Wanted::Status).into_iter().collect();
            wanted.extend(agent.map(Wanted::Agent));
            wanted.extend(rule.map(Wanted::Tags));
            wanted.extend(
                attributes
                    .into_iter()
                    .map(|(key, text)| Wanted::Attribute(key, text)),
            );
            wanted.extend(
                contact
                    .into_iter()
                    .map(|(field, text)| Wanted::Contact(field, text)),
            );
            let mut distinct: Vec<Note> = Vec::new();
            notes.into_iter().for_each(|note| {
                if !distinct.contains(&note) {
                    distinct.push(note)
                }
            });
            wanted.extend((!distinct.is_empty()).then_some(Wanted::Notes(distinct)));
            wanted
                .into_iter()
                .map(|wanted| Demand { wanted, line: 3 })
                .collect()
        },
    )
}

/// A declared lead as the files have it, on line 3 of one file.
pub(crate) fn declared(demands: Vec<Demand>, create: bool) -> DesiredLead {
    DesiredLead {
        place: Place {
            file: "leads/all.yaml".into(),
            line: 3,
        },
        label: None,
        hold: None,
        create,
        demands,
    }
}

/// A few leads, each declared, live, or both.
pub(crate) fn inbox() -> impl Strategy<Value = (Desired, Live)> {
    vec((of(lead()), of((demands(), any::<bool>()))), 1..9).prop_map(|leads| {
        let (mut desired, mut seen) = (Desired::new(), BTreeMap::new());
        for (number, (live, file)) in leads.into_iter().enumerate() {
            let id = LeadId::new(crate::world::uuid(number));
            if let Some((demands, create)) = file {
                seen.extend(live.map(|live| (id.clone(), observed(live))));
                desired.insert(id, declared(demands, create));
            }
        }
        (desired, live(seen))
    })
}

pub(crate) fn observed(lead: Lead) -> Box<Observed> {
    Box::new(Observed {
        lead,
        unmanaged: BTreeMap::new(),
        echo: Echo::default(),
        tag_shape: None,
        updated: 1,
        seen: None,
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
    for Demand { wanted, .. } in &lead.demands {
        match wanted {
            Wanted::Status(status) => file["status"] = status.as_str().into(),
            Wanted::Agent(agent) => {
                file["agent"] = agent.as_ref().map_or("none", |agent| agent.as_str()).into()
            }
            Wanted::Tags(TagRule::Exact(tags)) => file["tags"] = json!(tags),
            Wanted::Tags(TagRule::Patch { present, absent }) => {
                file["tags"] = json!({ "present": present, "absent": absent })
            }
            Wanted::Attribute(key, text) => file["attributes"][key] = text.as_str().into(),
            Wanted::Contact(field, text) => file["contact"][field.as_str()] = text.as_str().into(),
            Wanted::Notes(notes) => file["notes"] = json!(notes),
        }
    }
    file
}

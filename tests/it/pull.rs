//! `pull`: an inbox as files, and live values into files that are there.

use std::collections::BTreeMap;

use convertalk::lead::{DesiredValue, Field, LeadId, Note, Status, TagRule};
use convertalk::lead_file::emit::{AgentNames, NewLead, file};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use crate::arbitrary::workspace;
use crate::edit::says;
use crate::world::{PRIYA, RAHUL, World, record, uuid};

mod adopt;
mod update;

const NASTY: [&str; 44] = [
    "",
    " ",
    "no",
    "Yes",
    "~",
    "null",
    "0123",
    "1e3",
    "0x1F",
    "1_000",
    "12:30:45",
    "2026-01-02",
    "+91",
    "-1",
    ".inf",
    "=",
    "<<",
    "---",
    "...",
    "- a",
    "? a",
    "a: b",
    "a #b",
    "#b",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "'a",
    "\"a",
    "[a",
    "{a",
    "a, b",
    " a ",
    "\ta\n",
    "two\nlines\n",
    "\r\n",
    "\u{85}\u{2028}\u{2029}",
    "\u{feff}\u{200b}\u{202e}x",
    "\u{0}\u{7}\u{1b}[2J",
    "🎉👩\u{200d}💻é𝄞",
    "C:\\x\\u0041",
];

/// Text of any kind.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(NASTY.to_vec()).prop_map(str::to_owned),
        4 => any::<String>(),
        2 => "[ -~]{0,20}",
        1 => "[a-z: #\n]{1000,1400}",
    ]
}

/// A stranger's scalar, or something else where a scalar was promised.
fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![6 => text().prop_map(Json::from), 1 => any::<i64>().prop_map(Json::from), 1 => Just(json!(1.50)), 1 => Just(Json::Null), 1 => Just(json!(true)), 1 => Just(json!(["x"]))]
}

fn tags() -> impl Strategy<Value = Json> {
    prop_oneof![4 => vec(scalar(), 0..6).prop_map(Json::from), 1 => text().prop_map(Json::from), 1 => Just(Json::Null)]
}

/// A record as no platform should have it.
fn odd_record() -> impl Strategy<Value = Json> {
    let status = prop_oneof![3 => select(vec!["OPEN", "CLOSED", "DEPENDANCY", "DELETED", "open"]).prop_map(Json::from), 1 => scalar()];
    let agent = prop_oneof![
        3 => select(vec![PRIYA, RAHUL, "00000000000000000000000a", "123456789012345678901e23", ""]).prop_map(Json::from),
        1 => scalar()
    ];
    let attribute =
        (scalar(), scalar()).prop_map(|(key, value)| json!({ "key": key, "value": value }));
    let note = (scalar(), scalar())
        .prop_map(|(title, description)| json!({ "title": title, "description": description }));
    let contact = (scalar(), scalar(), scalar(), scalar(), scalar());
    (text(), status, agent, tags(), vec(attribute, 0..5), vec(note, 0..4), contact).prop_map(
        |(uuid, status, agent, tags, attributes, notes, (name, email, number, prefix, picture))| {
            json!({
                "uuid": uuid, "status": status, "_agentAssigned": agent,
                "profile": { "notes": notes, "userDetails": {
                    "name": name, "picture": picture, "tags": tags, "attributes": attributes,
                    "contact": { "email": email, "phone": { "number": number, "prefix": prefix } }
                }}
            })
        },
    )
}

/// Each has a uuid of its own, odd or not.
fn inbox() -> impl Strategy<Value = Vec<Json>> {
    vec((odd_record(), any::<bool>()), 1..8).prop_map(|records| {
        let mut seen = std::collections::BTreeSet::new();
        let number = |(number, (mut record, odd)): (usize, (Json, bool))| {
            if !odd || !seen.insert(record["uuid"].to_string()) {
                record["uuid"] = uuid(number).into();
            }
            record
        };
        records.into_iter().enumerate().map(number).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inbox_becomes_files_that_are_valid_laid_out_and_true(records in inbox(), split in select(vec!["", "--split-by agent", "--split-by status"])) {
        let world = World::new(&records, "");
        let pull = world.run(&format!("pull {split} --with attributes,contact,notes --names full"));
        prop_assert_eq!(pull.exit, 0, "{}", pull.err);
        world.run("validate").exits(0);
        let check = world.run("fmt --check --diff");
        prop_assert_eq!(check.exit, 0, "{}{}", check.out, check.err);
        world.assert_settled();
        let again = world.run("pull").exits(0);
        prop_assert!(again.out.starts_with("Nothing to pull"), "{}", again.out);
    }
}

/// What a file is to say of a lead, of texts of any kind.
fn new_lead() -> impl Strategy<Value = NewLead> {
    let filled = || text().prop_map(|text| format!("x{text}"));
    let tag = || {
        filled().prop_map(|text| {
            text.replace(convertalk::text::is_invisible, "")
                .trim()
                .to_owned()
        })
    };
    let note = (filled(), text()).prop_map(|(title, description)| Note { title, description });
    let key = text().prop_filter("short", |key| !key.trim().is_empty() && key.len() < 80);
    (
        proptest::option::of(text()),
        btree_set(tag(), 0..5),
        btree_map(key, text(), 0..4),
        vec(note, 1..3),
    )
        .prop_map(|(label, tags, attributes, notes)| {
            let mut fields = vec![
                (Field::STATUS, DesiredValue::Choice(Status::Open)),
                (Field::AGENT, DesiredValue::Reference(None)),
                (
                    Field::TAGS,
                    DesiredValue::Set(TagRule::Exact(tags.into_iter().collect())),
                ),
            ];
            for (key, text) in attributes {
                fields.push((Field::attribute(key), DesiredValue::Text(text)));
            }
            let mut distinct: Vec<Note> = Vec::new();
            notes.into_iter().for_each(|note| {
                if !distinct.contains(&note) {
                    distinct.push(note)
                }
            });
            fields.push((Field::NOTES, DesiredValue::Notes(distinct)));
            NewLead { label, fields }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_readers_read_back_what_was_written(leads in vec(new_lead(), 1..4)) {
        let workspace = workspace();
        let leads: BTreeMap<LeadId, NewLead> = leads.into_iter().enumerate().map(|(number, lead)| (LeadId::new(uuid(number)), lead)).collect();
        let text = file(&leads, &[], &AgentNames::new(&workspace.agents), None);
        for (id, wanted) in says(&workspace, &text) {
            prop_assert_eq!(&wanted, &leads[&id].fields, "{}", text);
        }
        let other: Json = serde_yaml::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        for (id, lead) in &leads {
            let said = &other["leads"][id.as_str()];
            prop_assert_eq!(said["label"].as_str(), lead.label.as_deref(), "{}", text);
            for (field, value) in &lead.fields {
                match value {
                    DesiredValue::Set(TagRule::Exact(tags)) => prop_assert_eq!(&said["tags"], &json!(tags), "{}", text),
                    DesiredValue::Text(value) => prop_assert_eq!(said["attributes"][field.key().unwrap_or_default()].as_str(), Some(value.as_str()), "{}", text),
                    DesiredValue::Notes(notes) => {
                        let read = said["notes"].as_array().cloned().unwrap_or_default();
                        prop_assert_eq!(read.len(), notes.len());
                        for (note, read) in notes.iter().zip(&read) {
                            prop_assert_eq!(read["title"].as_str(), Some(note.title.as_str()), "{}", text);
                            prop_assert_eq!(read["description"].as_str().unwrap_or_default(), note.description.as_str(), "{}", text);
                        }
                    }
                    _ => {}
                }
            }
        }
        let laid_out = convertalk::yaml::format::layout(&std::sync::Arc::from("a.yaml"), &text, &convertalk::lead_file::layout_rules()).expect("YAML");
        prop_assert_eq!(laid_out.text, text, "not in the one layout");
    }
}

fn read(world: &World, file: &str) -> String {
    std::fs::read_to_string(world.path(file)).expect("a file")
}

fn inbox_of_three() -> World {
    let unknown = Some("0000000000000000000000aa");
    let mut third = record(3, "DELETED", unknown, &["vip"]);
    third["profile"]["userDetails"]["name"] = "Mallory\u{202e}: x".into();
    World::new(
        &[
            record(1, "OPEN", Some(PRIYA), &["vip", "no"]),
            record(2, "CLOSED", None, &[]),
            third,
        ],
        "",
    )
}

#[test]
fn by_default_it_takes_initials_status_agent_and_tags() {
    let world = inbox_of_three();
    let pull = world.run("pull").exits(0);
    assert_eq!(
        pull.out,
        "leads/inbox.yaml  3 leads\nPulled: 3 leads into 1 file.\n"
    );
    let expected = format!(
        "version: 1\n\nleads:\n  {}:\n    label: V. 1.\n    status: OPEN\n    agent: priya\n    tags: [\"no\", vip]\n\n  {}:\n    label: V. 2.\n    status: CLOSED\n    agent: none\n    tags: []\n\n  {}:\n    label: M. x.\n    agent: 0000000000000000000000aa\n    tags: [vip]\n",
        uuid(1),
        uuid(2),
        uuid(3)
    );
    assert_eq!(read(&world, "leads/inbox.yaml"), expected);
    assert!(
        pull.err
            .contains("agents:\n  agent-0000aa: \"0000000000000000000000aa\" # 1 lead"),
        "{}",
        pull.err
    );
    assert!(
        pull.err
            .contains("a status that cannot be written (1 time)"),
        "{}",
        pull.err
    );
    world.assert_settled();
}

#[test]
fn people_s_data_only_where_asked_for() {
    let label = |words: &str| {
        let world = inbox_of_three();
        world.run(&format!("pull {words}")).exits(0);
        let text = read(&world, "leads/inbox.yaml");
        text.lines()
            .find(|line| line.contains("label:"))
            .map(|line| line.trim().to_owned())
    };
    assert_eq!(label("--with contact").as_deref(), Some("label: V. 1."));
    assert_eq!(label("--names full").as_deref(), Some("label: Visitor 1"));
    assert_eq!(label("--with contact --names none"), None);
    let world = inbox_of_three();
    world
        .run("pull --names full --with contact --with attributes,notes")
        .exits(0);
    let text = read(&world, "leads/inbox.yaml");
    for part in [
        "email: v1@example.com",
        "phone: \"9876543210\"",
        "visits: \"7\"",
        "- title: Hello\n        description: First words",
        "label: \"Mallory\\u202E: x\"",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    world.assert_settled();
}

#[test]
fn files_are_split_and_named_safely() {
    let world = inbox_of_three();
    world.run("pull --split-by agent").exits(0);
    let named = |world: &World, folder: &str| {
        let mut names: Vec<String> = std::fs::read_dir(world.path(folder))
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        named(&world, "leads"),
        [
            "0000000000000000000000aa.yaml",
            "priya.yaml",
            "unassigned.yaml"
        ]
    );
    let world = inbox_of_three();
    world
        .run("pull --split-by status --out leads/eu --type lead")
        .exits(0);
    assert_eq!(
        named(&world, "leads/eu"),
        ["closed.yaml", "open.yaml", "other-status.yaml"]
    );
    let ran = world
        .run("pull --out ../elsewhere --only status=OPEN")
        .exits(1);
    assert!(ran.err.contains("outside the workspace"), "{}", ran.err);
}

#[test]
fn the_schema_is_named_where_there_is_one() {
    let world = inbox_of_three();
    world.write("schema/leads.schema.json", "{}");
    world.run("pull --out leads/eu").exits(0);
    assert!(read(&world, "leads/eu/inbox.yaml").starts_with(
        "# yaml-language-server: $schema=../../schema/leads.schema.json\nversion: 1\n"
    ));
    world.run("fmt --check").exits(0);
}

#[test]
fn it_takes_only_what_is_asked_for_and_not_declared() {
    let world = inbox_of_three();
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    let none = world.run("pull --only status=OPEN").exits(0);
    assert!(
        none.out.starts_with("Nothing to pull") && none.err.contains("1 lead already declared"),
        "{}{}",
        none.out,
        none.err
    );
    for (words, why) in [
        ("file=leads/**", "about the files"),
        ("tag=nobody", "`tag=nobody` selects none of 3 leads"),
        ("00000000", "`00000000` selects none of 3 leads"),
    ] {
        let ran = world.run(&format!("pull --only {words}")).exits(1);
        assert!(ran.err.contains(why), "{}", ran.err);
    }
    let some = world.run("pull --only tag=vip").exits(0);
    assert!(
        some.out.contains("Pulled: 1 lead into 1 file."),
        "{}",
        some.out
    );
    let none = world.run("pull --type non-lead").exits(0);
    assert!(none.out.starts_with("Nothing to pull"), "{}", none.out);
}

#[test]
fn tags_that_the_policy_does_not_know_are_told() {
    let world = inbox_of_three();
    let config = read(&world, "convertalk.yaml");
    world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ tags: [vip] }}\n"),
    );
    let ran = world.run("pull").exits(0);
    assert!(ran.err.contains("policy.tags"), "{}", ran.err);
    assert!(read(&world, "leads/inbox.yaml").contains("tags:\n      present: [vip]\n"));
    world.run("fmt --check").exits(0);
    world.assert_settled();
}

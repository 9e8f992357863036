//! In-place edits: the values that differ, and no other byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use convertalk::config::Workspace;
use convertalk::lead::{AgentId, DesiredValue, Field, LeadId, Note, Status, TagRule, TagSet};
use convertalk::lead_file::desired_of;
use convertalk::lead_file::edit::{Edit, Edited, apply};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::arbitrary::workspace;
use crate::forms::{File, file};
use crate::fuzz::growth::assert_grows_with_the_number;
use crate::world::{PRIYA, RAHUL};

/// What a file is to say of a field.
pub(crate) type Wanted = (Field, DesiredValue);

fn edited(text: &str, edits: &[(&str, Wanted)]) -> Edited {
    let workspace = workspace();
    let edits: Vec<Edit> = edits
        .iter()
        .map(|(id, (field, value))| Edit {
            id: LeadId::new(*id),
            field: field.clone(),
            value: value.clone(),
        })
        .collect();
    apply(
        &Arc::from("leads/a.yaml"),
        text,
        &edits,
        workspace.vocabulary(),
    )
}

/// The text after edits that are all made.
#[track_caller]
fn after(text: &str, edits: &[(&str, Wanted)]) -> String {
    let edited = edited(text, edits);
    assert_eq!(edited.refused, [], "{text}");
    edited.text
}

/// What a text says of each lead.
pub(crate) fn says(workspace: &Workspace, text: &str) -> BTreeMap<LeadId, Vec<Wanted>> {
    let (desired, diagnostics) = desired_of(
        vec![(Arc::from("leads/a.yaml"), text.to_owned())],
        workspace,
    );
    assert!(
        !diagnostics.iter().any(|made| made.is_error()),
        "{text}\n{diagnostics:?}"
    );
    desired
        .into_iter()
        .map(|(id, lead)| {
            (
                id,
                lead.fields
                    .into_iter()
                    .map(|desired| (desired.field, desired.value))
                    .collect(),
            )
        })
        .collect()
}

fn status(status: Status) -> Wanted {
    (Field::STATUS, DesiredValue::Choice(status))
}

fn agent(id: &str) -> Wanted {
    (Field::AGENT, DesiredValue::Reference(AgentId::parse(id)))
}

fn set(tags: &[&str]) -> TagSet {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

fn exact(tags: &[&str]) -> Wanted {
    (Field::TAGS, DesiredValue::Set(TagRule::Exact(set(tags))))
}

fn patch(present: &[&str], absent: &[&str]) -> Wanted {
    (
        Field::TAGS,
        DesiredValue::Set(TagRule::Patch {
            present: set(present),
            absent: set(absent),
        }),
    )
}

fn no_agent() -> Wanted {
    (Field::AGENT, DesiredValue::Reference(None))
}

fn contact(name: &str, text: &str) -> Wanted {
    let field = name.parse().expect("a field");
    (field, DesiredValue::Text(text.to_owned()))
}

fn notes(notes: Vec<Note>) -> Wanted {
    (Field::NOTES, DesiredValue::Notes(notes))
}

fn attribute(key: &str, text: &str) -> Wanted {
    let value = DesiredValue::Text(text.to_owned());
    (Field::attribute(key), value)
}

/// Each line stands for a file's leads; `|` is a line break.
fn lead(text: &str) -> String {
    format!("version: 1\nleads:\n{}\n", text.replace('|', "\n"))
}

#[test]
fn an_aligned_comment_keeps_its_column() {
    let cases = [
        // Beside the next line, and beyond one without a comment.
        (
            "  a:|    status: OPEN      # this week|    agent: none       # nobody",
            "  a:|    status: CLOSED    # this week|    agent: none       # nobody",
        ),
        (
            "  a:|    status: OPEN      # this week|    tags: []|    agent: none       # nobody",
            "  a:|    status: CLOSED    # this week|    tags: []|    agent: none       # nobody",
        ),
        (
            "  a:|    agent: none       # nobody|    create: true|    status: OPEN      # this week",
            "  a:|    agent: none       # nobody|    create: true|    status: CLOSED    # this week",
        ),
        // No comment in that column, and none before the blank line.
        (
            "  a:|    status: OPEN      # this week|    agent: none # nobody",
            "  a:|    status: CLOSED      # this week|    agent: none # nobody",
        ),
        (
            "  a:|    status: OPEN      # this week||    agent: none       # nobody",
            "  a:|    status: CLOSED      # this week||    agent: none       # nobody",
        ),
        // No room.
        (
            "  a:|    status: OPEN # this week|    create: true # yes",
            "  a:|    status: CLOSED # this week|    create: true # yes",
        ),
    ];
    for (before, expected) in cases {
        let made = after(&lead(before), &[("a", status(Status::Closed))]);
        assert_eq!(made, lead(expected), "{before}");
    }
}

#[test]
fn one_value_and_no_other_byte() {
    let cases = [
        (
            "  a: # c|    status:   OPEN \t # d|    label: x",
            status(Status::Closed),
            "  a: # c|    status:   CLOSED \t # d|    label: x",
        ),
        (
            "  a: {status: 'OPEN',agent: priya}",
            status(Status::Closed),
            "  a: {status: 'CLOSED',agent: priya}",
        ),
        (
            "  a: { \"status\": \"OPEN\" }",
            agent(PRIYA),
            "  a: { \"status\": \"OPEN\", \"agent\": \"priya\" }",
        ),
        (
            "  a: { agent: priya, }",
            no_agent(),
            "  a: { agent: none, }",
        ),
        (
            "  a:|    agent: rahul",
            agent("00000000000000000000000a"),
            "  a:|    agent: 00000000000000000000000a",
        ),
        (
            "  a:|    agent: rahul",
            agent("000000000000000000000001"),
            "  a:|    agent: \"000000000000000000000001\"",
        ),
        (
            "  a:|    # t|    tags: [x]",
            status(Status::Open),
            "  a:|    status: OPEN|    # t|    tags: [x]",
        ),
        (
            "  a:|    tags: [x]",
            status(Status::Open),
            "  a:|    status: OPEN|    tags: [x]",
        ),
        (
            "  a:|      label: x  # l|      tags: [x]",
            status(Status::Open),
            "  a:|      label: x  # l|      status: OPEN|      tags: [x]",
        ),
        (
            "  a:|  b: {}",
            status(Status::Open),
            "  a:|    status: OPEN||  b: {}",
        ),
        (
            "  a: # c|  b: {}",
            status(Status::Open),
            "  a: # c|    status: OPEN||  b: {}",
        ),
        ("  a: ~", status(Status::Open), "  a:|    status: OPEN"),
        ("  a: {}", status(Status::Open), "  a:|    status: OPEN"),
        (
            "  a: { attributes: {k: v} }",
            attribute("k", "no"),
            "  a: { attributes: {k: \"no\"} }",
        ),
        (
            "  a: { attributes: {k: v} }",
            attribute("l", "a, b"),
            "  a: { attributes: {k: v, l: \"a, b\"} }",
        ),
        (
            "  a:|    attributes:|      k: v",
            attribute("k", "a, b: c"),
            "  a:|    attributes:|      k: \"a, b: c\"",
        ),
        (
            "  a:|    attributes:|      k: v",
            attribute("l", "w"),
            "  a:|    attributes:|      k: v|      l: w",
        ),
        (
            "  a:|    status: OPEN",
            attribute("l", "w"),
            "  a:|    status: OPEN|    attributes:|      l: w",
        ),
        (
            "  a:|    attributes:|      k: |-# text|        one|        two|    status: OPEN",
            attribute("k", "three"),
            "  a:|    attributes:|      k: three|    status: OPEN",
        ),
        (
            "  a: { contact: { phone: 98765 43210 } }",
            contact("contact.phone", "1"),
            "  a: { contact: { phone: \"1\" } }",
        ),
    ];
    for (before, wanted, expected) in cases {
        // A literal block's own sign is written `|-#` above.
        let [before, expected] =
            [before, expected].map(|text| lead(text).replace("\n-# text", "|-"));
        assert_eq!(after(&before, &[("a", wanted)]), expected);
    }
}

#[test]
fn only_the_tags_that_differ() {
    let cases = [
        (
            "  a: { tags: [x, y, z] }",
            exact(&["x", "z"]),
            "  a: { tags: [x, z] }",
        ),
        (
            "  a: { tags: [x,y,z] }",
            exact(&["y", "z"]),
            "  a: { tags: [y,z] }",
        ),
        (
            "  a: { tags: [ x, y ] }",
            exact(&["x"]),
            "  a: { tags: [ x ] }",
        ),
        (
            "  a: { tags: [x, y, ] }",
            exact(&["x"]),
            "  a: { tags: [x, ] }",
        ),
        ("  a: { tags: [x] }", exact(&[]), "  a: { tags: [] }"),
        (
            "  a: { tags: [] }",
            exact(&["no", "x"]),
            "  a: { tags: [\"no\", x] }",
        ),
        (
            "  a: { tags: ['x', \"y\"] }",
            exact(&["x", "y", "z"]),
            "  a: { tags: ['x', \"y\", z] }",
        ),
        (
            "  a:|    tags: [|      x, # one|      y, # two|    ]",
            exact(&["y"]),
            "  a:|    tags: [|      y, # two|    ]",
        ),
        (
            "  a:|    tags: [|      x, # one|      y  # two|    ]",
            exact(&["x", "z"]),
            "  a:|    tags: [|      x, # one|      z|    ]",
        ),
        (
            "  a:|    tags: [ # all|      x,|      # why|      y|    ]",
            exact(&["x"]),
            "  a:|    tags: [ # all|      x,|    ]",
        ),
        (
            "  a:|    tags:|    - x # one|    # two|    - y",
            exact(&["y", "z"]),
            "  a:|    tags:|    # two|    - y|    - z",
        ),
        (
            "  a:|    tags:|      -   x # one|      - y # two|    status: OPEN",
            exact(&["x", "z"]),
            "  a:|    tags:|      -   x # one|      - z|    status: OPEN",
        ),
        (
            "  a:|    tags: # t|      - x|      # c|    status: OPEN",
            exact(&[]),
            "  a:|    tags: [] # t|      # c|    status: OPEN",
        ),
        (
            "  a: { tags: { present: [x, w], absent: [z] } }",
            patch(&["x"], &["w", "z"]),
            "  a: { tags: { present: [x], absent: [z, w] } }",
        ),
        (
            "  a: { tags: { present: [x] } }",
            patch(&[], &["x"]),
            "  a: { tags: { present: [], absent: [x] } }",
        ),
        (
            "  a:|    tags:|      present: [x]|      absent:|        - w|    status: OPEN",
            patch(&["w", "x"], &[]),
            "  a:|    tags:|      present: [x, w]|      absent: []|    status: OPEN",
        ),
        (
            "  a:|    tags:|      present:|        - vip # stays|      absent:|        - 'cold' # never|        - lost|    status: OPEN",
            patch(&[], &["cold", "lost", "vip"]),
            "  a:|    tags:|      present: []|      absent:|        - 'cold' # never|        - lost|        - vip|    status: OPEN",
        ),
    ];
    for (before, wanted, expected) in cases {
        assert_eq!(after(&lead(before), &[("a", wanted)]), lead(expected));
    }
}

#[test]
fn notes_that_are_gone_leave_their_lines() {
    let note = |title: &str| Note {
        title: title.to_owned(),
        description: String::new(),
    };
    let before = lead(
        "  a:|    notes:|      - title: x|        description: \"\"|      # y|      - { title: y }|    status: OPEN",
    );
    assert_eq!(
        after(&before, &[("a", notes(vec![note("y")]))]),
        lead("  a:|    notes:|      # y|      - { title: y }|    status: OPEN")
    );
    assert_eq!(
        after(&before, &[("a", notes(vec![]))]),
        lead("  a:|    notes: []|    status: OPEN")
    );
}

#[test]
fn what_others_share_changes_for_one_lead_alone() {
    let before = "version: 1
defaults: { agent: priya, attributes: { tier: silver }, notes: [{ title: n }] } # all
leads:
  a: &base { status: OPEN, tags: &t [x] }
  b: { <<: *base, label: b }
  c: { tags: *t }
  d: *base
  e:
";
    let edits = [
        ("b", status(Status::Closed)),
        ("c", exact(&["w"])),
        ("d", agent(RAHUL)),
        ("e", attribute("tier", "gold")),
        ("e", notes(vec![])),
    ];
    let expected = "version: 1
defaults: { agent: priya, attributes: { tier: silver }, notes: [{ title: n }] } # all
leads:
  a: &base { status: OPEN, tags: &t [x] }
  b: { <<: *base, label: b, status: CLOSED }
  c: { tags: [w] }
  d: { <<: *base, agent: rahul }
  e:
    attributes:
      tier: gold
    notes: []
";
    assert_eq!(after(before, &edits), expected);
    // The one who has the anchor changes, and those who do not want to change with it get a key of their own.
    let expected = before
        .replace(
            "a: &base { status: OPEN, tags: &t [x] }",
            "a: &base { status: CLOSED, tags: &t [x, w] }",
        )
        .replace("label: b }", "label: b, status: OPEN, tags: [x] }")
        .replace("c: { tags: *t }", "c: { tags: [x] }")
        .replace("d: *base", "d: { <<: *base, status: OPEN, tags: [x] }");
    assert_eq!(
        after(
            before,
            &[("a", status(Status::Closed)), ("a", exact(&["w", "x"]))]
        ),
        expected
    );
}

#[test]
fn bom_line_breaks_and_the_missing_last_one_stay() {
    let before = "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    tags:\r\n      - x\r\n      - y";
    let made = after(
        before,
        &[("a", exact(&["x", "z"])), ("a", status(Status::Open))],
    );
    assert_eq!(
        made,
        "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    status: OPEN\r\n    tags:\r\n      - x\r\n      - z"
    );
    let made = after(
        before,
        &[("a", exact(&["x", "y", "z"])), ("a", attribute("k", "v"))],
    );
    assert_eq!(
        made,
        "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    tags:\r\n      - x\r\n      - y\r\n      - z\r\n    attributes:\r\n      k: v"
    );
    let made = after(before, &[("a", exact(&["x"]))]);
    assert_eq!(
        made,
        "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    tags:\r\n      - x"
    );
}

#[test]
fn a_block_at_the_end_of_a_file_keeps_its_value_where_something_is_added_below() {
    for (header, kept) in [
        ("|", "|-"),
        ("|+", "|-"),
        (">2 # c", ">2- # c"),
        ("|-", "|-"),
    ] {
        let before = format!("version: 1\nleads:\n  a:\n    label: {header}\n      b");
        let made = after(&before, &[("a", exact(&["x"]))]);
        let text = format!("version: 1\nleads:\n  a:\n    label: {kept}\n      b\n    tags: [x]");
        assert_eq!(made, text);
    }
}

#[test]
fn what_cannot_be_done_is_refused_by_itself() {
    let before = lead("  a: { status: OPEN }|  b: { status: OPEN }");
    let edited = edited(
        &before,
        &[
            ("a", status(Status::Closed)),
            ("nobody", status(Status::Closed)),
            ("b", attribute(" ", "x")),
        ],
    );
    assert_eq!(
        edited.text,
        lead("  a: { status: CLOSED }|  b: { status: OPEN }")
    );
    let refused: Vec<&str> = edited
        .refused
        .iter()
        .map(|(edit, _)| edit.id.as_str())
        .collect();
    assert_eq!(refused, ["b", "nobody"]);
    let (broken, edits) = ("version: 1\nleads: [", [("a", status(Status::Closed))]);
    assert_eq!(self::edited(broken, &edits).text, broken);
}

/// All but one of the edits add a tag that the policy does not know.
fn refuse_all_but_one(number: usize) {
    let leads: String = (0..number)
        .map(|number| format!("  a{number}: {{ tags: [vip] }}\n"))
        .collect();
    let text = format!("version: 1\nleads:\n{leads}");
    let workspace = workspace();
    let known = ["vip".to_owned()];
    let vocabulary = convertalk::lead_file::Vocabulary {
        tags: Some(&known),
        ..workspace.vocabulary()
    };
    let edits: Vec<Edit> = (0..number)
        .map(|number| Edit {
            id: LeadId::new(format!("a{number}")),
            field: Field::TAGS,
            value: exact(if number == 7 { &[] } else { &["new"] }).1,
        })
        .collect();
    let edited = apply(&Arc::from("leads/a.yaml"), &text, &edits, vocabulary);
    assert_eq!(edited.refused.len(), number - 1);
    assert!(
        edited.refused[0]
            .1
            .contains("`policy.tags` has no tag `new`")
    );
    assert_eq!(
        edited.text,
        text.replace("a7: { tags: [vip] }", "a7: { tags: [] }")
    );
}

#[test]
fn a_refusal_costs_the_same_among_many() {
    assert_grows_with_the_number(300, refuse_all_but_one);
}

const TEXTS: [&str; 10] = [
    "silver",
    "no",
    "0123",
    "",
    "a: b # c",
    "two\nlines",
    "\u{202e}x\u{85}",
    "é𝄞",
    "---",
    " blanks ",
];
const TAGS: [&str; 8] = [
    "vip",
    "cold",
    "no",
    "a b",
    "x, y",
    "0123",
    "é𝄞",
    "vip (old)",
];

/// Another value, or the same, by a number.
fn another(wanted: &Wanted, number: u8) -> Wanted {
    let at = number as usize;
    let bit = |place: usize| number & (1 << (place % 8)) != 0;
    let (field, value) = wanted;
    let value = match value {
        DesiredValue::Choice(_) => DesiredValue::Choice(Status::WRITABLE[at % 6].clone()),
        DesiredValue::Reference(_) => {
            let agents = [
                None,
                Some(PRIYA),
                Some(RAHUL),
                Some("00000000000000000000000b"),
            ];
            DesiredValue::Reference(agents[at % 4].and_then(AgentId::parse))
        }
        DesiredValue::Set(TagRule::Exact(_)) => {
            let tags = TAGS.iter().enumerate().filter(|(place, _)| bit(*place));
            let tags: Vec<&str> = tags.map(|(_, tag)| *tag).collect();
            DesiredValue::Set(TagRule::Exact(set(&tags)))
        }
        DesiredValue::Set(TagRule::Patch { present, absent }) => {
            let mut place = 0;
            let (present, absent): (Vec<String>, Vec<String>) =
                present.union(absent).cloned().partition(|_| {
                    place += 1;
                    bit(place)
                });
            DesiredValue::Set(TagRule::Patch {
                present: present.into(),
                absent: absent.into(),
            })
        }
        DesiredValue::Text(_) if field.key().is_some() => {
            DesiredValue::Text(TEXTS[at % TEXTS.len()].to_owned())
        }
        DesiredValue::Text(_) if *field == Field::NAME => {
            DesiredValue::Text("No: One, \"x\"".to_owned())
        }
        DesiredValue::Text(_) => DesiredValue::Text("+44".to_owned()),
        DesiredValue::Boolean(_) => DesiredValue::Boolean(bit(0)),
        DesiredValue::Notes(notes) => {
            let kept = notes.iter().enumerate().filter(|(place, _)| bit(*place));
            DesiredValue::Notes(kept.map(|(_, note)| note.clone()).collect())
        }
    };
    (field.clone(), value)
}

/// Another value, by a number, for each field of each lead.
pub(crate) fn edits_of(says: &BTreeMap<LeadId, Vec<Wanted>>, number: u8) -> Vec<Edit> {
    let all = says
        .iter()
        .flat_map(|(id, wanted)| wanted.iter().map(move |wanted| (id, wanted)));
    let changed = all.zip(0u8..).map(|((id, wanted), at)| {
        let (field, value) = another(wanted, number.wrapping_add(at.wrapping_mul(37)));
        (
            Edit {
                id: id.clone(),
                field,
                value,
            },
            wanted,
        )
    });
    let differs = |(edit, wanted): &(Edit, &Wanted)| edit.value != wanted.1;
    changed.filter(differs).map(|(edit, _)| edit).collect()
}

/// The key of a lead under which a field stands.
fn key_of(field: &Field) -> &'static str {
    field.id().group()
}

/// Lines that no edit is about stand in the new text as they stood, in their order.
pub(crate) fn others_stay(file: &File, edits: &[Edit], after: &str) {
    let edits = edits.iter();
    let touched: Vec<(&str, &str)> = edits
        .map(|edit| (edit.id.as_str(), key_of(&edit.field)))
        .collect();
    lines_stay(file, &touched, after);
}

/// Lines but those of some leads and keys.
pub(crate) fn lines_stay(file: &File, edited: &[(&str, &str)], after: &str) {
    let shared = file.shares && edited.iter().any(|(lead, _)| lead.ends_with("-0"));
    let touched = |(lead, key): &(String, String)| {
        edited
            .iter()
            .any(|(id, field)| id == lead && (key == "*" || field == key))
    };
    let before: Vec<&str> = file.text.split('\n').collect();
    let mut lines = after.split('\n');
    let mut in_value = false;
    let mut at = 0;
    while at < file.owners.len() {
        // A `|+` whose next entry goes may be written anew: what that leaves would join its value.
        let end = end_of_kept_block(&before, at);
        if end > at && file.owners.get(end).is_some_and(touched) {
            at = end;
            continue;
        }
        // A blank line after a `|+` is a part of its value.
        in_value = touched(&file.owners[at]) || (in_value && before[at].trim().is_empty());
        let merges = shared && before[at].contains("*base");
        if !in_value && !merges {
            let trimmed = before[at].trim_end_matches('\r');
            assert!(
                lines.any(|other| other.trim_end_matches('\r') == trimmed),
                "{trimmed:?} is gone\n{}\n{after}",
                file.text
            );
        }
        at += 1;
    }
}

/// Where the block that begins here and keeps its last line breaks ends; here, if none begins.
fn end_of_kept_block(lines: &[&str], start: usize) -> usize {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let header = lines[start].trim_end();
    if !header.ends_with("|+") && !header.ends_with(">+") {
        return start;
    }
    let is_inside = |line: &&&str| line.trim().is_empty() || depth(line) > depth(header);
    start + 1 + lines[start + 1..].iter().take_while(is_inside).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_file_takes_any_values(file in file(), numbers in vec(any::<(bool, u8)>(), 40)) {
        let workspace = workspace();
        let mut goal = says(&workspace, &file.text);
        let mut edits = Vec::new();
        for ((id, wanted), (chosen, number)) in
            goal.iter_mut().flat_map(|(id, all)| all.iter_mut().map(move |wanted| (id, wanted))).zip(&numbers)
        {
            let new = another(wanted, *number);
            if *chosen && new != *wanted {
                edits.push(Edit { id: id.clone(), field: new.0.clone(), value: new.1.clone() });
                *wanted = new;
            }
        }
        goal.values_mut().for_each(|all| all.retain(|(_, value)| !value.is_empty()));
        let leads = Arc::from("leads/a.yaml");
        let edited = apply(&leads, &file.text, &edits, workspace.vocabulary());
        prop_assert!(edited.refused.is_empty(), "{:?}\n{}", edited.refused, file.text);
        prop_assert_eq!(says(&workspace, &edited.text), goal, "{}\n{}", file.text, edited.text);
        others_stay(&file, &edits, &edited.text);
        let again = apply(&leads, &edited.text, &edits, workspace.vocabulary());
        prop_assert_eq!(&again.text, &edited.text, "a second time changes something");
        let undone = edited_back(&file, &edited.text, &edits);
        prop_assert_eq!(says(&workspace, &undone), says(&workspace, &file.text));
    }
}

/// The first values put back: of notes and of what is gone only what a file can say.
fn edited_back(file: &File, after: &str, edits: &[Edit]) -> String {
    let workspace = workspace();
    let before = says(&workspace, &file.text);
    let back: Vec<Edit> = edits
        .iter()
        .filter_map(|edit| {
            let said = before.get(&edit.id)?.iter();
            let (field, value) = said.clone().find(|(field, _)| *field == edit.field)?;
            Some(Edit {
                id: edit.id.clone(),
                field: field.clone(),
                value: value.clone(),
            })
        })
        .collect();
    let undone = apply(
        &Arc::from("leads/a.yaml"),
        after,
        &back,
        workspace.vocabulary(),
    );
    assert!(undone.refused.is_empty(), "{:?}\n{after}", undone.refused);
    undone.text
}

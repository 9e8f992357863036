//! In-place edits: the values that differ, and no other byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use convertalk::lead::{AgentId, ContactField, LeadId, Note, Status, TagRule, Wanted};
use convertalk::workspace::edit::{Edit, Edited, apply};
use convertalk::workspace::{Workspace, desired_of};

use crate::arbitrary::workspace;
use crate::world::{PRIYA, RAHUL};

fn edited(text: &str, edits: &[(&str, Wanted)]) -> Edited {
    let workspace = workspace();
    let edits: Vec<Edit> = edits.iter().map(|(id, wanted)| Edit { id: LeadId::new(*id), wanted: wanted.clone() }).collect();
    apply(&Arc::from("leads/a.yaml"), text, &edits, workspace.vocabulary())
}

/// The text after edits that are all made.
#[track_caller]
fn after(text: &str, edits: &[(&str, Wanted)]) -> String {
    let edited = edited(text, edits);
    assert_eq!(edited.refused, [], "{text}");
    edited.text
}

/// What a text says of each lead.
fn says(workspace: &Workspace, text: &str) -> BTreeMap<LeadId, Vec<Wanted>> {
    let (desired, diagnostics) = desired_of(vec![(Arc::from("leads/a.yaml"), text.to_owned())], workspace);
    assert!(!diagnostics.iter().any(|made| made.is_error()), "{text}\n{diagnostics:?}");
    desired.into_iter().map(|(id, lead)| (id, lead.demands.into_iter().map(|demand| demand.wanted).collect())).collect()
}

fn status(status: Status) -> Wanted {
    Wanted::Status(status)
}

fn agent(id: &str) -> Wanted {
    Wanted::Agent(AgentId::parse(id))
}

fn set(tags: &[&str]) -> std::collections::BTreeSet<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

fn exact(tags: &[&str]) -> Wanted {
    Wanted::Tags(TagRule::Exact(set(tags)))
}

fn patch(present: &[&str], absent: &[&str]) -> Wanted {
    Wanted::Tags(TagRule::Patch { present: set(present), absent: set(absent) })
}

fn attribute(key: &str, text: &str) -> Wanted {
    Wanted::Attribute(key.to_owned(), text.to_owned())
}

/// Each line stands for a file's leads; `|` is a line break.
fn lead(text: &str) -> String {
    format!("version: 1\nleads:\n{}\n", text.replace('|', "\n"))
}

#[test]
fn one_value_and_no_other_byte() {
    let cases = [
        (
            "  a: # c|    status:   OPEN \t # d|    label: x",
            status(Status::Closed),
            "  a: # c|    status:   CLOSED \t # d|    label: x",
        ),
        ("  a: {status: 'OPEN',agent: priya}", status(Status::Closed), "  a: {status: 'CLOSED',agent: priya}"),
        ("  a: { \"status\": \"OPEN\" }", agent(PRIYA), "  a: { \"status\": \"OPEN\", \"agent\": \"priya\" }"),
        ("  a: { agent: priya, }", Wanted::Agent(None), "  a: { agent: none, }"),
        ("  a:|    agent: rahul", agent("00000000000000000000000a"), "  a:|    agent: 00000000000000000000000a"),
        ("  a:|    agent: rahul", agent("000000000000000000000001"), "  a:|    agent: \"000000000000000000000001\""),
        ("  a:|    # t|    tags: [x]", status(Status::Open), "  a:|    # t|    tags: [x]|    status: OPEN"),
        ("  a:|    tags: [x]", status(Status::Open), "  a:|    status: OPEN|    tags: [x]"),
        (
            "  a:|      label: x  # l|      tags: [x]",
            status(Status::Open),
            "  a:|      label: x  # l|      status: OPEN|      tags: [x]",
        ),
        ("  a:|  b: {}", status(Status::Open), "  a:|    status: OPEN|  b: {}"),
        ("  a: # c|  b: {}", status(Status::Open), "  a: # c|    status: OPEN|  b: {}"),
        ("  a: ~", status(Status::Open), "  a: { status: OPEN }"),
        ("  a: {}", status(Status::Open), "  a: { status: OPEN }"),
        ("  a: { attributes: {k: v} }", attribute("k", "no"), "  a: { attributes: {k: \"no\"} }"),
        ("  a: { attributes: {k: v} }", attribute("l", "a, b"), "  a: { attributes: {k: v, l: \"a, b\"} }"),
        ("  a:|    attributes:|      k: v", attribute("k", "a, b: c"), "  a:|    attributes:|      k: \"a, b: c\""),
        ("  a:|    attributes:|      k: v", attribute("l", "w"), "  a:|    attributes:|      k: v|      l: w"),
        ("  a:|    status: OPEN", attribute("l", "w"), "  a:|    status: OPEN|    attributes:|      l: w"),
        (
            "  a:|    attributes:|      k: |-# text|        one|        two|    status: OPEN",
            attribute("k", "three"),
            "  a:|    attributes:|      k: three|    status: OPEN",
        ),
        (
            "  a: { contact: { phone: 98765 43210 } }",
            Wanted::Contact(ContactField::Phone, "1".into()),
            "  a: { contact: { phone: \"1\" } }",
        ),
    ];
    for (before, wanted, expected) in cases {
        // A literal block's own sign is written `|-#` above.
        let [before, expected] = [before, expected].map(|text| lead(text).replace("\n-# text", "|-"));
        assert_eq!(after(&before, &[("a", wanted)]), expected);
    }
}

#[test]
fn only_the_tags_that_differ() {
    let cases = [
        ("  a: { tags: [x, y, z] }", exact(&["x", "z"]), "  a: { tags: [x, z] }"),
        ("  a: { tags: [x,y,z] }", exact(&["y", "z"]), "  a: { tags: [y,z] }"),
        ("  a: { tags: [ x, y ] }", exact(&["x"]), "  a: { tags: [ x ] }"),
        ("  a: { tags: [x, y, ] }", exact(&["x"]), "  a: { tags: [x, ] }"),
        ("  a: { tags: [x] }", exact(&[]), "  a: { tags: [] }"),
        ("  a: { tags: [] }", exact(&["no", "x"]), "  a: { tags: [\"no\", x] }"),
        ("  a: { tags: ['x', \"y\"] }", exact(&["x", "y", "z"]), "  a: { tags: ['x', \"y\", z] }"),
        ("  a:|    tags: [|      x, # one|      y, # two|    ]", exact(&["y"]), "  a:|    tags: [|      y, # two|    ]"),
        (
            "  a:|    tags: [|      x, # one|      y  # two|    ]",
            exact(&["x", "z"]),
            "  a:|    tags: [|      x, # one|      z|    ]",
        ),
        (
            "  a:|    tags: [ # all|      x,|      # why|      y|    ]",
            exact(&["x"]),
            "  a:|    tags: [ # all|      x,|      # why|    ]",
        ),
        ("  a:|    tags:|    - x # one|    # two|    - y", exact(&["y", "z"]), "  a:|    tags:|    # two|    - y|    - z"),
        (
            "  a:|    tags:|      -   x # one|      - y # two|    status: OPEN",
            exact(&["x", "z"]),
            "  a:|    tags:|      -   x # one|      - z # two|    status: OPEN",
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
        ("  a: { tags: { present: [x] } }", patch(&[], &["x"]), "  a: { tags: { absent: [x] } }"),
        (
            "  a:|    tags:|      present: [x]|      absent:|        - w|    status: OPEN",
            patch(&["w", "x"], &[]),
            "  a:|    tags: { present: [w, x] }|    status: OPEN",
        ),
    ];
    for (before, wanted, expected) in cases {
        assert_eq!(after(&lead(before), &[("a", wanted)]), lead(expected));
    }
}

#[test]
fn notes_that_are_gone_leave_their_lines() {
    let note = |title: &str| Note { title: title.to_owned(), description: String::new() };
    let before =
        lead("  a:|    notes:|      - title: x|        description: \"\"|      # y|      - { title: y }|    status: OPEN");
    assert_eq!(
        after(&before, &[("a", Wanted::Notes(vec![note("y")]))]),
        lead("  a:|    notes:|      # y|      - { title: y }|    status: OPEN")
    );
    assert_eq!(after(&before, &[("a", Wanted::Notes(vec![]))]), lead("  a:|    notes: []|      # y|    status: OPEN"));
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
        ("e", Wanted::Notes(vec![])),
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
        .replace("a: &base { status: OPEN, tags: &t [x] }", "a: &base { status: CLOSED, tags: &t [x, w] }")
        .replace("label: b }", "label: b, status: OPEN, tags: [x] }")
        .replace("c: { tags: *t }", "c: { tags: [x] }")
        .replace("d: *base", "d: { <<: *base, status: OPEN, tags: [x] }");
    assert_eq!(after(before, &[("a", status(Status::Closed)), ("a", exact(&["w", "x"]))]), expected);
}

#[test]
fn bom_line_breaks_and_the_missing_last_one_stay() {
    let before = "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    tags:\r\n      - x\r\n      - y";
    let made = after(before, &[("a", exact(&["x", "z"])), ("a", status(Status::Open))]);
    assert_eq!(made, "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    status: OPEN\r\n    tags:\r\n      - x\r\n      - z");
    let made = after(before, &[("a", exact(&["x", "y", "z"])), ("a", attribute("k", "v"))]);
    assert_eq!(
        made,
        "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    tags:\r\n      - x\r\n      - y\r\n      - z\r\n    attributes:\r\n      k: v"
    );
    let made = after(before, &[("a", exact(&["x"]))]);
    assert_eq!(made, "\u{feff}version: 1\r\nleads:\r\n  a:\r\n    tags:\r\n      - x");
}

#[test]
fn what_cannot_be_done_is_refused_by_itself() {
    let before = lead("  a: { status: OPEN }|  b: { status: OPEN }");
    let edited =
        edited(&before, &[("a", status(Status::Closed)), ("nobody", status(Status::Closed)), ("b", attribute(" ", "x"))]);
    assert_eq!(edited.text, lead("  a: { status: CLOSED }|  b: { status: OPEN }"));
    let refused: Vec<&str> = edited.refused.iter().map(|(edit, _)| edit.id.as_str()).collect();
    assert_eq!(refused, ["nobody", "b"]);
    let (broken, edits) = ("version: 1\nleads: [", [("a", status(Status::Closed))]);
    assert_eq!(self::edited(broken, &edits).text, broken);
}

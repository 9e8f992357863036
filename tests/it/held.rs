//! `hold`: a declared lead that is shown as held and never written.

use serde_json::{Value as Json, json};

use crate::base::{commit, git};
use crate::world::{World, record, uuid};

/// Leads 1 and 2 are open in the inbox; the files close both, hold the first, and hold one that the inbox does not have.
fn world() -> World {
    let world = World::new(
        &[
            record(1, "OPEN", None, &["web"]),
            record(2, "OPEN", None, &["web"]),
        ],
        "",
    );
    world.declare(&format!(
        "  {}:\n    label: Acme\n    hold: negotiating, ask Asha\n    status: CLOSED\n  {}: {{ status: CLOSED }}\n  {}: {{ hold: gone, status: OPEN }}\n",
        uuid(1),
        uuid(2),
        uuid(3)
    ));
    world
}

#[test]
fn a_held_lead_is_neither_a_change_nor_missing() {
    let world = world();
    let plan = world.run("plan --format json").exits(0).json();
    let uuids = |key: &str| -> Vec<Json> {
        let all = plan[key].as_array().expect("a list");
        all.iter().map(|lead| lead["uuid"].clone()).collect()
    };
    assert_eq!(uuids("changes"), [json!(uuid(2))]);
    assert_eq!(uuids("missing"), Vec::<Json>::new());
    assert_eq!(uuids("held"), [json!(uuid(1)), json!(uuid(3))]);
    assert_eq!(
        plan["held"][0],
        json!({
            "uuid": uuid(1), "label": "Acme", "reason": "negotiating, ask Asha",
            "source": { "file": "leads/all.yaml", "line": 3 }
        })
    );
    let summary = &plan["summary"];
    assert_eq!(
        (&summary["declared"], &summary["held"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        (&summary["to_update"], &summary["in_sync"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn every_report_says_why_a_lead_is_held() {
    let world = world();
    for format in ["text", "json", "markdown", "html", "github", "sarif"] {
        let plan = world.run(&format!("plan --format {format}")).exits(0);
        assert!(plan.out.contains("ask Asha"), "{format}:\n{}", plan.out);
    }
    let explained = world.run(&format!("explain {}", uuid(1))).exits(0);
    assert!(
        explained.out.contains("Held: negotiating, ask Asha"),
        "{}",
        explained.out
    );
}

#[test]
fn apply_writes_the_others_only() {
    let world = world();
    world.run("apply --yes").exits(0);
    let sent = world.sent();
    assert_eq!(sent.keys().collect::<Vec<_>>(), [&uuid(2)]);
    let again = world.run("plan --detailed-exitcode").exits(0);
    assert!(again.out.contains("Nothing to do:"), "{}", again.out);
}

#[test]
fn a_saved_plan_does_not_write_what_has_been_held_since() {
    let world = world();
    world.run("plan --out plan.json").exits(0);
    world.declare(&format!(
        "  {}: {{ status: CLOSED, hold: wait }}\n",
        uuid(2)
    ));
    let applied = world.run("apply plan.json --yes").exits(0);
    assert!(applied.out.contains("wait"), "{}", applied.out);
    assert_eq!(world.puts().len(), 0);
}

#[test]
fn undo_leaves_what_has_been_held_since() {
    let world = world();
    world.run("apply --yes --run-file run.jsonl").exits(0);
    world.declare(&format!(
        "  {}: {{ status: CLOSED, hold: wait }}\n",
        uuid(2)
    ));
    let undone = world.run("undo run.jsonl --yes").exits(0);
    assert!(undone.err.contains("held: wait"), "{}", undone.err);
    assert_eq!(world.puts().len(), 1, "of the apply alone");
}

#[test]
fn a_difference_of_a_held_lead_is_neither_drift_nor_conflict() {
    let world = world();
    git(&world, "init -q .");
    let base = commit(&world);
    let plan = world
        .run(&format!("plan --base {base} --format json"))
        .exits(0)
        .json();
    assert_eq!(plan["summary"]["drift"], 1, "of lead 2 alone");
    assert_eq!(plan["summary"]["held"], 2);
    let updated = world.run("pull --update").exits(0);
    assert!(updated.out.contains("1 value of 1 lead"), "{}", updated.out);
}

#[test]
fn a_hold_without_a_reason_and_one_of_defaults_are_errors() {
    let world = world();
    world.declare(&format!("  {}: {{ status: OPEN, hold: }}\n", uuid(1)));
    let empty = world.run("validate").exits(1);
    assert!(empty.err.contains("`hold` is empty"), "{}", empty.err);
    let text = format!(
        "version: 1\ndefaults: {{ hold: all }}\nleads:\n  {}: {{}}\n",
        uuid(1)
    );
    world.write("leads/all.yaml", &text);
    let defaults = world.run("validate").exits(1);
    assert!(
        defaults.err.contains("`defaults` cannot hold `hold`"),
        "{}",
        defaults.err
    );
}

//! `explain`: one lead, field by field, and who decides.

use crate::base::{commit, world};
use crate::world::{RAHUL, World, record, uuid};

#[test]
fn each_field_has_its_sides_its_rule_its_line_and_its_commit() {
    let (world, base) = world();
    let head = commit(&world);
    let told = world
        .run(&format!("explain {} --base {base} --format json", uuid(4)))
        .exits(0)
        .json();
    let field = |name: &str| {
        told["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .find(|field| field["field"] == name)
            .cloned()
    };
    let tags = field("tags").expect("tags");
    assert_eq!(
        (&tags["rule"], &tags["base"]),
        (&"intended".into(), &serde_json::json!(["web"]))
    );
    assert_eq!(
        (&tags["desired"], &tags["live"]),
        (
            &serde_json::json!(["vip", "web"]),
            &serde_json::json!(["agents-own", "web"])
        )
    );
    assert_eq!(
        tags["source"],
        serde_json::json!({ "file": "leads/all.yaml", "line": 6 })
    );
    assert_eq!(
        (&tags["commit"]["id"], &tags["commit"]["author"]),
        (&head.into(), &"t".into())
    );
    assert_eq!(field("agent").expect("an agent")["rule"], "released");
    assert_eq!(field("status").expect("a status")["rule"], "in-sync");
    assert_eq!(
        told["unmanaged"],
        serde_json::json!([
            "attributes.source",
            "attributes.visits",
            "contact.name",
            "contact.email",
            "contact.phone",
            "contact.dial_code",
            "notes"
        ])
    );
    let text = world
        .run(&format!("explain {} --base {base}", uuid(4)))
        .exits(0)
        .out;
    for words in [
        "tags  intended: the file changed",
        "[vip, web]  leads/all.yaml:6",
        "agent  released",
        "t, 2",
        ": files",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn conflict_drift_and_policy_are_told() {
    let (world, base) = world();
    assert!(
        world
            .run(&format!("explain {} --base {base}", uuid(3)))
            .exits(0)
            .out
            .contains("status  conflict: both changed")
    );
    assert!(
        world
            .run(&format!("explain {} --base {base}", uuid(2)))
            .exits(0)
            .out
            .contains("status  drift: the inbox changed")
    );
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a workspace file");
    world.write(
        "convertalk.yaml",
        &format!("{config}policy:\n  transitions: {{ deny: [\"OPEN -> *\"] }}\n"),
    );
    let text = world.run(&format!("explain {}", uuid(1))).exits(0).out;
    assert!(
        text.contains("Policy: 1 lead: OPEN -> * is denied") && text.contains("convertalk.yaml:"),
        "{text}"
    );
}

#[test]
fn a_lead_is_meant_by_its_beginning_and_need_not_be_declared() {
    let world = World::new(&[record(1, "OPEN", Some(RAHUL), &["web"])], "");
    world.declare(&format!(
        "  {}: {{ status: OPEN }}\n  {}: {{ status: OPEN }}\n",
        uuid(2),
        uuid(3)
    ));
    let refused = world.run("explain 7e88").exits(1);
    assert!(
        refused.err.contains("2 declared leads start with `7e88`"),
        "{}",
        refused.err
    );
    let text = world.run(&format!("explain {}", uuid(1))).exits(0).out;
    assert!(
        text.contains("not declared")
            && text.contains("status  not managed")
            && text.contains("rahul"),
        "{text}"
    );
    assert!(!text.contains("9876543210"));
    let text = world.run(&format!("explain {}", uuid(2))).exits(1).out;
    assert!(
        text.contains("Not found in the inbox") && text.contains("status  missing"),
        "{text}"
    );
    assert!(
        world
            .run("explain nobody-knows-it")
            .exits(1)
            .out
            .contains("Not found")
    );
}

//! Two Unicode forms of one tag are one tag, wherever tags are compared.

use serde_json::{Value as Json, json};

use crate::world::{World, record, uuid};

/// As keyboards type it, and as some systems store it.
const COMPOSED: &str = "caf\u{e9}";
const DECOMPOSED: &str = "cafe\u{301}";

fn world(tags: &str) -> World {
    let world = World::new(&[record(1, "OPEN", None, &[DECOMPOSED])], "");
    world.declare(&format!("  {}: {{ tags: {tags} }}\n", uuid(1)));
    world
}

fn tags(world: &World) -> Json {
    let list = world.run("list --format json").exits(0).json();
    list["leads"][0]["tags"].clone()
}

#[test]
fn the_policy_knows_both() {
    for (known, declared) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let world = world(&format!("[{declared}]"));
        let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
        let policy = format!("policy: {{ tags: [{known}, plain] }}\n");
        world.write("convertalk.yaml", &(config + &policy));
        world.run("validate").exits(0);
        for other in [COMPOSED, DECOMPOSED] {
            world
                .run(&format!("set --all tags={other} --dry-run"))
                .exits(0);
        }
        world.run("set --all tags=tea").exits(1);
    }
}

#[test]
fn selectors_find_either() {
    let world = world(&format!("[{DECOMPOSED}]"));
    for form in [COMPOSED, DECOMPOSED] {
        let list = world.run(&format!("list --only tag={form} --format json"));
        let leads = list.exits(0).json();
        assert_eq!(leads["leads"].as_array().map(Vec::len), Some(1), "{form}");
        world.run(&format!("list --only tag!={form}")).exits(1);
    }
}

#[test]
fn set_moves_either() {
    for (before, assignment, after) in [
        (
            format!("[{DECOMPOSED}]"),
            format!("tags+={COMPOSED}"),
            json!([DECOMPOSED]),
        ),
        (
            format!("[{DECOMPOSED}, x]"),
            format!("tags-={COMPOSED}"),
            json!(["x"]),
        ),
        (
            format!("{{ present: [{DECOMPOSED}], absent: [x] }}"),
            format!("tags-={COMPOSED}"),
            json!({ "present": [], "absent": [COMPOSED, "x"] }),
        ),
        (
            format!("{{ present: [x], absent: [{COMPOSED}] }}"),
            format!("tags+={DECOMPOSED}"),
            json!({ "present": [DECOMPOSED, "x"], "absent": [] }),
        ),
    ] {
        let world = world(&before);
        world.run(&format!("set --all {assignment}")).exits(0);
        assert_eq!(tags(&world), after, "{before} {assignment}");
    }
}

#[test]
fn one_tag_is_not_to_be_present_and_absent_in_two_forms() {
    let both = world(&format!(
        "{{ present: [{COMPOSED}], absent: [{DECOMPOSED}] }}"
    ));
    let ran = both.run("validate").exits(1);
    assert!(ran.err.contains("tag-overlap"), "{}", ran.err);
    let world = world("[x]");
    let sheet = format!("uuid,tags\n{},+{COMPOSED};-{DECOMPOSED}\n", uuid(1));
    world.write("sheet.csv", &sheet);
    let ran = world.run("set --from sheet.csv").exits(1);
    assert!(ran.err.contains("present and absent"), "{}", ran.err);
}

#[test]
fn the_form_of_the_inbox_is_in_sync_and_pulled_by_either() {
    for rule in [
        format!("[{COMPOSED}]"),
        format!("{{ present: [{COMPOSED}] }}"),
    ] {
        let world = world(&rule);
        world.run("plan --detailed-exitcode").exits(0);
        world
            .run(&format!("pull --only tag={COMPOSED} --format json"))
            .exits(0);
        world.run("pull --update").exits(0);
        let file = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
        assert!(file.contains(&rule), "{file}");
    }
}

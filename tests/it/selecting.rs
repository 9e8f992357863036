//! Selectors of the commands: what they select, and what is said of those that select nothing.

use crate::base::{commit, git};
use crate::world::{World, record, uuid};

fn world() -> World {
    let live = [
        record(1, "OPEN", None, &["vip"]),
        record(2, "REVIEW", None, &[]),
    ];
    let world = World::new(&live, "");
    world.declare(&format!(
        "  {}: {{ label: Acme renewal, status: CLOSED, agent: priya }}\n  {}: {{ status: CLOSED }}\n",
        uuid(1),
        uuid(2)
    ));
    world
}

fn changes(world: &World, words: &[&str]) -> Vec<String> {
    let all = [&["plan", "--format", "json"], words].concat();
    let plan = world.ran(world.command(&all).output().expect("it runs"));
    let plan = plan.exits(0).json();
    let changes = plan["changes"].as_array().expect("changes");
    changes
        .iter()
        .map(|change| change["uuid"].as_str().expect("a uuid").to_owned())
        .collect()
}

#[test]
fn a_plan_takes_terms_with_commas_and_parts_of_labels() {
    let world = world();
    let both = ["--only", "agent=priya,status!=open"];
    assert_eq!(changes(&world, &both), [uuid(1)]);
    assert_eq!(changes(&world, &["--only", "label~RENEW"]), [uuid(1)]);
    assert_eq!(changes(&world, &["--only", "agent!=priya"]), [uuid(2)]);
}

#[test]
fn changed_selects_what_the_files_changed_since_the_base() {
    let world = world();
    // As the inbox has it, so that no change since is a conflict.
    world.declare(&format!(
        "  {}: {{ label: Acme renewal, status: CLOSED, agent: priya }}\n  {}: {{ status: REVIEW }}\n",
        uuid(1),
        uuid(2)
    ));
    git(&world, "init -q .");
    let base = commit(&world);
    world.declare(&format!(
        "  {}: {{ label: Acme, status: CLOSED, agent: priya }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    let only = ["--only", "changed", "--base", base.as_str()];
    assert_eq!(changes(&world, &only), [uuid(2)]);
    let without = world.run("plan --only changed").exits(1);
    assert!(without.err.contains("--base REF"), "{}", without.err);
}

#[test]
fn a_dead_selector_beside_others_is_a_warning_that_quotes_it() {
    let world = world();
    let plan = world
        .run("plan --only tag=unheard --only agent=priya")
        .exits(0);
    assert!(
        plan.err.contains("warning: `tag=unheard` matches nothing"),
        "{}",
        plan.err
    );
    let dead = world.run("plan --only tag=unheard --only held").exits(1);
    assert!(
        dead.err
            .contains("`tag=unheard`, `held` select none of 2 declared leads"),
        "{}",
        dead.err
    );
}

#[test]
fn the_help_of_an_error_names_the_command_it_came_from() {
    let world = world();
    for command in ["plan", "apply --yes", "pull", "pull --update"] {
        let ran = world.run(&format!("{command} --only colour=red")).exits(1);
        let name = command.split(' ').next().expect("a name");
        assert!(
            ran.err.contains(&format!("see `convertalk {name} --help`")),
            "{command}: {}",
            ran.err
        );
        assert!(!ran.err.contains('…'), "{}", ran.err);
    }
}

#[test]
fn times_and_counts_are_read_alike_in_flags_and_files() {
    let world = world();
    for time in ["1h30m", "90", "2 days", "90 s", "0.5"] {
        let words = ["plan", "--max-changes", "50%"];
        let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a config");
        let timed = config.replace("api: {", &format!("api: {{ timeout: \"{time}\","));
        world.write("convertalk.yaml", &timed);
        let expected = if time == "2 days" { 1 } else { 0 };
        let validated = world.run("validate").exits(expected);
        if expected == 1 {
            assert!(
                validated.err.contains("longer than a day"),
                "{}",
                validated.err
            );
        }
        world.write("convertalk.yaml", &config);
        world
            .ran(world.command(&words).output().expect("it runs"))
            .exits(3);
        let words = ["apply", "--yes", "--max-age", time, "--patience", time];
        world
            .ran(
                world
                    .command(&[&words[..], &["--only", "tag=unheard"]].concat())
                    .output()
                    .expect("it runs"),
            )
            .exits(1);
    }
    for flags in ["--max-changes +5", "--max-changes 101%"] {
        let ran = world.run(&format!("plan {flags}")).exits(1);
        assert!(ran.err.contains("--max-changes"), "{}", ran.err);
    }
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a config");
    world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ max_changes: \"+5\" }}\n"),
    );
    let ran = world.run("validate").exits(1);
    assert!(ran.err.contains("not a number of changes"), "{}", ran.err);
}

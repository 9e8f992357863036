//! `validate FILE…`: what is wrong with these files, and nothing about any other.

use serde_json::Value as Json;

use crate::world::{World, uuid};

/// A file with a bad status, one with a warning, one without anything, and one that declares a lead of the first again.
fn world() -> World {
    let world = World::new(&[], "");
    let lead = |number, fields: &str| format!("version: 1\nleads:\n  {}: {fields}\n", uuid(number));
    world.write("leads/all.yaml", &lead(1, "{ status: SHUT }"));
    world.write("leads/eu/warned.yaml", &lead(2, "{ tags: [vip, VIP] }"));
    world.write("leads/good.yaml", &lead(3, "{ status: OPEN }"));
    world.write("leads/z.yaml", &lead(1, "{ status: OPEN }"));
    world
}

fn codes(report: &Json) -> Vec<&str> {
    let all = report["diagnostics"].as_array().expect("a list").iter();
    all.filter_map(|one| one["rule"].as_str()).collect()
}

#[test]
fn only_the_named_files_count() {
    let world = world();
    let all = world.run("validate --format json").exits(1).json();
    assert_eq!(
        codes(&all),
        ["unknown-status", "similar-tags", "duplicate-lead"]
    );
    let good = world.run("validate leads/good.yaml").exits(0);
    assert_eq!(
        (good.out.as_str(), good.err.as_str()),
        ("Valid: 1 lead in 1 file\n", "")
    );
    let two = world
        .run("validate leads/good.yaml leads/eu/warned.yaml --format json")
        .exits(0)
        .json();
    assert_eq!(codes(&two), ["similar-tags"]);
    assert_eq!(
        (&two["valid"], &two["files"], &two["leads"]),
        (&true.into(), &2.into(), &2.into())
    );
    let github = world
        .run("validate leads/good.yaml --format github")
        .exits(0);
    assert_eq!(github.out, "");
    let sarif = world
        .run("validate leads/good.yaml --format sarif")
        .exits(0);
    assert_eq!(sarif.json()["runs"][0]["results"], Json::Array(Vec::new()));
}

#[test]
fn a_lead_that_another_file_has_too_is_an_error_of_both_files() {
    let world = world();
    for (file, expected) in [
        ("leads/z.yaml", &["duplicate-lead"][..]),
        ("leads/all.yaml", &["unknown-status", "duplicate-lead"]),
    ] {
        let report = world.run(&format!("validate {file} --format json"));
        assert_eq!(codes(&report.exits(1).json()), expected, "{file}");
    }
}

#[test]
fn a_file_is_named_from_here_from_the_workspace_or_by_its_whole_path() {
    let world = world();
    let whole = world.path("leads/good.yaml").display().to_string();
    world.run(&format!("validate {whole}")).exits(0);
    world.run("validate ./leads/../leads/good.yaml").exits(0);
    let mut command = world.command(&["validate", "good.yaml"]);
    let below = command.current_dir(world.path("leads")).output();
    assert!(below.expect("it runs").status.success());
}

#[test]
fn what_is_no_lead_file_is_an_error_that_names_it() {
    let world = world();
    world.write("notes.txt", "x");
    let ran = world.run("validate notes.txt").exits(1);
    assert!(ran.err.contains("matches notes.txt"), "{}", ran.err);
    let ran = world.run("validate leads/none.yaml").exits(1);
    assert!(ran.err.contains("leads/none.yaml"), "{}", ran.err);
}

#[test]
fn errors_of_the_workspace_file_are_reported_where_it_is_named_and_noted_elsewhere() {
    let world = world();
    let text = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write("convertalk.yaml", &(text + "polcy: {}\n"));
    let own = world.run("validate convertalk.yaml --format json").exits(1);
    assert_eq!(codes(&own.json()), ["unknown-key"]);
    let good = world.run("validate leads/good.yaml").exits(0);
    assert!(
        good.err.contains("convertalk.yaml has errors"),
        "{}",
        good.err
    );
}

#[test]
fn an_error_in_a_value_with_aliases_is_shown_once() {
    let world = World::new(&[], "");
    world.declare(&format!(
        "  {}: &all {{ status: open, tags: [a b, \"\"] }}\n  {}: *all\n  {}: *all\n",
        uuid(1),
        uuid(2),
        uuid(3)
    ));
    let report = world.run("validate --format json").exits(1);
    let report: Json = serde_json::from_str(&report.out).expect("JSON");
    let errors = report["diagnostics"].as_array().expect("a list");
    assert_eq!(errors.len(), 2, "{report:#}");
}

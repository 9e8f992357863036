//! Files of every version, kept in tests/files/golden/VERSION: plans, run files, applied records, snapshots and states of a sandbox that this version must be able to read.
//!
//! A folder is never written again. A new version adds its own: `NEW_GOLDEN=1 cargo test --test it -- golden::`.

use std::path::{Path, PathBuf};

use convertalk::sandbox::{Options, Sandbox};
use convertalk::snapshot::Snapshot;

use crate::world::{PRIYA, RAHUL, Ran, World, program, record, uuid};

const ALL: &str = "tests/files/golden";

/// Writes this version's files: every field, a rule that warns, a held lead, one to be created, a base.
fn make(folder: &Path) {
    let live = [
        record(1, "OPEN", Some(RAHUL), &["cold", "trial"]),
        record(2, "REVIEW", None, &[]),
        record(3, "CLOSED", Some(PRIYA), &["vip"]),
    ];
    let world = World::new(&live, "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let policy = "policy:\n  rules: [{ name: cold, before: [tag=cold], warn: is it cold }]\n";
    world.write("convertalk.yaml", &(config + policy));
    world.declare(&format!(
        "  {}: {{ label: Acme, status: CLOSED, agent: priya, tags: {{ present: [vip], absent: [cold] }}, attributes: {{ tier: gold }}, contact: {{ email: a@b.example, name: Asha }}, notes: [{{ title: t, description: d }}] }}
  {}: {{ agent: none, status: OPEN, tags: [renewal] }}
  {}: {{ hold: negotiating, status: OPEN }}
  {}: {{ create: true, status: OPEN }}\n",
        uuid(1), uuid(2), uuid(3), uuid(4)
    ));
    std::fs::create_dir_all(folder).expect("a folder");
    let to = |name: &str| folder.join(name).display().to_string();
    world.run("snapshot --out snapshot.jsonl").exits(0);
    world.run("plan --out plan.json").exits(0);
    world
        .run("apply plan.json --yes --run-file run.jsonl")
        .exits(0);
    for words in [
        "init -q .",
        "add convertalk.yaml leads",
        "commit -qm Declare",
    ] {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(words.split(' '))
            .current_dir(world.path(""));
        assert!(git.status().expect("git runs").success(), "{words}");
    }
    // The held lead is behind.
    world
        .run("apply --yes --base applied --begin files --applied applied.json")
        .exits(0);
    let mut embedded = program(&["apply", "--yes", "--missing", "skip"]);
    embedded.env("CONVERTALK_ENDPOINT", "sandbox");
    let applied = embedded.current_dir(world.path("")).output();
    Ran::of(applied.expect("the program runs"));
    let state = world.path(".convertalk/sandbox.json");
    std::fs::copy(state, world.path("state.json")).expect("a file");
    for name in [
        "snapshot.jsonl",
        "plan.json",
        "run.jsonl",
        "applied.json",
        "state.json",
    ] {
        let text = std::fs::read_to_string(world.path(name)).expect("a file");
        std::fs::write(to(name), text).expect("a file");
    }
}

fn versions() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(ALL).expect("golden files");
    folders
        .map(|folder| folder.expect("a folder").path())
        .collect()
}

fn show(file: &Path) -> Ran {
    let output = program(&["show", "--format", "json"]).arg(file).output();
    Ran::of(output.expect("the program runs")).exits(0)
}

#[test]
fn files_of_every_version_can_be_read() {
    let own = Path::new(ALL).join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("NEW_GOLDEN").is_some() && !own.exists() {
        make(&own);
    }
    assert!(versions().contains(&own), "this version has its files");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for version in versions() {
        let plan = show(&version.join("plan.json")).json();
        assert_eq!(plan["changes"].as_array().map(Vec::len), Some(3), "{plan}");
        assert_eq!(plan["held"][0]["reason"], "negotiating");
        assert_eq!(plan["warnings"][0]["rule"], "rule:cold");

        let run = show(&version.join("run.jsonl")).json();
        let lines = run["lines"].as_array().expect("lines");
        let outcomes = lines.iter().filter(|line| line["type"] == "outcome");
        assert_eq!(outcomes.count(), 3, "{run}");

        let record = show(&version.join("applied.json")).json();
        assert_eq!(
            record["behind"].as_object().map(|behind| behind.len()),
            Some(1)
        );

        let snapshot = Snapshot::open_any(&version.join("snapshot.jsonl")).expect("a snapshot");
        assert!(!snapshot.head().created_at.is_empty());

        let sandbox = Sandbox::start(Options {
            listen: ([127, 0, 0, 1], 0).into(),
            seed: Some(version.join("state.json")),
            ..Options::default()
        });
        runtime.block_on(sandbox).expect("a sandbox of that state");
    }
}

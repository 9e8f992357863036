//! `--base`: base, files and inbox held against each other, three ways.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::world::{PRIYA, RAHUL, World, record, uuid};

/// Runs git in a folder, as an author of its own; what it printed.
pub(crate) fn git_in(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args([
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "advice.detachedHead=false",
    ]);
    let output = command.args(words).output().expect("git runs");
    assert!(
        output.status.success(),
        "git {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    text.trim().to_owned()
}

pub(crate) fn git(world: &World, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    git_in(&world.path("."), &words)
}

pub(crate) fn commit(world: &World) -> String {
    git(world, "add convertalk.yaml leads");
    git(world, "commit -qm files");
    git(world, "rev-parse HEAD")
}

/// The files say of five leads what is so; then the files and the inbox each move some of them.
pub(crate) fn world() -> (World, String) {
    let live: Vec<Json> = (1..=5)
        .map(|number| record(number, "OPEN", Some(RAHUL), &["web"]))
        .collect();
    let world = World::new(&live, "");
    let all: String = (1..=5)
        .map(|number| {
            format!(
                "  {}: {{ status: OPEN, agent: rahul, tags: [web] }}\n",
                uuid(number)
            )
        })
        .collect();
    world.declare(&all);
    git(&world, "init -q .");
    let base = commit(&world);
    world.declare(&format!(
        "  {}: {{ status: CLOSED, agent: rahul, tags: [web] }}
  {}: {{ status: OPEN, agent: rahul, tags: [web] }}
  {}: {{ status: REVIEW, agent: priya, tags: [web] }}
  {}: {{ status: OPEN, tags: [web, vip] }}
",
        uuid(1),
        uuid(2),
        uuid(3),
        uuid(4)
    ));
    world
        .sandbox()
        .edit(&uuid(2), |record| record["status"] = "REVIEW".into());
    world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    world.sandbox().edit(&uuid(4), |record| {
        record["profile"]["userDetails"]["tags"] = serde_json::json!(["web", "agents-own"])
    });
    (world, base)
}

#[test]
fn each_difference_has_its_class() {
    let (world, base) = world();
    let plan = world
        .run(&format!("plan --base {base} --format json"))
        .exits(3)
        .json();
    let class = |number: usize| {
        let changes = plan["changes"].as_array().expect("changes");
        changes
            .iter()
            .find(|change| change["uuid"] == uuid(number))
            .map(|change| change["class"].clone())
    };
    assert_eq!(class(1), Some("intended".into()));
    assert_eq!(class(2), Some("drift".into()));
    assert_eq!(class(3), Some("conflict".into()));
    assert_eq!(class(4), Some("intended".into()));
    assert_eq!(class(5), None);
    assert_eq!(plan["base"]["commit"], base);
    assert_eq!(
        (&plan["summary"]["drift"], &plan["summary"]["conflicts"]),
        (&2.into(), &1.into())
    );
    let released: Vec<(&Json, &Json)> = plan["released"]
        .as_array()
        .expect("released")
        .iter()
        .map(|released| (&released["uuid"], &released["fields"]))
        .collect();
    assert_eq!(
        released,
        [
            (&uuid(4).into(), &serde_json::json!(["agent"])),
            (
                &uuid(5).into(),
                &serde_json::json!(["status", "agent", "tags"])
            )
        ]
    );
    let text = world.run(&format!("plan --base {base}")).exits(3).out;
    for words in [
        "intended",
        "drift, kept: the inbox changed",
        "conflict: both changed",
        "No longer declared",
        "2 drifted, 1 in conflict",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let schema: Json =
        serde_json::from_slice(&std::fs::read("schema/plan.schema.json").expect("a schema"))
            .expect("JSON");
    assert!(jsonschema::is_valid(&schema, &plan));
}

#[test]
fn conflicts_refuse_and_drift_is_kept() {
    let (world, base) = world();
    let refused = world.run(&format!("apply --yes --base {base}")).exits(3);
    assert!(
        refused.out.contains("--conflicts take-file") && world.puts().is_empty(),
        "{}",
        refused.out
    );
    world
        .run(&format!(
            "apply --yes --base {base} --conflicts take-live --drift fail"
        ))
        .exits(3);
    world
        .run(&format!("apply --yes --base {base} --conflicts take-live"))
        .exits(0);
    let sent = world.sent();
    assert_eq!(
        sent.keys().collect::<Vec<_>>(),
        [&uuid(1), &uuid(3), &uuid(4)]
    );
    assert_eq!(
        sent[&uuid(3)],
        [serde_json::json!({ "agentId": PRIYA })],
        "the conflict is left to the inbox, the rest is written"
    );
    assert_eq!(
        sent[&uuid(4)][0]["tags"],
        serde_json::json!(["agents-own", "vip", "web"]),
        "an agent's own tag is kept"
    );
    assert_eq!(
        world.sandbox().records()[&uuid(2)]["status"],
        "REVIEW",
        "drift is kept"
    );
    let again = world
        .run(&format!("apply --yes --base {base} --conflicts take-live"))
        .exits(0);
    assert!(!again.out.contains("Applied"), "{}", again.out);
}

#[test]
fn told_to_the_files_win() {
    let (world, base) = world();
    world
        .run(&format!(
            "apply --yes --base {base} --conflicts take-file --drift revert"
        ))
        .exits(0);
    world.assert_settled();
}

#[test]
fn a_saved_plan_keeps_its_classes() {
    let (world, base) = world();
    world
        .run(&format!("plan --base {base} --out plan.json"))
        .exits(3);
    world.run("apply plan.json --yes").exits(3);
    world
        .run("apply plan.json --yes --conflicts take-live")
        .exits(0);
    assert_eq!(
        world.sent().keys().collect::<Vec<_>>(),
        [&uuid(1), &uuid(3), &uuid(4)]
    );
}

#[test]
fn auto_finds_the_base_of_a_pull_request() {
    let (world, base) = world();
    git(&world, "update-ref refs/remotes/origin/main HEAD");
    git(&world, "checkout -qb topic");
    commit(&world);
    let plan = |name: &str, value: &str| {
        let mut command = world.command(&["plan", "--base", "auto", "--format", "json"]);
        world.ran(command.env(name, value).output().expect("the program runs"))
    };
    assert_eq!(
        plan("GITHUB_BASE_REF", "main").exits(3).json()["base"]["commit"],
        base
    );
    let gitlab = plan("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main").exits(3);
    assert_eq!(gitlab.json()["base"]["commit"], base);
    assert!(
        plan("NOTHING", "1")
            .exits(1)
            .err
            .contains("merge requests only")
    );
}

#[test]
fn a_base_that_cannot_be_had_is_a_clear_error() {
    let (world, _) = world();
    for (reference, words) in [
        ("no-such-branch", "commit `no-such-branch` not found"),
        ("--all", "unexpected argument '--all'"),
        ("-x", "unexpected argument '-x'"),
    ] {
        let ran = world.run(&format!("plan --base {reference}")).exits(1);
        assert!(ran.err.contains(words), "{reference}: {}", ran.err);
    }
    world.write("leads/all.yaml", "version: 1\nleads: [what\n");
    let broken = commit(&world);
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let ran = world.run(&format!("apply --yes --base {broken}")).exits(1);
    assert!(
        ran.err.contains("contain errors") && ran.err.contains("leads/all.yaml:"),
        "{}",
        ran.err
    );
    let nowhere = World::new(&[record(1, "OPEN", None, &[])], "");
    nowhere.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    assert!(
        nowhere
            .run("plan --base HEAD")
            .exits(1)
            .err
            .contains("not in a git repository")
    );
}

#[test]
fn a_workspace_in_a_folder_of_its_repository_and_a_file_that_was_renamed() {
    let (outer, _) = world();
    let text = std::fs::read_to_string(outer.path("leads/all.yaml")).expect("a file");
    let config = std::fs::read_to_string(outer.path("convertalk.yaml")).expect("a file");
    outer.write("deep/inbox/convertalk.yaml", &config);
    outer.write(
        "deep/inbox/leads/before.yaml",
        &text.replace("CLOSED", "OPEN").replace("REVIEW", "OPEN"),
    );
    git(&outer, "add deep");
    git(&outer, "commit -qm inner");
    let base = git(&outer, "rev-parse HEAD");
    std::fs::remove_file(outer.path("deep/inbox/leads/before.yaml")).expect("a file");
    outer.write("deep/inbox/leads/after.yaml", &text);
    let plan = outer
        .run(&format!("plan -C deep/inbox --base {base} --format json"))
        .json();
    let first = &plan["changes"][0];
    assert_eq!(
        (&first["uuid"], &first["class"]),
        (&uuid(1).into(), &"intended".into())
    );
    assert_eq!(
        plan["released"].as_array().map(Vec::len),
        Some(0),
        "a renamed file releases nothing: {}",
        plan["released"]
    );
}

#[test]
fn before_there_was_a_workspace_everything_is_intended() {
    let (world, base) = world();
    git(&world, "checkout -q --orphan other");
    git(&world, "rm -rfq --cached .");
    world.write("README", "words");
    git(&world, "add README");
    git(&world, "commit -qm first");
    let plan = world.run("plan --base HEAD --format json").exits(0).json();
    let classes: Vec<&Json> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| &change["class"])
        .collect();
    assert_eq!(classes, ["intended"; 4]);
    assert_ne!(plan["base"]["commit"], base);
}

#[test]
fn a_lead_is_created_whole_or_not_at_all() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {}: {{ create: true, status: OPEN, agent: priya }}\n  {}: {{ status: OPEN }}\n",
        uuid(8),
        uuid(9)
    ));
    git(&world, "init -q .");
    let base = commit(&world);
    let plan = |leads: &str| {
        world.declare(leads);
        world
            .run(&format!("plan --base {base} --format json --missing skip"))
            .exits(0)
            .json()
    };
    let same = plan(&format!(
        "  {}: {{ create: true, status: OPEN, agent: priya }}\n",
        uuid(8)
    ));
    assert_eq!(
        (&same["changes"][0]["class"], &same["summary"]["to_create"]),
        (&"drift".into(), &0.into())
    );
    let more = plan(&format!(
        "  {}: {{ create: true, status: ONHOLD, agent: priya, tags: [vip] }}\n",
        uuid(8)
    ));
    assert_eq!(
        (&more["changes"][0]["class"], &more["summary"]["conflicts"]),
        (&"intended".into(), &0.into())
    );
    let now = plan(&format!(
        "  {}: {{ status: OPEN, create: true }}\n",
        uuid(9)
    ));
    assert_eq!(
        (&now["changes"][0]["class"], &now["summary"]["to_create"]),
        (&"intended".into(), &1.into())
    );
    world.declare(&format!(
        "  {}: {{ create: true, status: ONHOLD, agent: priya, tags: [vip] }}\n",
        uuid(8)
    ));
    world.run(&format!("apply --yes --base {base}")).exits(0);
    assert_eq!(
        world.sent()[&uuid(8)],
        [serde_json::json!({ "status": "ONHOLD", "agentId": PRIYA, "tags": ["vip"] })]
    );
}

#[test]
fn flags_about_drift_need_a_base() {
    let (world, base) = world();
    world.run("plan --out bare.json").exits(0);
    for words in [
        "apply --yes --drift fail",
        "apply --yes --conflicts take-file",
        "apply bare.json --yes --drift keep",
    ] {
        assert!(
            world.run(words).exits(1).err.contains("require --base"),
            "{words}"
        );
    }
    assert!(
        world
            .run(&format!("apply bare.json --yes --base {base}"))
            .exits(1)
            .err
            .contains("contains its own base")
    );
    assert!(world.puts().is_empty());
}

#[cfg(unix)]
#[test]
fn a_base_that_cannot_be_seen_is_not_an_empty_one() {
    let (world, base) = world();
    world.write(
        "moved/convertalk.yaml",
        &std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file"),
    );
    world.write(
        "moved/leads/all.yaml",
        &std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file"),
    );
    std::fs::remove_file(world.path("convertalk.yaml")).expect("a file");
    assert!(
        world
            .run(&format!("plan -C moved --base {base}"))
            .exits(1)
            .err
            .contains("in another folder: convertalk.yaml")
    );
    std::fs::rename(
        world.path("moved/convertalk.yaml"),
        world.path("convertalk.yaml"),
    )
    .expect("a file");
    std::os::unix::fs::symlink("../elsewhere.yaml", world.path("leads/link.yaml")).expect("a link");
    world.write("elsewhere.yaml", "version: 1\n");
    let linked = commit(&world);
    assert!(
        world
            .run(&format!("plan --base {linked}"))
            .exits(1)
            .err
            .contains("leads/link.yaml is a submodule, or a link that leads to no file")
    );
    let mut told = world.command(&["plan", "--base", &base, "--format", "json"]);
    told.env("GIT_DIR", "/nonexistent");
    assert_eq!(
        world
            .ran(told.output().expect("the program runs"))
            .exits(3)
            .json()["base"]["commit"],
        base
    );
}

#[test]
fn of_tags_only_the_intended_ones_are_called_so() {
    let (world, base) = world();
    let text = world.run(&format!("plan --base {base}")).exits(3).out;
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.trim_start().starts_with("tags"))
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("+vip") && !line.contains("agents-own")),
        "{text}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("inbox +agents-own") && line.contains("drift")),
        "{text}"
    );
}

#[test]
fn a_second_workspace_is_new_and_not_moved() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    std::fs::remove_file(world.path("convertalk.yaml")).expect("a file");
    world.write("one/convertalk.yaml", &config);
    git(&world, "init -q .");
    git(&world, "add one");
    git(&world, "commit -qm one");
    world.write("two/convertalk.yaml", &config);
    world.write(
        "two/leads/all.yaml",
        &format!("version: 1\nleads:\n  {}: {{ status: CLOSED }}\n", uuid(1)),
    );
    let plan = world
        .run("plan -C two --base HEAD --format json")
        .exits(0)
        .json();
    assert_eq!(plan["changes"][0]["class"], "intended");
    std::fs::remove_file(world.path("one/convertalk.yaml")).expect("a file");
    assert!(
        world
            .run("plan -C two --base HEAD")
            .exits(1)
            .err
            .contains("in another folder: one/convertalk.yaml")
    );
}

/// Of a world without conflicts: one intended change, one drift of a status, and an agent's own tag.
fn drifted() -> (World, String) {
    let (world, base) = world();
    world.declare(&format!(
        "  {}: {{ status: CLOSED, agent: rahul, tags: [web] }}\n  {}: {{ status: OPEN, agent: rahul, tags: [web] }}\n  {}: {{ status: OPEN, agent: rahul, tags: [web] }}\n",
        uuid(1),
        uuid(2),
        uuid(4)
    ));
    (world, base)
}

fn with_policy(world: &World, drift: &str) {
    let path = world.path("convertalk.yaml");
    let text = std::fs::read_to_string(path).expect("a file");
    world.write(
        "convertalk.yaml",
        &format!("{text}policy: {{ drift: {drift} }}\n"),
    );
}

#[test]
fn kept_drift_is_shown_as_kept_and_is_not_a_change_to_come() {
    let (world, base) = drifted();
    world
        .run(&format!("plan --base {base} --detailed-exitcode"))
        .exits(2);
    world.run(&format!("apply --yes --base {base}")).exits(0);
    let again = world
        .run(&format!("plan --base {base} --detailed-exitcode"))
        .exits(0);
    assert!(
        again.out.contains("status  inbox REVIEW, file OPEN")
            && !again.out.contains("REVIEW -> OPEN")
            && again.out.contains("Nothing to write:"),
        "{}",
        again.out
    );
    let json = world
        .run(&format!("plan --base {base} --format json"))
        .json();
    assert_eq!(json["changes"][0]["taken"], "live");
    assert_eq!(json["summary"]["to_update"], 0);
    assert_eq!(json["summary"]["drift"], 2);
}

#[test]
fn the_policy_on_drift_decides_by_field() {
    let (world, base) = drifted();
    with_policy(&world, "{ status: revert }");
    let plan = world.run(&format!("plan --base {base}")).exits(0).out;
    assert!(plan.contains("REVIEW -> OPEN"), "{plan}");
    world.run(&format!("apply --yes --base {base}")).exits(0);
    assert_eq!(
        world.sent().keys().collect::<Vec<_>>(),
        [&uuid(1), &uuid(2)],
        "drift of tags is kept"
    );
}

#[test]
fn a_policy_that_drift_fails_refuses_with_its_place_and_the_flag_overrides_it() {
    let (world, base) = drifted();
    with_policy(&world, "{ tags: fail }");
    let refused = world
        .run(&format!("plan --base {base} --format json"))
        .exits(3)
        .json();
    let refusal = &refused["refusals"][0];
    assert_eq!(refusal["rule"], "drift");
    assert_eq!(refusal["leads"], serde_json::json!([uuid(4)]));
    assert_eq!(refusal["source"]["file"], "convertalk.yaml");
    world.run(&format!("apply --yes --base {base}")).exits(3);
    assert!(world.puts().is_empty());
    world
        .run(&format!("apply --yes --base {base} --drift revert"))
        .exits(0);
    world.assert_settled();
}

#[test]
fn a_saved_plan_does_what_it_shows_about_drift_unless_a_flag_says_otherwise() {
    let (world, base) = drifted();
    world
        .run(&format!(
            "plan --base {base} --drift revert --out plan.json"
        ))
        .exits(0);
    with_policy(&world, "fail");
    world.run("apply plan.json --yes --drift keep").exits(0);
    assert_eq!(world.sent().keys().collect::<Vec<_>>(), [&uuid(1)]);
    world.run("apply plan.json --yes").exits(0);
    world.assert_settled();
}

#[test]
fn a_word_that_is_not_a_policy_on_drift_is_an_error() {
    let (world, _) = drifted();
    for (drift, words) in [
        ("undo", "`undo`"),
        ("{ status: undo }", "`undo`"),
        ("{ city: keep }", "`city`"),
    ] {
        let text = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
        with_policy(&world, drift);
        let ran = world.run("validate").exits(1);
        assert!(
            ran.err.contains(words) || ran.out.contains(words),
            "{drift}: {}{}",
            ran.out,
            ran.err
        );
        world.write("convertalk.yaml", &text);
    }
}

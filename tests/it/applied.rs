//! The applied record: each lead's own base, from run to run.

mod histories;

use serde_json::{Value as Json, json};

use crate::base::{commit, git};
use crate::world::{RAHUL, World, record, uuid};

/// Leads with these statuses in the files and in the inbox, committed and recorded.
fn world(statuses: &[&str], flags: &str) -> (World, String) {
    let live: Vec<Json> = (1..)
        .zip(statuses)
        .map(|(number, status)| record(number, status, Some(RAHUL), &[]))
        .collect();
    let world = World::new(&live, flags);
    git_init(&world);
    declare(&world, statuses);
    let first = commit(&world);
    world
        .run("apply --yes --base applied --begin live")
        .exits(0);
    assert!(
        world.puts().is_empty(),
        "a record that begins live writes nothing"
    );
    (world, first)
}

fn git_init(world: &World) {
    git(world, "init -q .");
}

fn declare(world: &World, statuses: &[&str]) {
    let leads: String = (1..)
        .zip(statuses)
        .map(|(number, status)| format!("  {}: {{ status: {status} }}\n", uuid(number)))
        .collect();
    world.declare(&leads);
}

/// A commit of these statuses.
fn commit_of(world: &World, statuses: &[&str]) -> String {
    declare(world, statuses);
    commit(world)
}

fn applied(world: &World) -> Json {
    let text = std::fs::read_to_string(world.path(".convertalk/applied.json")).expect("a record");
    serde_json::from_str(&text).expect("JSON")
}

fn status(world: &World, number: usize) -> Json {
    world.sandbox().records()[&uuid(number)]["status"].clone()
}

fn agent_sets(world: &World, number: usize, status: &str) {
    let status = status.to_owned();
    world
        .sandbox()
        .edit(&uuid(number), |record| record["status"] = status.into());
}

#[test]
fn what_a_failed_run_left_is_still_intended_and_an_agents_edit_is_drift() {
    let (world, first) = world(
        &["OPEN", "OPEN", "OPEN"],
        "--fault success-false@write:2,3,4,5,6,7,8",
    );
    let second = commit_of(&world, &["REVIEW", "REVIEW", "OPEN"]);
    world.run("apply --yes --base applied").exits(5);
    let record = applied(&world);
    assert_eq!(record["commit"], second);
    assert_eq!(
        record["behind"],
        json!({ uuid(2): { "commit": first, "outcome": "failed" } })
    );
    agent_sets(&world, 1, "CLOSED");
    let plan = world
        .run("plan --base applied --format json")
        .exits(0)
        .json();
    let classes: Vec<&Json> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| &change["class"])
        .collect();
    assert_eq!(classes, ["drift", "intended"]);
    let before = world.puts().len();
    world.run("apply --yes --base applied").exits(0);
    assert_eq!(
        world.puts().len(),
        before + 1,
        "one write, of the failed lead"
    );
    assert_eq!(status(&world, 1), "CLOSED", "the agent's edit stays");
    assert_eq!(status(&world, 2), "REVIEW", "the failed write is made");
    assert_eq!(applied(&world)["behind"], json!({}));
}

#[test]
fn without_a_record_a_side_must_be_given() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    git_init(&world);
    declare(&world, &["CLOSED"]);
    let head = commit(&world);
    for command in ["plan", "apply --yes"] {
        let ran = world.run(&format!("{command} --base applied")).exits(1);
        assert!(
            ran.err.contains("--begin files") && ran.err.contains("--begin live"),
            "{}",
            ran.err
        );
    }
    let plan = world
        .run("plan --base applied --begin files --format json")
        .exits(0)
        .json();
    assert_eq!(plan["changes"][0]["class"], "intended");
    assert_eq!(plan["head"], json!({ "commit": head, "dirty": false }));
    world
        .run("apply --yes --base applied --begin files")
        .exits(0);
    assert_eq!(status(&world, 1), "CLOSED");
    let again = world
        .run("apply --yes --base applied --begin live")
        .exits(0);
    assert!(again.err.contains("--begin is ignored"), "{}", again.err);
    assert!(
        world
            .run("plan --begin files")
            .exits(1)
            .err
            .contains("--base applied")
    );
}

#[cfg(unix)]
#[test]
fn the_record_is_private_and_as_its_schema_says() {
    use std::os::unix::fs::PermissionsExt;
    let (world, _) = world(&["OPEN"], "");
    let path = world.path(".convertalk/applied.json");
    let mode = std::fs::metadata(path)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let schema: Json =
        serde_json::from_slice(&std::fs::read("schema/applied.schema.json").expect("a schema"))
            .expect("JSON");
    assert!(jsonschema::is_valid(&schema, &applied(&world)));
}

#[test]
fn a_run_that_is_refused_or_fails_early_leaves_the_record() {
    let (world, first) = world(&["OPEN", "OPEN"], "");
    commit_of(&world, &["CLOSED", "CLOSED"]);
    world
        .run("apply --yes --base applied --max-changes 1")
        .exits(3);
    assert_eq!(applied(&world)["commit"], first);
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(9)));
    commit(&world);
    world.run("apply --yes --base applied").exits(1);
    assert_eq!(applied(&world)["commit"], first);
}

#[test]
fn leads_that_are_not_selected_or_missing_stay_behind() {
    let (world, first) = world(&["OPEN", "OPEN"], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED }}\n  {}: {{ status: CLOSED }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2),
        uuid(3)
    ));
    commit(&world);
    world
        .run(&format!("apply --yes --base applied --only {}", uuid(1)))
        .exits(0);
    let behind = |outcome: &str| json!({ "commit": first, "outcome": outcome });
    assert_eq!(
        applied(&world)["behind"],
        json!({ uuid(2): behind("not-selected"), uuid(3): behind("not-selected") })
    );
    world
        .run("apply --yes --base applied --missing skip")
        .exits(0);
    assert_eq!(status(&world, 2), "CLOSED");
    assert_eq!(
        applied(&world)["behind"],
        json!({ uuid(3): behind("missing") })
    );
}

#[test]
fn a_lead_that_is_no_longer_declared_is_released() {
    let (world, _) = world(&["OPEN", "OPEN"], "");
    commit_of(&world, &["OPEN"]);
    world.run("apply --yes --base applied").exits(0);
    agent_sets(&world, 2, "CLOSED");
    commit_of(&world, &["OPEN", "OPEN"]);
    let plan = world
        .run("plan --base applied --format json")
        .exits(0)
        .json();
    assert_eq!(plan["changes"][0]["class"], "intended", "declared anew");
}

#[test]
fn files_that_are_not_as_committed_leave_the_commit_and_mark_what_was_written() {
    let (world, first) = world(&["OPEN", "OPEN"], "");
    declare(&world, &["CLOSED", "OPEN"]);
    let plan = world.run("plan --format json").exits(0).json();
    assert_eq!(plan["head"], json!({ "commit": first, "dirty": true }));
    let ran = world.run("apply --yes --base applied").exits(0);
    assert!(ran.err.contains("not as committed"), "{}", ran.err);
    let record = applied(&world);
    assert_eq!(record["commit"], first);
    assert_eq!(
        record["behind"],
        json!({ uuid(1): { "commit": null, "outcome": "uncommitted" } })
    );
    declare(&world, &["OPEN", "OPEN"]);
    world.run("apply --yes --base applied").exits(0);
    assert_eq!(
        status(&world, 1),
        "OPEN",
        "without a base, its difference is intended"
    );
    assert_eq!(applied(&world)["behind"], json!({}));
}

#[test]
fn an_untracked_or_ignored_lead_file_is_not_as_committed() {
    let (world, _) = world(&["OPEN"], "");
    let dirty = || world.run("plan --format json").json()["head"]["dirty"].clone();
    assert_eq!(dirty(), false);
    world.write("notes.txt", "no lead file");
    assert_eq!(dirty(), false);
    world.write(".gitignore", "leads/secret.yaml\n");
    world.write("leads/secret.yaml", "version: 1\nleads: {}\n");
    assert_eq!(dirty(), true);
}

#[test]
fn outside_of_git_there_is_no_record_and_a_note() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    declare(&world, &["CLOSED"]);
    let ran = world.run("apply --yes").exits(0);
    assert!(ran.err.contains("no applied record"), "{}", ran.err);
    assert!(!world.path(".convertalk/applied.json").exists());
    assert_eq!(world.run("plan --format json").json()["head"], Json::Null);
}

#[test]
fn a_rewound_history_is_refused_unless_it_is_allowed() {
    let (world, first) = world(&["OPEN"], "");
    commit_of(&world, &["CLOSED"]);
    world.run("apply --yes --base applied").exits(0);
    git(&world, &format!("reset -q --hard {first}"));
    for command in ["plan", "apply --yes"] {
        let ran = world.run(&format!("{command} --base applied")).exits(3);
        assert!(ran.out.contains("--allow rewind"), "{}", ran.out);
    }
    world
        .run("apply --yes --base applied --allow rewind")
        .exits(0);
    assert_eq!(status(&world, 1), "OPEN");
    assert_eq!(applied(&world)["commit"], first);
}

#[test]
fn an_older_saved_plan_does_not_take_the_record_back() {
    let (world, first) = world(&["OPEN", "OPEN"], "");
    world.run("apply --yes").exits(0);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    world.run("plan --out old.json").exits(0);
    commit_of(&world, &["OPEN", "CLOSED"]);
    world.run("apply --yes").exits(0);
    let record = applied(&world);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    let ran = world.run("apply old.json --yes").exits(3);
    assert!(ran.out.contains("--allow rewind"), "{}", ran.out);
    assert_eq!(applied(&world), record);
    world.run("apply old.json --yes --allow rewind").exits(0);
    assert_eq!(applied(&world)["commit"], first);
}

#[test]
fn a_record_that_begins_beside_edits_says_so() {
    let world = World::new(&[record(1, "REVIEW", None, &[])], "");
    git(&world, "init -q .");
    let head = commit_of(&world, &["OPEN"]);
    declare(&world, &["CLOSED"]);
    let ran = world
        .run("apply --yes --base applied --begin live")
        .exits(0);
    assert!(ran.err.contains("not as committed"), "{}", ran.err);
    assert_eq!(applied(&world)["commit"], head);
    assert!(world.puts().is_empty());
}

#[test]
fn a_commit_that_is_gone_is_an_error_that_says_to_fetch() {
    let (world, _) = world(&["OPEN"], "");
    let mut record = applied(&world);
    record["commit"] = "0123456789012345678901234567890123456789".into();
    world.write(".convertalk/applied.json", &record.to_string());
    let ran = world.run("apply --yes --base applied").exits(1);
    assert!(ran.err.contains("fetch"), "{}", ran.err);
}

#[test]
fn a_record_for_another_inbox_is_an_error() {
    let (world, _) = world(&["OPEN"], "");
    let mut record = applied(&world);
    record["target"]["bot_id"] = "ffffffffffffffffffffffff".into();
    world.write(".convertalk/applied.json", &record.to_string());
    for command in [
        "plan --base applied",
        "apply --yes --base applied",
        "apply --yes",
    ] {
        let ran = world.run(command).exits(1);
        assert!(ran.err.contains("another"), "{command}: {}", ran.err);
    }
}

#[test]
fn a_saved_plan_records_its_own_commit() {
    let (world, first) = world(&["OPEN", "OPEN"], "");
    let second = commit_of(&world, &["CLOSED", "OPEN"]);
    world.run("plan --base applied --out plan.json").exits(0);
    let third = commit_of(&world, &["CLOSED", "REVIEW"]);
    world.run("apply plan.json --yes").exits(0);
    assert_eq!(applied(&world)["commit"], second);
    assert_eq!(applied(&world)["behind"], json!({}));
    world.run("apply --yes --base applied").exits(0);
    assert_eq!(applied(&world)["commit"], third);
    assert_ne!(first, third);
}

#[test]
fn undo_leaves_the_record() {
    let (world, _) = world(&["OPEN"], "");
    commit_of(&world, &["CLOSED"]);
    world
        .run("apply --yes --base applied --run-file run.jsonl")
        .exits(0);
    let before = applied(&world);
    world.run("undo run.jsonl --yes").exits(0);
    assert_eq!(applied(&world), before);
    assert_eq!(status(&world, 1), "OPEN");
    world.run("apply --yes --base applied").exits(0);
    assert_eq!(
        status(&world, 1),
        "OPEN",
        "what undo did is drift, and kept"
    );
}

#[test]
fn a_held_leads_edit_is_still_intended_when_it_is_released() {
    let (world, _) = world(&["OPEN"], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED, hold: talks }}\n",
        uuid(1)
    ));
    commit(&world);
    world.run("apply --yes --base applied").exits(0);
    assert_eq!(status(&world, 1), "OPEN");
    commit_of(&world, &["CLOSED"]);
    world.run("apply --yes --base applied").exits(0);
    assert_eq!(status(&world, 1), "CLOSED");
}

#[test]
fn a_run_that_was_killed_loses_none_of_the_record() {
    let (world, first) = world(&["OPEN", "OPEN", "OPEN"], "");
    let second = commit_of(&world, &["CLOSED", "CLOSED", "CLOSED"]);
    world.run("apply --yes --base applied").exits(0);
    let run = applied(&world)["run"].as_str().expect("a run").to_owned();
    let file = format!(".convertalk/runs/{run}.jsonl");
    let text = std::fs::read_to_string(world.path(&file)).expect("a run file");
    // As if it had been killed when the first lead had its outcome and the second its answer.
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        let json: Json = serde_json::from_str(line).expect("JSON");
        let is = |number: usize| json["uuid"] == uuid(number);
        match json["type"].as_str() {
            Some("run" | "write") => kept.push(line),
            Some("answer") if !is(3) => kept.push(line),
            Some("outcome") if is(1) => kept.push(line),
            _ => {}
        }
    }
    world.write(&file, "{ garbage");
    let ran = world.run("plan --base applied").exits(1);
    assert!(ran.err.contains(&run), "{}", ran.err);
    world.write(&file, &(kept.join("\n") + "\n"));
    let untried = json!({ "commit": first, "outcome": "untried" });
    let mut record = applied(&world);
    record["commit"] = second.into();
    record["behind"] = json!({ uuid(1): untried, uuid(2): untried, uuid(3): untried });
    world.write(".convertalk/applied.json", &record.to_string());
    for number in 1..=3 {
        agent_sets(&world, number, "OPEN");
    }
    let plan = world
        .run("plan --base applied --format json")
        .exits(0)
        .json();
    let classes: Vec<&Json> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| &change["class"])
        .collect();
    assert_eq!(classes, ["drift", "drift", "intended"]);
    // A pass takes it into account, once: what its file says is not said again of what happens later.
    agent_sets(&world, 2, "CLOSED");
    let third = commit_of(&world, &["CLOSED", "REVIEW", "CLOSED"]);
    let only = format!("apply --yes --base applied --only {}", uuid(1));
    world.run(&only).exits(0);
    let behind = applied(&world)["behind"].clone();
    assert_eq!(behind[uuid(2)]["outcome"], "not-selected", "{behind}");
    assert_eq!(behind[uuid(2)]["commit"], applied_before(&world, &third));
    let plan = world.run("plan --base applied").exits(0);
    assert!(plan.out.contains("CLOSED -> REVIEW"), "{}", plan.out);
}

/// The commit before this one.
fn applied_before(world: &World, commit: &str) -> String {
    let mut git = std::process::Command::new("git");
    let git = git
        .current_dir(world.path(""))
        .args(["rev-parse", &format!("{commit}^")]);
    String::from_utf8(git.output().expect("git runs").stdout)
        .expect("text")
        .trim()
        .to_owned()
}

#[test]
fn a_write_that_may_not_have_been_done_and_was_not_read_back_is_still_intended() {
    let (mut world, first) = world(&["OPEN", "OPEN"], "");
    commit_of(&world, &["CLOSED", "CLOSED"]);
    world.becomes("--fault hang@write");
    let ran = world
        .run("apply --yes --base applied --canary 0 --deadline 2s")
        .exits(5);
    assert!(ran.out.contains("may have been written"), "{}", ran.out);
    let failed = json!({ "commit": first, "outcome": "failed" });
    assert_eq!(
        applied(&world)["behind"],
        json!({ uuid(1): failed, uuid(2): failed })
    );
    world.becomes("");
    let ran = world.run("apply --yes --base applied").exits(0);
    assert!(ran.out.contains("2 verified"), "{}", ran.out);
    assert_eq!(applied(&world)["behind"], json!({}));
}

#[test]
fn show_and_explain_know_the_record() {
    let (world, first) = world(&["OPEN", "OPEN"], "");
    commit_of(&world, &["CLOSED", "CLOSED"]);
    world
        .run(&format!("apply --yes --base applied --only {}", uuid(1)))
        .exits(0);
    let text = world.run("show .convertalk/applied.json").exits(0).out;
    let short = &first[..12];
    assert!(
        text.contains("1 lead behind")
            && text.contains(&format!("not-selected  settled at {short}")),
        "{text}"
    );
    let json = world
        .run("show .convertalk/applied.json --format json")
        .exits(0)
        .json();
    assert_eq!(json, applied(&world));
    let rule = |number: usize| {
        let ran = world.run(&format!(
            "explain {} --base applied --format json",
            uuid(number)
        ));
        ran.exits(0).json()["fields"][0]["rule"].clone()
    };
    agent_sets(&world, 1, "REVIEW");
    assert_eq!(rule(1), "drift");
    assert_eq!(rule(2), "intended");
}

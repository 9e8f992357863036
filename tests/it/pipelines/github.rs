//! GitHub's workflows, run for real but for GitHub.

use serde_json::{Value as Json, json};

use super::runner::{Done, Forge, READS, WRITES};
use crate::world::uuid;

const FOLDER: &str = "examples/ci/github/.github/workflows";
const BOT: &str = "github-actions[bot]";

fn plan(forge: &Forge) -> Done {
    let context = [READS, ("github.event.pull_request.number", "5")];
    forge.run(
        &format!("{FOLDER}/plan.yml"),
        "plan",
        &context,
        &[("GITHUB_BASE_REF", "main")],
    )
}

/// A run of the newest commit, kept as GitHub keeps it.
fn apply(forge: &Forge, asked: &str) -> Done {
    let done = forge.run(
        &format!("{FOLDER}/apply.yml"),
        "apply",
        &[READS, WRITES, ("inputs.base", asked)],
        &[],
    );
    note_run(
        forge,
        "push",
        if done.exit == 0 { "success" } else { "failure" },
        &forge.git("rev-parse HEAD"),
    );
    done
}

fn note_run(forge: &Forge, event: &str, status: &str, commit: &str) {
    let mut runs = forge.kept("runs");
    let created = format!("2026-01-02T03:04:{:02}Z", runs.len());
    runs.push(json!({
        "workflow": "apply.yml", "branch": "main", "event": event, "status": status, "createdAt": created, "headSha": commit
    }));
    forge.keep("runs", &Json::Array(runs));
}

fn drift(forge: &Forge) -> Done {
    forge.run(&format!("{FOLDER}/drift.yml"), "drift", &[READS], &[])
}

#[test]
fn one_comment_is_made_and_kept_up_to_date() {
    let Some(forge) = Forge::new() else { return };
    let theirs = json!([{ "id": 1, "user": { "login": "mallory" }, "body": "### Nothing to do <!-- convertalk plan -->" }]);
    forge.keep("comments", &theirs);
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let done = plan(&forge);
    assert_eq!(done.exit, 0, "{}", done.log);
    assert!(
        done.log.contains("::notice file=leads/all.yaml,line=3"),
        "{}",
        done.log
    );
    let comments = forge.kept("comments");
    let body = comments[1]["body"].as_str().expect("a body");
    assert!(
        body.starts_with("### Plan: 1 to update, 2 in sync, of 3 declared leads.")
            && body.contains("#### Intended"),
        "{body}"
    );
    assert!(
        std::fs::read_to_string(forge.temp().join("plan.html"))
            .is_ok_and(|page| page.starts_with("<!doctype html>"))
    );
    assert_eq!(
        (
            comments.len(),
            &comments[1]["user"]["login"],
            forge.summary().as_str()
        ),
        (2, &BOT.into(), body)
    );

    forge.declare(["CLOSED", "REVIEW", "OPEN"]);
    forge.commit();
    assert_eq!(plan(&forge).exit, 0);
    let comments = forge.kept("comments");
    assert!(
        comments[1]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("### Plan: 2 to update")),
        "{comments:?}"
    );
    assert_eq!(
        (comments.len(), &comments[0]),
        (2, &theirs[0]),
        "what another wrote is left alone"
    );
}

#[test]
fn a_refused_plan_is_told_and_fails() {
    let Some(forge) = Forge::new() else { return };
    let config = std::fs::read_to_string(forge.world.path("convertalk.yaml")).expect("a file");
    forge.world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ transitions: {{ deny: [\"* -> CLOSED\"] }} }}\n"),
    );
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let done = plan(&forge);
    assert_eq!(done.exit, 3, "{}", done.log);
    assert!(done.log.contains("::error file="), "{}", done.log);
    let comments = forge.kept("comments");
    assert!(
        comments[0]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("### Refused: ")),
        "{comments:?}"
    );
}

#[test]
fn files_with_mistakes_are_told_and_fail() {
    let Some(forge) = Forge::new() else { return };
    assert_eq!(plan(&forge).exit, 0);
    forge.declare(["Closed", "OPEN", "OPEN"]);
    forge.world.write("plan.md", "### Nothing to do");
    forge.commit();
    let done = plan(&forge);
    assert_eq!(done.exit, 1, "{}", done.log);
    assert!(
        done.log.contains("::error file=leads/all.yaml,line=3"),
        "{}",
        done.log
    );
    let comments = forge.kept("comments");
    assert_eq!(comments.len(), 1);
    assert!(
        comments[0]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("### No plan could be made")),
        "{comments:?}"
    );
}

#[test]
fn apply_goes_on_from_the_last_run_that_succeeded() {
    let Some(forge) = Forge::new() else { return };
    let done = apply(&forge, "");
    assert_eq!(done.exit, 0, "the first run has no base: {}", done.log);
    assert_eq!(
        forge.summary(),
        "Nothing was written; the log of the step before says why.\n"
    );
    let first = forge.git("rev-parse HEAD");

    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    forge
        .world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    assert_eq!(apply(&forge, "").exit, 3, "both moved");
    assert_eq!(
        forge.summary(),
        "Nothing was written; the log of the step before says why.\n"
    );

    // An agent moves the third lead; a fork runs a workflow of the same name on its own commit.
    forge
        .world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "OPEN".into());
    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    forge.declare(["CLOSED", "REVIEW", "OPEN"]);
    let second = forge.commit();
    note_run(&forge, "pull_request", "success", &second);
    let done = apply(&forge, "");
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(
        [1, 2, 3].map(|number| forge.status(number)),
        ["CLOSED", "REVIEW", "ONHOLD"],
        "what failed before is not lost"
    );
    assert!(
        forge
            .summary()
            .starts_with("### Applied: 2 leads: 2 verified."),
        "{}",
        forge.summary()
    );
    assert!(forge.temp().join("run.jsonl").exists());

    // An older run again would write back what was before.
    forge.git(&format!("checkout --quiet {first}"));
    let done = apply(&forge, "");
    assert_eq!(
        (done.exit, forge.status(1)),
        (1, "CLOSED".into()),
        "{}",
        done.log
    );
    assert!(
        done.log
            .contains("was applied last, and this commit does not come after it"),
        "{}",
        done.log
    );
    forge.git("checkout --quiet main");
    assert_eq!(apply(&forge, "nowhere").exit, 128);
    assert_eq!(apply(&forge, "none").exit, 0);
    assert_eq!(
        forge.status(3),
        "OPEN",
        "with no base the files are made true"
    );
}

#[test]
fn one_issue_tells_of_drift_and_is_closed_without() {
    let Some(forge) = Forge::new() else { return };
    assert_eq!(drift(&forge).exit, 0);
    assert!(forge.kept("issues").is_empty());

    forge
        .world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    let done = drift(&forge);
    assert_eq!(done.exit, 0, "{}", done.log);
    let issues = forge.kept("issues");
    assert_eq!(
        (issues.len(), &issues[0]["title"]),
        (1, &"The inbox is not as the files say".into())
    );
    assert!(
        issues[0]["body"]
            .as_str()
            .is_some_and(|body| body.contains("1 drifted")),
        "{issues:?}"
    );

    forge
        .world
        .sandbox()
        .edit(&uuid(2), |record| record["status"] = "REVIEW".into());
    assert_eq!(drift(&forge).exit, 0);
    let issues = forge.kept("issues");
    assert_eq!((issues.len(), &issues[0]["state"]), (1, &"open".into()));
    assert!(
        issues[0]["body"]
            .as_str()
            .is_some_and(|body| body.contains("2 drifted")),
        "{issues:?}"
    );

    for number in [1, 2] {
        forge
            .world
            .sandbox()
            .edit(&uuid(number), |record| record["status"] = "OPEN".into());
    }
    assert_eq!(drift(&forge).exit, 0);
    assert_eq!(forge.kept("issues")[0]["state"], "closed");

    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "REVIEW".into());
    assert_eq!(drift(&forge).exit, 0);
    assert_eq!(
        forge.kept("issues").len(),
        2,
        "a closed issue is not opened again"
    );

    forge.declare(["Closed", "OPEN", "OPEN"]);
    assert_eq!(drift(&forge).exit, 1, "what is no drift fails");
    assert_eq!(forge.kept("issues").len(), 2);
}

#[test]
fn a_fork_is_planned_against_the_newest_snapshot_without_secrets() {
    let Some(forge) = Forge::new() else { return };
    let file = format!("{FOLDER}/plan-fork.yml");
    let fork = || forge.run(&file, "plan", &[], &[("GITHUB_BASE_REF", "main")]);
    let done = fork();
    assert!(
        done.exit == 1 && done.log.contains("there is no snapshot yet"),
        "{}",
        done.log
    );

    let done = forge.run(&format!("{FOLDER}/snapshot.yml"), "snapshot", &[READS], &[]);
    assert_eq!(done.exit, 0, "{}", done.log);
    std::fs::copy(
        forge.temp().join("live.jsonl"),
        forge.artifact(8, "live").join("live.jsonl"),
    )
    .expect("a copy");
    let run = |event: &str, id: u32, created: &str| json!({ "workflow": "snapshot.yml", "branch": "main", "event": event, "status": "success", "createdAt": created, "databaseId": id });
    let mut runs = vec![
        run("schedule", 7, "2026-01-01"),
        run("workflow_dispatch", 8, "2026-01-02"),
        run("pull_request", 9, "2026-01-03"),
    ];
    forge.keep("runs", &Json::Array(std::mem::take(&mut runs)));
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let done = fork();
    assert_eq!(done.exit, 0, "{}", done.log);
    assert!(
        done.log.contains("::notice file=leads/all.yaml,line=3"),
        "{}",
        done.log
    );
    assert!(
        forge.summary().starts_with("### Plan: 1 to update"),
        "{}",
        forge.summary()
    );
}

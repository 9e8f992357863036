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
fn apply(forge: &Forge, begin: &str) -> Done {
    apply_with(forge, &[("inputs.begin", begin)])
}

fn apply_with(forge: &Forge, inputs: &[(&str, &str)]) -> Done {
    let done = forge.run(
        &format!("{FOLDER}/apply.yml"),
        "apply",
        &[&[READS, WRITES], inputs].concat(),
        &[],
    );
    keep_record(forge, "main", OURS);
    note_run(
        forge,
        "push",
        if done.exit == 0 { "success" } else { "failure" },
        &forge.git("rev-parse HEAD"),
    );
    done
}

/// The repository's number, and that of a fork.
const OURS: u32 = 1;
const FORK: u32 = 2;

/// The record that a run of a branch has, kept as GitHub keeps it.
fn keep_record(forge: &Forge, branch: &str, repository: u32) {
    keep_record_as(forge, "convertalk-applied", branch, repository);
}

fn keep_record_as(forge: &Forge, name: &str, branch: &str, repository: u32) {
    let file = forge.temp().join("record/applied.json");
    if !file.exists() {
        return;
    }
    let mut records = forge.kept("records");
    let run = 100 + u32::try_from(records.len()).expect("a number");
    let to = forge.artifact(run, name).join("applied.json");
    std::fs::copy(file, to).expect("a copy");
    records.push(json!({
        "name": name, "created_at": format!("2026-01-02T03:04:{:02}Z", records.len()), "expired": false,
        "workflow_run": { "id": run, "head_branch": branch, "head_repository_id": repository, "repository_id": OURS },
    }));
    forge.keep("records", &Json::Array(records));
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
fn the_tests_of_the_workspace_run_without_secrets() {
    let Some(forge) = Forge::new() else { return };
    let test = || forge.run(&format!("{FOLDER}/plan.yml"), "test", &[], &[]);
    assert_eq!(test().exit, 0, "no tests are a note");
    let expects = |changes: usize| {
        let live = format!("{{ {}: {{ status: OPEN }} }}", uuid(1));
        let text = format!(
            "version: 1\ntests:\n  - {{ name: closes, live: {live}, expect: {{ changes: {changes} }} }}\n"
        );
        forge.world.write("tests/policy.yaml", &text);
    };
    forge
        .world
        .declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    expects(1);
    let done = test();
    assert_eq!(done.exit, 0, "{}", done.log);
    expects(2);
    let done = test();
    assert_eq!(done.exit, 1);
    assert!(done.log.contains("tests/policy.yaml:3"), "{}", done.log);
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
fn apply_goes_on_from_the_record_of_the_newest_run() {
    let Some(forge) = Forge::new() else { return };
    let done = apply(&forge, "continue");
    assert!(
        done.exit == 1 && done.log.contains("with begin `files` or `live`"),
        "{}",
        done.log
    );
    let done = apply(&forge, "files");
    assert_eq!(done.exit, 0, "{}", done.log);
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
    assert_eq!(apply(&forge, "").exit, 3, "both changed");

    // An agent moves the third lead; a fork runs a workflow of the same name on a branch of the same name.
    forge
        .world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "OPEN".into());
    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    forge.declare(["CLOSED", "REVIEW", "OPEN"]);
    forge.commit();
    let record = forge.temp().join("record/applied.json");
    std::fs::create_dir_all(forge.temp().join("record")).expect("a folder");
    std::fs::write(record, "{}").expect("a file");
    keep_record(&forge, "main", FORK);
    keep_record(&forge, "topic", OURS);
    let done = apply(&forge, "");
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(
        [1, 2, 3].map(|number| forge.status(number)),
        ["CLOSED", "REVIEW", "ONHOLD"],
        "what was refused before is not lost, and what an agent did stays"
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
        (3, "CLOSED".into()),
        "{}",
        done.log
    );
    assert!(done.log.contains("rewind"), "{}", done.log);
    forge.git("checkout --quiet main");
    assert_eq!(apply(&forge, "live").exit, 0);
    assert_eq!(forge.status(3), "ONHOLD", "live keeps the inbox");
    assert_eq!(apply(&forge, "files").exit, 0);
    assert_eq!(forge.status(3), "OPEN", "files makes the files true");
}

#[test]
fn a_record_that_has_expired_is_not_replaced_by_an_older_one() {
    let Some(forge) = Forge::new() else { return };
    assert_eq!(apply(&forge, "files").exit, 0);
    assert_eq!(apply(&forge, "").exit, 0);
    let mut records = forge.kept("records");
    records[1]["expired"] = true.into();
    forge.keep("records", &Json::Array(records));
    let done = apply(&forge, "");
    assert!(
        done.exit == 1 && done.log.contains("or it has expired"),
        "{}",
        done.log
    );
    assert_eq!(apply(&forge, "live").exit, 0);
    assert_eq!(apply(&forge, "").exit, 0);
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
    let fork = || forge.run(&file, "plan-fork", &[], &[("GITHUB_BASE_REF", "main")]);
    let done = fork();
    assert!(
        done.exit == 0 && done.log.contains("there is no snapshot yet"),
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

#[test]
fn labels_of_a_pull_request_change_the_limits_of_its_plan() {
    let Some(forge) = Forge::new() else { return };
    let config = std::fs::read_to_string(forge.world.path("convertalk.yaml")).expect("a file");
    let policy = "policy: { max_changes: 1, transitions: { deny: [\"* -> CLOSED\"] } }\n";
    forge
        .world
        .write("convertalk.yaml", &format!("{config}{policy}"));
    forge.declare(["CLOSED", "CLOSED", "OPEN"]);
    forge.commit();
    let labelled = |labels: &str| {
        let context = [
            READS,
            ("github.event.pull_request.number", "5"),
            ("toJSON(github.event.pull_request.labels.*.name)", labels),
        ];
        let file = format!("{FOLDER}/plan.yml");
        forge
            .run(&file, "plan", &context, &[("GITHUB_BASE_REF", "main")])
            .exit
    };
    assert_eq!(labelled("[]"), 3);
    assert_eq!(labelled(r#"["convertalk:max-changes=2"]"#), 3);
    assert_eq!(
        labelled(r#"["bug", "convertalk:max-changes=2", "convertalk:allow=transition"]"#),
        0
    );
    assert_eq!(
        labelled(r#"["convertalk:out=leads/all.yaml", "$(touch owned)"]"#),
        3
    );
    assert!(!forge.world.path("owned").exists());
}

#[test]
fn a_pull_request_of_dependabot_is_skipped_with_a_word() {
    let Some(forge) = Forge::new() else { return };
    let author = |login| ("github.event.pull_request.user.login", login);
    let run = |login| {
        let context = [author(login), ("github.event.pull_request.number", "5")];
        let file = format!("{FOLDER}/plan.yml");
        forge.run(&file, "plan", &context, &[("GITHUB_BASE_REF", "main")])
    };
    let done = run("dependabot[bot]");
    assert_eq!(done.exit, 0, "{}", done.log);
    assert!(forge.summary().starts_with("No plan: "));
    assert!(forge.kept("comments").is_empty());
    assert_eq!(
        run("asha").exit,
        1,
        "a missing secret is an error for others"
    );
}

#[test]
fn a_merge_queue_plans_what_it_would_merge_and_comments_nowhere() {
    let Some(forge) = Forge::new() else { return };
    forge.git("checkout --quiet -b topic");
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    forge.git("checkout --quiet main");
    forge
        .world
        .write("leads/other.yaml", "version: 1\nleads: {}\n");
    let main = forge.commit();
    forge.git(&format!("update-ref refs/remotes/origin/main {main}"));
    forge.git("merge --quiet --no-edit topic");
    let env = [("GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-5-0123")];
    let done = forge.run(&format!("{FOLDER}/plan.yml"), "plan", &[READS], &env);
    assert_eq!(done.exit, 0, "{}", done.log);
    assert!(
        forge.summary().contains("#### Intended"),
        "{}",
        forge.summary()
    );
    assert!(forge.kept("comments").is_empty());
}

#[test]
fn a_shallow_checkout_is_a_clear_error() {
    let Some(forge) = Forge::new() else { return };
    let head = forge.git("rev-parse HEAD");
    forge.world.write(".git/shallow", &format!("{head}\n"));
    forge.git("update-ref -d refs/remotes/origin/main");
    let done = plan(&forge);
    assert!(
        done.exit == 1 && done.log.contains("fetch-depth: 0"),
        "{}",
        done.log
    );
}

/// A cancelled job signals its shell alone.
#[cfg(unix)]
#[test]
fn a_cancelled_job_stops_the_program() {
    const LEADS: usize = 60;
    let Some(forge) = Forge::with(LEADS, "--latency 100ms") else {
        return;
    };
    let all = (1..=LEADS).map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)));
    forge.world.declare(&all.collect::<String>());
    forge.commit();
    let file = format!("{FOLDER}/apply.yml");
    let ran = forge.cancelled(&file, "apply", "Apply", &[]).exits(130);
    let written = forge.world.puts().len();
    assert!(written < LEADS / 2, "{written} were written: {}", ran.err);
    let kept = std::fs::read_to_string(forge.temp().join("run.jsonl")).expect("a run file");
    assert_eq!(
        kept.matches("\"outcome\":\"untried\"").count(),
        LEADS - written
    );

    // The next run goes on from its record. What an agent takes back meanwhile is drift.
    keep_record(&forge, "main", OURS);
    let is_closed = |number: &usize| forge.status(*number) == "CLOSED";
    let one = (1..=LEADS).find(is_closed).expect("one was written");
    forge
        .world
        .sandbox()
        .edit(&uuid(one), |record| record["status"] = "REVIEW".into());
    let done = apply(&forge, "");
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(forge.status(one), "REVIEW", "{}", done.log);
    assert_eq!((1..=LEADS).filter(is_closed).count(), LEADS - 1);
}

/// In a container the checkout belongs to another user than the job's.
#[cfg(unix)]
#[test]
fn a_checkout_of_another_owner_is_planned() {
    let Some(forge) = Forge::new() else { return };
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let owned = std::process::Command::new("chown")
        .args(["-R", "54321"])
        .arg(forge.world.path("."))
        .output();
    if owned.is_ok_and(|output| output.status.success()) {
        let done = plan(&forge);
        assert_eq!(done.exit, 0, "{}", done.log);
    }
}

#[test]
fn inputs_of_a_run_by_hand_reach_the_program() {
    let Some(forge) = Forge::new() else { return };
    assert_eq!(apply(&forge, "files").exit, 0);
    let config = std::fs::read_to_string(forge.world.path("convertalk.yaml")).expect("a file");
    let policy = "policy: { max_changes: 1, transitions: { deny: [\"* -> CLOSED\"] } }\n";
    forge
        .world
        .write("convertalk.yaml", &format!("{config}{policy}"));
    forge.declare(["CLOSED", "CLOSED", "OPEN"]);
    let lead = format!("  {}: {{ status: OPEN }}\n", uuid(9));
    let leads = std::fs::read_to_string(forge.world.path("leads/all.yaml")).expect("a file");
    forge
        .world
        .write("leads/all.yaml", &format!("{leads}{lead}"));
    forge.commit();
    assert_eq!(apply(&forge, "").exit, 1);
    let inputs = [
        ("inputs.max-changes", "2"),
        ("inputs.allow", "transition max-leads"),
        ("inputs.missing", "skip"),
    ];
    let done = apply_with(&forge, &inputs);
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(
        [1, 2].map(|number| forge.status(number)),
        ["CLOSED", "CLOSED"]
    );
}

#[test]
fn undo_writes_back_what_a_run_replaced() {
    let Some(forge) = Forge::new() else { return };
    forge.declare(["CLOSED", "CLOSED", "OPEN"]);
    forge.commit();
    assert_eq!(apply(&forge, "files").exit, 0);
    let undo = |run: &str| {
        let context = [READS, WRITES, ("inputs.run", run), ("inputs.only", "")];
        forge.run(&format!("{FOLDER}/undo.yml"), "undo", &context, &[])
    };
    let kept = std::fs::read(forge.temp().join("run.jsonl")).expect("a run file");
    std::fs::write(forge.artifact(77, "run-2").join("run.jsonl"), kept).expect("a file");
    let done = undo("78");
    assert!(
        done.exit == 1 && done.log.contains("kept no run file"),
        "{}",
        done.log
    );
    assert_eq!(undo("$(id)").exit, 1);
    let done = undo("77");
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!([1, 2].map(|number| forge.status(number)), ["OPEN", "OPEN"]);
    assert!(
        forge.summary().contains("2 verified"),
        "{}",
        forge.summary()
    );
}

#[test]
fn new_leads_and_drift_become_one_pull_request() {
    let Some(forge) = Forge::with(5, "") else {
        return;
    };
    let origin = forge.artifact(0, "origin.git");
    forge.git(&format!("init --quiet --bare {}", origin.display()));
    forge.git(&format!("remote add origin {}", origin.display()));
    forge.keep("pulls", &json!([]));
    forge
        .world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    let pull = || forge.run(&format!("{FOLDER}/pull.yml"), "pull", &[READS], &[]);
    let done = pull();
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(forge.kept("pulls").len(), 1, "{}", done.log);
    let changed = forge.git("diff main...origin/convertalk-pull");
    assert!(
        changed.contains("+  ") && changed.contains("REVIEW"),
        "{changed}"
    );
    for number in [4, 5] {
        assert!(changed.contains(&uuid(number)), "{changed}");
    }
}

/// What a failed run has still to write is no drift, and is not pulled back.
#[test]
fn with_a_record_only_what_was_applied_is_pulled() {
    let Some(forge) = Forge::new() else { return };
    let origin = forge.artifact(0, "origin.git");
    forge.git(&format!("init --quiet --bare {}", origin.display()));
    forge.git(&format!("remote add origin {}", origin.display()));
    forge.keep("pulls", &json!([]));
    assert_eq!(apply(&forge, "files").exit, 0);
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    forge
        .world
        .sandbox()
        .edit(&uuid(2), |record| record["status"] = "REVIEW".into());
    let done = forge.run(&format!("{FOLDER}/pull.yml"), "pull", &[READS], &[]);
    assert_eq!(done.exit, 0, "{}", done.log);
    let changed = forge.git("diff main...origin/convertalk-pull");
    assert!(changed.contains("REVIEW"), "{changed}");
    assert!(!changed.contains("-  00000001"), "{changed}");
    let files = std::fs::read_to_string(forge.world.path("leads/all.yaml")).expect("a file");
    assert!(files.contains("CLOSED"), "{files}");
}

#[test]
fn a_workspace_of_a_fleet_keeps_a_record_of_its_own() {
    let Some(forge) = Forge::new() else { return };
    let run = |begin: &str| {
        let context = [
            READS,
            WRITES,
            ("matrix.dir", "."),
            ("matrix.name", "root"),
            ("inputs.begin", begin),
        ];
        let done = forge.run(&format!("{FOLDER}/fleet.yml"), "apply", &context, &[]);
        keep_record_as(&forge, "convertalk-applied-root", "main", OURS);
        done
    };
    let done = run("");
    assert!(
        done.exit == 1 && done.log.contains("root has no applied record"),
        "{}",
        done.log
    );
    assert_eq!(run("files").exit, 0);
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    let done = run("");
    assert_eq!(done.exit, 0, "{}", done.log);
    let done = run("files");
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(
        [1, 3].map(|number| forge.status(number)),
        ["CLOSED", "ONHOLD"],
        "begin is for those without a record"
    );
}

#[test]
fn a_fleet_has_a_job_for_each_workspace_that_changed() {
    let Some(forge) = Forge::new() else { return };
    let config = std::fs::read_to_string(forge.world.path("convertalk.yaml")).expect("a file");
    forge.world.write("eu/convertalk.yaml", &config);
    forge
        .world
        .write("eu/leads/all.yaml", "version: 1\nleads: {}\n");
    forge.git("add eu");
    let base = forge.commit();
    forge.git(&format!("update-ref refs/remotes/origin/main {base}"));
    forge
        .world
        .write("eu/leads/all.yaml", "version: 1\nleads: { }\n");
    forge.git("add eu");
    forge.commit();
    let list = |event: &str| {
        let env = [("GITHUB_EVENT_NAME", event), ("GITHUB_BASE_REF", "main")];
        let env = if event == "push" { &env[..1] } else { &env[..] };
        let done = forge.run(&format!("{FOLDER}/fleet.yml"), "list", &[], env);
        assert_eq!(done.exit, 0, "{}", done.log);
        std::fs::read_to_string(forge.output()).expect("outputs")
    };
    let changed = list("pull_request");
    assert!(
        changed.contains("\"name\":\"eu\"") && !changed.contains("root"),
        "{changed}"
    );
    assert!(
        list("push").contains("\"name\":\"root\""),
        "no run has succeeded"
    );
    note_fleet(&forge, &base);
    assert!(!list("push").contains("root"));
}

fn note_fleet(forge: &Forge, commit: &str) {
    let run = json!([{
        "workflow": "fleet.yml", "branch": "main", "event": "push", "status": "success", "createdAt": "2026-01-02", "headSha": commit
    }]);
    forge.keep("runs", &run);
}

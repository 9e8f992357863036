//! GitLab's pipeline, run for real but for GitLab.

use serde_json::{Value as Json, json};

use super::runner::{Done, Forge};
use crate::world::{TOKEN, uuid};

fn job(forge: &Forge, name: &str, more: &[(&str, &str)]) -> Done {
    let mut env = vec![
        ("CI_API_V4_URL", "http://gitlab"),
        ("CI_PROJECT_ID", "1"),
        ("CI_JOB_TOKEN", "a-token-of-the-job"),
        ("CONVERTALK_READ_TOKEN", TOKEN),
    ];
    env.extend(more);
    forge.run("examples/ci/gitlab/.gitlab-ci.yml", name, &[], &env)
}

fn plan(forge: &Forge, more: &[(&str, &str)]) -> Done {
    let mut env = vec![
        ("CI_MERGE_REQUEST_IID", "5"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
    ];
    env.extend(more);
    job(forge, "plan", &env)
}

#[test]
fn one_note_is_made_and_kept_up_to_date() {
    let Some(forge) = Forge::new() else { return };
    let theirs = json!([{ "id": 1, "author": { "id": 9 }, "body": "### Nothing to do <!-- convertalk plan -->" }]);
    forge.keep("notes", &theirs);
    let notes = [("GITLAB_TOKEN", "a-token-for-notes")];
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let done = plan(&forge, &[]);
    assert_eq!(
        (done.exit, forge.kept("notes").len()),
        (0, 1),
        "no token, no note: {}",
        done.log
    );
    let widget: Json = serde_json::from_slice(
        &std::fs::read(forge.world.path("report/widget.json")).expect("a file"),
    )
    .expect("JSON");
    assert_eq!(widget, json!({ "create": 0, "update": 1, "delete": 0 }));

    let done = plan(&forge, &notes);
    assert_eq!(done.exit, 0, "{}", done.log);
    assert!(
        forge.kept("notes")[1]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("### Plan: 1 to update"))
    );

    let config = std::fs::read_to_string(forge.world.path("convertalk.yaml")).expect("a file");
    forge.world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ transitions: {{ deny: [\"* -> CLOSED\"] }} }}\n"),
    );
    assert_eq!(plan(&forge, &notes).exit, 3);
    let kept = forge.kept("notes");
    assert_eq!((kept.len(), &kept[0]), (2, &theirs[0]));
    assert!(
        kept[1]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("### Refused: ")),
        "{kept:?}"
    );

    forge.declare(["Closed", "OPEN", "OPEN"]);
    assert_eq!(plan(&forge, &notes).exit, 1);
    assert!(
        forge.kept("notes")[1]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("### No plan could be made"))
    );
}

/// Keeps the artifacts of a job of the environment, and its deployment: the newest first.
fn keep_job(forge: &Forge, id: u32, status: &str) {
    let record = forge.world.path("record/applied.json");
    if record.exists() {
        let to = forge
            .artifact(id, "convertalk-applied")
            .join("applied.json");
        std::fs::rename(record, to).expect("a file");
    }
    let mut deployments = forge.kept("deployments");
    let deployment = json!({ "status": status, "deployable": { "id": id } });
    deployments.insert(0, deployment);
    forge.keep("deployments", &Json::Array(deployments));
}

#[test]
fn apply_goes_on_from_the_record_of_the_newest_job() {
    let Some(forge) = Forge::new() else { return };
    let write = [("CONVERTALK_WRITE_TOKEN", TOKEN), ("CI_JOB_ID", "99")];
    let apply = || job(&forge, "apply", &write);
    assert!(apply().log.contains("BEGIN"), "there is no record yet");
    keep_job(&forge, 10, "failed");
    let begun = [&write[..], &[("BEGIN", "files")]].concat();
    assert_eq!(job(&forge, "apply", &begun).exit, 0);
    let first = forge.git("rev-parse HEAD");
    keep_job(&forge, 11, "success");
    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    // A job that failed before it had a record, and this job itself.
    keep_job(&forge, 12, "failed");
    keep_job(&forge, 99, "running");
    let done = apply();
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(
        [1, 3].map(|number| forge.status(number)),
        ["CLOSED", "ONHOLD"]
    );
    assert!(forge.world.path("run.jsonl").exists());
    keep_job(&forge, 13, "success");

    forge.git(&format!("checkout --quiet {first}"));
    let done = apply();
    assert!(
        done.exit == 3 && done.log.contains("rewind"),
        "{}",
        done.log
    );
    assert_eq!(forge.status(1), "CLOSED");
}

#[test]
fn a_workspace_of_a_fleet_keeps_a_record_of_its_own() {
    let Some(forge) = Forge::new() else { return };
    let file = "examples/ci/gitlab/workspace.gitlab-ci.yml";
    let env = [
        ("CI_API_V4_URL", "http://gitlab"),
        ("CI_PROJECT_ID", "1"),
        ("CI_JOB_TOKEN", "a-token-of-the-job"),
        ("CI_JOB_ID", "99"),
        ("CONVERTALK_READ_TOKEN", TOKEN),
        ("CONVERTALK_WRITE_TOKEN", TOKEN),
        ("NAME", "root"),
        ("DIR", "."),
    ];
    let apply = |more: &[(&str, &str)]| forge.run(file, ".apply", &[], &[&env, more].concat());
    assert_eq!(apply(&[]).exit, 1);
    assert_eq!(apply(&[("BEGIN", "files")]).exit, 0);
    keep_job(&forge, 11, "success");
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let done = apply(&[]);
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(forge.status(1), "CLOSED");
}

#[test]
fn the_tests_of_the_workspace_are_a_report() {
    let Some(forge) = Forge::new() else { return };
    forge.world.write(
        "tests/policy.yaml",
        &format!(
            "version: 1\ntests:\n  - {{ name: closes, live: {{ {}: {{ status: REVIEW }} }}, expect: {{ changes: 2 }} }}\n",
            uuid(1)
        ),
    );
    assert_eq!(job(&forge, "test", &[]).exit, 1);
    let report = std::fs::read_to_string(forge.world.path("tests.xml")).expect("a report");
    assert!(report.contains("failures=\"1\""), "{report}");
}

#[test]
fn drift_fails_the_scheduled_pipeline() {
    let Some(forge) = Forge::new() else { return };
    assert_eq!(job(&forge, "drift", &[]).exit, 0);
    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    assert_eq!(job(&forge, "drift", &[]).exit, 2);
}

/// Merged results: HEAD holds what the target branch has changed since the merge request began.
#[test]
fn changes_of_the_target_branch_are_not_those_of_the_merge_request() {
    let Some(forge) = Forge::new() else { return };
    let began = forge.git("rev-parse HEAD");
    forge.git("checkout --quiet -b topic");
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    forge.git("checkout --quiet main");
    let lead = format!("version: 1\nleads:\n  {}: {{ tags: [vip] }}\n", uuid(3));
    forge.world.write("leads/other.yaml", &lead);
    forge.world.declare(&format!(
        "  {}: {{ status: OPEN }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    let target = forge.commit();
    forge.git(&format!("update-ref refs/remotes/origin/main {target}"));
    forge.git("merge --quiet --no-edit --strategy-option theirs topic");
    forge.git("rm --quiet --cached leads/other.yaml");
    std::fs::remove_file(forge.world.path("leads/other.yaml")).expect("a file");
    forge.commit();
    forge
        .world
        .sandbox()
        .edit(&uuid(2), |record| record["status"] = "REVIEW".into());
    let done = plan(&forge, &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &began)]);
    assert_eq!(done.exit, 0, "{}", done.log);
    let json = std::fs::read(forge.world.path("report/plan.json")).expect("a plan");
    let json: Json = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["base"]["commit"], target.as_str());
}

#[test]
fn labels_and_variables_change_the_limits() {
    let Some(forge) = Forge::new() else { return };
    let config = std::fs::read_to_string(forge.world.path("convertalk.yaml")).expect("a file");
    let policy = "policy: { transitions: { deny: [\"* -> CLOSED\"] } }\n";
    forge
        .world
        .write("convertalk.yaml", &format!("{config}{policy}"));
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let labels = ("CI_MERGE_REQUEST_LABELS", "bug,convertalk:allow=transition");
    assert_eq!(plan(&forge, &[]).exit, 3);
    assert_eq!(plan(&forge, &[labels]).exit, 0);
    let write = ("CONVERTALK_WRITE_TOKEN", TOKEN);
    let begin = ("BEGIN", "files");
    assert_eq!(job(&forge, "apply", &[write, begin]).exit, 3);
    let allow = ("ALLOW", "transition max-leads");
    assert_eq!(job(&forge, "apply", &[write, begin, allow]).exit, 0);
    assert_eq!(forge.status(1), "CLOSED");
}

#[test]
fn a_fleet_becomes_a_child_pipeline() {
    let Some(forge) = Forge::new() else { return };
    let list = |source: &str| {
        let env = [
            ("CI_PIPELINE_SOURCE", source),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ];
        let done = forge.run("examples/ci/gitlab/fleet.gitlab-ci.yml", "list", &[], &env);
        assert_eq!(done.exit, 0, "{}", done.log);
        let text = std::fs::read_to_string(forge.world.path("fleet.yml")).expect("a pipeline");
        serde_yaml::from_str::<Json>(&text).expect("YAML")
    };
    assert_eq!(list("push")["root"]["extends"], ".apply");
    assert!(list("merge_request_event")["nothing"].is_object());
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    forge.commit();
    let child = list("merge_request_event");
    assert_eq!(child["root"]["extends"], ".plan");
    assert_eq!(child["root"]["variables"]["DIR"], ".");
    assert_eq!(child["include"][0]["local"], "workspace.gitlab-ci.yml");
}

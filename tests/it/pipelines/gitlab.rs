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

#[test]
fn apply_goes_on_from_the_last_deployment() {
    let Some(forge) = Forge::new() else { return };
    let apply = || job(&forge, "apply", &[("CONVERTALK_WRITE_TOKEN", TOKEN)]);
    assert_eq!(apply().exit, 0);
    let first = forge.git("rev-parse HEAD");
    forge.keep("deployments", &json!([{ "sha": first }]));
    forge
        .world
        .sandbox()
        .edit(&uuid(3), |record| record["status"] = "ONHOLD".into());
    forge.declare(["CLOSED", "OPEN", "OPEN"]);
    let second = forge.commit();
    let done = apply();
    assert_eq!(done.exit, 0, "{}", done.log);
    assert_eq!(
        [1, 3].map(|number| forge.status(number)),
        ["CLOSED", "ONHOLD"]
    );
    assert!(forge.world.path("run.jsonl").exists());

    forge.keep("deployments", &json!([{ "sha": second }]));
    forge.git(&format!("checkout --quiet {first}"));
    let done = apply();
    assert!(
        done.exit == 1 && done.log.contains("was applied last"),
        "{}",
        done.log
    );
    assert_eq!(forge.status(1), "CLOSED");
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

//! `init`: a workspace that works at once, and nothing written over.

use std::path::Path;

use crate::world::{Ran, program};

const IDS: &str = "63d9ffa77a8d152facbe2f00,631aa793bcfa100487d13d01";

fn run(folder: &Path, words: &[&str]) -> Ran {
    Ran::of(
        program(words)
            .current_dir(folder)
            .output()
            .expect("the program runs"),
    )
}

#[test]
fn without_anything_it_is_a_sandbox_that_can_be_planned_and_applied() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(folder.path(), &["init", "crm"]).exits(0);
    assert!(
        made.out.contains("crm/convertalk.yaml")
            && made.err.contains("Next: convertalk plan -C crm"),
        "{}{}",
        made.out,
        made.err
    );
    let crm = folder.path().join("crm");
    let validated = run(&crm, &["validate"]).exits(0);
    assert!(
        validated.err.is_empty(),
        "not even a warning: {}",
        validated.err
    );
    run(&crm, &["plan", "--detailed-exitcode"]).exits(2);
    run(&crm, &["apply", "--yes"]).exits(0);
    run(&crm, &["plan", "--detailed-exitcode"]).exits(0);
    run(&crm, &["doctor"]).exits(0);
    let tested = run(&crm, &["test"]).exits(0);
    assert_eq!(
        (tested.out.as_str(), tested.err.as_str()),
        ("Passed: 1 test\n", "")
    );
    for file in ["leads", "workspace", "tests"] {
        let schema = std::fs::read_to_string(crm.join(format!("schema/{file}.schema.json")))
            .expect("a schema");
        assert!(schema == run(&crm, &["schema", file]).out, "{file}");
    }
}

#[test]
fn with_the_embed_script_it_is_for_that_bot() {
    let folder = tempfile::tempdir().expect("a folder");
    run(
        folder.path(),
        &["init", "--embed", &format!("<script>{IDS}</script>")],
    )
    .exits(0);
    assert!(run(folder.path(), &["validate"]).exits(0).err.is_empty());
    assert_eq!(
        run(folder.path(), &["test"]).exits(0).out,
        "Passed: 1 test\n"
    );
    let config = std::fs::read_to_string(folder.path().join("convertalk.yaml")).expect("a file");
    assert!(
        config.contains("bot_id: 63d9ffa77a8d152facbe2f00")
            && config.contains("customer_id: 631aa793bcfa100487d13d01")
    );
    assert!(
        run(folder.path(), &["plan"])
            .exits(1)
            .err
            .contains("CONVERTALK_READ_TOKEN")
    );
    assert!(
        run(folder.path(), &["init", "other", "--embed", "no ids"])
            .exits(1)
            .err
            .contains("botId,customerId")
    );
}

#[test]
fn what_is_there_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("leads")).expect("a folder");
    std::fs::write(path("leads/first.yaml"), "version: 1\nleads: {}\n").expect("a file");
    std::fs::write(path(".gitignore"), "target\n.convertalk/").expect("a file");
    let made = run(folder.path(), &["init"]).exits(0);
    assert!(
        made.out.contains("unchanged ./leads/first.yaml")
            && made.out.contains("added to  ./.gitignore"),
        "{}",
        made.out
    );
    assert_eq!(
        std::fs::read_to_string(path("leads/first.yaml")).expect("a file"),
        "version: 1\nleads: {}\n"
    );
    let ignored = std::fs::read_to_string(path(".gitignore")).expect("a file");
    assert_eq!(
        ignored,
        "target\n.convertalk/\n/plan.*\n/run.jsonl\n/live.jsonl\n"
    );
    let before = std::fs::read_to_string(path("convertalk.yaml")).expect("a file");
    assert!(
        run(folder.path(), &["init", "--embed", IDS])
            .exits(1)
            .err
            .contains("already a workspace")
    );
    assert_eq!(
        std::fs::read_to_string(path("convertalk.yaml")).expect("a file"),
        before
    );
}

#[test]
fn ids_from_the_environment_are_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = |endpoint: &str| {
        let mut command = program(&["init"]);
        command
            .current_dir(folder.path())
            .env("CONVERTALK_BOT_ID", &IDS[..24])
            .env("CONVERTALK_CUSTOMER_ID", &IDS[25..]);
        Ran::of(
            command
                .env("CONVERTALK_ENDPOINT", endpoint)
                .output()
                .expect("the program runs"),
        )
    };
    assert!(
        made("http://example.com")
            .exits(1)
            .err
            .contains("bad-endpoint")
    );
    assert!(!folder.path().join("convertalk.yaml").exists());
    made("https://white-label.example.com").exits(0);
    let config = std::fs::read_to_string(folder.path().join("convertalk.yaml")).expect("a file");
    assert!(
        config.contains("endpoint: https://white-label.example.com") && config.contains(&IDS[..24]),
        "{config}"
    );
}

#[test]
fn pipelines_come_for_the_address_of_the_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let git = std::process::Command::new("git")
        .args(["init", "-q", "."])
        .current_dir(folder.path())
        .status();
    assert!(git.expect("git runs").success());
    assert!(
        run(folder.path(), &["init", "crm", "--ci", "github"])
            .exits(1)
            .err
            .contains("top of the repository")
    );
    let mut command = program(&["init", "--embed", IDS, "--ci", "github"]);
    command
        .current_dir(folder.path())
        .env("CONVERTALK_ENDPOINT", "https://white-label.example.com");
    let _made = Ran::of(command.output().expect("the program runs")).exits(0);
    let workflows = folder.path().join(".github/workflows");
    for name in ["plan", "apply", "drift", "snapshot", "plan-fork"] {
        let text =
            std::fs::read_to_string(workflows.join(format!("{name}.yml"))).expect("a workflow");
        assert!(
            text.contains("CONVERTALK_ENDPOINT: https://white-label.example.com"),
            "{name}: {text}"
        );
    }
    let again = run(folder.path(), &["init", "--ci", "github"]).exits(0);
    assert!(
        again.out.contains("unchanged ./.github/workflows/plan.yml")
            && !again.out.contains("convertalk.yaml"),
        "{}",
        again.out
    );
    let other = tempfile::tempdir().expect("a folder");
    run(other.path(), &["init", "--ci", "gitlab"]).exits(0);
    let made = std::fs::read_to_string(other.path().join(".gitlab-ci.yml")).expect("a pipeline");
    assert_eq!(
        made,
        std::fs::read_to_string("examples/ci/gitlab/.gitlab-ci.yml").expect("an example")
    );
}

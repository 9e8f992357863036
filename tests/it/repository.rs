//! What git says, where it does not answer as hoped: each failure by its own name, with what to do.

use std::process::Command;

use crate::base::{commit, git, world};
use crate::world::{Ran, World, record, uuid};

/// A git that holds every repository for another user's, as in a job's container.
const FOREIGN: (&str, &str) = ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");

fn run_with(world: &World, words: &str, (name, value): (&str, &str)) -> Ran {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = world.command(&words);
    world.ran(command.env(name, value).output().expect("the program runs"))
}

/// Without git: nothing is in PATH.
fn run_without_git(world: &World, words: &str) -> Ran {
    run_with(world, words, ("PATH", "/nowhere"))
}

/// The world of [`world`] without conflicts, in the folder `crm` of its repository.
fn nested() -> World {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    std::fs::remove_file(world.path("convertalk.yaml")).expect("a file");
    world.write("crm/convertalk.yaml", &config);
    world.write(
        "crm/leads/all.yaml",
        &format!("version: 1\nleads:\n  {}: {{ status: OPEN }}\n", uuid(1)),
    );
    git(&world, "init -q .");
    git(&world, "add crm");
    git(&world, "commit -qm files");
    world
}

#[test]
fn a_repository_of_another_user_is_named_with_the_command_that_trusts_it() {
    let world = nested();
    for words in [
        "plan -C crm --base HEAD",
        "plan -C crm --base auto",
        "apply -C crm --yes --base applied --begin files",
        "workspaces --changed --base HEAD",
        "explain -C crm 7e88 --history",
    ] {
        let ran = match words.contains("auto") {
            false => run_with(&world, words, FOREIGN),
            true => {
                let mut command = world.command(&words.split(' ').collect::<Vec<_>>());
                command
                    .env(FOREIGN.0, FOREIGN.1)
                    .env("GITHUB_BASE_REF", "main");
                world.ran(command.output().expect("the program runs"))
            }
        };
        assert_eq!(ran.exit, 1, "{words}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("dubious ownership")
                && ran.err.contains("git config --global --add safe.directory"),
            "{words}: {}",
            ran.err
        );
        for wrong in [
            "not found",
            "fetch",
            "not in this repository",
            "not in a git",
        ] {
            assert!(!ran.err.contains(wrong), "{words}: {}", ran.err);
        }
    }
    assert!(world.puts().is_empty());
}

#[test]
fn what_needs_no_git_works_in_a_repository_of_another_user_and_says_what_is_left_out() {
    let world = nested();
    let plan = run_with(&world, "plan -C crm --format json", FOREIGN).exits(0);
    assert_eq!(plan.json()["head"], serde_json::Value::Null);
    assert!(
        plan.err.contains("the commit of the files is not known")
            && plan.err.contains("safe.directory"),
        "{}",
        plan.err
    );
    let explained = run_with(&world, &format!("explain -C crm {}", uuid(1)), FOREIGN).exits(0);
    assert!(
        explained
            .err
            .contains("the commits of some lines are not shown"),
        "{}",
        explained.err
    );
    run_with(&world, "apply -C crm --yes", FOREIGN).exits(0);
}

#[test]
fn annotations_name_the_folder_of_the_workspace_whatever_git_says() {
    let world = nested();
    world.write("crm/leads/all.yaml", "version: 1\nleads: { x: [] }\n");
    let ways = [
        run_with(&world, "validate -C crm --format github", ("NOTHING", "1")),
        run_with(&world, "validate -C crm --format github", FOREIGN),
        run_without_git(&world, "validate -C crm --format github"),
    ];
    for ran in ways {
        assert!(
            ran.out.contains("file=crm/leads/all.yaml"),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    let sarif = run_without_git(&world, "validate -C crm --format sarif")
        .exits(1)
        .out;
    assert!(sarif.contains("crm/leads/all.yaml"), "{sarif}");
    // A checkout without git has no `.git`; the job says where it is.
    std::fs::remove_dir_all(world.path(".git")).expect("a repository");
    let top = world.path(".").to_string_lossy().into_owned();
    for name in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"] {
        let ran = run_with(&world, "validate -C crm --format github", (name, &top));
        assert!(ran.out.contains("file=crm/leads/all.yaml"), "{}", ran.out);
    }
    let alone = world.run("validate -C crm --format github");
    assert!(
        alone.out.contains("file=leads/all.yaml") && alone.err.contains("in no git repository"),
        "{}{}",
        alone.out,
        alone.err
    );
}

#[test]
fn a_git_that_is_missing_is_said() {
    let (world, _) = world();
    for words in [
        "plan --base HEAD",
        "plan --base applied",
        "workspaces --changed --base HEAD",
    ] {
        let ran = run_without_git(&world, words).exits(1);
        assert!(
            ran.err.contains("git could not be started") && ran.err.contains("install git"),
            "{words}: {}",
            ran.err
        );
    }
    let plan = run_without_git(&world, "plan").exits(0);
    assert!(
        plan.err.contains("git could not be started"),
        "{}",
        plan.err
    );
    let outside = World::new(&[record(1, "OPEN", None, &[])], "");
    outside.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    let plan = run_without_git(&outside, "plan").exits(0);
    assert_eq!(
        plan.err, "",
        "outside of a repository there is nothing to ask"
    );
}

#[test]
fn a_branch_that_was_never_fetched_says_so_and_the_command_that_it_gives_fetches_it() {
    let (world, _) = world();
    git(&world, "branch other");
    let here = world.path(".");
    let here = here.to_str().expect("a path");
    let clone = World::new(&[record(1, "OPEN", None, &[])], "");
    std::fs::remove_file(clone.path("convertalk.yaml")).expect("a file");
    git(&clone, "init -q .");
    git(&clone, &format!("remote add origin {here}"));
    git(
        &clone,
        "fetch -q origin +refs/heads/main:refs/remotes/origin/main",
    );
    git(&clone, "checkout -qb main origin/main");
    let never = clone.run("plan --base origin/other").exits(1);
    assert!(
        never
            .err
            .contains("the branch `other` of `origin` is not in this clone: it was never fetched"),
        "{}",
        never.err
    );
    let auto = run_with(&clone, "plan --base auto", ("GITHUB_BASE_REF", "other")).exits(1);
    assert!(auto.err.contains("never fetched"), "{}", auto.err);
    let (_, fetch) = never.err.split_once("git fetch ").expect("a command");
    git(
        &clone,
        &format!("fetch -q {}", fetch.lines().next().expect("a line")),
    );
    clone
        .run("plan --base origin/other --missing skip")
        .exits(0);
    let bare = clone.run("plan --base other").exits(1);
    assert!(
        bare.err.contains("the branch is here as `origin/other`"),
        "{}",
        bare.err
    );
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let gone = clone.run(&format!("plan --base {hash}")).exits(1);
    assert!(
        gone.err.contains(&format!("git fetch origin {hash}")),
        "{}",
        gone.err
    );
}

#[test]
fn a_shallow_clone_says_how_to_get_the_history() {
    let (world, _) = world();
    git(&world, "commit -qam second");
    let here = format!("file://{}", world.path(".").display());
    let clone = World::new(&[record(1, "OPEN", None, &[])], "");
    std::fs::remove_file(clone.path("convertalk.yaml")).expect("a file");
    git(&clone, "init -q .");
    git(&clone, &format!("remote add origin {here}"));
    git(
        &clone,
        "fetch -q --depth 1 origin main:refs/remotes/origin/main",
    );
    git(&clone, "checkout -qb main origin/main");
    let ran = clone.run("plan --base HEAD~1").exits(1);
    assert!(
        ran.err.contains("this clone is shallow") && ran.err.contains("fetch-depth: 0"),
        "{}",
        ran.err
    );
}

#[test]
fn in_a_shallow_clone_no_commit_is_blamed_for_what_is_older() {
    let (world, _) = world();
    git(&world, "commit -qam old");
    let (old, at) = (uuid(1), format!("file://{}", world.path(".").display()));
    world.write(
        "leads/new.yaml",
        &format!("version: 1\nleads:\n  {}: {{ label: New }}\n", uuid(8)),
    );
    git(&world, "add leads/new.yaml");
    git(&world, "commit -qm added");
    world.write(
        "leads/new.yaml",
        &format!("version: 1\nleads:\n  {}: {{ label: Other }}\n", uuid(8)),
    );
    git(&world, "commit -qam renamed");
    let clone = tempfile::tempdir().expect("a folder");
    let run = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut command = world.command(&words);
        world.ran(command.current_dir(clone.path()).output().expect("it runs"))
    };
    git(
        &world,
        &format!("clone -q --depth 2 {at} {}", clone.path().display()),
    );
    let explained = run(&format!("explain {old} --format json")).exits(0);
    assert!(
        explained.err.contains("this clone is shallow"),
        "{}{}",
        explained.out,
        explained.err
    );
    assert_eq!(
        explained.json()["fields"][0]["commit"],
        serde_json::Value::Null
    );
    let history = run(&format!("explain {old} --history --format json"));
    assert!(
        history.err.contains("older commits are not shown"),
        "{}",
        history.err
    );
    assert_eq!(history.json()["history"], serde_json::json!([]));
    let new = run(&format!("explain {} --history --format json", uuid(8)))
        .exits(0)
        .json();
    assert_eq!(new["history"].as_array().map(Vec::len), Some(1), "{new}");
    assert_eq!(new["history"][0]["subject"], "renamed");
}

#[test]
fn a_repository_without_a_commit_is_not_a_missing_commit() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    git(&world, "init -q .");
    let ran = world.run("plan --base HEAD").exits(1);
    assert!(
        ran.err.contains("the repository has no commit yet"),
        "{}",
        ran.err
    );
    assert_eq!(world.run("plan").exits(0).err, "");
}

/// `main` has files with an error, and the branch repairs them.
fn repair() -> (World, String) {
    let (world, _) = world();
    let repaired = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    world.write("leads/all.yaml", "version: 1\nleads: [what\n");
    let broken = commit(&world);
    git(&world, "update-ref refs/remotes/origin/main HEAD");
    git(&world, "checkout -qb repair");
    world.write("leads/all.yaml", &repaired);
    commit(&world);
    (world, broken)
}

#[test]
fn a_pull_request_that_repairs_the_files_of_its_target_is_planned_without_classes() {
    let (world, broken) = repair();
    let on = ("GITHUB_BASE_REF", "main");
    let plan = run_with(&world, "plan --base auto --format json", on)
        .exits(0)
        .json();
    assert_eq!(plan["base"], serde_json::Value::Null);
    let changes = plan["changes"].as_array().expect("changes");
    assert!(!changes.is_empty() && changes.iter().all(|change| change["class"] == "change"));
    let warning = &plan["warnings"][0];
    assert_eq!(warning["rule"], "base");
    let message = warning["message"].as_str().expect("a message");
    assert!(
        message.contains(&broken[..12]) && message.contains("leads/all.yaml:"),
        "{message}"
    );
    for format in ["text", "markdown", "html", "github", "sarif"] {
        let ran = run_with(&world, &format!("plan --base auto --format {format}"), on).exits(0);
        assert!(ran.out.contains(&broken[..12]), "{format}: {}", ran.out);
    }
    run_with(&world, "plan --base auto --detailed-exitcode", on).exits(2);
    world.run("plan --base origin/main").exits(0);
}

#[test]
fn an_apply_refuses_a_base_that_has_errors() {
    let (world, broken) = repair();
    let ran = world.run("apply --yes --base origin/main").exits(1);
    assert!(
        ran.err.contains(&broken[..12]) && ran.err.contains("contain errors"),
        "{}",
        ran.err
    );
    assert!(world.puts().is_empty());
    let selected = world.run("plan --base origin/main --only changed").exits(1);
    assert!(selected.err.contains("contain errors"), "{}", selected.err);
}

#[test]
fn a_pull_request_that_moves_the_workspace_is_planned_too() {
    let (world, _) = world();
    git(&world, "update-ref refs/remotes/origin/main HEAD");
    let mut moved = Command::new("sh");
    moved.args(["-c", "mkdir crm && git mv convertalk.yaml leads crm"]);
    let moved = moved.current_dir(world.path(".")).status();
    assert!(moved.expect("sh runs").success());
    git(&world, "commit -qm moved");
    let on = ("GITHUB_BASE_REF", "main");
    let plan = run_with(&world, "plan -C crm --base auto --format json", on)
        .exits(0)
        .json();
    assert_eq!(plan["warnings"][0]["rule"], "base");
    world.run("plan -C crm --base origin/main").exits(1);
}

//! The README's table of daily jobs: each row's commands, typed as they stand, do the job; an edit of files is one commit.

use std::collections::BTreeSet;

use crate::base::git;
use crate::world::{PRIYA, RAHUL, Ran, World, record};

const ACME: &str = "7e88d192-9b20-4035-9b68-d4ac3d58a34f";
const GLOBEX: &str = "1f0c6d0e-52a8-4c0b-9a51-3f4f6b1c0a01";
const INITECH: &str = "2a9b1c3d-0b4e-4f5a-8c6d-7e8f90a1b2c3";
const NEW: &str = "99999999-0b4e-4f5a-8c6d-7e8f90a1b2c3";

/// A repository whose files and inbox agree, but for a tag that an agent added, and one lead that no file declares.
fn world() -> World {
    let mut live = [
        record(1, "OPEN", Some(PRIYA), &["cold"]),
        record(2, "OPEN", Some(PRIYA), &["vip"]),
        record(3, "REVIEW", Some(RAHUL), &["cold", "web"]),
        record(4, "OPEN", None, &[]),
    ];
    for (record, uuid) in live.iter_mut().zip([ACME, GLOBEX, INITECH, NEW]) {
        record["uuid"] = uuid.into();
    }
    let world = World::new(&live, "");
    world.write(
        "convertalk.yaml",
        "version: 1
api: { endpoint: sandbox, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents:
  priya: 631aa793bcfa100487d13d0d
  rahul: { id: 631aa793bcfa100487d13d0e, max_leads: 60 }
  asha: 631aa793bcfa100487d13d0f
policy: { max_changes: 3 }
",
    );
    world.declare(&format!(
        "  {ACME}:
    label: Acme renewal # since May
    status: OPEN
    agent: priya
    tags: [cold]
  {GLOBEX}: {{ status: OPEN, agent: priya, tags: [vip] }}
  {INITECH}: {{ status: REVIEW, agent: rahul, tags: [cold] }}
"
    ));
    world.write(".gitignore", "seed.json\nleads.csv\nlive.jsonl\n");
    world.run("fmt").exits(0);
    git(&world, "init -q .");
    git(&world, "add .");
    git(&world, "commit -qm Declare");
    git(&world, "update-ref refs/remotes/origin/main HEAD");
    world
}

/// The rows of the table: the job, and its commands.
fn rows() -> Vec<(String, Vec<String>)> {
    let readme = std::fs::read_to_string("README.md").expect("a README");
    let (_, table) = readme.split_once("| job | command |").expect("the table");
    let lines = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let (job, commands) = line[1..].split_once('|').expect("two columns");
        let commands = commands.split('`').skip(1).step_by(2);
        let commands = commands.map(|text| text.strip_prefix("convertalk ").expect("a command"));
        (job.trim().to_owned(), commands.map(str::to_owned).collect())
    };
    lines.map(row).collect()
}

/// Types a command; where it asks, the answer is yes.
fn typed(world: &World, command: &str) -> Ran {
    let asks = command.starts_with("apply") || command.starts_with("undo");
    let command = command.to_owned() + if asks { " --yes" } else { "" };
    world.run(&command).exits(0)
}

/// A world of its own in which a job is done.
fn done(commands: &[String]) -> World {
    let world = world();
    for command in commands {
        if command == "runs" {
            typed(&world, "apply");
        }
        let ran = typed(&world, command);
        if command.contains("--format csv") {
            world.write("leads.csv", &ran.out);
        }
    }
    world
}

#[test]
fn each_daily_job_of_the_readme_is_done_by_its_commands() {
    let rows = rows();
    assert!(rows.len() >= 16, "{rows:?}");
    for (job, commands) in &rows {
        let world = done(commands);
        let changed = git(&world, "status --porcelain");
        let edits = ["Close", "Give", "Share", "Update the files", "Import"];
        let is_edit = edits.iter().any(|word| job.starts_with(word));
        assert_eq!(!changed.is_empty(), is_edit, "{job}: {changed}");
    }
}

#[test]
fn bulk_edits_of_the_readme_change_the_leads_that_they_name_in_one_commit() {
    let rows = rows();
    for (job, leads) in [
        ("Close everything", BTreeSet::from([ACME, INITECH])),
        ("Give one agent's", BTreeSet::from([ACME, GLOBEX])),
        ("Share them out", BTreeSet::from([ACME, GLOBEX])),
    ] {
        let row = rows.iter().find(|(name, _)| name.starts_with(job));
        let (_, commands) = row.expect("the job");
        assert_eq!(commands.len(), 1, "{job} is one command");
        let world = done(commands);
        git(&world, "commit -qam Bulk");
        let leads: BTreeSet<String> = leads.into_iter().map(str::to_owned).collect();
        assert_eq!(intended_since(&world, "HEAD~1"), leads, "{job}");
        assert!(
            std::fs::read_to_string(world.path("leads/all.yaml"))
                .expect("a file")
                .contains("# since May"),
            "{job}"
        );
        git(&world, "revert --no-edit HEAD");
        let left = intended_since(&world, "HEAD~2");
        assert!(left.is_empty(), "{job} is reverted by a commit: {left:?}");
    }
}

/// The leads that the commits since a base change.
fn intended_since(world: &World, base: &str) -> BTreeSet<String> {
    let plan = world.run(&format!("plan --base {base} --format json"));
    let plan = plan.exits(0).json();
    let changes = plan["changes"].as_array().expect("changes").iter();
    changes
        .filter(|change| change["class"] == "intended")
        .map(|change| change["uuid"].as_str().expect("a uuid").to_owned())
        .collect()
}

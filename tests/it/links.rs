//! Links in a workspace, whose author may not be its user: none leads a command out of it, to read or to write.
#![cfg(unix)]

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::base::{git, git_in};
use crate::world::{World, record, uuid};

fn world() -> World {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world
}

/// Moves a file out of the workspace and leaves a link to it.
fn move_out(world: &World, file: &str, outside: &Path) {
    let target = outside.join("moved");
    std::fs::copy(world.path(file), &target).expect("it is there");
    std::fs::remove_file(world.path(file)).expect("it is there");
    symlink(&target, world.path(file)).expect("a link");
}

#[test]
fn the_workspace_file_and_the_seed_are_files_of_the_workspace() {
    for file in ["convertalk.yaml", "seeds/a.json"] {
        let (world, outside) = (world(), tempfile::tempdir().expect("a folder"));
        let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
        let seeded = config.replace("endpoint: sandbox", "endpoint: sandbox, seed: seeds/a.json");
        world.write("convertalk.yaml", &seeded);
        world.write("seeds/a.json", "{ \"lead\": [] }");
        world.run("validate").exits(0);
        move_out(&world, file, outside.path());
        for command in ["validate", "plan", "apply --yes", "list", "doctor"] {
            let ran = world.run(command).exits(1);
            assert!(
                ran.err.contains("leads out of the workspace") || ran.out.contains("1 error"),
                "{command}, {file}: {}{}",
                ran.out,
                ran.err
            );
        }
        let json = world.run("validate --format json").exits(1).json();
        assert_eq!(json["errors"][0]["code"], "link-outside", "{file}");
        assert_eq!(json["errors"][0]["places"][0]["file"], file);
        // A link within it is as good as the file.
        std::fs::remove_file(world.path(file)).expect("a link");
        std::fs::copy(outside.path().join("moved"), world.path("kept")).expect("a file");
        symlink(world.path("kept"), world.path(file)).expect("a link");
        world.run("validate").exits(0);
        assert!(world.puts().is_empty());
    }
}

/// What a command says of a file of the program that is a link: that it is one, where nothing goes on without the file.
#[test]
fn the_programs_own_files_are_no_links() {
    for (name, is_needed) in [
        ("lock", true),
        ("applied.json", true),
        ("watch.json", true),
        ("runs", true),
        ("platform.json", false),
        ("listing.json", false),
    ] {
        let (world, outside) = (world(), tempfile::tempdir().expect("a folder"));
        let folder = world.path(".");
        git_in(&folder, &["init", "-q", "."]);
        git_in(&folder, &["add", "convertalk.yaml", "leads"]);
        git_in(&folder, &["commit", "-qm", "Declare"]);
        std::fs::create_dir(world.path(".convertalk")).expect("a folder");
        let target = outside.path().join(name);
        match name {
            "runs" => std::fs::create_dir(&target).expect("a folder"),
            _ => std::fs::write(&target, "theirs").expect("a file"),
        }
        symlink(&target, world.path(".convertalk").join(name)).expect("a link");
        let command = match name {
            "watch.json" => "watch --once --begin files",
            _ => "apply --yes --base applied --begin files",
        };
        let ran = world.run(command);
        assert_eq!(ran.exit, i32::from(is_needed), "{name}: {}", ran.err);
        if is_needed || name == "platform.json" {
            assert!(ran.err.contains("is a link"), "{name}: {}", ran.err);
        }
        match name {
            "runs" => assert_eq!(std::fs::read_dir(&target).expect("a folder").count(), 0),
            _ => assert_eq!(std::fs::read_to_string(&target).expect("a file"), "theirs"),
        }
        assert_eq!(world.puts().is_empty(), is_needed, "{name}");
    }
}

#[test]
fn a_workspace_within_another_owns_its_files() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world.write("leads/eu/convertalk.yaml", &config);
    // The same lead as the outer one declares: two inboxes may have it.
    let file = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    world.write("leads/eu/leads/all.yaml", &file);
    git(&world, "init -q .");
    git(&world, "add .");
    git(&world, "commit -qm files");
    let validate = world.run("validate --format json").exits(0).json();
    assert_eq!(
        (&validate["files"], &validate["leads"]),
        (&json!(1), &json!(1))
    );
    world.run("validate -C leads/eu").exits(0);
    let plan = world.run("plan --base HEAD --format json").exits(0).json();
    assert_eq!(plan["head"]["dirty"], false);
    assert_eq!(plan["summary"]["declared"], 1);
    world.write("leads/eu/leads/all.yaml", "version: 1\nleads: {}\n");
    let plan = world.run("plan --base HEAD --format json").exits(0).json();
    assert_eq!(plan["head"]["dirty"], false, "of the other workspace");
}

#[test]
fn a_workspace_within_another_is_not_written_into() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let named = config.replace("priya:", "asha:");
    let globs = "leads: [\"**/leads/*.yaml\"]\n";
    world.write("convertalk.yaml", &(config + globs));
    world.write("eu/convertalk.yaml", &named);
    let file = format!(
        "version: 1\nleads:\n  {}:\n    agent: {}\n",
        uuid(2),
        crate::world::PRIYA
    );
    world.write("eu/leads/all.yaml", &file);
    world.write("leads/all.yaml", "version: 1\nleads: {}\n");
    for file in ["eu/leads/new.yaml", "eu/leads/all.yaml"] {
        let pull = world.run(&format!("pull --out {file}")).exits(1);
        assert!(pull.err.contains("no glob"), "{}", pull.err);
        world.write("sheet.csv", &format!("uuid,status\n{},OPEN\n", uuid(1)));
        let set = world.run(&format!("set --from sheet.csv --add-to {file}"));
        assert!(set.exits(1).err.contains("no glob"));
    }
    assert!(!world.path("eu/leads/new.yaml").exists());
    world.run("fmt eu/leads/all.yaml").exits(0);
    let now = std::fs::read_to_string(world.path("eu/leads/all.yaml")).expect("a file");
    assert!(now.contains("agent: asha"), "its own names: {now}");
}

#[test]
fn a_lead_file_that_is_a_link_within_the_workspace_has_a_history_as_any_file() {
    let world = world();
    git(&world, "init -q .");
    git(&world, "add -A");
    git(&world, "commit -qm file");
    let text = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    world.write("store/all.yaml", &text);
    std::fs::remove_file(world.path("leads/all.yaml")).expect("a file");
    symlink("../store/all.yaml", world.path("leads/all.yaml")).expect("a link");
    git(&world, "add -A");
    git(&world, "commit -qm link");
    let plan = world
        .run("plan --base HEAD~1 --format json")
        .exits(0)
        .json();
    assert_eq!(plan["head"]["dirty"], false);
    assert_eq!(plan["changes"][0]["class"], "drift", "{plan}");
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "CLOSED".into());
    world.write("store/all.yaml", &text.replace("CLOSED", "REVIEW"));
    let plan = world.run("plan --base HEAD --format json").exits(0).json();
    assert_eq!(plan["head"]["dirty"], true);
    assert_eq!(plan["changes"][0]["class"], "intended", "{plan}");
    git(&world, "commit -qam review");
    world
        .run("apply --yes --base applied --begin files")
        .exits(0);
    let ran = world.run("plan --base applied").exits(0);
    assert!(ran.out.contains("all in sync"), "{}", ran.out);
    let history = world
        .run(&format!("explain {} --history --format json", uuid(1)))
        .exits(0)
        .json();
    let actions: Vec<&str> = history["history"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    assert_eq!(actions, ["declared"], "{history}");
}

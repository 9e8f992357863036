//! `runs`, `show RUN`, `undo` by name, and `explain --history`.

use serde_json::{Value as Json, json};

use crate::base::{commit, git};
use crate::world::{World, record, uuid};

fn world() -> World {
    let live = [
        record(1, "OPEN", None, &["web"]),
        record(2, "OPEN", None, &["web"]),
    ];
    let world = World::new(&live, "");
    declare(&world, "OPEN");
    git(&world, "init -q .");
    git(&world, "add convertalk.yaml leads");
    git(&world, "commit -qm first");
    world
}

fn declare(world: &World, status: &str) {
    world.declare(&format!(
        "  {}: {{ label: Acme renewal, status: {status} }}\n  {}: {{ label: Acorn, status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
}

/// Closes the first lead, in a commit and a run.
fn closed(world: &World) -> String {
    declare(world, "CLOSED");
    git(world, "commit -qam close");
    world.run("apply --yes").exits(0);
    let runs = world.run("runs --format json").exits(0).json();
    runs["runs"][0]["id"].as_str().expect("an id").to_owned()
}

fn status(world: &World) -> Json {
    let list = world.run("list --live --format json").exits(0).json();
    list["leads"][0]["live"]["status"].clone()
}

#[test]
fn runs_are_listed_with_what_came_of_them() {
    let world = world();
    assert_eq!(world.run("runs").exits(0).out, "No runs.\n");
    let id = closed(&world);
    let json = world.run("runs --format json").exits(0).json();
    let run = &json["runs"][0];
    assert_eq!(
        (&run["exit"], &run["outcomes"]),
        (&json!(0), &json!({ "verified": 1 }))
    );
    assert_eq!(run["file"], json!(format!(".convertalk/runs/{id}.jsonl")));
    let text = world.run("runs").exits(0).out;
    assert!(text.contains(&id) && text.contains("1 verified"), "{text}");
}

#[test]
fn a_run_is_shown_by_name_with_labels_and_values() {
    let world = world();
    let id = closed(&world);
    for name in ["last", id.as_str(), &id[..8]] {
        let shown = world.run(&format!("show {name}")).exits(0).out;
        assert!(shown.contains("Acme renewal"), "{name}: {shown}");
        assert!(shown.contains("OPEN -> CLOSED"), "{name}: {shown}");
        assert!(shown.contains("leads/all.yaml:3"), "{name}: {shown}");
    }
    let lines = world.run("show last --format json").exits(0).json();
    let write = lines["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["type"] == "write");
    assert_eq!(write.expect("a write")["label"], "Acme renewal");
    let unknown = world.run("show nowhere").exits(1);
    assert!(
        unknown.err.contains("neither a file nor a run"),
        "{}",
        unknown.err
    );
}

#[test]
fn undo_last_undoes_and_then_redoes() {
    let world = world();
    closed(&world);
    let undone = world.run("undo last --yes").exits(0);
    assert_eq!(status(&world), "OPEN");
    assert!(undone.out.contains("Acme renewal"), "{}", undone.out);
    assert!(undone.err.contains("1 lead"), "{}", undone.err);
    assert!(
        undone.err.contains("the files still declare"),
        "{}",
        undone.err
    );
    world.run("undo last --yes").exits(0);
    assert_eq!(status(&world), "CLOSED");
}

#[test]
fn places_of_an_undo_are_lines_of_the_run_file() {
    let world = world();
    let id = closed(&world);
    let undone = world.run(&format!("undo {} --yes", &id[..15])).exits(0);
    let file = std::fs::read_to_string(world.path(&format!(".convertalk/runs/{id}.jsonl")))
        .expect("a run");
    let line = 1 + file
        .lines()
        .position(|line| line.contains("\"write\""))
        .expect("a write");
    assert!(
        undone.out.contains(&format!("{id}.jsonl:{line}")),
        "{}",
        undone.out
    );
    // The run file of the undo says nothing of lines in lead files.
    let leads = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    let line = 1 + leads
        .lines()
        .position(|line| line.contains(&uuid(1)))
        .expect("the lead");
    let shown = world.run("show last --report csv=-").exits(0);
    let place = format!("leads/all.yaml,{line}");
    assert!(shown.out.contains(&place), "{place}: {}", shown.out);
}

#[test]
fn an_undo_selects_among_the_leads_of_its_run_and_says_of_what_was_undone_only_what_the_files_want()
{
    let world = world();
    let id = closed(&world);
    world.declare("");
    world.write("leads/all.yaml", "version: 1\nleads: {}\n");
    let other = world.run(&format!("undo {} --only {} --yes", &id[..15], uuid(9)));
    assert!(other.exits(1).err.contains("selects none"));
    let undone = world.run(&format!(
        "undo {} --only {} --yes",
        &id[..15],
        &uuid(1)[..12]
    ));
    let undone = undone.exits(0);
    assert_eq!(status(&world), "OPEN", "{}", undone.out);
    assert!(!undone.err.contains("still declare"), "{}", undone.err);
}

#[test]
fn the_history_of_a_lead_has_its_commits_and_its_runs() {
    let world = world();
    let id = closed(&world);
    for lead in [uuid(1).as_str(), "renewal", &uuid(1)[..]] {
        let json = world
            .run(&format!("explain {lead} --history --format json"))
            .exits(0)
            .json();
        let history = json["history"].as_array().expect("a history");
        let kinds: Vec<&Json> = history.iter().map(|entry| &entry["kind"]).collect();
        assert_eq!(kinds, ["run", "commit", "commit"]);
        assert_eq!(
            (&history[0]["run"], &history[0]["outcome"]),
            (&json!(id), &json!("verified"))
        );
        assert_eq!(
            (
                &history[1]["subject"],
                &history[1]["fields"],
                &history[1]["action"]
            ),
            (&json!("close"), &json!(["status"]), &json!("changed"))
        );
        assert_eq!(history[2]["action"], "declared");
    }
    let text = world.run("explain renewal --history").exits(0).out;
    assert!(text.contains("changed: status"), "{text}");
    let several = world.run("explain ac --history").exits(1);
    assert!(several.err.contains("2 declared leads"), "{}", several.err);
    let moved = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    world.write("leads/moved.yaml", &moved);
    std::fs::remove_file(world.path("leads/all.yaml")).expect("gone");
    git(&world, "add -A leads");
    git(&world, "commit -qm move");
    let json = world
        .run("explain renewal --history --format json")
        .exits(0)
        .json();
    assert_eq!(
        json["history"].as_array().map(Vec::len),
        Some(3),
        "a move changes no declaration"
    );
}

#[test]
fn a_run_whose_commit_is_not_here_says_whose_labels_it_shows() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let declare = |label: &str| {
        let id = uuid(1);
        world.declare(&format!("  {id}: {{ label: {label}, status: CLOSED }}\n"));
    };
    declare("Then");
    git(&world, "init -q .");
    commit(&world);
    world.run("apply --yes --run-file run.jsonl").exits(0);
    declare("Now");
    let shown = world.run("show run.jsonl").exits(0);
    assert!(shown.out.contains("Then"), "{}", shown.out);
    assert_eq!(shown.err, "");
    let run = std::fs::read_to_string(world.path("run.jsonl")).expect("a file");
    let head = run.split("\"commit\":\"").nth(1).expect("a commit");
    let other = "0123456789012345678901234567890123456789";
    world.write("run.jsonl", &run.replace(&head[..40], other));
    for format in ["text", "json", "markdown"] {
        let shown = world
            .run(&format!("show run.jsonl --format {format}"))
            .exits(0);
        for words in [
            "labels and places are those that the files have now",
            "not found in this repository",
        ] {
            assert!(shown.err.contains(words), "{format}: {}", shown.err);
        }
    }
    std::fs::rename(world.path(".git"), world.path("git")).expect("a folder");
    let shown = world.run("show run.jsonl").exits(0);
    assert!(shown.err.contains("have now"), "{}", shown.err);
}

#[test]
fn a_run_outside_git_says_whose_labels_it_shows() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world.run("apply --yes").exits(0);
    let shown = world.run("show last").exits(0);
    assert!(
        shown.err.contains("the run was not made from a commit"),
        "{}",
        shown.err
    );
}

#[test]
fn a_run_that_was_undone_is_not_undone_again() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world.run("apply --yes").exits(0);
    let runs = || world.run("runs --format json").exits(0).json()["runs"].clone();
    let first = runs()[0]["id"].as_str().expect("an id").to_owned();
    world.run("undo last --yes").exits(0);
    let (puts, kept) = (world.puts().len(), runs());
    let again = world.run(&format!("undo {first} --yes")).exits(0);
    assert!(again.out.contains("Nothing to do"), "{}", again.out);
    assert!(!again.out.contains("CLOSED"), "{}", again.out);
    assert_eq!((world.puts().len(), runs()), (puts, kept));
    world.run("undo last --yes").exits(0);
    let redone = &world.sandbox().records()[&uuid(1)];
    assert_eq!(redone["status"], "CLOSED");
}

#[test]
fn undo_says_that_there_is_no_run_before_it_asks_for_anything() {
    let world = World::new(&[], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let none = world.run("undo last").exits(1);
    assert!(!none.err.contains("confirmation"), "{}", none.err);
}

#[test]
fn what_is_undone_by_hand_counts_as_in_sync() {
    let live = [record(1, "OPEN", None, &[]), record(2, "OPEN", None, &[])];
    let world = World::new(&live, "");
    let lead = |number| format!("  {}: {{ status: CLOSED }}\n", uuid(number));
    world.declare(&(lead(1) + &lead(2)));
    world.run("apply --yes").exits(0);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "OPEN".into());
    let undone = world.run("undo last --yes").exits(0);
    assert!(
        undone.out.contains("1 to update, 1 in sync"),
        "{}",
        undone.out
    );
}

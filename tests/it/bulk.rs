//! `list` and `set`: the jobs of operations people, as one command each.

use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::base::git;
use crate::world::{Ran, World, record, uuid};

mod laws;
mod shares;
mod sheets;

const LEADS: &str = "# of the north
version: 1
defaults: { agent: priya }

leads:
  7e88d192-9b20-4035-9b68-000000000001:
    label: Acme   # renewal
    status: OPEN
    tags: [vip, cold]   # from the fair
  7e88d192-9b20-4035-9b68-000000000002:
    # asked us to wait
    hold: negotiating
    status: REVIEW
  7e88d192-9b20-4035-9b68-000000000003: { status: CLOSED, agent: rahul }
";

fn world() -> World {
    let live: Vec<Json> = (1..=4)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, "");
    world.write(
        "convertalk.yaml",
        "version: 1
api: { endpoint: sandbox, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents:
  priya: 631aa793bcfa100487d13d0d
  rahul: { id: 631aa793bcfa100487d13d0e, max_leads: 2 }
  asha: 631aa793bcfa100487d13d0f
",
    );
    world.write("leads/all.yaml", LEADS);
    git(&world, "init -q .");
    git(&world, "add .");
    git(&world, "commit -qm files");
    world
}

fn run(world: &World, words: &[&str]) -> Ran {
    world.ran(world.command(words).output().expect("it runs"))
}

fn with_stdin(world: &World, words: &[&str], input: &str) -> Ran {
    let mut child = world
        .command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = child.stdin.take().expect("stdin");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("stdin");
    drop(stdin);
    world.ran(child.wait_with_output().expect("it ends"))
}

fn text(world: &World) -> String {
    std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file")
}

#[test]
fn what_somebody_writes_before_the_sheet_ends_is_kept() {
    let world = world();
    let mut set = world
        .command(&["set", "--from", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut stdin = set.stdin.take().expect("stdin");
    std::io::Write::write_all(&mut stdin, b"uuid,status\n").expect("stdin");
    let edited = LEADS.replace("status: REVIEW", "status: OPEN");
    world.write("leads/all.yaml", &edited);
    let row = format!("{},CLOSED\n", uuid(1));
    std::io::Write::write_all(&mut stdin, row.as_bytes()).expect("stdin");
    drop(stdin);
    assert!(set.wait().expect("it ends").success());
    assert_eq!(
        text(&world),
        edited.replacen("status: OPEN", "status: CLOSED", 1)
    );
}

#[test]
fn a_file_that_somebody_edits_during_the_listing_is_not_updated() {
    let live = [record(1, "CLOSED", None, &["web"])];
    let world = World::new(&live, "--latency 300ms");
    let declared = |status: &str| {
        format!(
            "version: 1\nleads:\n  {}: {{ status: {status} }}\n",
            uuid(1)
        )
    };
    world.write("leads/all.yaml", &declared("OPEN"));
    let pull = world
        .command(&["pull", "--update"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    while world.reads() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    world.write("leads/all.yaml", &declared("REVIEW"));
    let pull = world
        .ran(pull.wait_with_output().expect("it ends"))
        .exits(1);
    assert!(
        pull.err.contains("was changed by another program"),
        "{}",
        pull.err
    );
    assert_eq!(text(&world), declared("REVIEW"));
}

#[test]
fn a_tag_that_cannot_be_seen_is_named_with_its_place() {
    let world = world();
    let ran = run(&world, &["set", "--all", "tags+=a\u{200b}b"]).exits(1);
    let why = "holds a zero-width space (U+200B); delete the character";
    assert!(ran.err.contains(why), "{}", ran.err);
    let sheet = format!(
        "uuid,tags,status\n{},\"x\ny\",OPN\n{},a\u{200b}b,OPEN\n{},\",\",OPEN\n",
        uuid(1),
        uuid(2),
        uuid(3)
    );
    let ran = with_stdin(&world, &["set", "--from", "-"], &sheet).exits(1);
    for (place, error) in [
        ("row 2, column \"tags\"", "holds a line break"),
        ("row 2, column \"status\"", "did you mean"),
        ("row 3, column \"tags\"", why),
        ("row 4, column \"tags\"", "a tag is missing"),
    ] {
        let place = place.replace('"', "`");
        let is_it = |line: &str| line.contains(&place) && line.contains(error);
        assert!(ran.err.lines().any(is_it), "{place}: {}", ran.err);
    }
    let nothing = run(&world, &["set", "--all", "tags=,"]).exits(1);
    assert!(nothing.err.contains("a tag is missing"), "{}", nothing.err);
    assert_eq!(text(&world), LEADS);
}

#[test]
fn a_sheet_with_live_values_changes_nothing_of_leads_that_no_file_declares() {
    let world = world();
    let list = world.run("list --live --format csv").exits(0);
    assert!(list.out.contains(&uuid(4)), "{}", list.out);
    let set = with_stdin(&world, &["set", "--from", "-"], &list.out).exits(0);
    assert!(set.out.contains("Nothing to set"), "{}", set.out);
    let add = ["set", "--from", "-", "--add-to", "leads/all.yaml"];
    with_stdin(&world, &add, &list.out).exits(0);
    assert_eq!(text(&world), LEADS);
}

fn git_applies(world: &World, patch: &str) {
    let mut apply = Command::new("git")
        .arg("apply")
        .current_dir(world.path("."))
        .stdin(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut stdin = apply.stdin.take().expect("stdin");
    std::io::Write::write_all(&mut stdin, patch.as_bytes()).expect("stdin");
    drop(stdin);
    assert!(apply.wait().expect("git ends").success(), "{patch}");
}

#[test]
fn the_patch_of_a_linked_file_is_one_of_the_file() {
    let world = world();
    world.write("shared/north.yaml", LEADS);
    std::fs::remove_file(world.path("leads/all.yaml")).expect("a file");
    std::os::unix::fs::symlink("../shared/north.yaml", world.path("leads/all.yaml"))
        .expect("a link");
    git(&world, "add .");
    git(&world, "commit -qm link");
    let dry = world.run("set --all status=REVIEW --dry-run").exits(0);
    git_applies(&world, &dry.out);
    let applied = text(&world);
    assert_eq!(git(&world, "diff --name-only").trim(), "shared/north.yaml");
    git(&world, "checkout -q .");
    world.run("set --all status=REVIEW").exits(0);
    assert_eq!(text(&world), applied);
}

#[test]
fn closing_everything_that_is_tagged_changes_one_word() {
    let world = world();
    let set = world.run("set --only tag=cold status=CLOSED").exits(0);
    assert_eq!(set.out, "leads/all.yaml  1 lead\nSet: 1 lead in 1 file.\n");
    assert!(set.err.contains("convertalk plan"), "{}", set.err);
    assert_eq!(
        text(&world),
        LEADS.replacen("status: OPEN", "status: CLOSED", 1)
    );
    let again = world.run("set --only tag=cold status=closed").exits(0);
    assert_eq!(again.out, "Nothing to set: 1 lead is already set.\n");
    assert_eq!(world.reads(), 0, "set never asks the inbox");
}

#[test]
fn leads_of_one_who_leaves_go_to_another() {
    let world = world();
    world.run("set --only agent=priya agent=asha").exits(0);
    assert_eq!(
        text(&world),
        LEADS.replace("{ agent: priya }", "{ agent: asha }")
    );
}

#[test]
fn leads_are_shared_out_within_caps() {
    let world = world();
    let shared = world
        .run("set --only agent=priya --share rahul,asha --format json")
        .exits(0);
    let agents: Vec<Json> = shared.json()["leads"]
        .as_array()
        .expect("leads")
        .iter()
        .map(|lead| lead["fields"]["agent"]["after"].clone())
        .collect();
    assert_eq!(agents, [json!("rahul"), json!("asha")]);
    let after = text(&world);
    world
        .run("set --only agent=rahul --only agent=asha --share rahul,asha")
        .exits(0);
    assert_eq!(text(&world), after, "shared out again, nothing changes");
    let full = world.run("set --all --share rahul").exits(3);
    assert!(
        full.err.contains("3 leads are to be shared out"),
        "{}",
        full.err
    );
    assert!(full.err.contains("leave room for 2"), "{}", full.err);
    assert_eq!(text(&world), after, "nothing is written");
}

#[test]
fn a_hold_goes_and_comes() {
    let world = world();
    world
        .run("set 7e88d192-9b20-4035-9b68-000000000002 hold=")
        .exits(0);
    // The comment stands above the first key, and may be about the lead.
    assert_eq!(text(&world), LEADS.replace("    hold: negotiating\n", ""));
    run(&world, &["set", &uuid(3), "hold=ask Asha: first"]).exits(0);
    assert!(
        text(&world).contains("hold: \"ask Asha: first\""),
        "{}",
        text(&world)
    );
}

#[test]
fn what_is_wrong_anywhere_changes_nothing() {
    let world = world();
    for (words, why) in [
        ("set --all status=", "a status cannot be cleared"),
        ("set --all agent=zoe", "`zoe` is not an agent"),
        ("set --all status=OPEN status=CLOSED", "status is set twice"),
        (
            "set --all tags+=a,b tags-=b",
            "`b` is to be added and taken away",
        ),
        ("set --all --share rahul agent=asha", "agent is set twice"),
        (
            "set --all --unset agent",
            "comes from `defaults` (leads/all.yaml:3)",
        ),
        ("set --all --unset colour", "`colour` cannot be unset"),
        ("set status=OPEN", "no lead is selected"),
        ("set --all", "nothing to set"),
        ("set --all 7e88d192 status=OPEN", "--all takes every lead"),
        ("set 7e88d192 status=OPEN", "3 uuids start with it"),
        ("set --only tag=hot status=OPEN", "`tag=hot` selects none"),
    ] {
        let ran = world.run(words).exits(1);
        assert!(ran.err.contains(why), "{words}: {}", ran.err);
        assert!(ran.out.is_empty(), "{words}: {}", ran.out);
        assert_eq!(text(&world), LEADS, "{words}");
    }
}

#[test]
fn a_dry_run_prints_what_git_apply_takes() {
    let world = world();
    world.write(
        "leads/sub dir/b.yaml",
        "version: 1\r\nleads:\r\n  b000:\r\n    status: OPEN",
    );
    git(&world, "add .");
    git(&world, "commit -qm more");
    let dry = world
        .run("set --all tags+=new status=REVIEW --dry-run")
        .exits(0);
    assert_eq!(text(&world), LEADS);
    world.run("set --all tags+=new status=REVIEW").exits(0);
    let set = git(&world, "diff --stat");
    git(&world, "checkout -q .");
    git_applies(&world, &dry.out);
    assert_eq!(git(&world, "diff --stat"), set);
    let nothing = world.run("set --all tags+=new --dry-run").exits(0);
    assert_eq!(nothing.out, "");
}

#[test]
fn a_sheet_is_taken_whole_or_not_at_all() {
    let world = world();
    let sheet = format!(
        "\u{feff}UUID;Status;Agent;Tags;Label\r\n{};In Progress;RAHUL;+vip;\"=1+1\"\r\n{};;-;;-\r\n",
        uuid(1),
        uuid(3)
    );
    world.write("sheet.csv", &sheet);
    world.run("set --from sheet.csv").exits(0);
    let list = world.run("list --format json").exits(0).json();
    let lead = |at: usize, key: &str| list["leads"][at][key].clone();
    assert_eq!(
        [lead(0, "status"), lead(0, "agent"), lead(0, "label")],
        [json!("INPROGRESS"), json!("rahul"), json!("=1+1")]
    );
    assert_eq!(lead(0, "tags"), json!({ "present": ["vip"], "absent": [] }));
    assert_eq!(
        [lead(2, "agent"), lead(2, "status")],
        [json!("none"), json!("CLOSED")]
    );
    let before = text(&world);
    let bad = format!("uuid,status\n{},OPEN\nunknown,Opn\n", uuid(1));
    let ran = with_stdin(&world, &["set", "--from", "-", "--format", "json"], &bad).exits(1);
    let errors = ran.json();
    let places: Vec<&Json> = errors["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| &error["places"][0])
        .collect();
    assert_eq!(
        places,
        [
            &json!({ "file": "stdin", "line": 3, "column": 1 }),
            &json!({ "file": "stdin", "line": 3, "column": 2 })
        ]
    );
    assert_eq!(text(&world), before);
}

#[test]
fn new_leads_of_a_sheet_are_declared_where_it_is_asked() {
    let world = world();
    let sheet = format!("uuid,label,status\n{},New,OPEN\n", uuid(4));
    let undeclared = with_stdin(&world, &["set", "--from", "-"], &sheet).exits(1);
    assert!(undeclared.err.contains("--add-to"), "{}", undeclared.err);
    let elsewhere = ["set", "--from", "-", "--add-to", "elsewhere.yaml"];
    let ran = with_stdin(&world, &elsewhere, &sheet).exits(1);
    assert!(ran.err.contains("no glob"), "{}", ran.err);
    let there = ["set", "--from", "-", "--add-to", "leads/all.yaml"];
    with_stdin(&world, &there, &sheet).exits(0);
    let added = format!("  {}:\n    label: New\n    status: OPEN\n", uuid(4));
    assert_eq!(text(&world), format!("{LEADS}{added}"));
    git(&world, "checkout -q .");
    let new = ["set", "--from", "-", "--add-to", "leads/new.yaml"];
    with_stdin(&world, &new, &sheet).exits(0);
    let made = std::fs::read_to_string(world.path("leads/new.yaml")).expect("a file");
    assert_eq!(made, format!("version: 1\n\nleads:\n{added}"));
    world.run("validate").exits(0);
    world.run("fmt --check").exits(1);
    world.run("fmt --check leads/new.yaml").exits(0);
}

#[test]
fn a_list_out_as_a_sheet_and_in_again_changes_nothing() {
    let world = world();
    let sheet = world.run("list --format csv").exits(0).out;
    assert!(
        sheet.starts_with("uuid,label,status,agent,tags,hold\n"),
        "{sheet}"
    );
    let set = with_stdin(&world, &["set", "--from", "-"], &sheet).exits(0);
    assert!(
        set.out.starts_with("Nothing to set: 3 leads are"),
        "{}",
        set.out
    );
    assert_eq!(text(&world), LEADS);
    let live = world.run("list --live --format csv").exits(0).out;
    let rows = live.lines().count();
    assert_eq!(
        rows, 5,
        "the header, three declared leads and one that no file declares"
    );
}

#[test]
fn a_list_shows_what_is_declared_and_what_is_live() {
    let world = world();
    let list = world.run("list --only status!=CLOSED").exits(0);
    assert!(list.out.contains("Acme"), "{}", list.out);
    assert!(list.out.contains("[held: negotiating]"), "{}", list.out);
    assert!(list.out.ends_with("2 leads, 1 held\n"), "{}", list.out);
    let json = world.run("list --live --format json").exits(0).json();
    let leads = json["leads"].as_array().expect("leads");
    assert_eq!(leads.len(), 4);
    assert_eq!(
        leads[1]["live"],
        json!({ "status": "OPEN", "agent": "none", "tags": ["web"] })
    );
    assert_eq!(
        (&leads[3]["uuid"], &leads[3]["source"]),
        (&json!(uuid(4)), &Json::Null)
    );
    assert_eq!(
        leads[0]["source"],
        json!({ "file": "leads/all.yaml", "line": 6 })
    );
    let table = world.run("list --live").exits(0);
    assert!(table.out.contains("REVIEW (OPEN)"), "{}", table.out);
    assert!(table.out.contains("not declared"), "{}", table.out);
    let dead = world
        .run("list --only tag=hot --format json")
        .exits(1)
        .json();
    assert_eq!(dead["error"]["code"], "selector");
}

#[cfg(unix)]
#[test]
fn where_one_file_cannot_be_written_no_file_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(&[], "");
    let files: Vec<String> = (1..=9)
        .map(|number| format!("leads/{number}.yaml"))
        .collect();
    for (number, file) in (1..).zip(&files) {
        let text = format!(
            "version: 1\nleads:\n  {}: {{ status: OPEN }}\n",
            uuid(number)
        );
        world.write(file, &text);
    }
    let locked = world.path(&files[4]);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o444)).expect("a file");
    let texts = || -> Vec<String> {
        let read = |file: &String| std::fs::read_to_string(world.path(file)).expect("a file");
        files.iter().map(read).collect()
    };
    let before = texts();
    let ran = world.run("set --all status=CLOSED").exits(1);
    assert!(ran.err.contains("leads/5.yaml"), "{}", ran.err);
    assert_eq!(texts(), before);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o644)).expect("a file");
    world.run("set --all status=CLOSED").exits(0);
    assert!(texts().iter().all(|text| text.contains("CLOSED")));
}

#[test]
fn what_changed_since_a_commit_is_listed() {
    let world = world();
    world.write(
        "leads/all.yaml",
        &LEADS.replace("status: REVIEW", "status: OPEN"),
    );
    let list = world.run("list --only changed --base HEAD --format json");
    let list = list.exits(0).json();
    assert_eq!(list["leads"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["leads"][0]["uuid"], uuid(2));
    world.run("list --only changed").exits(1);
}

#[test]
fn a_text_in_lines_at_the_end_of_a_file_without_a_last_line_break_keeps_its_own() {
    let world = world();
    let file = format!(
        "version: 1\nleads:\n  {}: &one\n    attributes:\n      tier: |\n        two\n        lines\n  {}:\n    <<: *one\n    status: OPEN",
        uuid(1),
        uuid(2)
    );
    world.write("leads/all.yaml", &file);
    let before = crate::oracle::leads(&file);
    let words = format!("set {} attributes.new=x", uuid(2));
    world.run(&words).exits(0);
    let after = crate::oracle::leads(&text(&world));
    let tier = |said: &std::collections::BTreeMap<String, crate::oracle::Said>| {
        said[&uuid(2)].texts["attributes.tier"].clone()
    };
    assert_eq!(tier(&after), tier(&before), "{}", text(&world));
    assert_eq!(after[&uuid(2)].texts["attributes.new"], "x");
}

#[test]
fn leads_are_added_to_a_file_by_a_link_to_it() {
    let world = world();
    std::os::unix::fs::symlink("all.yaml", world.path("leads/zz.yaml")).expect("a link");
    let sheet = format!("uuid,status\n{},OPEN\n", uuid(4));
    let add = ["set", "--from", "-", "--add-to", "leads/zz.yaml"];
    with_stdin(&world, &add, &sheet).exits(0);
    assert!(text(&world).contains(&uuid(4)), "{}", text(&world));
}

/// Characters that steer a terminal are a part of values: names come from strangers.
#[test]
fn a_sheet_on_stdout_has_every_character_of_its_values() {
    let world = World::new(
        &[record(1, "OPEN", None, &[]), record(2, "OPEN", None, &[])],
        "",
    );
    let text = format!(
        "version: 1\nleads:\n  {}:\n    label: \"Acme \\e]8;; EU\"\n    status: OPEN\n    attributes: {{ \"k\\x7f2\": \"red \\e[31mX\" }}\n  {}: {{ label: Second, status: OPEN }}\n",
        uuid(1),
        uuid(2)
    );
    world.write("leads/all.yaml", &text);
    for words in ["list --format csv", "list --live --format csv"] {
        let sheet = world.run(words).exits(0).out;
        assert!(sheet.contains("Acme \u{1b}]8;; EU"), "{sheet:?}");
        assert!(
            sheet.contains("red \u{1b}[31mX") && sheet.contains(&uuid(2)),
            "{sheet:?}"
        );
        world.write("sheet.csv", &sheet);
        world.run("set --from sheet.csv").exits(0);
        let after = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
        assert_eq!(after, text, "{words}");
    }
}

#[test]
fn leads_are_added_to_a_file_that_says_it_has_none() {
    let sheet = format!("uuid,status\n{},OPEN\n", uuid(7));
    for (empty, start) in [
        (
            "leads: {} # filled by pull",
            "version: 1\nleads: # filled by pull\n  7e88",
        ),
        ("leads: ~", "version: 1\nleads:\n  7e88"),
        (
            "leads: null # none yet",
            "version: 1\nleads: # none yet\n  7e88",
        ),
        ("leads: {}", "version: 1\nleads:\n  7e88"),
    ] {
        let world = World::new(&[record(7, "OPEN", None, &[])], "");
        world.write("leads/new.yaml", &format!("version: 1\n{empty}\n"));
        let words = ["set", "--from", "-", "--add-to", "leads/new.yaml"];
        with_stdin(&world, &words, &sheet).exits(0);
        let text = std::fs::read_to_string(world.path("leads/new.yaml")).expect("a file");
        assert!(text.starts_with(start), "{empty}: {text}");
        world.run("validate").exits(0);
    }
}

#[test]
fn an_edit_that_would_take_an_anchor_away_says_so() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {}: {{ status: &s OPEN, label: A }}\n  {}: {{ status: *s }}\n",
        uuid(1),
        uuid(2)
    ));
    let ran = world
        .run(&format!("set {} --unset status", uuid(1)))
        .exits(1);
    assert!(ran.err.contains("by an alias"), "{}", ran.err);
}

//! `pull` into files that are there: new leads at the end, and no other byte.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::read;
use crate::world::{PRIYA, RAHUL, World, record, uuid};

fn inbox(leads: usize) -> Vec<Json> {
    let agents = [Some(PRIYA), Some(RAHUL), None];
    (1..=leads)
        .map(|number| {
            record(
                number,
                ["OPEN", "REVIEW"][number % 2],
                agents[number % 3],
                &["web"],
            )
        })
        .collect()
}

/// The files of a folder with their bytes.
fn bytes(world: &World, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(world.path(folder)).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let name = entry.file_name().into_string().expect("a name");
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

#[test]
fn a_second_pull_adds_only_what_is_new() {
    let world = World::new(&inbox(5), "");
    world
        .run(&format!("pull --only {} --only {}", uuid(1), uuid(2)))
        .exits(0);
    let first = read(&world, "leads/inbox.yaml");
    let ran = world.run("pull").exits(0);
    assert_eq!(
        ran.out,
        "leads/inbox.yaml  3 leads\nPulled: 3 leads into 1 file.\n"
    );
    assert!(ran.err.contains("run `convertalk plan`"), "{}", ran.err);
    let second = read(&world, "leads/inbox.yaml");
    assert!(second.starts_with(&first), "{second}");
    world.run("fmt --check").exits(0);
    world.assert_settled();
    let third = world.run("pull").exits(0);
    assert_eq!(third.out, "Nothing to pull: all leads are declared.\n");
    assert_eq!(read(&world, "leads/inbox.yaml"), second);
}

#[test]
fn a_file_that_is_there_keeps_its_bytes() {
    for (name, text) in [
        (
            "comments",
            "# ours\nversion: 1\nleads:\n  # the first\n  ID:   {status:  OPEN}   # by hand\n# the end\n",
        ),
        (
            "crlf",
            "\u{feff}version: 1\r\nleads:\r\n    ID:\r\n        status: OPEN\r\n",
        ),
        (
            "no last break",
            "version: 1\nleads:\n  ID:\n    status: OPEN",
        ),
        (
            "one line",
            "{ version: 1, leads: { ID: { status: OPEN } } }\n",
        ),
        ("no leads", "version: 1\n# ours\n"),
        ("no leads in braces", "{ version: 1 }"),
        ("nothing", ""),
        ("a comment", "# ours"),
        ("leads in braces", "version: 1\nleads: {}\n"),
        ("nothing after leads", "version: 1\nleads:\n# later\n"),
        (
            "leads before defaults",
            "version: 1\nleads:\n  ID: {}\ndefaults:\n  notes: [{ title: call }]\n",
        ),
    ] {
        let world = World::new(&inbox(4), "");
        let text = text.replace("ID", &uuid(2));
        world.write("leads/inbox.yaml", &text);
        let ran = world.run("pull");
        assert_eq!(ran.exit, 0, "{name}: {}", ran.err);
        let now = read(&world, "leads/inbox.yaml");
        let mut rest = now.as_str();
        for line in text.lines().filter(|line| *line != "leads: {}") {
            let line = line.trim_end_matches(" } }").trim_end_matches(" }");
            let at = rest.find(line);
            rest = &rest[at.unwrap_or_else(|| panic!("{name}: {line} is gone\n{now}"))..];
        }
        let pairs = now.matches("\r\n").count();
        assert!(pairs == 0 || pairs == now.matches('\n').count(), "{now:?}");
        let new = if text.contains(&uuid(2)) { 3 } else { 4 };
        assert!(
            ran.out.contains(&format!("Pulled: {new} leads")),
            "{name}: {}",
            ran.out
        );
        if name != "leads before defaults" {
            world.assert_settled();
        }
        let again = world.run("pull").exits(0);
        assert!(
            again.out.starts_with("Nothing to pull"),
            "{name}: {}",
            again.out
        );
        assert_eq!(read(&world, "leads/inbox.yaml"), now, "{name}");
    }
}

#[test]
fn split_files_have_the_shared_value_as_their_default() {
    let world = World::new(&inbox(6), "");
    world
        .run(&format!(
            "pull --split-by agent --only agent=priya --only {}",
            uuid(2)
        ))
        .exits(0);
    let priya = read(&world, "leads/priya.yaml");
    assert!(
        priya.starts_with("version: 1\ndefaults:\n  agent: priya\n\nleads:\n"),
        "{priya}"
    );
    assert_eq!(priya.matches("agent:").count(), 1, "{priya}");
    assert!(read(&world, "leads/unassigned.yaml").contains("defaults:\n  agent: none\n"));
    // By hand from now on: no default, another one, and one that the new leads do not have.
    world.write(
        "leads/unassigned.yaml",
        &format!("version: 1\nleads:\n  {}: {{ agent: none }}\n", uuid(2)),
    );
    world.write(
        "leads/rahul.yaml",
        "version: 1\ndefaults: { agent: rahul, status: CLOSED, tags: [old] }\nleads:\n",
    );
    world.run("pull --split-by agent").exits(0);
    assert_eq!(bytes(&world, "leads").len(), 3);
    assert_eq!(read(&world, "leads/priya.yaml"), priya);
    assert!(read(&world, "leads/unassigned.yaml").contains("    agent: none\n"));
    let rahul = read(&world, "leads/rahul.yaml");
    assert!(
        rahul.contains("status: REVIEW\n    tags: [web]\n"),
        "{rahul}"
    );
    assert_eq!(rahul.matches("agent:").count(), 1, "{rahul}");
    world.assert_settled();
    let world = World::new(&inbox(4), "");
    world.run("pull --split-by status --out leads/by").exits(0);
    let open = read(&world, "leads/by/open.yaml");
    assert!(open.contains("defaults:\n  status: OPEN\n"), "{open}");
    world.run("fmt --check").exits(0);
    world.assert_settled();
}

#[test]
fn a_default_that_would_change_a_new_lead_refuses_the_pull() {
    let world = World::new(&inbox(4), "");
    world.write(
        "leads/inbox.yaml",
        "version: 1\ndefaults:\n  attributes:\n    source: shop\nleads: {}\n",
    );
    let before = bytes(&world, "leads");
    let ran = world.run("pull").exits(1);
    assert!(
        ran.err
            .contains("leads/inbox.yaml:4: `defaults` would change attributes.source"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("--out"), "{}", ran.err);
    assert_eq!(bytes(&world, "leads"), before);
    world.run("pull --with attributes").exits(0);
    world.assert_settled();
}

#[test]
fn a_name_with_the_ending_of_yaml_is_a_file_and_any_other_a_folder() {
    for (words, file) in [
        ("", "leads/inbox.yaml"),
        ("--out leads/new.yaml", "leads/new.yaml"),
        ("--out ./leads/new.yml", "leads/new.yml"),
        ("--out leads/eu", "leads/eu/inbox.yaml"),
        (
            "--out leads/eu --split-by status --only status=OPEN",
            "leads/eu/open.yaml",
        ),
    ] {
        let world = World::new(&inbox(2), "");
        world.run(&format!("pull {words}")).exits(0);
        assert!(world.path(file).is_file(), "{words}");
        world.assert_settled();
    }
    let world = World::new(&inbox(2), "");
    let ran = world
        .run("pull --split-by agent --out leads/a.yaml")
        .exits(1);
    assert!(ran.err.contains("name a folder"), "{}", ran.err);
    let whole = world.path("leads/whole.yaml");
    let words = ["pull", "--out", whole.to_str().expect("UTF-8")];
    world
        .ran(world.command(&words).output().expect("it runs"))
        .exits(0);
    assert!(whole.is_file());
}

#[test]
fn a_file_that_no_glob_takes_is_refused_before_the_inbox_is_read() {
    let world = World::new(&inbox(2), "");
    let config = read(&world, "convertalk.yaml");
    world.write(
        "convertalk.yaml",
        &format!("{config}leads: [\"crm/*.yaml\"]\n"),
    );
    for words in [
        "pull",
        "pull --out elsewhere/x.yaml",
        "pull --split-by agent",
    ] {
        let ran = world.run(words).exits(1);
        assert!(
            ran.err.contains("no glob in `leads`"),
            "{words}: {}",
            ran.err
        );
        assert!(ran.err.contains("--out"), "{words}: {}", ran.err);
    }
    assert!(!world.path("leads").exists() && !world.path("elsewhere").exists());
    world.run("pull --out crm/inbox.yaml").exits(0);
    world.run("pull --out crm --split-by agent").exits(0);
}

#[test]
fn an_invalid_file_is_named_with_its_place_and_nothing_is_written() {
    let world = World::new(&inbox(2), "");
    let text = "version: 1\nleads:\n  a: { status: NEVER }\n";
    world.write("leads/inbox.yaml", text);
    let ran = world.run("pull").exits(1);
    assert!(ran.err.contains("leads/inbox.yaml:3:16"), "{}", ran.err);
    assert_eq!(read(&world, "leads/inbox.yaml"), text);
    assert_eq!(world.reads(), 0);
}

#[cfg(unix)]
#[test]
fn where_one_file_cannot_be_written_none_is() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(&inbox(6), "");
    for agent in ["priya", "unassigned"] {
        world.write(&format!("leads/{agent}.yaml"), "version: 1\nleads: {}\n");
    }
    let file = world.path("leads/unassigned.yaml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).expect("a mode");
    let before = bytes(&world, "leads");
    let ran = world.run("pull --split-by agent").exits(1);
    assert!(ran.err.contains("cannot write"), "{}", ran.err);
    assert_eq!(bytes(&world, "leads"), before);
}

#[test]
fn tags_that_no_file_can_hold_are_left_alone_in_the_inbox() {
    let odd = record(1, "OPEN", None, &["vip", "x\u{200b}", "a\u{202e}b"]);
    let only_odd = record(2, "OPEN", None, &["x\u{200b}"]);
    let world = World::new(&[odd, only_odd], "");
    let ran = world.run("pull").exits(0);
    assert!(
        ran.err
            .contains("a tag with a character that cannot be seen (3 times)"),
        "{}",
        ran.err
    );
    let text = read(&world, "leads/inbox.yaml");
    assert!(text.contains("    tags:\n      present: [vip]\n"), "{text}");
    assert_eq!(text.matches("tags:").count(), 1, "{text}");
    world.run("validate").exits(0);
    world.assert_settled();
    // An exact list is not updated with such a tag: without it, the next apply would take the tag off.
    let exact = text.replace("    tags:\n      present: [vip]\n", "    tags: [vip]\n");
    world.write("leads/inbox.yaml", &exact);
    let ran = world.run("pull --update").exits(0);
    assert!(
        ran.err
            .contains("a tag with a character that cannot be seen"),
        "{}",
        ran.err
    );
    assert_eq!(read(&world, "leads/inbox.yaml"), exact);
}

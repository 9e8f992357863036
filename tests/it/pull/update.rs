//! `pull --update`: live values into the files, and nothing else.

use convertalk::lead_file::edit::Edit;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};

use super::read;
use crate::arbitrary::workspace;
use crate::base::git_in;
use crate::edit::{others_stay, says};
use crate::forms::file;
use crate::world::{PRIYA, RAHUL, World, record, uuid};

/// A record whose every value a file can say.
fn live(number: usize) -> impl Strategy<Value = Json> {
    let status = select(vec!["OPEN", "REVIEW", "CLOSED", "ONHOLD"]);
    let agent = select(vec![
        Json::Null,
        PRIYA.into(),
        RAHUL.into(),
        "00000000000000000000000c".into(),
    ]);
    let tags = subsequence(
        vec!["vip", "cold", "no", "a b", "0123", "q:r", "x y", "é𝄞"],
        0..=8,
    );
    let text = || {
        select(vec![
            "gold",
            "silver",
            "no",
            "",
            "a: b # c",
            "two\nlines",
            "\u{202e}x",
        ])
    };
    let notes = subsequence(
        vec![
            ("one", ""),
            ("one", "said"),
            ("two", "more"),
            ("two", ""),
            ("from defaults", ""),
        ],
        0..=5,
    );
    (status, agent, tags, (text(), text(), text()), notes).prop_map(move |(status, agent, tags, (tier, from, roof), notes)| {
        let attribute = |key: &str, value: &str| json!({ "key": key, "value": value });
        let notes: Vec<Json> =
            notes.iter().map(|(title, description)| json!({ "title": title, "description": description })).collect();
        json!({
            "uuid": format!("lead-{number}"), "status": status, "_agentAssigned": agent,
            "profile": { "notes": notes, "userDetails": {
                "name": "No: One", "tags": tags,
                "attributes": [attribute("tier", tier), attribute("from", from), attribute("roof", roof)],
                "contact": { "phone": { "number": "4471", "prefix": "+44" } }
            }}
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn then_a_plan_is_empty_and_every_other_line_stands(file in file(), records in (live(0), live(1), live(2), live(3), live(4))) {
        let (a, b, c, d, e) = records;
        let world = World::new(&[a, b, c, d, e], "");
        world.write("leads/all.yaml", &file.text);
        let ran = world.run("pull --update");
        prop_assert_eq!(ran.exit, 0, "{}{}\n{}", ran.out, ran.err, file.text);
        world.assert_settled();
        let after = read(&world, "leads/all.yaml");
        let (before, now) = (says(&workspace(), &file.text), says(&workspace(), &after));
        let mut edits: Vec<Edit> = Vec::new();
        for (id, wanted) in &before {
            let gone = wanted.iter().filter(|wanted| !now[id].contains(wanted));
            edits.extend(gone.cloned().map(|(field, value)| Edit { id: id.clone(), field, value }));
        }
        others_stay(&file, &edits, &after);
        let again = world.run("pull --update").exits(0);
        prop_assert!(again.out.starts_with("Nothing to update"), "{}", again.out);
    }
}

fn two_leads() -> World {
    World::new(
        &[
            record(1, "CLOSED", Some(PRIYA), &["vip", "new"]),
            record(2, "OPEN", None, &[]),
        ],
        "",
    )
}

#[test]
fn what_no_file_can_say_is_told_and_the_rest_goes_home() {
    let world = two_leads();
    let before = format!(
        "  {}: {{ status: OPEN, attributes: {{ tier: gold, source: shop }} }} # c\n",
        uuid(1)
    );
    world.declare(&before);
    let ran = world.run("pull --update").exits(0);
    assert_eq!(
        ran.out,
        "leads/all.yaml  2 values of 1 lead\nUpdated: 2 values of 1 lead in 1 file.\n"
    );
    assert!(
        ran.err.contains("leads/all.yaml:3:")
            && ran
                .err
                .contains("attributes.tier: the inbox no longer has it"),
        "{}",
        ran.err
    );
    assert!(
        read(&world, "leads/all.yaml")
            .ends_with("{ status: CLOSED, attributes: { tier: gold, source: web } } # c\n")
    );
}

#[test]
fn missing_leads_are_told_and_the_others_written() {
    let world = two_leads();
    world.declare(&format!(
        "  {}: {{ status: OPEN }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(7)
    ));
    let ran = world.run("pull --update").exits(1);
    assert!(
        ran.out.contains("Updated: 1 value") && ran.err.contains("is not in the inbox"),
        "{}{}",
        ran.out,
        ran.err
    );
    world.run("pull --update --missing skip").exits(0);
    for words in [
        "pull --only-drift",
        "pull --update --only-drift",
        "pull --update --with notes",
        "pull --update --split-by agent",
    ] {
        world.run(words).exits(1);
    }
}

#[test]
fn only_what_is_chosen() {
    let world = two_leads();
    world.declare(&format!(
        "  {}: {{ status: OPEN }}\n  {}: {{ agent: priya }}\n",
        uuid(1),
        uuid(2)
    ));
    world
        .run(&format!("pull --update --only {}", uuid(2)))
        .exits(0);
    let text = read(&world, "leads/all.yaml");
    assert!(
        text.contains("status: OPEN") && text.contains("agent: none"),
        "{text}"
    );
}

#[test]
fn drift_alone_goes_home_and_intent_stays() {
    let world = two_leads();
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(world.path(".")).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t.example",
            "-c",
            "commit.gpgsign=false",
        ]);
        let ran = command.args(words).output().expect("git runs");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    };
    world.declare(&format!(
        "  {}: {{ status: OPEN, tags: [vip, old] }}\n  {}: {{ status: CLOSED }}\n",
        uuid(1),
        uuid(2)
    ));
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "base"]);
    // The inbox closed the first, took `old` and added `new`; the files want `mine` on it, and the second on hold.
    world.declare(&format!(
        "  {}: {{ status: OPEN, tags: [vip, old, mine] }}\n  {}: {{ status: ONHOLD }}\n",
        uuid(1),
        uuid(2)
    ));
    let ran = world.run("pull --update --only-drift --base HEAD").exits(0);
    let expected = format!(
        "  {}: {{ status: CLOSED, tags: [vip, mine, new] }}\n  {}: {{ status: ONHOLD }}\n",
        uuid(1),
        uuid(2)
    );
    assert!(
        read(&world, "leads/all.yaml").ends_with(&expected),
        "{}",
        read(&world, "leads/all.yaml")
    );
    assert!(ran.err.contains("1 conflict"), "{}", ran.err);
    let plan = world.run("plan --base HEAD --format json").json();
    assert_eq!(
        plan["changes"][0]["fields"]["tags"]["after"],
        json!(["mine", "new", "vip"])
    );
    assert_eq!(
        plan["changes"][0]["fields"]
            .as_object()
            .map(|fields| fields.len()),
        Some(1)
    );
}

#[test]
fn drift_since_each_lead_was_applied_goes_into_the_files() {
    let world = two_leads();
    let folder = world.path(".");
    world.declare(&format!(
        "  {}: {{ status: REVIEW }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    git_in(&folder, &["init", "-q"]);
    git_in(&folder, &["add", "convertalk.yaml", "leads"]);
    git_in(&folder, &["commit", "-qm", "base"]);
    let pull = "pull --update --only-drift --base applied --applied kept/applied.json";
    let none = world.run(pull).exits(1);
    assert!(none.err.contains("kept/applied.json"), "{}", none.err);
    std::fs::create_dir(world.path("kept")).expect("a folder");
    world
        .run("apply --yes --base applied --begin files --applied kept/applied.json")
        .exits(0);
    // An agent closes the first; the files want the second on hold, which is intended and not drift.
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "CLOSED".into());
    world.declare(&format!(
        "  {}: {{ status: REVIEW }}\n  {}: {{ status: ONHOLD }}\n",
        uuid(1),
        uuid(2)
    ));
    world.run(pull).exits(0);
    let expected = format!(
        "  {}: {{ status: CLOSED }}\n  {}: {{ status: ONHOLD }}\n",
        uuid(1),
        uuid(2)
    );
    let now = read(&world, "leads/all.yaml");
    assert!(now.ends_with(&expected), "{now}");
}

#[cfg(unix)]
#[test]
fn links_permissions_and_read_only_files_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = two_leads();
    let text = |status: &str| {
        format!(
            "version: 1\nleads:\n  {}: {{ status: {status} }}\n",
            uuid(1)
        )
    };
    world.write("kept/real.yaml", &text("OPEN"));
    std::fs::create_dir_all(world.path("leads")).expect("a folder");
    symlink("../kept/real.yaml", world.path("leads/link.yaml")).expect("a link");
    let mode = |mode| {
        std::fs::set_permissions(
            world.path("kept/real.yaml"),
            std::fs::Permissions::from_mode(mode),
        )
        .expect("a mode")
    };
    mode(0o444);
    let ran = world.run("pull --update").exits(1);
    assert!(ran.err.contains("cannot write"), "{}", ran.err);
    assert_eq!(read(&world, "kept/real.yaml"), text("OPEN"));
    mode(0o640);
    world.run("pull --update").exits(0);
    assert_eq!(read(&world, "kept/real.yaml"), text("CLOSED"));
    assert!(world.path("leads/link.yaml").is_symlink());
    let meta = std::fs::metadata(world.path("kept/real.yaml")).expect("a file");
    assert_eq!(meta.permissions().mode() & 0o777, 0o640);
    assert_eq!(
        std::fs::read_dir(world.path("kept"))
            .expect("a folder")
            .count(),
        1,
        "nothing half-written is left"
    );
}

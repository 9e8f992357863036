//! Saved plans: what was approved is what is applied, or less.

use crate::world::{PRIYA, RAHUL, World, record, uuid};

fn world() -> World {
    let live: Vec<_> = (1..=4)
        .map(|number| record(number, "OPEN", Some(RAHUL), &["web"]))
        .collect();
    let world = World::new(&live, "");
    world.declare(
        &(1..=4)
            .map(|number| {
                format!("  {}: {{ status: CLOSED, agent: priya, contact: {{ email: new{number}@example.com }} }}\n", uuid(number))
            })
            .collect::<String>(),
    );
    world.run("plan --out plan.json").exits(0);
    world
}

#[test]
fn a_saved_plan_is_applied_as_it_is_though_the_files_have_gone_on() {
    let world = world();
    let shown = world.run("show plan.json").exits(0);
    assert_eq!(shown.out, world.run("plan").exits(0).out);
    world.write(
        "leads/more.yaml",
        &format!("version: 1\nleads:\n  {}: {{ status: ONHOLD }}\n", uuid(9)),
    );
    world.run("apply plan.json --yes").exits(0);
    assert_eq!(world.sent().len(), 4);
    let again = world.run("apply plan.json --yes").exits(0);
    assert!(again.out.contains("4 already"), "{}", again.out);
    assert!(!again.out.contains("(another)"), "{}", again.out);
    assert!(
        world
            .sent()
            .values()
            .all(|bodies| bodies[0]["agentId"] == PRIYA && bodies[0]["status"] == "CLOSED")
    );
}

#[test]
fn the_numbers_of_agents_are_those_that_were_approved() {
    let live: Vec<_> = (1..=3)
        .map(|number| record(number, "OPEN", Some(RAHUL), &["web"]))
        .collect();
    let world = World::new(&live, "");
    world.declare(&format!(
        "  {}: {{ agent: priya }}\n  {}: {{ agent: rahul }}\n  {}: {{ agent: rahul }}\n",
        uuid(1),
        uuid(2),
        uuid(3)
    ));
    let planned = world.run("plan --out plan.json").exits(0).out;
    let applied = world.run("apply plan.json --yes").exits(0).out;
    let rows = |out: &str| {
        let rows = out.lines().filter(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            matches!(cells[..], ["priya" | "rahul", _, _, _, _])
        });
        rows.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(rows(&planned).len(), 2, "{planned}");
    assert!(rows(&planned)[1].contains('3'), "{planned}");
    assert_eq!(rows(&applied), rows(&planned));
}

#[test]
fn a_lead_that_moved_since_is_stale_and_the_others_go_ahead() {
    let world = world();
    world
        .sandbox()
        .edit(&uuid(2), |record| record["status"] = "REVIEW".into());
    world.sandbox().edit(&uuid(3), |record| {
        record["status"] = "CLOSED".into();
        record["_agentAssigned"] = PRIYA.into();
        record["profile"]["userDetails"]["contact"]["email"] = "new3@example.com".into();
    });
    world
        .sandbox()
        .edit(&uuid(4), |record| record["status"] = "CLOSED".into());
    let ran = world.run("apply plan.json --yes").exits(4);
    assert!(
        ran.out
            .contains(&format!("stale {}: status changed since the plan", uuid(2))),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("2 verified, 1 already, 1 stale"),
        "{}",
        ran.out
    );
    let sent = world.sent();
    assert_eq!(sent.keys().collect::<Vec<_>>(), [&uuid(1), &uuid(4)]);
    assert!(
        sent[&uuid(4)][0].get("status").is_none(),
        "what is there already is not sent: {sent:?}"
    );
}

#[test]
fn masked_contact_values_are_exact_all_the_same() {
    let world = world();
    let saved = std::fs::read_to_string(world.path("plan.json")).expect("a plan");
    assert!(
        !saved.contains("new1@") && !saved.contains("v1@"),
        "{saved}"
    );
    world.sandbox().edit(&uuid(1), |record| {
        record["profile"]["userDetails"]["contact"]["email"] = "other@example.com".into()
    });
    let ran = world.run("apply plan.json --yes").exits(4);
    assert!(
        ran.out
            .contains("a masked contact value no longer matches the plan"),
        "{}",
        ran.out
    );
    assert_eq!(world.sent()[&uuid(2)][0]["email"], "new2@example.com");
}

#[test]
fn a_contact_value_that_the_files_changed_since_is_not_written() {
    let world = world();
    world.declare(&format!(
        "  {}: {{ contact: {{ email: later@example.com }} }}\n",
        uuid(1)
    ));
    world.run("apply plan.json --yes").exits(4);
    assert!(
        world.sent().is_empty(),
        "the plan's values are not to be had any more: {:?}",
        world.sent()
    );
}

#[test]
fn a_plan_that_was_tampered_with_is_foreign_or_is_old_is_refused() {
    let world = world();
    let saved = std::fs::read_to_string(world.path("plan.json")).expect("a plan");
    let refused = |text: &str, words: &str, flags: &str| {
        world.write("other.json", text);
        let ran = world
            .run(&format!("apply other.json --yes {flags}"))
            .exits(1);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    };
    refused(
        &saved.replace("CLOSED", "REVIEW"),
        "changed after it was saved",
        "",
    );
    refused(
        &saved.replace("\"format_version\": 1", "\"format_version\": 2"),
        "format version 2",
        "",
    );
    refused(&saved[..saved.len() / 2], "not a saved plan", "");
    refused("", "not a saved plan", "");
    refused(
        "{\"format_version\": 1, \"leads\": []}",
        "not a saved plan",
        "",
    );
    refused(&saved, "the limit is 0s", "--max-age 0");
    refused(
        &world.run("plan --format json").exits(0).out,
        "printed, not saved",
        "",
    );
    let mut elsewhere = world.command(&["apply", "plan.json", "--yes"]);
    elsewhere.env("CONVERTALK_BOT_ID", "63d9ffa77a8d152facbe2fff");
    let ran = world
        .ran(elsewhere.output().expect("the program runs"))
        .exits(1);
    assert!(
        ran.err.contains("the plan is for http://127.0.0.1"),
        "{}",
        ran.err
    );
    assert!(world.puts().is_empty());
}

#[test]
fn guards_of_today_hold_for_a_plan_of_yesterday() {
    let world = world();
    let ran = world.run("apply plan.json --yes --max-changes 3").exits(3);
    assert!(
        ran.out.contains("4 leads would change, and the limit is 3"),
        "{}",
        ran.out
    );
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ max_changes: 50% }}\n"),
    );
    world.run("apply plan.json --yes").exits(3);
    assert!(world.puts().is_empty());
    world
        .run("apply plan.json --yes --only file=leads/*.yaml --max-changes 4")
        .exits(0);
}

#[test]
fn a_plan_that_was_refused_is_still_refused_when_it_is_applied() {
    let world = world();
    world.run("plan --max-changes 1 --out plan.json").exits(3);
    world.run("apply plan.json --yes").exits(3);
    assert!(world.puts().is_empty());
    world.run("apply plan.json --yes --max-changes 9").exits(0);
}

#[test]
fn a_mask_is_never_written_for_a_value() {
    let world = World::new(
        &[record(1, "OPEN", None, &[]), record(2, "OPEN", None, &[])],
        "",
    );
    world.sandbox().edit(&uuid(1), |record| {
        drop(record["profile"]["userDetails"]["contact"].take())
    });
    let leads = |phone: &str| {
        format!(
            "  {}: {{ contact: {{ phone: {phone} }} }}\n  {}: {{ create: true, contact: {{ phone: {phone} }} }}\n  {}: {{ status: CLOSED }}\n",
            uuid(1),
            uuid(8),
            uuid(2)
        )
    };
    world.declare(&leads("9876543211"));
    world.run("plan --out plan.json").exits(0);
    world.declare(&leads("9876543212"));
    let ran = world.run("apply plan.json --yes").exits(4);
    assert!(
        ran.out
            .contains("a masked contact value no longer matches the plan"),
        "{}",
        ran.out
    );
    assert_eq!(world.sent().keys().collect::<Vec<_>>(), [&uuid(2)]);
}

#[test]
fn the_same_saved_plan_settles_the_rest_though_a_cap_is_reached_by_it() {
    let live: Vec<_> = (1..=3)
        .map(|number| record(number, "OPEN", Some(RAHUL), &[]))
        .collect();
    let world = World::new(&live, "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace(
            "priya: 631aa793bcfa100487d13d0d",
            "priya: { id: 631aa793bcfa100487d13d0d, max_leads: 3 }",
        ),
    );
    world.declare(
        &(1..=3)
            .map(|number| format!("  {}: {{ agent: priya }}\n", uuid(number)))
            .collect::<String>(),
    );
    world.run("plan --out plan.json").exits(0);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["_agentAssigned"] = PRIYA.into());
    let ran = world.run("apply plan.json --yes").exits(0);
    assert!(ran.out.contains("2 verified, 1 already"), "{}", ran.out);
}

#[test]
fn a_plan_from_the_future_is_refused() {
    let world = world();
    let plan = std::fs::read(world.path("plan.json")).expect("a plan");
    let mut plan = convertalk::plan::file::from_bytes(&plan).expect("a plan");
    plan.created_at = "2099-01-01T00:00:00Z".to_owned();
    plan.digest = None;
    std::fs::write(
        world.path("later.json"),
        convertalk::plan::file::saved(&plan, convertalk::redaction::Redaction::Full, None)
            .expect("JSON"),
    )
    .expect("a file");
    assert!(
        world
            .run("apply later.json --yes")
            .exits(1)
            .err
            .contains("in the future")
    );
}

//! Platforms that change more than they are sent, and what one run learns of that for the next.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, World, record, uuid};

fn configured(world: &World, api: &str) {
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", &format!("endpoint: sandbox, {api}")),
    );
}

/// Open leads without an agent, on a platform where assigning one sets the status to INPROGRESS.
fn world(leads: usize, lead: &str, flags: &str) -> World {
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, &format!("--side-effect assign-opens {flags}"));
    let leads = (1..=leads).map(|number| format!("  {}: {{ {lead} }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
    world
}

fn statuses(world: &World) -> Vec<String> {
    let records = world.sandbox().records();
    let status = |record: &Json| record["status"].as_str().expect("text").to_owned();
    records.values().map(status).collect()
}

#[test]
fn a_side_effect_is_a_note_with_the_setting_that_accepts_it() {
    let world = world(5, "agent: priya", "");
    let ran = world.run("apply --yes").exits(0);
    assert!(ran.out.contains("5 verified"), "{}", ran.out);
    let words =
        "writing agent changed status to INPROGRESS, on 5 of 5 leads: probably a side effect";
    assert!(ran.out.contains(words), "{}", ran.out);
    assert!(
        ran.out.contains("`api.side_effects: [status]`"),
        "{}",
        ran.out
    );
    assert!(
        world
            .run("doctor")
            .out
            .contains("writing agent changed status")
    );
}

#[test]
fn a_side_effect_that_is_accepted_is_no_remark() {
    let world = world(5, "agent: priya", "");
    configured(&world, "side_effects: [status]");
    let ran = world.run("apply --yes").exits(0);
    assert!(ran.out.contains("5 verified"), "{}", ran.out);
    assert!(
        !ran.out.contains("status"),
        "{}",
        ran.out.split("Plan:").last().unwrap_or_default()
    );
    assert_eq!(world.puts().len(), 5);
}

#[test]
fn a_declared_side_effect_alone_is_written_once_more() {
    let world = world(
        5,
        "agent: priya, status: OPEN, tags: { present: [web] }",
        "",
    );
    configured(&world, "side_effects: [status]");
    let ran = world.run("apply --yes --run-file run.jsonl").exits(0);
    assert!(ran.out.contains("5 verified"), "{}", ran.out);
    for bodies in world.sent().values() {
        assert_eq!(
            bodies.as_slice(),
            [json!({ "agentId": PRIYA }), json!({ "status": "OPEN" })]
        );
    }
    assert_eq!(statuses(&world), ["OPEN"; 5]);
    world.assert_settled();
    let puts = world.puts().len();
    for _ in 0..3 {
        world.run("apply --yes").exits(0);
    }
    assert_eq!(world.puts().len(), puts);
    // The platform opened the leads, not the run: only what the run wrote is undone.
    world.run("undo run.jsonl --yes").exits(0);
    let sent = world.sent();
    for bodies in sent.values() {
        assert_eq!(bodies.last(), Some(&json!({ "agentId": "" })));
    }
}

#[test]
fn a_field_that_the_platform_sets_over_the_one_sent_is_written_once_more() {
    let world = world(3, "agent: priya, status: REVIEW", "");
    let ran = world.run("apply --yes --patience 1s").exits(6);
    assert!(
        ran.out.contains("name it in api.side_effects"),
        "{}",
        ran.out
    );
    let world = crate::side_effects::world(3, "agent: priya, status: REVIEW", "");
    configured(&world, "side_effects: [status]");
    let ran = world.run("apply --yes --patience 1s").exits(0);
    assert!(ran.out.contains("3 verified"), "{}", ran.out);
    assert!(world.sent().values().all(|bodies| bodies.len() == 2));
    assert_eq!(statuses(&world), ["REVIEW"; 3]);
    world.assert_settled();
}

#[test]
fn a_side_effect_that_comes_back_is_unverified_and_not_fought() {
    // Closing takes the agent away, and assigning one opens the lead: both cannot be.
    let live = [record(1, "OPEN", Some(PRIYA), &[])];
    let flags = "--side-effect close-unassigns --side-effect assign-opens";
    let world = World::new(&live, flags);
    world.declare(&format!(
        "  {}: {{ agent: priya, status: CLOSED }}\n",
        uuid(1)
    ));
    configured(&world, "side_effects: [agent, status]");
    let ran = world.run("apply --yes --patience 1s").exits(6);
    assert!(
        ran.out
            .contains("a side effect of the write was not corrected"),
        "{}",
        ran.out
    );
    assert_eq!(world.puts().len(), 2);
}

#[test]
fn a_field_that_is_emptied_stops_the_run_unless_it_is_accepted() {
    let live: Vec<_> = (1..=3)
        .map(|number| record(number, "OPEN", Some(PRIYA), &[]))
        .collect();
    let world = World::new(&live, "--side-effect close-unassigns");
    all_closed(&world, 3);
    let ran = world.run("apply --yes --patience 1s").exits(6);
    assert!(ran.out.contains("1 unverified"), "{}", ran.out);
    assert!(ran.out.contains("2 untried"), "{}", ran.out);
    assert!(
        ran.out.contains("the canary was not verified"),
        "{}",
        ran.out
    );
    assert_eq!(world.puts().len(), 1);
    configured(&world, "side_effects: [agent]");
    let ran = world.run("apply --yes --patience 1s").exits(0);
    assert!(ran.out.contains("2 verified"), "{}", ran.out);
}

#[test]
fn a_field_of_no_lead_is_no_side_effect() {
    let world = world(1, "agent: priya", "");
    configured(&world, "side_effects: [state]");
    let ran = world.run("validate").exits(1);
    assert!(ran.err.contains("`state` is not a field"), "{}", ran.err);
}

fn notes(world: &World, number: usize) -> usize {
    let record = &world.sandbox().records()[&uuid(number)];
    record["profile"]["notes"].as_array().map_or(0, Vec::len)
}

fn adds_notes() -> World {
    let live: Vec<_> = (1..=4)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    World::new(&live, "--notes append")
}

fn with_notes(world: &World, notes: &str) {
    let leads = (1..=4).map(|number| format!("  {}: {{ notes: [{notes}] }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
}

#[test]
fn a_platform_that_adds_notes_doubles_those_of_one_lead_and_never_again() {
    let world = adds_notes();
    with_notes(&world, "{ title: One }");
    let ran = world.run("apply --yes").exits(0);
    assert!(
        ran.out.contains("existing notes appear twice"),
        "{}",
        ran.out
    );
    assert_eq!(
        [1, 2, 3, 4].map(|number| notes(&world, number)),
        [3, 2, 2, 2]
    );
    let file = world.path(".convertalk/platform.json");
    let mode = std::fs::metadata(&file)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    with_notes(&world, "{ title: One }, { title: Two }");
    let ran = world.run("plan").exits(0);
    assert_eq!(
        ran.err.matches("it adds notes to those there").count(),
        1,
        "{}",
        ran.err
    );
    let ran = world.run("apply --yes").exits(0);
    assert_eq!(
        ran.err.matches("it adds notes to those there").count(),
        1,
        "{}",
        ran.err
    );
    assert_eq!(
        [1, 2, 3, 4].map(|number| notes(&world, number)),
        [4, 3, 3, 3]
    );
    assert!(
        world
            .run("doctor")
            .out
            .contains("it adds notes to those there")
    );
    let schema: Json = serde_json::from_str(
        &std::fs::read_to_string("schema/platform.schema.json").expect("a schema"),
    )
    .expect("JSON");
    let kept: Json =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON");
    assert!(jsonschema::is_valid(&schema, &kept), "{kept}");
}

#[test]
fn what_was_learned_of_another_inbox_or_is_broken_is_ignored_with_a_note() {
    let world = adds_notes();
    with_notes(&world, "{ title: One }");
    world.run("apply --yes").exits(0);
    let file = world.path(".convertalk/platform.json");
    let kept = std::fs::read_to_string(&file).expect("a file");
    with_notes(&world, "{ title: One }, { title: Two }");
    for (text, why) in [
        ("{ \"format".to_owned(), "EOF"),
        (
            kept.replace(crate::world::BOT, "63d9ffa77a8d152facbe2f99"),
            "another inbox",
        ),
        (
            kept.replace("\"format_version\": 1", "\"format_version\": 7"),
            "version 7",
        ),
    ] {
        std::fs::write(&file, text).expect("a file");
        let ran = world.run("plan").exits(0);
        assert!(
            ran.err.contains("is ignored") && ran.err.contains(why),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains("it adds notes"), "{}", ran.err);
    }
}

/// A lead with a note of an agent, with keys that are never managed.
fn with_a_note(number: usize) -> Json {
    let mut lead = record(number, "OPEN", None, &[]);
    lead["profile"]["notes"] = json!([
        { "_id": format!("n{number}"), "title": "Old", "description": "asked to call", "author": "asha", "at": 7 }
    ]);
    lead
}

fn all_notes(world: &World, number: usize) -> Vec<Json> {
    let record = &world.sandbox().records()[&uuid(number)];
    let notes = record["profile"]["notes"].as_array();
    notes.cloned().unwrap_or_default()
}

#[test]
fn a_platform_that_no_longer_adds_notes_loses_none() {
    for canary in ["", "--canary 0"] {
        let live: Vec<_> = (1..=4).map(with_a_note).collect();
        let mut world = World::new(&live, "--notes append");
        with_notes(&world, "{ title: One }");
        world.run(&format!("apply --yes {canary}")).exits(0);
        let before = [1, 2, 3, 4].map(|number| all_notes(&world, number));

        world.becomes("--notes verbatim");
        with_notes(&world, "{ title: One }, { title: Two }");
        let ran = world.run(&format!("apply --yes {canary}")).exits(0);
        assert!(ran.out.contains("4 verified"), "{}", ran.out);
        assert!(ran.out.contains("replaces them now"), "{}", ran.out);
        for (number, before) in (1..).zip(&before) {
            let after = all_notes(&world, number);
            let has = |note: &Json| after.iter().filter(|other| *other == note).count();
            for note in before {
                assert!(has(note) > 0, "{number}: {note} of {after:?}");
            }
            let new = after.iter().filter(|note| note["title"] == "Two").count();
            assert_eq!((new, after.len()), (1, before.len() + 1), "{after:?}");
        }
        // The first write of each lead that was sent before this was known, and one that puts it right.
        let puts = if canary.is_empty() { 4 + 1 } else { 4 + 4 };
        assert_eq!(world.puts().len(), puts);
        let doctor = world.run("doctor").exits(0);
        assert!(!doctor.out.contains("it adds notes"), "{}", doctor.out);
        world.run("apply --yes").exits(0);
        assert_eq!(world.puts().len(), puts, "nothing is left to write");

        world.becomes("--notes append");
        with_notes(&world, "{ title: One }, { title: Two }, { title: Three }");
        let ran = world.run("apply --yes").exits(0);
        assert!(
            ran.out.contains("existing notes appear twice"),
            "{}",
            ran.out
        );
        let new = (1..=4).map(|number| {
            let notes = all_notes(&world, number);
            notes.iter().filter(|note| note["title"] == "Three").count()
        });
        assert_eq!(new.collect::<Vec<_>>(), [1, 1, 1, 1]);
        assert!(world.run("doctor").out.contains("it adds notes"));
    }
}

#[test]
fn lost_notes_that_cannot_be_written_back_are_unverified() {
    let live: Vec<_> = (1..=4).map(with_a_note).collect();
    let mut world = World::new(&live, "--notes append");
    with_notes(&world, "{ title: One }");
    world.run("apply --yes").exits(0);
    // The second PUT, which would bring the notes back, is refused.
    world.becomes("--notes verbatim --fault success-false@write:2,3,4,5,6,7,8,9");
    with_notes(&world, "{ title: One }, { title: Two }");
    let ran = world.run("apply --yes").exits(6);
    assert!(
        ran.out
            .contains("the notes that were there are lost, and could not be written back"),
        "{}",
        ran.out
    );
}

#[test]
fn the_canary_is_a_lead_that_has_what_a_write_may_clear() {
    let live: Vec<_> = (1..=9)
        .map(|number| record(number, "OPEN", (number == 7).then_some(PRIYA), &[]))
        .collect();
    let world = World::new(&live, "--side-effect close-unassigns");
    all_closed(&world, 9);
    let ran = world.run("apply --yes --patience 1s").exits(6);
    assert!(ran.out.contains("agent is empty now"), "{}", ran.out);
    assert_eq!(world.sent().into_keys().collect::<Vec<_>>(), [uuid(7)]);
}

/// Leads of which the last one says most, and nothing of agents.
fn only_others_have_agents(leads: usize) -> Vec<Json> {
    (1..=leads)
        .map(|number| {
            let agent = (number < leads).then_some(PRIYA);
            let mut record = record(number, "OPEN", agent, &["vip"]);
            if agent.is_some() {
                // The other says more, and nothing about agents.
                record["profile"] = json!({});
            }
            record
        })
        .collect()
}

fn all_closed(world: &World, leads: usize) {
    let leads = (1..=leads).map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
}

#[test]
fn a_field_that_the_canary_did_not_have_stops_the_run_where_it_is_emptied() {
    for concurrency in [1, 8] {
        let live = only_others_have_agents(200);
        let world = World::new(&live, "--side-effect close-unassigns --page-size 10");
        configured(&world, &format!("concurrency: {concurrency}"));
        all_closed(&world, 200);
        let ran = world.run("apply --yes --patience 1s").exits(6);
        assert!(
            ran.out.contains("a write emptied a field that it left out"),
            "{}",
            ran.out
        );
        assert!(world.puts().len() < 100, "{} writes", world.puts().len());
    }
}

/// A lead that does not show the write yet has all that it had, and says nothing of what a write clears.
#[test]
fn a_listing_that_lags_and_a_refused_write_do_not_show_that_values_are_kept() {
    for flags in [
        "--lag 700ms",
        "--fault success-false@write=10% --random-seed 3",
    ] {
        let live = only_others_have_agents(40);
        let world = World::new(&live, &format!("--side-effect close-unassigns {flags}"));
        all_closed(&world, 40);
        let ran = world
            .run("apply --yes --patience 5s --max-failures 40")
            .exits(6);
        assert!(
            ran.out.contains("agent is empty now"),
            "{flags}: {}",
            ran.out
        );
        assert!(!ran.out.contains("40 verified"), "{flags}: {}", ran.out);
    }
}

#[test]
fn one_lead_that_somebody_empties_stops_no_run() {
    let live = only_others_have_agents(150);
    let world = World::new(&live, "--page-size 10 --latency 5ms");
    all_closed(&world, 150);
    let child = world
        .command(&["apply", "--yes", "--patience", "1s"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    let written = loop {
        let puts = world.puts();
        let bodies = puts.iter().filter_map(|put| put.body.as_ref());
        let mut others = bodies.filter_map(|body| body["uuid"].as_str());
        if let Some(id) = others.find(|id| *id != uuid(150)) {
            break id.to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    world.sandbox().edit(&written, |record| {
        record["_agentAssigned"] = Json::Null;
    });
    let output = child.wait_with_output().expect("it ends");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.contains("150 verified"), "{out}");
}

#[test]
fn existing_notes_are_doubled_on_one_lead_although_the_first_has_none() {
    let mut live: Vec<_> = (1..=9)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    live[0]["profile"]["notes"] = json!([]);
    let world = World::new(&live, "--notes append");
    let leads =
        (1..=9).map(|number| format!("  {}: {{ notes: [{{ title: New }}] }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
    world.run("apply --yes").exits(0);
    assert_eq!(notes(&world, 1), 1);
    let all: usize = (2..=9).map(|number| notes(&world, number)).sum();
    assert_eq!(all, 8 * 2 + 1);
}

#[test]
fn a_new_lead_that_the_platform_does_not_take_keeps_no_other_from_being_written() {
    let live: Vec<_> = (1..=9)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    let world = World::new(&live, "--unknown ignore");
    let leads = (1..=9).map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)));
    let new =
        (21..=23).map(|number| format!("  {}: {{ create: true, status: OPEN }}\n", uuid(number)));
    world.declare(&leads.chain(new).collect::<String>());
    let ran = world.run("apply --yes --patience 300ms").exits(6);
    assert!(ran.out.contains("9 verified"), "{}", ran.out);
    assert!(ran.out.contains("1 unverified"), "{}", ran.out);
    assert!(ran.out.contains("2 untried"), "{}", ran.out);
    assert!(ran.out.contains("look for it in the inbox"), "{}", ran.out);
}

#[test]
fn that_the_platform_adds_notes_does_not_keep_a_run_from_being_stopped() {
    let live = only_others_have_agents(120);
    let flags = "--notes append --side-effect close-unassigns --page-size 10";
    let world = World::new(&live, flags);
    world.declare(&format!(
        "  {}: {{ notes: [{{ title: New }}] }}\n",
        uuid(120)
    ));
    world.run("apply --yes").exits(0);
    let before = world.puts().len();
    all_closed(&world, 120);
    let ran = world.run("apply --yes --patience 1s").exits(6);
    assert!(
        ran.out.contains("a write emptied a field that it left out"),
        "{}",
        ran.out
    );
    assert!(world.puts().len() - before < 90, "{}", ran.out);
}

/// Leads with a new note each, on a platform that adds notes and is known to.
fn new_notes(leads: usize, flags: &str) -> World {
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    let world = World::new(&live, &format!("--notes append {flags}"));
    configured(&world, "notes: new");
    let leads =
        (1..=leads).map(|number| format!("  {}: {{ notes: [{{ title: New }}] }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
    world
}

#[test]
fn notes_that_are_waited_for_count_as_failures() {
    let after_the_canary: Vec<String> = (2..=100).map(|number| number.to_string()).collect();
    let world = new_notes(
        60,
        &format!("--fault 500@write:{}", after_the_canary.join(",")),
    );
    let ran = world
        .run("apply --yes --max-failures 3 --patience 500ms")
        .exits(5);
    assert!(ran.out.contains("too many writes failed"), "{}", ran.out);
    assert!(
        world.sent().len() < 20,
        "{} leads were written",
        world.sent().len()
    );
}

#[test]
fn a_note_that_was_not_added_twice_is_added_the_third_time() {
    let world = new_notes(2, "--fault 502-html@write:1,2");
    let ran = world.run("apply --yes --patience 300ms").exits(0);
    assert!(ran.out.contains("2 verified"), "{}", ran.out);
    let counts: Vec<usize> = (1..=2).map(|number| notes(&world, number)).collect();
    assert_eq!(counts, [2, 2], "{}", ran.out);
}

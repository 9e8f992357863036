//! Platforms with habits: what they make of the texts that they are sent, and how they apply an update. Applied again and again, a run
//! converges or says what the platform shows instead; nothing is sent twice in a run, and no note is added twice.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, World, record, uuid};

/// Values that every habit has something to do with.
const LEAD: &str = "status: CLOSED, agent: priya, tags: [VIP, \"cafe\\u0301\"], attributes: { tier: \"a < b & c\" }, \
    contact: { email: Ann@Example.com }, notes: [{ title: \"Call <b>\", description: \"one\\ntwo & a long text that is cut somewhere\\n\" }]";

fn world(flags: &str) -> World {
    let live: Vec<_> = (1..=3)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, flags);
    let leads = (1..=3).map(|number| format!("  {}: {{ {LEAD} }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
    world
}

fn notes(world: &World, number: usize) -> Vec<Json> {
    let record = &world.sandbox().records()[&uuid(number)];
    record["profile"]["notes"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Applies twenty times. Every run ends with exit 0, or with 6 and these words; what is sent in each run is at most one write for each
/// lead.
fn applies(flags: &str, exit: i32, words: &[&str]) -> World {
    let world = world(flags);
    for run in 1..=20 {
        let before = world.puts().len();
        let ran = world.run("apply --yes --names full --patience 1s");
        assert_eq!(
            ran.exit, exit,
            "{flags}, run {run}\n{}\n{}",
            ran.out, ran.err
        );
        for word in words {
            assert!(ran.out.contains(word), "{flags}: {word}: {}", ran.out);
        }
        assert!(!ran.out.contains("untried"), "{flags}: {}", ran.out);
        let mut sent: BTreeMap<String, usize> = BTreeMap::new();
        for put in &world.puts()[before..] {
            let body = put.body.as_ref().expect("a body");
            *sent.entry(body["uuid"].to_string()).or_default() += 1;
        }
        assert!(sent.values().all(|times| *times == 1), "{flags}: {sent:?}");
    }
    for number in 1..=3 {
        assert_eq!(
            notes(&world, number).len(),
            2,
            "{flags}: {:?}",
            notes(&world, number)
        );
    }
    if exit == 0 {
        world.assert_settled();
    }
    world
}

#[test]
fn forms_that_mean_the_same_converge() {
    let rows = [
        "--normalise trim",
        "--normalise crlf",
        "--normalise nfc",
        "--normalise lower-email",
        "--normalise trim --normalise crlf --normalise nfc --normalise lower-email",
        "--apart 40ms",
        "--lag 100ms",
    ];
    std::thread::scope(|scope| {
        for flags in rows {
            scope.spawn(move || applies(flags, 0, &[]));
        }
    });
}

#[test]
fn forms_that_mean_something_else_are_shown_with_both_values() {
    let case = "normalised by the platform (letter case)";
    let html =
        "normalised by the platform (HTML escapes): sent `a < b & c`, shown `a &lt; b &amp; c`";
    std::thread::scope(|scope| {
        scope.spawn(|| applies("--normalise lower-tags", 6, &[case, "sent [VIP, ", "vip"]));
        scope.spawn(|| applies("--normalise html", 6, &[html]));
    });
}

#[test]
fn a_note_that_was_cut_is_there() {
    let world = applies("--normalise cut", 0, &[]);
    assert_eq!(
        notes(&world, 1)[1]["description"],
        "one\ntwo & a long text that is cut somewh"
    );
}

#[test]
fn fields_that_are_applied_one_after_the_other_are_waited_for() {
    let world = world("--apart 150ms");
    world.run("apply --yes").exits(0);
    assert_eq!(world.puts().len(), 3);
    world.assert_settled();
}

#[test]
fn an_update_that_is_applied_late_is_waited_for() {
    let world = world("--lag 700ms");
    world.run("apply --yes").exits(0);
    assert_eq!(world.puts().len(), 3);
    world.assert_settled();
}

#[test]
fn a_stale_canary_is_replaced_by_the_next_lead() {
    let world = world("");
    world.run("plan --out plan.json").exits(0);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    let ran = world.run("apply plan.json --yes").exits(4);
    assert!(ran.out.contains("2 verified, 1 stale"), "{}", ran.out);
}

#[test]
fn an_unwritten_field_that_changes_is_a_note() {
    let world = World::new(&[record(1, "OPEN", None, &["web"])], "--lag 500ms");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while world.puts().is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            world.sandbox().edit(&uuid(1), |record| {
                record["profile"]["userDetails"]["city"] = json!("Delhi");
                record["profile"]["userDetails"]["tags"] = json!(["web", "new"]);
            });
        });
        let ran = world.run("apply --yes").exits(0);
        assert!(ran.out.contains("city changed meanwhile"), "{}", ran.out);
        assert!(ran.out.contains("tags changed meanwhile"), "{}", ran.out);
    });
}

#[test]
fn a_read_back_that_cannot_be_read_leaves_the_lead_written() {
    let live = record(1, "OPEN", Some(PRIYA), &["web"]);
    let declared = format!("  {}: {{ status: CLOSED }}\n", uuid(1));
    let world = World::new(std::slice::from_ref(&live), "");
    world.declare(&declared);
    // Both lists to their ends: a plan that stops early may leave a request that no one waits for.
    world.run("plan --full").exits(0);
    let first = world.reads() + 1;
    drop(world);
    let many: Vec<String> = (first..60).map(|number| number.to_string()).collect();
    let many = many.join(",");
    let world = World::new(
        &[live],
        &format!("--wrong-token 401 --fault 502-html@read:{many}"),
    );
    world.declare(&declared);
    let ran = world.run("apply --yes --canary 0 --full").exits(5);
    assert!(ran.out.contains("1 written"), "{}", ran.out);
}

/// A record whose lists have more than the program manages: authors and times of notes, ids and types of attributes, tags with ids.
fn rich(number: usize) -> Json {
    let mut record = record(number, "OPEN", None, &[]);
    record["profile"]["notes"] = json!([{ "title": "Old", "description": "words", "_id": "n1", "by": "Asha", "at": "2026-01-02" }]);
    let details = &mut record["profile"]["userDetails"];
    details["attributes"] = json!([
        { "_id": "a1", "key": "score", "value": 87, "type": "number" },
        { "_id": "a2", "key": "paid", "value": false },
        { "_id": "a3", "key": "plan", "value": "pro", "by": "form" },
    ]);
    details["tags"] = json!([{ "_id": "t1", "name": "web" }, { "_id": "t2", "name": "cold" }]);
    record
}

#[test]
fn what_is_beside_the_text_of_an_item_is_kept() {
    let world = World::new(&[rich(1)], "--notes verbatim --attributes replace");
    world.declare(&format!(
        "  {}: {{ tags: {{ present: [vip], absent: [cold] }}, attributes: {{ score: 90, paid: true }}, notes: [{{ title: New }}] }}\n",
        uuid(1)
    ));
    world.run("apply --yes --run-file run.jsonl").exits(0);
    world.assert_settled();
    let details = |world: &World| world.sandbox().records()[&uuid(1)]["profile"].clone();
    let after = details(&world);
    assert_eq!(
        after["notes"],
        json!([
            { "title": "Old", "description": "words", "_id": "n1", "by": "Asha", "at": "2026-01-02" },
            { "title": "New", "description": "" },
        ])
    );
    let attributes = |score: i64, paid: bool| {
        json!([
            { "_id": "a1", "key": "score", "value": score, "type": "number" },
            { "_id": "a2", "key": "paid", "value": paid },
            { "_id": "a3", "key": "plan", "value": "pro", "by": "form" },
        ])
    };
    assert_eq!(after["userDetails"]["attributes"], attributes(90, true));
    assert_eq!(
        after["userDetails"]["tags"],
        json!(["vip", { "_id": "t1", "name": "web" }])
    );
    world.run("undo run.jsonl --yes").exits(0);
    assert_eq!(
        details(&world)["userDetails"]["attributes"],
        attributes(87, false)
    );
}

/// The bodies of one run, by lead.
fn sent_since(world: &World, before: usize) -> BTreeMap<String, Vec<Json>> {
    let mut sent: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for put in world.puts().split_off(before) {
        let body = put.body.expect("a body");
        let id = body["uuid"].as_str().expect("text").to_owned();
        sent.entry(id).or_default().push(body);
    }
    sent
}

/// Where the platform shows a write late, or one field after the other, what is not there yet may be sent once more: of absolute values
/// that changes nothing.
#[test]
fn writes_that_are_done_and_never_answered_converge() {
    for (flags, is_late) in [
        ("--fault drop-after@write", false),
        ("--fault truncated@write", false),
        ("--fault drop-after@write --apart 40ms", true),
        ("--fault drop-after@write --lag 100ms", true),
    ] {
        let world = world(flags);
        let ran = world.run("apply --yes --canary 0 --patience 5s").exits(0);
        assert!(ran.out.contains("3 verified"), "{flags}: {}", ran.out);
        let sent = sent_since(&world, 0);
        let most = if is_late { 4 } else { 1 };
        assert!(
            sent.len() == 3 && sent.values().all(|bodies| bodies.len() <= most),
            "{flags}: {sent:?}"
        );
        for number in 1..=3 {
            assert_eq!(notes(&world, number).len(), 2, "{flags}");
        }
        world.assert_settled();
    }
}

#[test]
fn side_effects_converge_in_every_run() {
    let rows = [
        ("agent: priya", "", 1),
        ("agent: priya", ", side_effects: [status]", 1),
        ("agent: priya, status: OPEN", ", side_effects: [status]", 2),
    ];
    for (lead, api, times) in rows {
        let live: Vec<_> = (1..=3)
            .map(|number| record(number, "OPEN", None, &["web"]))
            .collect();
        let world = World::new(&live, "--side-effect assign-opens");
        let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
        let config = config.replace("endpoint: sandbox", &format!("endpoint: sandbox{api}"));
        world.write("convertalk.yaml", &config);
        let leads = (1..=3).map(|number| format!("  {}: {{ {lead} }}\n", uuid(number)));
        world.declare(&leads.collect::<String>());
        for run in 1..=20 {
            let before = world.puts().len();
            let ran = world.run("apply --yes --patience 1s").exits(0);
            assert!(ran.out.contains("3 verified"), "run {run}: {}", ran.out);
            let sent = sent_since(&world, before);
            assert!(
                sent.len() == 3 && sent.values().all(|bodies| bodies.len() == times),
                "{lead}{api}, run {run}: {sent:?}"
            );
            world.assert_settled();
            // Somebody takes the leads back.
            for number in 1..=3 {
                world.sandbox().edit(&uuid(number), |record| {
                    record["status"] = "OPEN".into();
                    record["_agentAssigned"] = Json::Null;
                });
            }
        }
    }
}

#[test]
fn a_cap_that_some_leads_reach_stops_no_other_and_is_not_fought() {
    let tags = ["a", "b", "c", "d", "e"];
    let live: Vec<_> = (1..=6)
        .map(|number| record(number, "OPEN", None, &tags[..2 + number / 2]))
        .collect();
    let world = World::new(&live, "--normalise cap");
    let leads =
        (1..=6).map(|number| format!("  {}: {{ tags: {{ present: [x] }} }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
    for run in 1..=20 {
        let before = world.puts().len();
        let ran = world.run("apply --yes --patience 1s").exits(6);
        let sent = sent_since(&world, before);
        assert!(sent.values().all(|bodies| bodies.len() == 1), "{sent:?}");
        let (verified, sends) = if run == 1 {
            ("5 verified", 6)
        } else {
            ("1 unverified", 1)
        };
        assert!(ran.out.contains(verified), "run {run}: {}", ran.out);
        assert!(!ran.out.contains("untried"), "run {run}: {}", ran.out);
        assert_eq!(sent.len(), sends, "run {run}");
    }
}

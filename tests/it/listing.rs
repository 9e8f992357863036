//! A listing that moves under the reader.

use crate::world::{Ran, World, record, serve, uuid};

fn world(leads: usize, flags: &str) -> World {
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    World::new(&live, flags)
}

fn declare_every(world: &World, step: usize, leads: usize) {
    world.declare(
        &(1..=leads)
            .step_by(step)
            .map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)))
            .collect::<String>(),
    );
}

#[test]
fn chats_that_arrive_hide_no_lead() {
    for flags in [
        "--page-size 1 --arrivals 4",
        "--page-size 2 --arrivals 3",
        "--page-size 5 --arrivals 2",
        "--page-size 7 --churn 2",
        "--page-size 4 --churn 3 --arrivals 5 --duplicates",
    ] {
        let world = world(24, flags);
        declare_every(&world, 3, 24);
        let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
        world.write(
            "convertalk.yaml",
            &config.replace("endpoint: sandbox", "endpoint: sandbox, concurrency: 3"),
        );
        let ran = world.run("apply --yes");
        assert_eq!(
            (ran.exit, world.sent().len()),
            (0, 8),
            "{flags}\n{}\n{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn a_chat_that_turns_into_a_lead_is_found() {
    let world = World::new(&[], "--leads 60 --page-size 5 --promote 2");
    let ids: Vec<String> = world.sandbox().records().keys().cloned().collect();
    world.declare(
        &ids.iter()
            .map(|id| format!("  {id}: {{ status: CLOSED }}\n"))
            .collect::<String>(),
    );
    world.run("apply --yes").exits(0);
    assert!(
        world
            .sandbox()
            .records()
            .values()
            .all(|record| record["status"] == "CLOSED")
    );
}

#[test]
fn a_list_without_end_fails_loudly() {
    let world = world(40, "--page-size 2 --arrivals 3");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(999)));
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, page_cap: 12"),
    );
    let ran = world.run("plan").exits(1);
    assert!(
        ran.err.contains("has not ended after 12 pages") && ran.err.contains("api.page_cap"),
        "{}",
        ran.err
    );
}

#[test]
fn reading_stops_once_every_declared_lead_is_found() {
    let world = World::new(&[], "--leads 4000 --page-size 10 --sort created");
    let mut leads: Vec<(String, String)> = world
        .sandbox()
        .records()
        .iter()
        .map(|(id, record)| (record["createdAt"].to_string(), id.clone()))
        .collect();
    leads.sort();
    let newest: String = leads
        .iter()
        .rev()
        .take(3)
        .map(|(_, id)| format!("  {id}: {{ status: CLOSED }}\n"))
        .collect();
    world.declare(&newest);
    let plan = world.run("plan --format json").exits(0).json();
    assert_eq!(plan["listing"]["complete"], false);
    let pages = plan["listing"]["pages_read"].as_u64().expect("a number");
    assert!(
        pages <= 2 && world.reads() <= 10,
        "{pages} pages and {} requests for three leads on page 1",
        world.reads()
    );
    let plan = world.run("plan --format json --full").exits(0).json();
    assert_eq!(
        (&plan["listing"]["complete"], &plan["listing"]["leads_read"]),
        (&true.into(), &4000.into())
    );
}

#[test]
fn the_first_pages_of_a_large_inbox_are_enough_for_leads_that_stand_there() {
    // Updated after all those that are generated, and so on page 1.
    let world = world(3, "--leads 100000 --page-size 200");
    declare_every(&world, 1, 3);
    let plan = world.run("plan --format json").exits(0).json();
    assert_eq!(
        (
            &plan["listing"]["complete"],
            plan["summary"]["missing"].as_u64()
        ),
        (&false.into(), Some(0))
    );
    assert!(
        world.reads() <= 2,
        "{} requests: one for each list would do",
        world.reads()
    );
}

#[test]
fn two_sweeps_before_a_lead_is_called_missing() {
    let world = world(10, "--page-size 5");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(999)));
    world.run("plan").exits(1);
    let first_pages = world
        .sandbox()
        .requests()
        .iter()
        .filter(|request| request.query.get("page").is_some_and(|page| page == "1"))
        .count();
    assert_eq!(first_pages, 4, "both lists, twice");
}

#[test]
fn every_odd_shape_of_a_record_is_read() {
    let world = World::new(&[], "--leads 200 --odd-shapes --page-size 9");
    let ids: Vec<String> = world
        .sandbox()
        .records()
        .iter()
        .filter(|(_, record)| record.get("uuid").is_some_and(serde_json::Value::is_string))
        .map(|(id, _)| id.clone())
        .collect();
    assert!(ids.len() > 100);
    world.declare(
        &ids.iter()
            .map(|id| format!("  {id}: {{ status: ONHOLD, tags: {{ present: [seen] }} }}\n"))
            .collect::<String>(),
    );
    let ran = world.run("apply --yes").exits(0);
    assert!(ran.out.contains("verified"), "{}", ran.out);
    world.assert_settled();
}

#[test]
fn reading_back_a_few_leads_costs_a_few_pages() {
    let world = world(400, "--page-size 5");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(200)));
    world.run("plan").exits(0);
    let planning = world.reads();
    world.run("apply --yes").exits(0);
    let applying = world.reads() - planning;
    assert!(
        applying <= planning + 12,
        "apply read {applying} pages where plan read {planning}"
    );
}

/// An inbox of one lead, whose tags are nested more deeply than any reader follows.
fn unreadable() -> (World, String) {
    let url = serve(|request| {
        if request.starts_with("GET") && request.contains("page=1&type=lead") {
            let tags = "[".repeat(1_000) + &"]".repeat(1_000);
            let details = format!("{{\"userDetails\":{{\"tags\":{tags}}}}}");
            let record = format!("{{\"uuid\":\"u-1\",\"status\":\"OPEN\",\"profile\":{details}}}");
            (
                "200 OK",
                format!("{{\"success\":true,\"data\":[{record}]}}"),
            )
        } else if request.starts_with("GET") {
            ("200 OK", r#"{"success":true,"data":[]}"#.to_owned())
        } else {
            ("400 Bad Request", "an update was sent".to_owned())
        }
    });
    (World::new(&[], ""), url)
}

fn run_at(url: &str, world: &World, words: &[&str]) -> Ran {
    let mut command = world.command(words);
    command.env("CONVERTALK_ENDPOINT", url);
    world.ran(command.output().expect("the program runs"))
}

#[test]
fn a_lead_whose_record_cannot_be_understood_is_unreadable_and_neither_missing_nor_created() {
    let (world, url) = unreadable();
    world.declare("  u-1: { tags: [vip], create: true }\n");
    for words in [
        ["plan", "--full"].as_slice(),
        &["apply", "--yes"],
        &["apply", "--yes", "--missing", "skip"],
        &["explain", "u-1"],
    ] {
        let ran = run_at(&url, &world, words).exits(1);
        assert!(
            ran.err.contains(
                "1 unreadable lead in the inbox: u-1 (`profile` cannot be read: recursion limit"
            ),
            "{words:?}: {}",
            ran.err
        );
        assert!(!ran.err.contains("not in the inbox"), "{}", ran.err);
        assert!(!ran.err.contains("an update was sent"), "{}", ran.err);
    }
}

#[test]
fn a_plan_of_other_fields_does_not_need_the_value_that_is_unreadable() {
    let (world, url) = unreadable();
    world.declare("  u-1: { status: CLOSED }\n");
    let ran = run_at(&url, &world, &["plan"]).exits(0);
    assert!(ran.out.contains("OPEN -> CLOSED"), "{}", ran.out);
}

#[test]
fn a_snapshot_says_which_leads_are_unreadable() {
    let (world, url) = unreadable();
    world.declare("  u-1: { tags: [vip], create: true }\n");
    run_at(&url, &world, &["snapshot", "--out", "inbox.jsonl"]).exits(0);
    let ran = run_at(&url, &world, &["plan", "--live", "inbox.jsonl"]).exits(1);
    assert!(ran.err.contains("1 unreadable lead"), "{}", ran.err);
}

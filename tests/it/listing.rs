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

/// A world with `leads` chats of which every `step`th is declared, and the pages of its lists with `page_size` chats each.
fn sized(leads: usize, page_size: usize, step: usize, flags: &str) -> (World, usize) {
    let world = World::new(
        &[],
        &format!("--leads {leads} --page-size {page_size} --sort created {flags}"),
    );
    let records = world.sandbox().records();
    let ids: Vec<&String> = records.keys().collect();
    world.declare(
        &ids.iter()
            .step_by(step)
            .map(|id| format!("  {id}: {{ tags: {{ absent: [no such tag] }} }}\n"))
            .collect::<String>(),
    );
    let others = leads / 10;
    let pages = (leads - others).div_ceil(page_size) + others.div_ceil(page_size);
    (world, pages)
}

fn requests(world: &World, command: &str) -> usize {
    let before = world.reads();
    world.run(command).exits(0);
    settled_reads(world) - before
}

/// The requests for pages, once none comes any more: what a plan gave up when it had found its leads may arrive after it has ended.
fn settled_reads(world: &World) -> usize {
    loop {
        let before = world.reads();
        std::thread::sleep(std::time::Duration::from_millis(200));
        if world.reads() == before {
            return before;
        }
    }
}

#[test]
fn a_full_plan_requests_few_pages_beyond_the_ends() {
    for (leads, page_size, step) in [
        (45, 20, 1),
        (2_000, 50, 1),
        (2_000, 50, 40),
        (2_000, 20, 3),
        (600, 30, 1),
    ] {
        let (world, pages) = sized(leads, page_size, step, "--latency 5ms");
        let first = requests(&world, "plan --full");
        let limit = pages + 4 + pages / 10;
        assert!(
            first <= limit,
            "{leads} at {page_size}: {first} requests for {pages} pages"
        );
        let second = requests(&world, "plan --full");
        assert_eq!(
            second,
            pages + 4,
            "{leads} at {page_size}, the lengths known"
        );
    }
}

#[test]
fn the_second_plan_looks_where_the_leads_were() {
    let (world, pages) = sized(4_000, 10, 80, "");
    let first = requests(&world, "plan");
    assert!(first > 3 * pages / 4, "{first} of {pages} pages");
    let second = requests(&world, "plan");
    assert!(second <= 50, "{second} requests for 50 leads");
    let full = requests(&world, "plan --full");
    assert!(
        full >= pages + 4,
        "{full} requests: a hint proves no list's end"
    );
}

/// An inbox of 200 pages with five declared leads, the last of them on the last pages, and a change to the file of two of them.
fn two_changes_far_away() -> (World, Vec<String>) {
    let (world, _) = sized(2_000, 10, 400, "");
    let file = world.path("leads/all.yaml");
    let text = std::fs::read_to_string(&file).expect("a file");
    let ids: Vec<String> = text
        .lines()
        .filter_map(|line| Some(line.trim().split_once(": {")?.0.to_owned()))
        .collect();
    assert_eq!(ids.len(), 5);
    world.run("plan").exits(0);
    crate::base::git(&world, "init -q .");
    crate::base::commit(&world);
    let changed = ids[3..].iter().fold(text, |text, id| {
        let to = format!("{id}: {{ tags: {{ present: [call back] }} }}");
        text.replace(
            &format!("{id}: {{ tags: {{ absent: [no such tag] }} }}"),
            &to,
        )
    });
    std::fs::write(&file, changed).expect("a file");
    (world, ids)
}

#[test]
fn a_plan_of_what_changed_reads_no_other_leads() {
    let (world, _) = two_changes_far_away();
    let changed = requests(&world, "plan --only changed --base HEAD");
    assert!(changed <= 2, "{changed} requests for two leads");
}

#[test]
fn explain_a_saved_plan_and_undo_look_where_the_leads_were() {
    let (world, ids) = two_changes_far_away();
    let explain = requests(&world, &format!("explain {}", ids[4]));
    assert_eq!(explain, 1, "one lead is on one page");
    world.run("plan --out change.json").exits(0);
    let apply = requests(&world, "apply change.json --yes");
    let undo = requests(&world, "undo last --yes");
    // Two pages are read, and read back.
    for (command, requests) in [("apply", apply), ("undo", undo)] {
        assert!(
            requests <= 4,
            "{command}: {requests} requests for two leads"
        );
    }
    assert_eq!(world.puts().len(), 4, "two there and two back");
}

#[test]
fn leads_that_moved_are_found_all_the_same() {
    let world = world(400, "--page-size 5 --sort updated");
    declare_every(&world, 16, 400);
    world.run("apply --yes").exits(0);
    // Those that were written are on the first pages now.
    let again = world.run("plan --format json").exits(0).json();
    assert_eq!(again["summary"]["in_sync"], 25);
    let far = world.run("plan --format json").exits(0).json();
    assert_eq!(far["summary"]["in_sync"], 25);
}

#[test]
fn hints_that_are_wrong_or_not_of_this_inbox_are_ignored() {
    let (world, pages) = sized(400, 10, 20, "");
    world.run("plan --full").exits(0);
    let file = world.path(".convertalk/listing.json");
    let kept = std::fs::read_to_string(&file).expect("hints");
    let bent = |from: &str, to: &str| {
        assert!(kept.contains(from), "{from} in {kept}");
        kept.replace(from, to)
    };
    for text in [
        "{".to_owned(),
        "[]".to_owned(),
        "x".repeat(3_000_000),
        bent("\"format_version\":1", "\"format_version\":9"),
        bent(crate::world::BOT, "000000000000000000000000"),
        bent("\"page\":", "\"page\":9"),
        bent("\"page\":", "\"page\":0"),
        bent("\"lead\":36", "\"lead\":4294967295"),
        bent("\"lead\":36", "\"lead\":0"),
    ] {
        std::fs::write(&file, &text).expect("a file");
        let ran = world.run("plan --full").exits(0);
        assert_eq!(
            (ran.err.as_str(), ran.out.contains("Nothing to do")),
            ("", true),
            "{text:.80}"
        );
        std::fs::write(&file, &text).expect("a file");
        let requests = requests(&world, "plan");
        assert!(
            requests <= 2 * pages + 20,
            "{requests} requests: {text:.80}"
        );
    }
}

#[test]
fn hints_hold_uuids_and_pages_and_nothing_of_the_leads() {
    let (world, _) = sized(400, 10, 20, "");
    world.run("plan --full").exits(0);
    let file = world.path(".convertalk/listing.json");
    let hints: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("hints")).expect("JSON");
    let schema: serde_json::Value = serde_json::from_str(
        &std::fs::read_to_string("schema/listing.schema.json").expect("a schema"),
    )
    .expect("JSON");
    assert!(jsonschema::is_valid(&schema, &hints), "{hints}");
    let places = hints["places"].as_array().expect("a list");
    let keys = places
        .iter()
        .flat_map(|place| place.as_object().expect("an object").keys());
    assert_eq!(
        keys.collect::<std::collections::BTreeSet<_>>(),
        ["list", "page", "uuids"]
            .map(str::to_owned)
            .iter()
            .collect()
    );
    assert_eq!(
        hints["lengths"],
        serde_json::json!({"lead": 36, "non-lead": 4})
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
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

#[test]
fn a_snapshot_is_compared_with_unless_it_is_too_old() {
    let live: Vec<_> = (1..=40)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    let world = World::new(&live, "--page-size 5 --sort created");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world.run("snapshot --out live.jsonl").exits(0);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "CLOSED".into());
    let read = world.reads();
    let words = "plan --detailed-exitcode --live live.jsonl --live-max-age";
    let young = world.run(&format!("{words} 1h")).exits(2);
    assert!(young.err.contains("live values of"), "{}", young.err);
    assert_eq!(
        world.reads(),
        read,
        "a snapshot that is young enough spares every request"
    );

    let text = std::fs::read_to_string(world.path("live.jsonl")).expect("a snapshot");
    let made = |at: jiff::Timestamp| {
        let (head, leads) = text.split_once('\n').expect("lines");
        let mut head: serde_json::Value = serde_json::from_str(head).expect("a head");
        head["created_at"] = at.to_string().into();
        world.write("live.jsonl", &format!("{head}\n{leads}"));
    };
    let hours = |hours| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
    for (at, why) in [
        (hours(-3), "the inbox is read: live.jsonl is 3h old"),
        (
            hours(3),
            "the inbox is read: live.jsonl has a missing or future timestamp",
        ),
    ] {
        made(at);
        let read = world.reads();
        let old = world.run(&format!("{words} 2h")).exits(0);
        assert!(old.err.contains(why), "{}", old.err);
        assert!(world.reads() > read);
        world
            .run(&format!("{words} 4h"))
            .exits(if at < hours(0) { 2 } else { 0 });
    }
    let ran = world.run("plan --live-max-age 1h").exits(1);
    assert!(ran.err.contains("--live <FILE>"), "{}", ran.err);
}

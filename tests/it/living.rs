//! Inboxes in which agents work while a run goes on. The oracle knows every request and every edit: each write follows a reading that is
//! young enough, and no edit that is older than that is lost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use convertalk::sandbox::{AgentEdit, LoggedRequest};
use serde_json::Value as Json;

use crate::world::{Ran, World, record, serve, uuid};

/// How old a reading may be, without the page.
const FRESH: Duration = Duration::from_secs(2);
/// What the machine that the tests run on may add.
const SLACK: Duration = Duration::from_millis(400);

/// A world of leads that are to be closed and to get a note and an attribute; the lists are replaced by what is sent.
fn world(leads: usize, api: &str, flags: &str) -> World {
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, &format!("--attributes replace {flags}"));
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", &format!("endpoint: sandbox, {api}")),
    );
    let lead = "status: CLOSED, attributes: { tier: gold }, notes: [{ title: Renewal }]";
    world.declare(
        &(1..=leads)
            .map(|number| format!("  {}: {{ {lead} }}\n", uuid(number)))
            .collect::<String>(),
    );
    world
}

fn lead(put: &LoggedRequest) -> &str {
    put.body.as_ref().expect("a body")["uuid"]
        .as_str()
        .expect("text")
}

/// The age of the reading behind each write: since the last listing was asked for that shows its lead.
pub(crate) fn ages(requests: &[LoggedRequest], page: Duration) -> Vec<Duration> {
    let age = |put: &LoggedRequest| {
        let shows = |get: &&LoggedRequest| {
            get.method == "GET"
                && get.fault.is_none()
                && get.at + page <= put.at
                && get.shown.iter().any(|id| id == lead(put))
        };
        let seen = requests.iter().filter(shows).map(|get| get.at).max();
        seen.map_or(Duration::MAX, |seen| put.at - seen)
    };
    requests
        .iter()
        .filter(|request| request.method == "PUT" && request.body.is_some())
        .map(age)
        .collect()
}

/// Whether what an agent added is among the items that a write sends, or that a record has.
pub(crate) fn has(edit: &AgentEdit, items: &Json) -> bool {
    let text = |item: &Json| match edit.field {
        "tags" => item.as_str().map(str::to_owned),
        "notes" => item["title"].as_str().map(str::to_owned),
        _ => item["key"].as_str().map(str::to_owned),
    };
    items.as_array().is_some_and(|items| {
        items
            .iter()
            .any(|item| text(item).as_ref() == Some(&edit.value))
    })
}

/// Edits that a write undid though it could have known of them.
pub(crate) fn lost(world: &World, page: Duration) -> Vec<String> {
    let (edits, puts) = (world.sandbox().edits(), world.puts());
    let window = FRESH + page + SLACK;
    let requests = world.sandbox().requests();
    let shows = |request: &&LoggedRequest, edit: &AgentEdit| {
        request.method == "GET" && request.shown.contains(&edit.uuid)
    };
    // What the plan was made from is not undone by what was planned.
    let planned = |edit: &AgentEdit| {
        let first = requests.iter().find(|request| shows(request, edit));
        first.is_none_or(|first| edit.at <= first.at + page)
    };
    let undone = |edit: &&AgentEdit, put: &LoggedRequest| {
        let body = put.body.as_ref().expect("a body");
        let known = put.at > edit.at + window && lead(put) == edit.uuid;
        let list = body.get(edit.field);
        known
            && match edit.field {
                "status" => {
                    let is_last = |other: &AgentEdit| {
                        other.field != "status" || other.uuid != edit.uuid || other.at <= edit.at
                    };
                    list.is_some()
                        && !planned(edit)
                        && edit.value != "OPEN"
                        && edits.iter().filter(|other| other.at < put.at).all(is_last)
                }
                _ => list.is_some_and(|items| !has(edit, items)),
            }
    };
    edits
        .iter()
        .filter(|edit| puts.iter().any(|put| undone(edit, put)))
        .map(|edit| format!("{edit:?}"))
        .collect()
}

/// Edits of lists that are not there any more, but for those that were made right before a write.
fn gone(world: &World, page: Duration) -> Vec<String> {
    let edits = world.sandbox().edits();
    let (records, puts) = (world.sandbox().records(), world.puts());
    let window = FRESH + page + SLACK;
    let is_there = |edit: &&AgentEdit| {
        let record = &records[&edit.uuid];
        let items = match edit.field {
            "notes" => &record["profile"]["notes"],
            field => &record["profile"]["userDetails"][field],
        };
        let raced = puts.iter().any(|put| {
            lead(put) == edit.uuid && put.at + page + SLACK >= edit.at && put.at <= edit.at + window
        });
        edit.field == "status" || has(edit, items) || raced
    };
    edits
        .iter()
        .filter(|edit| !is_there(edit))
        .map(|edit| format!("{edit:?}"))
        .collect()
}

#[track_caller]
fn assert_nothing_is_lost(world: &World, page: Duration) {
    let ages = ages(&world.sandbox().requests(), page);
    let oldest = ages.iter().max().copied().unwrap_or_default();
    assert!(
        oldest <= FRESH + page + SLACK,
        "a write was sent {oldest:?} after its lead was read"
    );
    let lost = lost(world, page);
    assert!(lost.is_empty(), "overwritten: {}", lost.join("\n"));
    let gone = gone(world, page);
    assert!(gone.is_empty(), "gone: {}", gone.join("\n"));
}

#[test]
fn edits_during_a_long_run_are_kept() {
    let page = Duration::from_millis(100);
    let world = world(
        160,
        "concurrency: 4",
        "--page-size 20 --latency 100ms --edits 25ms",
    );
    let ran = world.run("apply --yes");
    assert!(ran.out.contains("stale"), "{}", ran.out);
    assert!([4, 6].contains(&ran.exit), "{}\n{}", ran.out, ran.err);
    assert!(world.sandbox().edits().len() > 50);
    assert_nothing_is_lost(&world, page);
}

#[test]
fn an_edit_during_a_pause_that_the_platform_asked_for_is_kept() {
    let world = world(
        3,
        "concurrency: 1",
        "--retry-after 4 --fault 429@write:1 --edits 700ms",
    );
    world.run("apply --yes --canary 0");
    assert_nothing_is_lost(&world, Duration::ZERO);
}

#[test]
fn an_edit_while_the_rate_is_waited_for_is_kept() {
    for rate in ["0.7", "0.3"] {
        let world = world(
            3,
            &format!("concurrency: 16, rate: {rate}"),
            "--edits 900ms",
        );
        let ran = world.run("apply --yes --canary 0 --no-verify");
        assert!(ran.exit == 0 || ran.exit == 4, "{}\n{}", ran.out, ran.err);
        assert!(!world.puts().is_empty());
        assert_nothing_is_lost(&world, Duration::ZERO);
    }
}

#[test]
fn a_limit_that_a_run_reaches_slows_it_down_and_costs_no_edit() {
    let world = world(
        40,
        "concurrency: 16",
        "--rate 15 --retry-after 1 --edits 300ms",
    );
    let ran = world.run("apply --yes");
    assert!([0, 4, 6].contains(&ran.exit), "{}\n{}", ran.out, ran.err);
    let puts = world.puts();
    let refused = puts.iter().filter(|put| put.status == Some(429)).count();
    assert!(refused > 0, "the limit is reached by writes");
    assert!(!ran.out.contains("untried"), "{}", ran.out);
    let mut taken: Vec<&str> = puts
        .iter()
        .filter(|put| put.status == Some(200))
        .map(lead)
        .collect();
    let all = taken.len();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), all, "no write is taken twice");
    assert!(taken.len() > 20, "{}", ran.out);
    assert_nothing_is_lost(&world, Duration::ZERO);
}

#[test]
fn an_edit_between_two_tries_is_kept() {
    let world = world(1, "timeout: 1s", "--fault hang@write:1,2");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while world.puts().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            world
                .sandbox()
                .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
        });
        let ran = world.run("apply --yes").exits(4);
        assert!(
            ran.out.contains("status changed since the plan"),
            "{}",
            ran.out
        );
    });
    assert_eq!(world.puts().len(), 1, "nothing is sent over an edit");
    assert_eq!(world.sandbox().records()[&uuid(1)]["status"], "REVIEW");
}

#[test]
fn a_write_whose_answer_was_lost_is_not_sent_again() {
    for fault in ["drop-after", "truncated", "oversized"] {
        let world = world(
            4,
            "concurrency: 1",
            &format!("--notes append --fault {fault}@write:2"),
        );
        let ran = world.run("apply --yes").exits(0);
        assert!(ran.out.contains("4 verified"), "{fault}: {}", ran.out);
        assert!(
            world.sent().values().all(|bodies| bodies.len() == 1),
            "{fault}"
        );
    }
}

/// Applies `status: CLOSED` to one lead, whose first write is answered with 500. From then on the record is an hour younger and has
/// the members of `after`; it is closed by the second write.
fn apply_after_a_lost_answer(after: &str) -> (Ran, usize) {
    let puts = Arc::new(AtomicUsize::new(0));
    let (sent, after) = (Arc::clone(&puts), after.to_owned());
    let url = serve(move |request| {
        if request.starts_with("PUT") {
            return match sent.fetch_add(1, Ordering::Relaxed) {
                0 => ("500 Internal Server Error", String::new()),
                _ => ("200 OK", r#"{"success":true,"message":"ok"}"#.to_owned()),
            };
        }
        let before = r#""status":"OPEN","updatedAt":"2026-02-03T04:05:06.789Z""#.to_owned();
        let record = match sent.load(Ordering::Relaxed) {
            0 => before,
            1 => format!(r#""updatedAt":"2026-02-03T05:05:06.789Z",{after}"#),
            _ => before.replace("OPEN", "CLOSED"),
        };
        let data = if request.contains("page=1&type=lead") {
            format!(r#"{{"uuid":"u-1",{record}}}"#)
        } else {
            String::new()
        };
        ("200 OK", format!(r#"{{"success":true,"data":[{data}]}}"#))
    });
    let world = World::new(&[], "");
    world.declare("  u-1: { status: CLOSED }\n");
    let mut command = world.command(&["apply", "--yes", "--patience", "200ms"]);
    command.env("CONVERTALK_ENDPOINT", url);
    let ran = world.ran(command.output().expect("the program runs"));
    (ran, puts.load(Ordering::Relaxed))
}

#[test]
fn a_write_that_may_have_been_set_back_is_not_sent_again() {
    let (ran, puts) = apply_after_a_lost_answer(r#""status":"OPEN""#);
    let ran = ran.exits(5);
    assert!(
        ran.out
            .contains("not sent again, because the lead was updated after it"),
        "{}",
        ran.out
    );
    assert_eq!(puts, 1);
    // What else was updated is seen.
    for after in [
        r#""status":"OPEN","lastSeenAt":"2026-02-03T05:05:06.789Z""#,
        r#""status":"OPEN","lastMessage":{"at":"2026-02-03T05:05:06.789Z"}"#,
        r#""status":"OPEN","profile":{"userDetails":{"tags":["vip"]}}"#,
        r#""status":"OPEN","profile":{"userDetails":{"city":"Pune"}}"#,
    ] {
        let (ran, puts) = apply_after_a_lost_answer(after);
        ran.exits(0);
        assert_eq!(puts, 2, "{after}");
    }
}

#[test]
fn writes_that_may_have_been_set_back_count_as_failed() {
    let written: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let sent = Arc::clone(&written);
    let url = serve(move |request| {
        let mut sent = sent.lock().expect("a lock");
        if request.starts_with("PUT") {
            let body = request.split_once("\r\n\r\n").expect("a body").1;
            let body: Json = serde_json::from_str(body).expect("JSON");
            sent.insert(body["uuid"].as_str().expect("text").to_owned());
            return ("500 Internal Server Error", String::new());
        }
        let lead = |number: usize| {
            let id = uuid(number);
            let hour = if sent.contains(&id) { 5 } else { 4 };
            format!(
                r#"{{"uuid":"{id}","status":"OPEN","updatedAt":"2026-02-03T0{hour}:05:06.789Z"}}"#
            )
        };
        let data = if request.contains("page=1&type=lead") {
            (1..=20).map(lead).collect::<Vec<_>>().join(",")
        } else {
            String::new()
        };
        ("200 OK", format!(r#"{{"success":true,"data":[{data}]}}"#))
    });
    let world = World::new(&[], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let config = config.replace("endpoint: sandbox", "endpoint: sandbox, concurrency: 1");
    world.write("convertalk.yaml", &config);
    let leads = (1..=20).map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)));
    world.declare(&leads.collect::<String>());
    let words = "apply --yes --canary 0 --max-failures 3 --patience 200ms";
    let mut command = world.command(&words.split(' ').collect::<Vec<_>>());
    command.env("CONVERTALK_ENDPOINT", url);
    let ran = world.ran(command.output().expect("the program runs"));
    let ran = ran.exits(5);
    let written = written.lock().expect("a lock").len();
    assert_eq!(written, 3, "{}", ran.out);
    assert!(ran.out.contains("untried"), "{}", ran.out);
}

#[test]
fn a_small_run_reads_no_page_again_before_it_writes() {
    let world = world(8, "concurrency: 8", "--page-size 5");
    world.run("apply --yes --canary 0 --no-verify").exits(0);
    assert_eq!(world.puts().len(), 8);
    assert_eq!(reads_after_the_first_write(&world), 0);
}

#[test]
fn each_page_is_read_once_more_for_all_leads_on_it() {
    let world = world(
        60,
        "concurrency: 4",
        "--page-size 20 --sort none --latency 40ms",
    );
    world.run("apply --yes --canary 0 --no-verify").exits(0);
    let reads = reads_after_the_first_write(&world);
    assert!(reads <= 6, "{reads} pages were read again, of 3");
}

fn reads_after_the_first_write(world: &World) -> usize {
    let requests = world.sandbox().requests();
    let is_read = |request: &&LoggedRequest| request.method == "GET";
    let writes = requests
        .iter()
        .skip_while(|request| request.method == "GET");
    writes.filter(is_read).count()
}

#[test]
fn a_tag_that_an_agent_adds_stays_where_tags_are_wanted_beside_others() {
    let live = [
        record(1, "OPEN", None, &["old"]),
        record(2, "OPEN", None, &["old"]),
    ];
    let world = World::new(&live, "");
    world.declare(&format!(
        "  {}: {{ tags: {{ present: [vip] }} }}\n  {}: {{ tags: [vip] }}\n",
        uuid(1),
        uuid(2)
    ));
    world.run("plan --out plan.json").exits(0);
    for number in [1, 2] {
        world.sandbox().edit(&uuid(number), |record| {
            record["profile"]["userDetails"]["tags"] = serde_json::json!(["old", "agent"]);
        });
    }
    let ran = world
        .run("apply plan.json --yes --run-file run.jsonl")
        .exits(4);
    assert!(ran.out.contains("1 verified, 1 stale"), "{}", ran.out);
    let tags =
        |number| world.sandbox().records()[&uuid(number)]["profile"]["userDetails"]["tags"].clone();
    assert_eq!(tags(1), serde_json::json!(["agent", "old", "vip"]));
    assert_eq!(
        tags(2),
        serde_json::json!(["old", "agent"]),
        "of exact tags, any that changed counts"
    );
    world.sandbox().edit(&uuid(1), |record| {
        record["profile"]["userDetails"]["tags"] = serde_json::json!(["agent", "later", "vip"]);
    });
    world.run("undo run.jsonl --yes").exits(0);
    assert_eq!(tags(1), serde_json::json!(["agent", "later"]));
}

#[test]
fn a_declared_field_that_is_not_to_be_written_makes_its_lead_stale_where_it_changes() {
    let live: Vec<_> = (1..=6)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, "");
    let lead = "agent: priya, status: OPEN, tags: { present: [web], absent: [cold] }, \
        attributes: { source: web }, notes: [{ title: Hello, description: First words }], \
        contact: { email: V@example.com }";
    let leads = (1..=6).map(|number| {
        let lead = lead.replace("V@", &format!("V{number}@"));
        format!("  {}: {{ {lead} }}\n", uuid(number))
    });
    world.declare(&leads.collect::<String>());
    world.run("plan --out plan.json").exits(0);
    let details = |number: usize, edit: fn(&mut Json)| {
        world
            .sandbox()
            .edit(&uuid(number), |record| edit(&mut record["profile"]));
    };
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    details(2, |profile| {
        profile["userDetails"]["tags"] = serde_json::json!(["web", "cold"]);
    });
    details(3, |profile| {
        profile["userDetails"]["attributes"][0]["value"] = "ads".into();
    });
    details(4, |profile| {
        profile["userDetails"]["contact"]["email"] = "other@example.com".into();
    });
    details(5, |profile| profile["notes"] = serde_json::json!([]));
    // Of tags beside others, of attributes and of notes, only its own items count.
    details(6, |profile| {
        profile["userDetails"]["tags"] = serde_json::json!(["web", "new"]);
        profile["userDetails"]["attributes"][1]["value"] = 8.into();
        profile["notes"]
            .as_array_mut()
            .expect("notes")
            .push(serde_json::json!({ "title": "By an agent", "description": "" }));
    });
    let ran = world.run("apply plan.json --yes").exits(4);
    assert!(ran.out.contains("1 verified, 5 stale"), "{}", ran.out);
    for (number, field) in [
        (1, "status"),
        (2, "tags"),
        (3, "attributes.source"),
        (4, "contact.email"),
        (5, "notes"),
    ] {
        let words = format!("{}: {field} changed since the plan", uuid(number));
        assert!(ran.out.contains(&words), "{words}: {}", ran.out);
    }
    assert_eq!(world.puts().len(), 1);
}

#[test]
fn drift_that_is_kept_makes_its_lead_stale_where_it_changes_again() {
    let world = World::new(&[record(1, "OPEN", None, &["web"])], "");
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(words)
            .current_dir(world.path("."));
        assert!(command.output().expect("git").status.success(), "{words:?}");
    };
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "REVIEW".into());
    world.declare(&format!(
        "  {}: {{ status: OPEN, agent: priya }}\n",
        uuid(1)
    ));
    world.run("plan --base HEAD --out plan.json").exits(0);
    world
        .sandbox()
        .edit(&uuid(1), |record| record["status"] = "ONHOLD".into());
    let ran = world.run("apply plan.json --yes").exits(4);
    assert!(
        ran.out.contains("status changed since the plan"),
        "{}",
        ran.out
    );
    world.run("apply --yes --base HEAD").exits(0);
    assert_eq!(world.puts().len(), 1);
    assert_eq!(world.sandbox().records()[&uuid(1)]["status"], "ONHOLD");
}

/// A value that no reader follows.
fn too_deep() -> Json {
    (0..300).fold(Json::from("deep"), |inner, _| Json::Array(vec![inner]))
}

#[test]
fn a_lead_whose_record_cannot_be_read_again_is_not_written() {
    let world = world(3, "concurrency: 1", "--retry-after 3 --fault 429@write:1");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while world.puts().is_empty() {
                std::thread::sleep(Duration::from_millis(2));
            }
            world.sandbox().edit(&uuid(2), |record| {
                record["profile"]["userDetails"]["tags"] = too_deep();
            });
        });
        let ran = world.run("apply --yes --canary 0").exits(5);
        assert!(ran.out.contains("2 verified, 1 untried"), "{}", ran.out);
        assert!(!ran.out.contains("listed"), "{}", ran.out);
    });
    assert!(!world.sent().contains_key(&uuid(2)));
    let outcome = world
        .run_lines()
        .into_iter()
        .find(|line| line["type"] == "outcome" && line["uuid"] == uuid(2).as_str())
        .expect("an outcome");
    let detail = outcome["detail"].as_str().expect("a reason");
    assert!(detail.contains("its record cannot be read"), "{detail}");
}

#[test]
fn a_lead_whose_record_cannot_be_read_back_is_written() {
    let world = world(1, "concurrency: 1", "--lag 400ms");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while world.puts().is_empty() {
                std::thread::sleep(Duration::from_millis(2));
            }
            world.sandbox().edit(&uuid(1), |record| {
                record["profile"]["userDetails"]["tags"] = too_deep();
            });
        });
        let ran = world.run("apply --yes").exits(5);
        assert!(ran.out.contains("1 written"), "{}", ran.out);
        assert!(ran.out.contains("its record cannot be read"), "{}", ran.out);
    });
}

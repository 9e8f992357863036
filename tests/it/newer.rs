//! What a run learns of a lead after it was read, and before it is written: from a page that was read for another lead, after a pause,
//! from an answer that does not say whether a write was done.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::world::{Ran, World, record, serve, uuid};

type Answer = (&'static str, String);

/// A platform with one page of records, which replaces what is sent.
#[derive(Default)]
struct Platform {
    records: Vec<Json>,
    puts: Vec<Json>,
    /// Notes that are to show later, on the first record.
    late: Option<(Instant, Json)>,
}

impl Platform {
    fn listing(&mut self, request: &str) -> Answer {
        if let Some((_, notes)) = self.late.take_if(|(at, _)| Instant::now() >= *at) {
            let all = self.records[0]["profile"]["notes"].as_array_mut();
            all.expect("notes")
                .extend(notes.as_array().cloned().unwrap_or_default());
        }
        let data = match request.contains("page=1&type=lead") {
            true => self.records.clone(),
            false => Vec::new(),
        };
        (
            "200 OK",
            json!({ "success": true, "data": data }).to_string(),
        )
    }

    /// The body of a write, and its record.
    fn put(&mut self, request: &str) -> (Json, &mut Json) {
        let body = request.split_once("\r\n\r\n").expect("a body").1;
        let body: Json = serde_json::from_str(body).expect("JSON");
        self.puts.push(body.clone());
        let mut records = self.records.iter_mut();
        let record = records.find(|record| record["uuid"] == body["uuid"]);
        (body, record.expect("a record"))
    }
}

fn take(body: &Json, record: &mut Json) -> Answer {
    for key in ["tags", "attributes"] {
        if let Some(value) = body.get(key) {
            record["profile"]["userDetails"][key] = value.clone();
        }
    }
    if let Some(status) = body.get("status") {
        record["status"] = status.clone();
    }
    ("200 OK", json!({ "success": true }).to_string())
}

/// Applies `lead` to each record against a platform that answers writes by `put`, by their number from 1.
fn apply(
    records: Vec<Json>,
    lead: &str,
    words: &[&str],
    put: impl Fn(usize, &mut Platform, &str) -> Answer + Send + 'static,
) -> (Ran, Vec<Json>) {
    let ids: Vec<String> = records
        .iter()
        .map(|record| {
            format!(
                "  {}: {{ {lead} }}\n",
                record["uuid"].as_str().expect("text")
            )
        })
        .collect();
    let platform = Arc::new(Mutex::new(Platform {
        records,
        ..Platform::default()
    }));
    let shared = Arc::clone(&platform);
    let url = serve(move |request| {
        let mut platform = shared.lock().expect("a lock");
        if request.starts_with("PUT") {
            let number = platform.puts.len() + 1;
            return put(number, &mut platform, request);
        }
        platform.listing(request)
    });
    let world = World::new(&[], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let config = config.replace(
        "endpoint: sandbox",
        "endpoint: sandbox, notes: new, concurrency: 1",
    );
    world.write("convertalk.yaml", &config);
    world.declare(&ids.concat());
    let mut command = world.command(&[&["apply", "--yes"], words].concat());
    command.env("CONVERTALK_ENDPOINT", url);
    let ran = world.ran(command.output().expect("the program runs"));
    let puts = platform.lock().expect("a lock").puts.clone();
    (ran, puts)
}

fn three() -> Vec<Json> {
    (1..=3)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect()
}

/// What agents do while the first lead is written: one is given another status, one gets a tag.
fn edit_the_others(platform: &mut Platform) {
    platform.records[1]["status"] = "REVIEW".into();
    let tags = &mut platform.records[2]["profile"]["userDetails"]["tags"];
    tags.as_array_mut()
        .expect("tags")
        .push("from-the-inbox".into());
}

#[track_caller]
fn assert_the_edits_stay(ran: &Ran, puts: &[Json]) {
    assert!(
        ran.out.contains("2 verified, 1 stale"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(
        puts.iter().all(|put| put["uuid"] != uuid(2).as_str()),
        "{puts:?}"
    );
    let third = puts.iter().find(|put| put["uuid"] == uuid(3).as_str());
    let tags = &third.expect("it is written")["tags"];
    assert!(tags.to_string().contains("from-the-inbox"), "{tags}");
}

const LEAD: &str = "status: CLOSED, tags: { present: [vip] }";

#[test]
fn an_edit_that_the_read_back_of_a_canary_shows_is_kept() {
    let (ran, puts) = apply(
        three(),
        LEAD,
        &["--canary", "1"],
        |number, platform, request| {
            if number == 1 {
                edit_the_others(platform);
            }
            let (body, record) = platform.put(request);
            take(&body, record)
        },
    );
    assert_the_edits_stay(&ran.exits(4), &puts);
}

#[test]
fn an_edit_of_another_lead_during_a_pause_is_kept() {
    for answer in [
        "429 Too Many Requests\r\nretry-after: 0.5",
        "503 Service Unavailable\r\nretry-after: 0.5",
    ] {
        let (ran, puts) = apply(
            three(),
            LEAD,
            &["--canary", "0"],
            move |number, platform, request| {
                if number == 1 {
                    platform.puts.push(json!({ "uuid": uuid(1) }));
                    edit_the_others(platform);
                    return (answer, String::new());
                }
                let (body, record) = platform.put(request);
                take(&body, record)
            },
        );
        assert_the_edits_stay(&ran.exits(4), &puts);
    }
}

#[test]
fn a_note_that_may_have_been_added_has_time_to_show_after_any_answer_but_429() {
    for answer in [
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "503 Service Unavailable\r\nretry-after: 0",
    ] {
        let one = vec![record(1, "OPEN", None, &[])];
        let lead = "notes: [{ title: Renewal }]";
        let (ran, puts) = apply(
            one,
            lead,
            &["--patience", "2s"],
            move |_, platform, request| {
                let (body, _) = platform.put(request);
                let shows_at = Instant::now() + Duration::from_millis(600);
                platform.late = Some((shows_at, body["notes"].clone()));
                (answer, "<html>a proxy</html>".to_owned())
            },
        );
        let ran = ran.exits(0);
        assert!(ran.out.contains("1 verified"), "{answer}: {}", ran.out);
        assert_eq!(puts.len(), 1, "{answer}");
    }
}

#[test]
fn a_record_whose_values_are_inside_of_a_list_is_not_written() {
    let mut odd = record(1, "OPEN", None, &["cold"]);
    odd["profile"] = json!([odd["profile"]]);
    let (ran, puts) = apply(
        vec![odd],
        "tags: { present: [vip] }",
        &[],
        |_, platform, request| {
            let (body, record) = platform.put(request);
            take(&body, record)
        },
    );
    let ran = ran.exits(1);
    assert!(
        ran.err.contains("the form of tags is not understood"),
        "{}",
        ran.err
    );
    assert!(puts.is_empty());
}

#[test]
fn an_answer_that_repeats_what_the_lead_had_shows_nothing_of_it() {
    let mut one = record(1, "OPEN", None, &[]);
    let details = &mut one["profile"]["userDetails"];
    details["name"] = "Zelda Quixote".into();
    details["contact"] = json!({ "email": "zelda@secret.example", "phone": { "prefix": "91", "number": "9876512345" } });
    let words = r#"{"success":false,"message":"+919876512345 (Zelda Quixote, zelda@secret.example) is closed"}"#;
    for names in ["initials", "none"] {
        let words = words.to_owned();
        let flags = ["--names", names, "--format", "json"];
        let (ran, _) = apply(
            vec![one.clone()],
            "status: CLOSED",
            &flags,
            move |_, platform, request| {
                platform.put(request);
                ("400 Bad Request", words.clone())
            },
        );
        assert!(ran.out.contains("is closed"), "{}{}", ran.out, ran.err);
        for secret in ["Zelda", "Quixote", "secret", "98765"] {
            assert!(
                !ran.out.contains(secret) && !ran.err.contains(secret),
                "{}{}",
                ran.out,
                ran.err
            );
        }
    }
}

#[test]
fn what_looks_like_a_form_of_the_new_value_is_not_taken_for_it_after_a_refusal() {
    let closed = |number, platform: &mut Platform, request: &str| {
        let (body, record) = platform.put(request);
        if number == 1 {
            return ("429 Too Many Requests", String::new());
        }
        take(&body, record)
    };
    let mut one = record(1, "OPEN", None, &["vip"]);
    one["profile"]["userDetails"]["attributes"] = json!([{ "key": "tier", "value": "gold" }]);
    for lead in ["attributes: { tier: Gold }", "tags: [VIP]"] {
        let (ran, puts) = apply(vec![one.clone()], lead, &[], closed);
        assert!(ran.exits(0).out.contains("1 verified"), "{lead}");
        assert_eq!(puts.len(), 2, "{lead}");
    }
    // Somebody shortens the value: it is not the platform that cut it.
    for answer in ["429 Too Many Requests", "503 Service Unavailable"] {
        let (ran, puts) = apply(
            vec![one.clone()],
            "attributes: { tier: gold plus }",
            &[],
            move |_, platform, request| {
                let (_, record) = platform.put(request);
                let attributes = json!([{ "key": "tier", "value": "gold p" }]);
                record["profile"]["userDetails"]["attributes"] = attributes;
                (answer, String::new())
            },
        );
        assert!(ran.out.contains("1 stale"), "{answer}: {}", ran.out);
        assert_eq!(puts.len(), 1, "{answer}");
    }
}

#[test]
fn writes_that_were_done_are_no_failures_in_a_row() {
    let lead = "notes: [{ title: Renewal }]";
    let flags = ["--max-failures", "1", "--patience", "300ms"];
    let (ran, puts) = apply(three(), lead, &flags, |_, platform, request| {
        let (body, record) = platform.put(request);
        let notes = record["profile"]["notes"].as_array_mut().expect("notes");
        notes.extend(body["notes"].as_array().cloned().unwrap_or_default());
        ("500 Internal Server Error", String::new())
    });
    let ran = ran.exits(0);
    assert!(ran.out.contains("3 verified"), "{}", ran.out);
    assert_eq!(puts.len(), 3);
}

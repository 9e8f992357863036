//! The model with people in it: agents edit while a run goes on, on a platform that has habits, side effects and faults. What the server
//! logged decides: no write follows an old reading, no edit is lost that could be known, each outcome is true, and the run file says
//! the same as the server.
//!
//! A case is drawn from its number: `CONVERTALK_MODEL_SEED=17 cargo test --test it model::agents`.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use convertalk::sandbox::{AgentEdit, FaultKind, LoggedRequest};
use serde_json::{Value as Json, json};
use unicode_normalization::UnicodeNormalization;

use super::case::{Random, STATUSES};
use super::{Run, apply, cases, check_journal, key, text};
use crate::living::{ages, has};
use crate::world::{PRIYA, World, record, uuid};

/// What the machine that the tests run on may add to an age, beside its stalls.
const SLACK: Duration = Duration::from_secs(1);

/// Measures how long the machine stalls: the longest time for which a thread that wants to run every ten milliseconds does not.
struct Watchdog {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Watchdog {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
            while !end.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
                longest = longest.max(last.elapsed());
                last = Instant::now();
            }
            longest
        });
        Self { is_over, thread }
    }

    fn stall(self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watchdog ends")
    }
}

struct Crowd {
    leads: usize,
    wanted: BTreeMap<String, Json>,
    flags: String,
    edits: String,
    api: String,
    words: String,
    latency: Duration,
    /// The platform stores some texts in a form that means something else.
    is_lossy: bool,
    has_side_effects: bool,
}

fn draw(seed: u64) -> Crowd {
    let random = &mut Random::new(seed ^ 0xc0_ffee);
    let leads = random.between(3, 14);
    let wanted = (1..=leads)
        .map(|number| (uuid(number), wants(random)))
        .collect();
    let latency = random.one(&[0, 0, 10, 40, 200]);
    let page_size = random.between(2, 8);
    let sort = random.one(&["updated", "created", "none"]);
    let (notes, attributes) = (
        random.one(&["replace", "append"]),
        random.one(&["merge", "replace"]),
    );
    let mut flags = format!(
        "--random-seed {seed} --retry-after 0 --page-size {page_size} --latency {latency}ms --sort {sort} --notes {notes} \
         --attributes {attributes}"
    );
    let kept = ["trim", "crlf", "nfc", "lower-email"];
    let lossy = ["lower-tags", "html", "cut"];
    let mut is_lossy = false;
    for habit in random.some(&kept) {
        flags += &format!(" --normalise {habit}");
    }
    if random.chance(25) {
        is_lossy = true;
        flags += &format!(" --normalise {}", random.one(&lossy));
    }
    let has_side_effects = random.chance(30);
    if has_side_effects {
        flags += random.one(&[
            " --side-effect assign-opens",
            " --side-effect close-unassigns",
        ]);
    }
    for (flag, percent) in [("--apart 10ms", 20), ("--lag 60ms", 20), ("--churn 5", 20)] {
        if random.chance(percent) {
            flags += &format!(" {flag}");
        }
    }
    for fault in [
        "429@write",
        "500@write",
        "drop-after@write",
        "truncated@write",
        "503@read",
    ] {
        if random.chance(25) {
            flags += &format!(" --fault {fault}={}%", random.between(2, 20));
        }
    }
    // Pauses in which readings grow old.
    if random.chance(15) {
        flags = flags.replace("--retry-after 0", "--retry-after 3") + " --fault 429@write:2";
    }
    let rate = if random.chance(20) { ", rate: 4" } else { "" };
    let accepted = has_side_effects && random.chance(50);
    Crowd {
        leads,
        wanted,
        flags,
        edits: format!(" --edits {}ms", random.one(&[15, 40, 90])),
        api: format!(
            "concurrency: {}{rate}{}",
            random.one(&[1, 4, 16]),
            if accepted {
                ", side_effects: [status, agent]"
            } else {
                ""
            }
        ),
        words: format!(
            "--patience 300ms --names full --canary {}{}",
            random.one(&[0, 1, 3]),
            if random.chance(20) {
                " --no-verify"
            } else {
                ""
            }
        ),
        latency: Duration::from_millis(latency),
        is_lossy,
        has_side_effects,
    }
}

fn wants(random: &mut Random) -> Json {
    let mut lead = json!({});
    if random.chance(60) {
        lead["status"] = random.one(&STATUSES).into();
    }
    if random.chance(40) {
        lead["agent"] = "priya".into();
    }
    if random.chance(60) {
        lead["tags"] = random
            .one(&[
                r#"["vip", "web"]"#,
                r#"{ "present": ["vip"], "absent": ["cold"] }"#,
                r#"{ "present": ["Café", "VIP"] }"#,
            ])
            .parse()
            .expect("JSON");
    }
    if random.chance(40) {
        lead["attributes"] = json!({ "tier": random.one(&["gold", "a < b", " wide "]) });
    }
    if random.chance(40) {
        lead["contact"] = json!({ "email": random.one(&["Ann@Example.com", "bo@example.com"]) });
    }
    if random.chance(50) {
        let words = random.one(&[
            "one\ntwo\n",
            "a & b",
            "Cafe\u{301}",
            "a text that is longer than forty characters are",
        ]);
        lead["notes"] = json!([{ "title": "Renewal", "description": words }]);
    }
    lead
}

/// The case in an inbox of these leads, with or without people in it.
fn world(case: &Crowd, live: &[Json], edits: &str) -> World {
    let world = World::new(live, &format!("{}{edits}", case.flags));
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let config = config.replace(
        "endpoint: sandbox",
        &format!("endpoint: sandbox, {}", case.api),
    );
    world.write("convertalk.yaml", &config);
    let leads: String = case
        .wanted
        .iter()
        .map(|(uuid, lead)| format!("  {uuid}: {lead}\n"))
        .collect();
    world.declare(&leads);
    world
}

/// A text in the form in which it is compared.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").trim().nfc().collect()
}

fn normal_texts(items: &Json) -> BTreeSet<String> {
    let items = items.as_array().into_iter().flatten();
    items.filter_map(Json::as_str).map(normal).collect()
}

/// The declared fields that a record does not show.
fn unmet(wants: &Json, record: &Json) -> Vec<&'static str> {
    let details = &record["profile"]["userDetails"];
    let mut unmet = Vec::new();
    let mut expect = |name, holds: bool| {
        if !holds {
            unmet.push(name);
        }
    };
    if let Some(status) = wants.get("status") {
        expect("status", record["status"] == *status);
    }
    if wants.get("agent").is_some() {
        expect("agent", record["_agentAssigned"] == PRIYA);
    }
    if let Some(rule) = wants.get("tags") {
        let there = normal_texts(&details["tags"]);
        let holds = match rule.as_array() {
            Some(_) => there == normal_texts(rule),
            None => {
                normal_texts(&rule["present"]).is_subset(&there)
                    && normal_texts(&rule["absent"]).is_disjoint(&there)
            }
        };
        expect("tags", holds);
    }
    if let Some(tier) = wants["attributes"]["tier"].as_str() {
        let items = details["attributes"].as_array().into_iter().flatten();
        let mut values = items.filter(|item| item["key"] == "tier");
        expect(
            "attributes",
            values.any(|item| normal(text(&item["value"])) == normal(tier)),
        );
    }
    if let Some(email) = wants["contact"]["email"].as_str() {
        let there = details["contact"]["email"].as_str().unwrap_or_default();
        expect(
            "contact",
            normal(there).to_lowercase() == email.to_lowercase(),
        );
    }
    if let Some(note) = wants["notes"].get(0) {
        let items = record["profile"]["notes"].as_array().into_iter().flatten();
        let mut same = items.filter(|item| {
            item["title"] == "Renewal"
                && normal(item["description"].as_str().unwrap_or_default())
                    == normal(text(&note["description"]))
        });
        expect("notes", same.next().is_some());
    }
    unmet
}

/// The server's side of a run.
struct Seen {
    puts: Vec<LoggedRequest>,
    /// The time of the last write of each lead, and of the last edit.
    written: BTreeMap<String, Duration>,
    edited: BTreeMap<String, Duration>,
    records: BTreeMap<String, Json>,
    /// What the machine may have added to a time.
    slack: Duration,
}

fn seen(world: &World, puts: &[LoggedRequest], slack: Duration) -> Seen {
    let last = |times: Vec<(String, Duration)>| times.into_iter().collect::<BTreeMap<_, _>>();
    // The records first: an edit of this moment is then known, if it is in them.
    let records = world.sandbox().records();
    let edits = world.sandbox().edits();
    Seen {
        puts: puts.to_vec(),
        written: last(
            puts.iter()
                .map(|put| (key(put).to_owned(), put.at))
                .collect(),
        ),
        edited: last(edits.into_iter().map(|edit| (edit.uuid, edit.at)).collect()),
        records,
        slack,
    }
}

/// Edits that a write undid though a reading that is young enough shows them.
fn lost(case: &Crowd, world: &World, seen: &Seen) -> Vec<String> {
    let requests = world.sandbox().requests();
    let Some(first) = seen.puts.first() else {
        return Vec::new();
    };
    // What the plan was made from may be undone, if the files say so.
    let planned = |edit: &AgentEdit| {
        let shows = |get: &&LoggedRequest| {
            get.method == "GET" && get.at < first.at && get.shown.contains(&edit.uuid)
        };
        let last = requests.iter().filter(shows).map(|get| get.at).max();
        last.is_none_or(|last| edit.at <= last + case.latency)
    };
    let edits = world.sandbox().edits();
    let of_lead = |edit: &AgentEdit| {
        let uuid = edit.uuid.clone();
        edits.iter().filter(move |other| other.uuid == uuid)
    };
    // A status that is set to what the plan was made from is what the plan is to change, whatever it was in between. Set back after a
    // write that was done, it is not, where a client can tell: no other edit explains that the lead was updated.
    let is_as_planned = |edit: &AgentEdit| {
        let is_from = |other: &&AgentEdit| other.field == "status" && planned(other);
        let from = of_lead(edit).rfind(is_from);
        let is_lost = |put: &&LoggedRequest| {
            let is_done = matches!(put.fault, Some(FaultKind::DropAfter | FaultKind::Truncated));
            key(put) == edit.uuid && put.at < edit.at && is_done
        };
        let since = seen.puts.iter().filter(is_lost).map(|put| put.at).max();
        let is_alone = |since| of_lead(edit).filter(|other| other.at > since).count() == 1;
        *edit.value == *from.map_or("OPEN", |edit| &edit.value) && !since.is_some_and(is_alone)
    };
    let window = Duration::from_secs(2) + case.latency + seen.slack;
    let undone = |edit: &&AgentEdit, put: &LoggedRequest| {
        let body = put.body.as_ref().expect("a body");
        let Some(sent) = body.get(edit.field) else {
            return false;
        };
        if key(put) != edit.uuid || put.at <= edit.at + window {
            return false;
        }
        let record = &seen.records[&edit.uuid]["profile"];
        match edit.field {
            // The platform changes it, too, and one lead does not show whose change it is.
            "status" if case.has_side_effects => false,
            "status" => {
                let later = |other: &AgentEdit| {
                    other.uuid == edit.uuid
                        && other.field == "status"
                        && other.at > edit.at
                        && other.at < put.at
                };
                !planned(edit)
                    && !is_as_planned(edit)
                    && *sent != *edit.value
                    && !edits.iter().any(later)
            }
            "tags" if case.wanted[&edit.uuid]["tags"].is_array() => !planned(edit),
            "notes" => !has(edit, sent) && !has(edit, &record["notes"]),
            field => !has(edit, sent) && !has(edit, &record["userDetails"][field]),
        }
    };
    let is_lost = |edit: &&AgentEdit| seen.puts.iter().any(|put| undone(edit, put));
    edits
        .iter()
        .filter(is_lost)
        .map(|edit| format!("{edit:?}"))
        .collect()
}

/// The run file has a line before and after each request, with the fields that were sent.
fn check_run_file(run: &Run, seen: &Seen) {
    let mut sent: BTreeMap<&str, Vec<BTreeSet<String>>> = BTreeMap::new();
    for put in &seen.puts {
        let body = put
            .body
            .as_ref()
            .and_then(Json::as_object)
            .expect("an object");
        let keys = body
            .keys()
            .filter(|key| !["uuid", "botId", "customerId"].contains(&key.as_str()));
        sent.entry(key(put))
            .or_default()
            .push(keys.cloned().collect());
    }
    let mut noted: BTreeMap<&str, Vec<BTreeSet<String>>> = BTreeMap::new();
    for line in run.of_type("write") {
        let fields = line["fields"].as_object().expect("an object");
        let keys = fields.keys().map(|field| match field.split('.').next() {
            Some("agent") => "agentId".to_owned(),
            Some("contact") => "email".to_owned(),
            Some(group) => group.to_owned(),
            None => String::new(),
        });
        noted
            .entry(text(&line["uuid"]))
            .or_default()
            .push(keys.collect());
    }
    assert_eq!(
        noted, sent,
        "the run file and the server disagree on what was sent"
    );
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for line in run.of_type("answer").filter(|line| line["error"].is_null()) {
        *accepted.entry(text(&line["uuid"])).or_default() += 1;
    }
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for put in seen
        .puts
        .iter()
        .filter(|put| put.fault.is_none() && put.status == Some(200))
    {
        *done.entry(key(put)).or_default() += 1;
    }
    assert_eq!(
        accepted, done,
        "the run file and the server disagree on what was accepted"
    );
}

/// Each lead's outcome is true, as far as the server can tell.
fn check_outcomes(case: &Crowd, run: &Run, seen: &Seen) {
    for (id, outcome) in run.outcomes() {
        let wants = &case.wanted[id];
        let edited = seen.edited.get(id).copied();
        let written = seen.written.get(id).copied();
        // Edits after the last write may undo it; those right before are in the window that no client can close.
        let is_calm = match (edited, written) {
            (Some(edited), Some(written)) => edited + seen.slack + case.latency < written,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let unmet = unmet(wants, &seen.records[id]);
        let record = &seen.records[id];
        match outcome {
            "verified" | "already" => {
                let lossy_note = case.is_lossy && unmet.iter().all(|field| *field == "notes");
                assert!(
                    !is_calm || unmet.is_empty() || lossy_note || case.has_side_effects,
                    "{id} is {outcome}, and {unmet:?} are not as declared: {record}"
                );
                assert!(
                    outcome == "verified"
                        || written.is_none()
                        || run.of_type("write").all(|line| line["uuid"] != id),
                    "{id} was written, and is {outcome}"
                );
            }
            "stale" => assert!(
                edited.is_some() || case.has_side_effects,
                "{id} is stale, and nobody edited it: {record}"
            ),
            "unverified" => assert!(
                edited.is_some() || case.is_lossy || case.has_side_effects,
                "{id} is unverified, and nobody edited it: {record}"
            ),
            "failed" => assert!(
                edited.is_some() || !unmet.is_empty(),
                "{id} failed, and is as declared: {record}"
            ),
            "written" => assert!(written.is_some(), "{id} is written, and nothing was sent"),
            "untried" => assert!(written.is_none(), "{id} is untried, and was written"),
            other => panic!("{id}: {other}"),
        }
        let renewals = record["profile"]["notes"].as_array().into_iter().flatten();
        let renewals = renewals.filter(|note| note["title"] == "Renewal").count();
        assert!(
            renewals <= 1,
            "{id} has its note {renewals} times: {record}"
        );
    }
}

fn play(seed: u64) -> bool {
    let case = draw(seed);
    let live: Vec<Json> = (1..=case.leads)
        .map(|number| record(number, "OPEN", None, &["web", "cold"]))
        .collect();
    let world = world(&case, &live, &case.edits);
    let watchdog = Watchdog::start();
    let run = apply(&world, 1, &case.words, None);
    let seen = seen(&world, &run.puts, SLACK + watchdog.stall());
    let page = case.latency;
    let all_ages = ages(&world.sandbox().requests(), page);
    let lost = lost(&case, &world, &seen);
    // Nobody edits any more.
    let live: Vec<Json> = seen.records.values().cloned().collect();
    let quiet = self::world(&case, &live, "");
    let is_able = !case.is_lossy && !case.has_side_effects;
    let patience = if is_able { "5s" } else { "100ms" };
    let words = format!("--patience {patience} --names full");
    let mut next = apply(&quiet, 2, &words, None);
    for number in 3..7 {
        if !is_able || next.exit == Some(0) {
            break;
        }
        next = apply(&quiet, number, &words, None);
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        check_journal(&run);
        if run.exit == Some(1) {
            return;
        }
        let oldest = all_ages.iter().max().copied().unwrap_or_default();
        assert!(
            oldest <= Duration::from_secs(2) + page + seen.slack,
            "a write was sent {oldest:?} after its lead was read"
        );
        assert!(lost.is_empty(), "overwritten: {}", lost.join("\n"));
        check_run_file(&run, &seen);
        check_outcomes(&case, &run, &seen);
        check_journal(&next);
        assert!(
            !is_able || next.exit == Some(0),
            "alone again, and not settled: exit {:?}\n{}",
            next.exit,
            next.told
        );
    }));
    if result.is_err() {
        panic!(
            "that was case {seed}: convertalk sandbox {}{} with {}\n{}",
            case.flags, case.edits, case.api, run.told
        );
    }
    run.exit != Some(1)
}

#[test]
fn agents_at_work_lose_nothing_and_outcomes_are_true() {
    cases(0..60, play);
}

#[test]
#[ignore = "takes minutes: CONVERTALK_MODEL_CASES=5000 cargo test --test it model::agents -- --ignored"]
fn agents_at_work_lose_nothing_and_outcomes_are_true_at_length() {
    let cases_wanted = std::env::var("CONVERTALK_MODEL_CASES").ok();
    let wanted = cases_wanted.and_then(|cases| cases.parse().ok());
    cases(1_000..1_000 + wanted.unwrap_or(2_000), play);
}

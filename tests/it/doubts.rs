//! Every doubt of api.md, each a switch of the sandbox: whatever the platform turns out to be, a run ends as it should.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, RAHUL, World, effects, record, serve, uuid};

/// Seven declared leads of twelve, on both lists where the flags say so; every kind of field is asked for.
fn world(flags: &str) -> World {
    let live: Vec<_> = (1..=12)
        .map(|number| match number % 3 {
            0 => record(number, "OPEN", Some(PRIYA), &["cold", "web"]),
            1 => record(number, "REVIEW", Some(RAHUL), &["web"]),
            _ => record(number, "OPEN", None, &[]),
        })
        .collect();
    let world = World::new(&live, flags);
    world.declare(&format!(
        "  {}: {{ status: INPROGRESS, agent: priya }}
  {}: {{ status: CLOSED, tags: {{ present: [vip] }} }}
  {}: {{ tags: [vip], attributes: {{ tier: gold }} }}
  {}: {{ status: REVIEW }}
  {}: {{ agent: rahul, contact: {{ dial_code: \"+91\", email: new@example.com }} }}
  {}: {{ notes: [{{ title: Second, description: words }}] }}
  {}: {{ tags: {{ absent: [cold] }}, status: ONHOLD }}
",
        uuid(1),
        uuid(2),
        uuid(3),
        uuid(4),
        uuid(5),
        uuid(6),
        uuid(9),
    ));
    world
}

/// What a plain run leaves behind: the same, whatever the listing looks like.
const EXPECTED: &[(usize, &str)] = &[
    (1, "/status: \"REVIEW\" -> \"INPROGRESS\""),
    (2, "/status: \"OPEN\" -> \"CLOSED\""),
    (
        3,
        "/profile/userDetails/attributes/2/key: nothing -> \"tier\"",
    ),
    (
        5,
        "/profile/userDetails/contact/email: \"v5@example.com\" -> \"new@example.com\"",
    ),
    (6, "/profile/notes/1/title: nothing -> \"Second\""),
    (9, "/status: \"OPEN\" -> \"ONHOLD\""),
];

/// Plans, applies, and sees that just what was wanted is there, with one PUT for each lead that differs.
fn converges(flags: &str) {
    let world = world(flags);
    let before = world.sandbox().records();
    let plan = world.run("plan --detailed-exitcode").exits(2);
    assert!(
        plan.out
            .contains("6 to update, 1 in sync, of 7 declared leads."),
        "{}",
        plan.out
    );
    assert_eq!(world.puts().len(), 0, "a plan writes nothing");

    world.run("apply --yes").exits(0);
    let sent = world.sent();
    assert_eq!(sent.len(), 6);
    assert!(
        sent.values().all(|bodies| bodies.len() == 1),
        "one write for each lead: {sent:?}"
    );
    let told = effects(&before, &world.sandbox().records());
    for (number, effect) in EXPECTED {
        let line = format!("{} {effect}", uuid(*number));
        assert!(
            told.contains(&line),
            "{line} is not among\n{}",
            told.join("\n")
        );
    }
    let touched: std::collections::BTreeSet<&str> = told
        .iter()
        .filter_map(|effect| effect.split(' ').next())
        .collect();
    let declared: std::collections::BTreeSet<String> = [1, 2, 3, 5, 6, 9].map(uuid).into();
    let moved: Vec<&&str> = touched
        .iter()
        .filter(|id| !declared.contains(**id))
        .collect();
    assert!(
        moved.is_empty(),
        "undeclared leads moved: {moved:?}\n{}",
        told.join("\n")
    );
    assert_eq!(told.len(), 13, "nothing else moved:\n{}", told.join("\n"));
    world.assert_settled();
}

macro_rules! converges_with {
    ($($name:ident: $flags:literal,)*) => {
        $(#[test] fn $name() { converges($flags); })*
    };
}

converges_with! {
    nothing_odd: "",
    pages_of_one: "--page-size 1",
    pages_of_five: "--page-size 5",
    the_list_ends_with_an_empty_page: "--page-size 5 --end empty",
    the_list_ends_without_data: "--page-size 5 --end missing-data",
    the_list_ends_with_null: "--page-size 5 --end null-data",
    the_list_ends_with_404: "--page-size 5 --end not-found",
    the_list_ends_with_a_page_of_html: "--page-size 5 --end not-found-html",
    the_last_page_is_repeated: "--page-size 5 --end repeat-last",
    the_last_page_of_one_is_repeated: "--page-size 1 --end repeat-last",
    a_list_in_no_order: "--page-size 3 --sort none",
    a_list_by_creation: "--page-size 3 --sort created",
    records_show_on_two_pages: "--page-size 3 --duplicates",
    nobody_is_null: "--agent-key null",
    nobody_is_empty: "--agent-key empty",
    agents_are_objects: "--agent-key object",
    a_listing_that_lags_by_reads: "--lag-reads 4",
    a_listing_that_lags_in_time: "--lag 300ms",
    attributes_are_replaced: "--attributes replace",
}

#[test]
fn tags_as_text_are_written_as_text() {
    let world = world("--tags text-only --tags-shown text");
    world.run("apply --yes").exits(0);
    let sent = world.sent();
    assert_eq!(sent[&uuid(3)][0]["tags"], "vip");
    assert_eq!(
        sent[&uuid(2)][0]["tags"],
        "vip",
        "a lead without tags gets the listing's shape"
    );
    world.assert_settled();
}

#[test]
fn the_shape_of_tags_can_be_forced() {
    let world = world("--tags text-only --tags-shown text");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, tags: array"),
    );
    world.run("apply --yes --canary 0").exits(5);
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, tags: string"),
    );
    world.run("apply --yes").exits(0);
    world.assert_settled();
}

#[test]
fn a_platform_that_ignores_updates_is_found_out_after_one() {
    let world = world("--put ignore");
    let run = world.run("apply --yes --patience 300ms").exits(6);
    assert_eq!(world.puts().len(), 1, "only the canary was written");
    assert!(run.out.contains("status was ignored"), "{}", run.out);
    assert!(
        run.out.contains("1 unverified") && run.out.contains("5 untried"),
        "{}",
        run.out
    );
}

#[test]
fn a_platform_that_clears_what_is_left_out_is_found_out_after_one() {
    let world = world("--put replace");
    let run = world.run("apply --yes --patience 300ms").exits(6);
    assert_eq!(world.puts().len(), 1);
    assert!(
        run.out
            .contains("is empty now, although it was not written"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("clears what an update leaves out"),
        "{}",
        run.out
    );
}

#[test]
fn a_platform_that_adds_tags_is_found_out() {
    let world = World::new(
        &[
            record(1, "OPEN", None, &["cold"]),
            record(2, "OPEN", None, &["cold"]),
        ],
        "--tags add",
    );
    world.declare(&format!(
        "  {}: {{ tags: [vip] }}\n  {}: {{ tags: [vip] }}\n",
        uuid(1),
        uuid(2)
    ));
    let run = world.run("apply --yes --patience 300ms").exits(6);
    assert_eq!(world.puts().len(), 1);
    assert!(
        run.out
            .contains("tags were added to those there instead of replacing them"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("use `tags: { present: […] }`"),
        "{}",
        run.out
    );
}

#[test]
fn a_platform_that_ignores_tags_is_found_out() {
    let world = World::new(&[record(1, "OPEN", None, &["cold"])], "--tags ignore");
    world.declare(&format!(
        "  {}: {{ tags: [vip], status: CLOSED }}\n",
        uuid(1)
    ));
    let run = world.run("apply --yes --patience 300ms").exits(6);
    assert!(run.out.contains("tags were ignored"), "{}", run.out);
}

#[test]
fn unassigning_counts_only_when_read_back() {
    for (flags, setting, exit) in [
        ("--unassign empty", "\"\"", 0),
        ("--unassign null", "\"\"", 6),
        ("--unassign null", "null", 0),
        ("--unassign never", "\"\"", 6),
    ] {
        let world = World::new(&[record(1, "OPEN", Some(PRIYA), &[])], flags);
        let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
        world.write(
            "convertalk.yaml",
            &config.replace(
                "endpoint: sandbox",
                &format!("endpoint: sandbox, unassign: {setting}"),
            ),
        );
        world.declare(&format!("  {}: {{ agent: none }}\n", uuid(1)));
        let run = world.run("apply --yes --patience 300ms").exits(exit);
        assert_eq!(
            run.out.contains("api.unassign"),
            exit == 6,
            "{flags} {setting}: {}",
            run.out
        );
    }
}

#[test]
fn an_unknown_uuid_is_never_written_unless_the_file_says_create() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED }}\n  {}: {{ status: CLOSED }}\n",
        uuid(1),
        uuid(2)
    ));
    let plan = world.run("plan").exits(1);
    assert!(
        plan.out.contains("Not found in the inbox") && plan.out.contains(&uuid(2)),
        "{}",
        plan.out
    );
    assert!(
        plan.out.contains("OPEN -> CLOSED"),
        "a plan shows all it knows: {}",
        plan.out
    );
    world.run("apply --yes").exits(1);
    assert_eq!(
        world.puts().len(),
        0,
        "nothing is written while a lead is missing"
    );
    world.run("apply --yes --missing skip").exits(0);
    assert_eq!(world.sent().keys().collect::<Vec<_>>(), [&uuid(1)]);

    world.declare(&format!(
        "  {}: {{ status: CLOSED }}\n  {}: {{ status: CLOSED, create: true }}\n",
        uuid(1),
        uuid(2)
    ));
    let plan = world.run("plan --format json").exits(0).json();
    assert_eq!(plan["changes"][0]["action"], "create");
    assert_eq!(plan["summary"]["to_create"], 1);
    world.run("apply --yes").exits(0);
    assert_eq!(world.sandbox().records()[&uuid(2)]["status"], "CLOSED");
    world.assert_settled();
}

#[test]
fn a_platform_that_creates_nothing_is_told_of() {
    for (flag, exit, word) in [
        ("--unknown reject", 5, "failed"),
        ("--unknown ignore", 6, "not in the listing"),
    ] {
        let world = World::new(&[record(1, "OPEN", None, &[])], flag);
        world.declare(&format!(
            "  {}: {{ status: CLOSED, create: true }}\n",
            uuid(2)
        ));
        let run = world.run("apply --yes --patience 300ms").exits(exit);
        assert!(run.out.contains(word), "{flag}: {}", run.out);
    }
}

#[test]
fn appended_notes_are_not_lost() {
    let live = [
        record(1, "OPEN", None, &[]),
        record(2, "OPEN", None, &[]),
        record(3, "OPEN", None, &[]),
    ];
    let notes = |uuid: String| {
        format!("  {uuid}: {{ notes: [{{ title: Second, description: words }}] }}\n")
    };
    let world = World::new(&live, "--notes append");
    world.declare(&[1, 2].map(|number| notes(uuid(number))).concat());
    let ran = world.run("apply --yes").exits(0);
    assert!(ran.out.contains("Set api.notes to `new`"), "{}", ran.out);
    let count = |number| {
        world.sandbox().records()[&uuid(number)]["profile"]["notes"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(
        (count(1), count(2)),
        (Some(3), Some(2)),
        "the first has its old note twice, and no other"
    );
    world.assert_settled();

    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, notes: new"),
    );
    world.declare(&notes(uuid(3)));
    world.run("apply --yes").exits(0);
    assert_eq!(count(3), Some(2));
}

/// A platform of one lead that does what it is sent, and answers this.
fn answers(head: &'static str) -> String {
    let status = std::cell::Cell::new("OPEN");
    serve(move |request| {
        if request.starts_with("PUT") {
            status.set("CLOSED");
            let body = json!({ "success": false, "code": 401, "message": "who is this?" });
            return (head, body.to_string());
        }
        let page = |words: &str| request.contains(words);
        let leads = if page("page=1&") && page("type=lead") {
            vec![record(1, status.get(), None, &[])]
        } else {
            Vec::new()
        };
        let body = json!({ "success": true, "message": "", "code": 200, "data": leads });
        ("200 OK", body.to_string())
    })
}

#[test]
fn a_write_that_was_done_is_verified_whatever_the_answer_was() {
    for head in ["401 Unauthorized", "400 Bad Request", "403 Forbidden"] {
        let world = World::new(&[], "");
        world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
        let mut command = world.command(&["apply", "--yes", "--patience", "1s"]);
        command.env("CONVERTALK_ENDPOINT", answers(head));
        let ran = world.ran(command.output().expect("it runs"));
        assert!(
            ran.out.contains("1 verified"),
            "{head}: {}{}",
            ran.out,
            ran.err
        );
    }
}

/// Tags and notes in a form that is not understood may hold anything: they are not taken for none, which a write would make true.
#[test]
fn a_value_in_a_form_that_is_not_understood_is_neither_compared_nor_written() {
    let odd = [
        (
            "tags: { present: [vip] }",
            "tags",
            json!({ "items": ["old"] }),
        ),
        (
            "notes: [{ title: Called }]",
            "notes",
            json!(["an old note"]),
        ),
        (
            "attributes: { tier: gold }",
            "attributes",
            json!(["source=web"]),
        ),
    ];
    for (declared, name, form) in odd {
        let place = if name == "notes" {
            format!("/profile/{name}")
        } else {
            format!("/profile/userDetails/{name}")
        };
        let put = |record: &mut Json, form: &Json| {
            *record.pointer_mut(&place).expect("the table's place") = form.clone();
        };
        let mut shown = record(1, "OPEN", None, &["old"]);
        shown["profile"]["notes"] = json!([]);
        shown["profile"]["userDetails"]["attributes"] = json!([]);
        let usual = shown.clone();
        put(&mut shown, &form);

        // Declared, it is named; not declared, it is nobody's business.
        let world = World::new(&[shown.clone()], "");
        world.declare(&format!("  {}: {{ {declared} }}\n", uuid(1)));
        for words in ["plan", "apply --yes"] {
            let ran = world.run(words).exits(1);
            assert!(
                ran.err
                    .contains(&format!("the form of {name} is not understood")),
                "{}",
                ran.err
            );
        }
        assert_eq!(world.puts().len(), 0);
        world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
        world.run("apply --yes").exits(0);
        let pulled = world.run("pull --format json").exits(0);
        assert!(pulled.out.contains("is not understood"), "{}", pulled.out);
        let list = world.run("list --live").exits(0);
        assert!(!list.out.contains("not in the inbox"), "{}", list.out);
        assert!(list.err.contains("is not understood"), "{}", list.err);
        let is_shown = list.out.contains("(cannot be read)");
        assert_eq!(is_shown, name == "tags", "{}", list.out);
        world.run("snapshot --out live.jsonl").exits(0);
        world.run("plan --live live.jsonl").exits(0);
        world.declare(&format!("  {}: {{ {declared} }}\n", uuid(1)));
        let plan = world.run("plan --live live.jsonl").exits(1);
        assert!(plan.err.contains("is not understood"), "{}", plan.err);

        // It becomes so after the plan, and after the write.
        let world = World::new(&[usual], "");
        world.declare(&format!("  {}: {{ {declared} }}\n", uuid(1)));
        world.run("plan --out p.json").exits(0);
        world.sandbox().edit(&uuid(1), |record| put(record, &form));
        let ran = world.run("apply --yes p.json").exits(5);
        assert!(ran.out.contains("1 untried"), "{}", ran.out);
        assert!(ran.out.contains("is not understood"), "{}", ran.out);
        assert_eq!(world.puts().len(), 0);
    }
}

/// A platform that adds the notes it is sent, answers each update with an error, and shows it this long after.
fn adds_notes_late(lag: Duration) -> (String, Arc<Mutex<Vec<Instant>>>) {
    let updates = Arc::new(Mutex::new(Vec::new()));
    let seen = updates.clone();
    let url = serve(move |request| {
        let mut updates = seen.lock().expect("no panic");
        if request.starts_with("PUT") {
            updates.push(Instant::now());
            return ("502 Bad Gateway", "<html>".to_owned());
        }
        let page = |words: &str| request.contains(words);
        let leads = if page("page=1&") && page("type=lead") {
            let shown = updates.iter().filter(|at| at.elapsed() > lag);
            let notes: Vec<Json> = shown.map(|_| json!({ "title": "Called" })).collect();
            let mut record = record(1, "OPEN", None, &[]);
            record["profile"]["notes"] = notes.into();
            vec![record]
        } else {
            Vec::new()
        };
        let body = json!({ "success": true, "message": "", "code": 200, "data": leads });
        ("200 OK", body.to_string())
    });
    (url, updates)
}

#[test]
fn a_note_that_may_have_been_added_is_waited_for_before_it_is_sent_again() {
    let world = World::new(&[], "");
    world.declare(&format!(
        "  {}: {{ notes: [{{ title: Called }}] }}\n",
        uuid(1)
    ));
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, notes: new"),
    );
    let (url, updates) = adds_notes_late(Duration::from_millis(700));
    let mut command = world.command(&["apply", "--yes", "--patience", "2s"]);
    let ran = world.ran(
        command
            .env("CONVERTALK_ENDPOINT", url)
            .output()
            .expect("it runs"),
    );
    assert!(ran.out.contains("1 verified"), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("is not working"), "{}", ran.out);
    assert_eq!(updates.lock().expect("no panic").len(), 1);
}

/// A platform that escapes every text it is sent, those with escapes, too.
#[test]
fn what_went_back_as_it_was_read_and_is_escaped_again_is_named() {
    let tags = std::cell::RefCell::new(json!(["r&amp;d"]));
    let notes = std::cell::RefCell::new(json!([{ "title": "R&amp;D", "description": "" }]));
    let escaped = |json: &Json| -> Json {
        serde_json::from_str(&json.to_string().replace('&', "&amp;")).expect("JSON")
    };
    let url = serve(move |request| {
        if request.starts_with("PUT") {
            let body = request.split_once("\r\n\r\n").expect("a body").1;
            let body: Json = serde_json::from_str(body).expect("JSON");
            for (place, key) in [(&tags, "tags"), (&notes, "notes")] {
                if let Some(sent) = body.get(key) {
                    *place.borrow_mut() = escaped(sent);
                }
            }
        }
        let page = |words: &str| request.contains(words);
        let leads = if page("page=1&") && page("type=lead") {
            let mut record = record(1, "OPEN", None, &[]);
            record["profile"]["userDetails"]["tags"] = tags.borrow().clone();
            record["profile"]["notes"] = notes.borrow().clone();
            vec![record]
        } else {
            Vec::new()
        };
        let body = json!({ "success": true, "message": "", "code": 200, "data": leads });
        ("200 OK", body.to_string())
    });
    let world = World::new(&[], "");
    world.declare(&format!(
        "  {}: {{ tags: {{ present: [vip] }}, notes: [{{ title: New }}] }}\n",
        uuid(1)
    ));
    let mut command = world.command(&["apply", "--yes", "--patience", "1s"]);
    let ran = world.ran(
        command
            .env("CONVERTALK_ENDPOINT", url)
            .output()
            .expect("it runs"),
    );
    for field in ["tags", "notes"] {
        let remark = format!("{field} are there as normalised by the platform (HTML escapes)");
        assert!(ran.out.contains(&remark), "{}{}", ran.out, ran.err);
    }
    assert!(ran.out.contains("1 verified"), "{}", ran.out);
}

//! `convertalk test`: tests of the policy and of what a plan comes to, without a network or a token.

use serde_json::json;

use crate::world::{Ran, World, program, record, uuid};

const CONFIG: &str = "version: 1
api: { endpoint: https://api.example.com, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents: { priya: 631aa793bcfa100487d13d0d }
policy:
  max_changes: 1
  rules:
    - { name: vip keeps an agent, before: [tag=vip], after: [agent=none], deny: ask Asha first }
    - { name: cold, before: [tag=cold], warn: is it cold }
  freeze:
    - { from: 2026-12-23, to: 2027-01-03, zone: Europe/Berlin, reason: holidays }
";

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(tests: &str) -> Self {
        let workspace = Self(tempfile::tempdir().expect("a folder"));
        workspace.write("convertalk.yaml", CONFIG);
        workspace.write(
            "leads/all.yaml",
            &format!(
                "version: 1\nleads:\n  {}: {{ status: CLOSED, agent: none }}\n",
                uuid(1)
            ),
        );
        workspace.write("tests/policy.yaml", &format!("version: 1\ntests:\n{tests}"));
        workspace
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(
            program(words)
                .current_dir(self.0.path())
                .output()
                .expect("the program runs"),
        )
    }
}

fn test(name: &str, live: &str, more: &str) -> String {
    format!(
        "  - {{ name: {name}, live: {{ {}: {{ {live} }} }}, {more} }}\n",
        uuid(1)
    )
}

#[test]
fn tests_that_hold_pass_without_a_token() {
    let after = format!(
        "expect: {{ changes: 1, warned: [], after: {{ {}: {{ status: CLOSED, agent: none, tags: [trial] }} }} }}",
        uuid(1)
    );
    let tests = [
        test("a lead is closed", "status: OPEN, agent: priya, tags: [trial]", &after),
        test("nothing to do", "status: CLOSED", "expect: { changes: 0 }"),
        test("a vip", "agent: priya, tags: [vip]", "expect: { refused: [\"rule:vip keeps an agent\"] }"),
        test("a cold one", "tags: [cold]", "expect: { warned: [\"rule:cold\"] }"),
        test("on Christmas", "status: OPEN", "now: 2026-12-24T10:00:00+01:00, expect: { refused: [freeze] }"),
        test("in November", "status: OPEN", "now: 2026-11-24T10:00:00Z, expect: {}"),
        "  - { name: an empty inbox, live: {}, expect: { refused: [empty-listing], changes: 0 } }\n".to_owned(),
    ];
    let workspace = Workspace::new(&tests.concat());
    let ran = workspace
        .run(&["test", "--report", "junit=junit.xml"])
        .exits(0);
    assert_eq!(ran.out, "Passed: 7 tests\n");
    let junit = std::fs::read_to_string(workspace.0.path().join("junit.xml")).expect("a report");
    assert!(
        junit.contains("<testsuite name=\"tests/policy.yaml\" tests=\"7\" failures=\"0\""),
        "{junit}"
    );
}

#[test]
fn a_test_that_fails_shows_a_diff_at_its_line() {
    let tests = [
        test("fine", "status: CLOSED", "expect: { changes: 0 }"),
        test(
            "\"vip <&\\e>\"",
            "agent: priya, tags: [vip]",
            &format!(
                "expect: {{ changes: 0, after: {{ {}: {{ status: OPEN }} }} }}",
                uuid(1)
            ),
        ),
    ];
    let workspace = Workspace::new(&tests.concat());
    let ran = workspace
        .run(&["test", "--report", "junit=junit.xml"])
        .exits(1);
    for line in [
        "Failed: tests/policy.yaml:4 vip <&\\u{1b}>\n",
        "  - changes: 0\n  + changes: 1\n",
        "  - refused: []\n  + refused: [rule:vip keeps an agent]\n      vip keeps an agent: 1 lead: ask Asha first (convertalk.yaml:7)\n",
        "status: \"OPEN\"\n  + after.",
        "Failed: 1 of 2 tests\n",
    ] {
        assert!(ran.out.contains(line), "{line:?} is not in\n{}", ran.out);
    }
    let junit = std::fs::read_to_string(workspace.0.path().join("junit.xml")).expect("a report");
    assert!(
        junit.contains("name=\"vip &lt;&amp;\\u{1b}&gt;\"") && junit.contains("failures=\"1\""),
        "{junit}"
    );

    let results = workspace.run(&["test", "--format", "json"]).exits(1).json();
    let schema = json!(
        program(&["schema", "test-results"])
            .output()
            .map(|out| Ran::of(out).json())
            .expect("a schema")
    );
    assert!(jsonschema::is_valid(&schema, &results), "{results}");
    assert_eq!(
        (
            &results["passed"],
            &results["failed"],
            &results["tests"][1]["line"]
        ),
        (&json!(1), &json!(1), &json!(4))
    );
}

#[test]
fn a_snapshot_is_an_inbox_too() {
    let workspace =
        Workspace::new("  - { name: a snapshot, live_file: live.jsonl, expect: { changes: 1 } }\n");
    let lines = [
        json!({ "type": "snapshot", "format_version": 1, "tool_version": "0.1.0", "created_at": "2026-01-02T03:04:05Z", "names": "initials", "attributes": [],
            "target": { "endpoint": "https://elsewhere.example", "bot_id": "b", "customer_id": "c" } }),
        json!({ "type": "lead", "uuid": uuid(1), "list": "lead", "updated": 0, "status": "OPEN", "agent": null, "tags": [] }),
        json!({ "type": "end", "leads": 1 }),
    ];
    workspace.write(
        "live.jsonl",
        &lines.map(|line| line.to_string() + "\n").concat(),
    );
    workspace.run(&["test"]).exits(0);
}

#[test]
fn no_tests_are_a_note() {
    let workspace = Workspace::new("");
    std::fs::remove_dir_all(workspace.0.path().join("tests")).expect("no tests");
    let ran = workspace.run(&["test"]).exits(0);
    assert!(ran.err.contains("no tests"), "{}", ran.err);
}

#[test]
fn what_is_wrong_with_a_file_of_tests_is_an_error_at_its_line() {
    let tests = "  - { name: a, live: {}, expect: { refused: [max-change] } }
  - { name: b, live: {}, live_file: x, expect: {} }
  - { name: c, live: {}, now: yesterday, expect: {} }
  - { name: d, live: { x: { status: SHUT } }, expect: {} }
  - { name: e, live: {} }
  - { name: f, live: {}, expects: {} }
";
    let ran = Workspace::new(tests).run(&["test"]).exits(1);
    for (line, code) in [
        (3, "bad-test"),
        (4, "bad-test"),
        (5, "bad-test"),
        (6, "unknown-status"),
        (7, "bad-test"),
        (8, "unknown-key"),
    ] {
        let place = format!("tests/policy.yaml:{line}:");
        assert!(
            ran.err.contains(&place) && ran.err.contains(code),
            "{place} {code}\n{}",
            ran.err
        );
    }
}

#[test]
fn drift_is_treated_as_the_policy_says() {
    let config = |drift: &str| {
        CONFIG.replace(
            "  max_changes: 1\n",
            &format!("  max_changes: 1\n  drift: {{ status: {drift} }}\n"),
        )
    };
    let case = |name: &str, expect: &str| {
        test(
            name,
            "status: OPEN, agent: priya",
            &format!("base: HEAD, expect: {expect}"),
        )
    };
    for (drift, expect) in [
        (
            "keep",
            "{ changes: 0, after: { ID: { status: OPEN, agent: priya } } }",
        ),
        (
            "revert",
            "{ changes: 1, after: { ID: { status: CLOSED, agent: priya } } }",
        ),
        ("fail", "{ refused: [drift] }"),
    ] {
        let workspace = Workspace::new(&case(drift, &expect.replace("ID", &uuid(1))));
        workspace.write("convertalk.yaml", &config(drift));
        for words in ["init -q .", "add .", "commit -qm Declare"] {
            let mut git = std::process::Command::new("git");
            git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
                .args(words.split(' '))
                .current_dir(workspace.0.path());
            assert!(git.status().expect("git runs").success(), "{words}");
        }
        let ran = workspace.run(&["test"]);
        assert_eq!(ran.exit, 0, "{drift}: {}{}", ran.out, ran.err);
    }
}

/// A window and the zone, and instants at which it refuses, and at which it does not.
type Season = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const SEASONS: [Season; 5] = [
    (
        // Berlin turns its clocks on at 02:00 of 2027-03-28: the window ends at 06:00Z, not 07:00Z.
        "weekly: \"Fri 16:00 - Mon 08:00\", zone: Europe/Berlin",
        &[
            "2027-03-26T15:00:00Z",
            "2027-03-28T01:30:00Z",
            "2027-03-29T05:59:59Z",
        ],
        &["2027-03-26T14:59:59Z", "2027-03-29T06:00:00Z"],
    ),
    (
        // And back at 03:00 of 2026-10-25, a day of 25 hours.
        "from: 2026-10-25, to: 2026-10-25, zone: Europe/Berlin",
        &["2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"],
        &["2026-10-24T21:59:59Z", "2026-10-25T23:00:00Z"],
    ),
    (
        "from: 2028-02-29, to: 2028-02-29",
        &["2028-02-29T00:00:00Z", "2028-02-29T23:59:59Z"],
        &["2028-02-28T23:59:59Z", "2028-03-01T00:00:00Z"],
    ),
    (
        "from: 2026-12-23, to: 2027-01-03, zone: Asia/Kolkata",
        &[
            "2026-12-22T18:30:00Z",
            "2026-12-31T23:59:59+05:30",
            "2027-01-01T00:00:00+05:30",
            "2027-01-03T18:29:59Z",
        ],
        &[
            "2026-12-22T18:29:59Z",
            "2027-01-03T18:30:00Z",
            "2027-12-25T12:00:00Z",
        ],
    ),
    (
        // Nothing is written on weekends.
        "weekly: \"Sat 00:00 - Mon 00:00\"",
        &["2026-11-28T00:00:00Z", "2026-11-29T23:59:59Z"],
        &["2026-11-27T23:59:59Z", "2026-11-30T00:00:00Z"],
    ),
];

#[test]
fn a_freeze_follows_the_clock_that_a_test_sets() {
    for (window, frozen, free) in SEASONS {
        let tests: String = frozen
            .iter()
            .map(|now| (now, "expect: { changes: 1, refused: [freeze] }"))
            .chain(free.iter().map(|now| (now, "expect: { changes: 1 }")))
            .map(|(now, expect)| {
                test(
                    &format!("\"{now}\""),
                    "status: OPEN",
                    &format!("now: {now}, {expect}"),
                )
            })
            .collect();
        let workspace = Workspace::new(&tests);
        let (head, _) = CONFIG.split_once("  freeze:").expect("a freeze");
        let freeze = format!("{head}  freeze: [{{ {window} }}]\n");
        workspace.write("convertalk.yaml", &freeze);
        let ran = workspace.run(&["test"]);
        assert_eq!(ran.exit, 0, "{window}: {}{}", ran.out, ran.err);
        assert_eq!(
            ran.out,
            format!("Passed: {} tests\n", frozen.len() + free.len())
        );
    }
}

#[test]
fn nothing_is_reopened_but_where_the_pipeline_allows_it() {
    let closed = record(2, "CLOSED", None, &[]);
    let world = World::new(&[closed], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let rule = "policy: { rules: [{ name: reopened, before: status=CLOSED, after: status!=CLOSED, deny: not on weekends }] }\n";
    world.write("convertalk.yaml", &(config + rule));
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(2)));
    world.run("plan --out plan.json").exits(3);
    world.run("apply plan.json --yes").exits(3);
    world
        .run("apply plan.json --yes --allow rule:reopened")
        .exits(0);
}

#[test]
fn a_test_that_cannot_be_run_fails_at_its_place_and_the_others_are_run() {
    let bad = "  - { name: no snapshot, live_file: none.jsonl, expect: {} }\n";
    let good = test("fine", "status: OPEN", "expect: { changes: 1 }");
    let base = test("no base", "status: OPEN", "base: nope, expect: {}");
    let workspace = Workspace::new(&format!("{bad}{good}{base}"));
    let ran = workspace
        .run(&["test", "--report", "junit=junit.xml"])
        .exits(1);
    for words in [
        "tests/policy.yaml:3",
        "none.jsonl",
        "tests/policy.yaml:5",
        "Failed: 2 of 3 tests",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    let junit = std::fs::read_to_string(workspace.0.path().join("junit.xml")).expect("a report");
    assert!(junit.contains("tests=\"3\" failures=\"2\""), "{junit}");
}

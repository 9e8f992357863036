//! Run files as Markdown: every outcome, runs that did not end, hostile details, any size.

use convertalk::apply::journal::{Line, read};
use convertalk::report::{RunNames, run_as_markdown};
use serde_json::{Value as Json, json};

use super::markdown::check;
use crate::world::uuid;

fn begun(run_id: &str, leads: usize) -> Json {
    json!({
        "type": "run", "format_version": 1, "tool_version": "0.1.0", "run_id": run_id, "plan_id": "p", "leads": leads,
        "started_at": "2026-01-02T03:04:05.678Z", "names": "initials",
        "target": { "endpoint": "https://api.example.com", "bot_id": "63d9ffa77a8d152facbe2f00", "customer_id": "631aa793bcfa100487d13d01" }
    })
}

fn write(number: usize) -> Json {
    json!({ "type": "write", "uuid": uuid(number), "at": "2026-01-02T03:04:06Z", "action": "update", "fields": {} })
}

fn outcome(number: usize, outcome: &str, detail: Option<&str>) -> Json {
    let mut line = json!({ "type": "outcome", "uuid": uuid(number), "outcome": outcome });
    if let Some(detail) = detail {
        line["detail"] = detail.into();
    }
    line
}

fn ended(exit: u8, stopped: Option<&str>) -> Json {
    let mut line = json!({ "type": "summary", "finished_at": "2026-01-02T03:05:00.000Z", "exit": exit, "outcomes": {} });
    if let Some(why) = stopped {
        line["stopped"] = why.into();
    }
    line
}

fn lines(lines: &[Json]) -> Vec<(u32, Line)> {
    let text: Vec<String> = lines.iter().map(Json::to_string).collect();
    read(&text.join("\n")).expect("a run file")
}

/// One lead of each outcome, and of some two.
fn every() -> Vec<(u32, Line)> {
    let hostile = "the platform says: <script>alert(1)</script> | a`b @everyone #1 https://evil.example\n# head \u{202e}";
    lines(&[
        begun("20260102T030405Z-abcdef01-7", 9),
        outcome(1, "already", None),
        outcome(2, "stale", Some("status is REVIEW and was OPEN")),
        outcome(3, "verified", None),
        outcome(4, "verified", None),
        outcome(
            5,
            "unverified",
            Some("tags: asked for `vip`, read back `cold`"),
        ),
        outcome(6, "failed", Some(hostile)),
        outcome(7, "untried", None),
        outcome(8, "written", Some("the listing could not be read back")),
        outcome(9, "untried", None),
        ended(
            6,
            Some("the deadline was near; run the same apply again to finish"),
        ),
    ])
}

fn stories() -> Vec<(&'static str, Vec<(u32, Line)>)> {
    let killed = [
        begun("first", 4),
        write(1),
        outcome(1, "verified", None),
        write(2),
    ];
    let again = [
        begun("second", 4),
        outcome(1, "already", None),
        outcome(2, "already", None),
        write(3),
        outcome(3, "verified", None),
    ];
    vec![
        ("run-every", every()),
        (
            "run-verified",
            lines(&[
                begun("one", 1),
                write(1),
                outcome(1, "verified", None),
                ended(0, None),
            ]),
        ),
        ("run-killed", lines(&killed)),
        (
            "run-settled",
            lines(
                &[
                    &killed[..],
                    &again[..],
                    &[outcome(4, "verified", None), ended(0, None)],
                ]
                .concat(),
            ),
        ),
    ]
}

#[test]
fn golden_runs() {
    for (story, run) in stories() {
        let text = run_as_markdown(&run, &names(), None);
        check(&text);
        assert_eq!(text, run_as_markdown(&run, &names(), None));
        insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{story}.markdown"), text);
        });
    }
}

#[test]
fn what_strangers_say_stays_text() {
    let shown = check(&run_as_markdown(&every(), &names(), None));
    assert!(
        shown.contains("&lt;script&gt;alert(1)&lt;/script&gt; | a`b @everyone #1 https://evil.example\\n# head \\u{202e}"),
        "{shown}"
    );
}

#[test]
fn any_size_holds_and_what_wants_a_look_stays_longest() {
    let detail = "x".repeat(60);
    let many = (1..=300).map(|at| {
        outcome(
            at,
            if at == 300 { "unverified" } else { "failed" },
            Some(&detail),
        )
    });
    let run = lines(
        &[
            vec![begun("many", 300)],
            many.collect(),
            vec![ended(6, None)],
        ]
        .concat(),
    );
    let whole = run_as_markdown(&run, &names(), None);
    check(&whole);
    for most in (500..5_000)
        .step_by(97)
        .chain([whole.len() - 1, whole.len()])
    {
        let text = run_as_markdown(&run, &names(), Some(most));
        assert!(text.len() <= most, "{} of {most} bytes", text.len());
        assert_eq!(text == whole, whole.len() <= most);
        assert!(
            text.starts_with("### Applied: 300 leads: 299 failed, 1 unverified."),
            "{text}"
        );
        assert!(most < 1_000 || text.contains(&uuid(300)), "{text}");
        check(&text);
    }
}

fn names() -> RunNames {
    RunNames::default()
}

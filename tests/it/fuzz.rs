//! Foreign bytes at every parser: any at all, valid ones with a few bytes changed, and very long or deep ones. None panics.

pub(crate) mod growth;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use convertalk::apply::journal::Line;
use convertalk::config::{Overrides, parse};
use convertalk::lead::{DesiredValue, Field, LeadId, Status, TagRule};
use convertalk::lead_file::edit::{Edit, apply};
use convertalk::lead_file::{desired_of, load};
use convertalk::plan::Plan;
use convertalk::plan::file::{check, from_bytes, saved};
use convertalk::redaction::Redaction;
use convertalk::report;
use convertalk::sandbox::{Options, Sandbox};
use convertalk::yaml::format::layout;
use convertalk::yaml::{Diagnostic, render};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::arbitrary::CONFIG;
use crate::forms::file;
use growth::monsters;

const LEADS: &str = "version: 1
defaults: { agent: priya, notes: [{ title: a, description: b }] }
leads:
  7e88d192-9b20-4035-9b68-d4ac3d58a34f: &first
    label: \"Acme \\u00e9\"   # words
    status: INPROGRESS
    tags: [vip, 'no', 0123]
    attributes: { tier: gold, since: 2026-01-02 }
    contact: { name: Asha, email: a@b.c, phone: 98765 43210, dial_code: \"+91\", picture: https://x.y/z }
  lead-2: { tags: { present: [vip], absent: [cold] }, create: true }
  lead-3:
    notes:
      - title: |
          Several
          lines
        description: >-
          folded
  lead-4: *first
";

const WORKSPACE: &str = "version: 1
api: { endpoint: https://api.v7.convertalk.com, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01,
       concurrency: 4, rate: 2.5, timeout: 10s, page_cap: 50, tags: auto, unassign: null, read_header: x-bot-token, seed: s.yaml }
leads: [\"leads/**/*.yaml\", \"more/{a,b}/[!c]?.yaml\"]
agents: { priya: 631aa793bcfa100487d13d0d, rahul: { id: 631aa793bcfa100487d13d0e, max_leads: 60 } }
policy: { tags: [vip], max_changes: 20%, transitions: { deny: [CLOSED -> *], warn: [REVIEW -> OPEN] }, require_agent: [REVIEW] }
";

const PLAN: &str = r#"{"format_version":1,"tool_version":"0.1.0","created_at":"2026-01-02T03:04:05Z","plan_id":"0123456789abcdef",
"target":{"endpoint":"sandbox","bot_id":"b","customer_id":"c"},"base":null,"listing":{"complete":true,"leads_read":3,"pages_read":2},
"summary":{"declared":2,"in_sync":0,"to_update":1,"to_create":1,"missing":0,"drift":0,"conflicts":0},
"changes":[{"uuid":"a","label":"A","action":"update","class":"change","source":{"file":"leads/a.yaml","line":3},"fields":{
"status":{"before":"OPEN","after":"CLOSED","line":4},"agent":{"before":null,"after":"631aa793bcfa100487d13d0d","line":5},
"tags":{"before":["a"],"after":["a","b"],"line":6},"attributes.tier":{"before":null,"after":"gold","line":7},
"contact.name":{"before":"A.","after":"B.","line":8,"seal":{"before":"00","after":"11"}},
"notes":{"before":[],"after":[{"title":"t","description":"d"}],"line":9}}}],
"missing":[{"uuid":"m","label":null,"source":{"file":"f","line":1}}],"released":[],
"refusals":[{"rule":"max-changes","message":"m","source":null,"lift":"l","leads":["a"]}],"warnings":[],
"transitions":[{"from":"OPEN","to":"CLOSED","count":1}],"agents":[{"id":"i","name":"n","before":1,"after":2,"max_leads":3}]}"#;

const LINES: [&str; 5] = [
    r#"{"type":"run","format_version":1,"tool_version":"0.1.0","run_id":"r","plan_id":"p","started_at":"2026-01-02T03:04:05.678Z","target":{"endpoint":"sandbox","bot_id":"b","customer_id":"c"},"leads":3}"#,
    r#"{"type":"write","uuid":"a","at":"2026-01-02T03:04:05.678Z","action":"update","fields":{"tags":{"before":[],"after":["b"],"line":6}}}"#,
    r#"{"type":"answer","uuid":"a","at":"2026-01-02T03:04:05.678Z","error":"PUT /x: HTTP 500: words"}"#,
    r#"{"type":"outcome","uuid":"a","outcome":"unverified","detail":"tags were ignored"}"#,
    r#"{"type":"summary","finished_at":"2026-01-02T03:04:05.678Z","exit":6,"outcomes":{"unverified":1},"stopped":"interrupted"}"#,
];

const SEED: &str = r#"{ "lead": [{ "uuid": "a", "status": "OPEN", "updatedAt": "2026-02-03T04:05:06.789Z", "profile": { "userDetails":
{ "tags": ["x"], "attributes": [{ "key": "k", "value": 7 }] }, "notes": [{ "title": "t" }] } }], "non-lead": [{ "_id": "5" }] }"#;

/// A valid text with up to eight wounds: bytes turned, cut out or said twice, and words that parsers stumble over put in.
fn wounded(valid: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b"[",
        b"{",
        b"}",
        b"\"",
        b"'",
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!binary ",
        b"!<tag:x> ",
        b"---\n",
        b"...\n",
        b"? ",
        b"- ",
        b": ",
        b"\t",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\\ud800",
        b"\\x",
        b"null",
        b"1e999",
        b"-0",
        b"18446744073709551616",
        b"|2+\n",
        b"%YAML 9.9\n",
        b"#",
        b"[[[[[[[[",
        b"{{{{{{{{",
        b"{\"a\":",
        b",",
    ];
    let wound = (
        any::<Index>(),
        0..5_u8,
        any::<u8>(),
        1..40_usize,
        select(words),
    );
    (valid, vec(wound, 1..8)).prop_map(|(valid, wounds)| {
        let mut bytes = valid.into_bytes();
        for (at, kind, byte, length, word) in wounds {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 if at < bytes.len() => bytes[at] ^= byte,
                1 => drop(bytes.drain(at..end)),
                2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
                3 => bytes.truncate(end),
                _ => drop(bytes.splice(at..at, word.iter().copied())),
            }
        }
        bytes
    })
}

/// A valid text with up to three letters or digits changed into others, so that many are valid still.
fn misspelt(valid: &'static str) -> impl Strategy<Value = Vec<u8>> {
    vec((any::<Index>(), any::<Index>()), 0..4).prop_map(move |changes| {
        let mut bytes = valid.as_bytes().to_vec();
        for (at, to) in changes {
            let at = at.index(bytes.len());
            let class: Vec<u8> = match bytes[at] {
                b'0'..=b'9' => (b'0'..=b'9').collect(),
                b'a'..=b'z' => (b'a'..=b'z').collect(),
                b'A'..=b'Z' => (b'A'..=b'Z').collect(),
                other => vec![other],
            };
            bytes[at] = class[to.index(class.len())];
        }
        bytes
    })
}

fn any_or_wounded(valid: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..300),
        1 => ".{0,200}".prop_map(String::into_bytes),
        4 => wounded(Just(valid.to_owned())),
        4 => misspelt(valid),
    ]
}

fn wrong(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

fn drawn(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics.iter().take(50) {
        let text = render::render(diagnostic, false);
        assert!(
            !text.is_empty() && !text.contains(['\u{202e}', '\0', '\x1b']),
            "{text:?}"
        );
    }
}

fn lead_file(folder: &Path, bytes: &[u8]) {
    std::fs::write(folder.join("leads/a.yaml"), bytes).expect("a file");
    let loaded = load(folder, &Overrides::default());
    assert_eq!(loaded.desired.is_none(), wrong(&loaded.diagnostics));
    drawn(&loaded.diagnostics);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(made) = layout(
        &Arc::from("a.yaml"),
        text,
        &convertalk::lead_file::layout_rules(),
    ) {
        let again = layout(
            &Arc::from("a.yaml"),
            &made.text,
            &convertalk::lead_file::layout_rules(),
        )
        .expect("what was laid out is YAML");
        assert_eq!(
            again.text, made.text,
            "laid out twice is not laid out once:\n{text}"
        );
    }
    if let (Some(workspace), Some(desired)) = (loaded.workspace, loaded.desired) {
        let status = |id: &LeadId| Edit {
            id: id.clone(),
            field: Field::STATUS,
            value: DesiredValue::Choice(Status::OnHold),
        };
        let tags = |id: &LeadId| Edit {
            id: id.clone(),
            field: Field::TAGS,
            value: DesiredValue::Set(TagRule::Exact(["vip".to_owned()].into())),
        };
        let edits: Vec<Edit> = desired
            .keys()
            .take(50)
            .flat_map(|id| [status(id), tags(id)])
            .collect();
        let edited = apply(&Arc::from("a.yaml"), text, &edits, workspace.vocabulary());
        let (now, mistakes) = desired_of(vec![(Arc::from("a.yaml"), edited.text)], &workspace);
        assert!(now.len() == desired.len() && !wrong(&mistakes), "{text}");
    }
}

fn leads_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("leads")).expect("a folder");
    std::fs::write(folder.path().join("convertalk.yaml"), CONFIG).expect("a file");
    folder
}

fn workspace_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (workspace, diagnostics) = parse(Path::new("."), &text, &Overrides::default());
    assert_eq!(workspace.is_none(), wrong(&diagnostics));
    drawn(&diagnostics);
}

/// Any bytes; where they are the JSON of a plan, it is saved anew, so that what lies behind the digest is reached too.
fn saved_plan(bytes: &[u8]) {
    drop(from_bytes(bytes));
    let Ok(plan) = serde_json::from_slice::<Plan>(bytes) else {
        return;
    };
    let version = plan.format_version;
    match from_bytes(&saved(&plan, Redaction::Full, None).expect("bytes")) {
        Ok(again) => {
            assert_eq!(
                Plan {
                    digest: None,
                    ..again.clone()
                },
                Plan {
                    digest: None,
                    ..plan
                }
            );
            drop(check(
                &again,
                &again.target,
                "2026-01-02T04:00:00Z".parse().expect("a time"),
                Duration::from_secs(24 * 3600),
            ));
            for format in report::Format::value_variants() {
                let text = report::plan(&again, *format, report::Audience::default());
                // In JSON such characters stand as they are.
                if *format != report::Format::Json {
                    assert!(!text.contains('\u{202e}'), "{text:?}");
                }
            }
        }
        Err(error) => assert_ne!(version, 1, "{error}"),
    }
}

fn run_line(bytes: &[u8]) {
    if let Ok(line) = serde_json::from_slice::<Line>(bytes) {
        let text = serde_json::to_string(&line).expect("JSON");
        let again: Line = serde_json::from_str(&text).expect("a line");
        assert_eq!(serde_json::to_string(&again).expect("JSON"), text);
    }
}

fn seed_file(folder: &Path, bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for name in ["seed.json", "seed.yaml"] {
        std::fs::write(folder.join(name), bytes).expect("a file");
        let options = Options {
            seed: Some(folder.join(name)),
            listen: ([127, 0, 0, 1], 0).into(),
            ..Options::default()
        };
        if let Ok(sandbox) = runtime.block_on(Sandbox::start(options)) {
            drop(sandbox.records());
        }
    }
}

proptest! {
    #[test]
    fn lead_files_of_any_form(bytes in wounded(file().prop_map(|file| file.text))) {
        lead_file(leads_folder().path(), &bytes);
    }

    #[test]
    fn lead_files(bytes in any_or_wounded(LEADS)) {
        lead_file(leads_folder().path(), &bytes);
    }

    #[test]
    fn workspace_files(bytes in any_or_wounded(WORKSPACE)) {
        workspace_file(&bytes);
    }

    #[test]
    fn saved_plans(bytes in any_or_wounded(PLAN)) {
        saved_plan(&bytes);
    }

    #[test]
    fn run_files(bytes in prop_oneof![any_or_wounded(LINES[0]), any_or_wounded(LINES[1]), any_or_wounded(LINES[2]),
        any_or_wounded(LINES[3]), any_or_wounded(LINES[4])]) {
        run_line(&bytes);
    }

    #[test]
    fn seeds(bytes in any_or_wounded(SEED)) {
        seed_file(tempfile::tempdir().expect("a folder").path(), &bytes);
    }
}

/// Without valid inputs, what comes after a parser would never run.
#[test]
fn many_of_the_inputs_are_valid() {
    let share = |valid: &'static str, is_read: &dyn Fn(&[u8]) -> bool| {
        let (inputs, mut runner) = (any_or_wounded(valid), TestRunner::deterministic());
        let read = (0..200).filter(|_| {
            let input = inputs.new_tree(&mut runner).expect("an input");
            is_read(&input.current())
        });
        read.count()
    };
    let folder = leads_folder();
    let lead_file = |bytes: &[u8]| {
        std::fs::write(folder.path().join("leads/a.yaml"), bytes).expect("a file");
        load(folder.path(), &Overrides::default()).desired.is_some()
    };
    let workspace_file = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let parsed = parse(Path::new("."), &text, &Overrides::default());
        parsed.0.is_some()
    };
    let run_line = |bytes: &[u8]| serde_json::from_slice::<Line>(bytes).is_ok();
    let shares = [
        ("lead file", share(LEADS, &lead_file)),
        ("workspace file", share(WORKSPACE, &workspace_file)),
        (
            "plan",
            share(PLAN, &|bytes| serde_json::from_slice::<Plan>(bytes).is_ok()),
        ),
        ("run file", share(LINES[1], &run_line)),
        (
            "seed",
            share(SEED, &|bytes| {
                serde_json::from_slice::<serde_json::Value>(bytes).is_ok()
            }),
        ),
    ];
    for (name, share) in shares {
        assert!(share > 20, "{share} of 200: {name}");
    }
}

#[test]
fn the_samples_are_valid() {
    let folder = leads_folder();
    std::fs::write(folder.path().join("leads/a.yaml"), LEADS).expect("a file");
    let loaded = load(folder.path(), &Overrides::default());
    assert!(
        !wrong(&loaded.diagnostics) && loaded.leads == 4,
        "{:?}",
        loaded.diagnostics
    );
    assert!(
        parse(Path::new("."), WORKSPACE, &Overrides::default())
            .0
            .is_some()
    );
    assert!(serde_json::from_str::<Plan>(PLAN).is_ok());
    assert!(
        LINES
            .iter()
            .all(|line| serde_json::from_str::<Line>(line).is_ok())
    );
    assert!(serde_json::from_str::<serde_json::Value>(SEED).is_ok());
}

/// Each anchor names the one before ten times: 10¹³ values, if they were ever made.
#[test]
fn a_file_of_aliases_that_multiply_is_refused() {
    let aliases = |n: usize| vec![format!("*x{}", n - 1); 10].join(",");
    let bomb: String = (1..14)
        .map(|n| format!("x{n}: &x{n} [{}]\n", aliases(n)))
        .collect();
    let bytes = format!("version: 1\nx0: &x0 [a]\n{bomb}").into_bytes();
    let folder = leads_folder();
    lead_file(folder.path(), &bytes);
    workspace_file(&bytes);
    assert!(wrong(
        &load(folder.path(), &Overrides::default()).diagnostics
    ));
}

#[test]
fn depth_repetition_and_length_overflow_nothing() {
    let folder = leads_folder();
    for (_, bytes) in monsters(20_000) {
        lead_file(folder.path(), &bytes);
        workspace_file(&bytes);
        saved_plan(&bytes);
        run_line(&bytes);
        // yaml_serde needs time with the square of the depth, and a seed is its author's own file.
        seed_file(folder.path(), &bytes[..bytes.len().min(30_000)]);
    }
}

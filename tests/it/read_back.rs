//! What is read back: a document that is not as its schema says is refused with its place, and never half-read.

use std::path::Path;

use serde_json::Value as Json;

use crate::world::{World, record, uuid};

/// A world with a saved plan, a run file, a record, a snapshot and a state of `watch`, each in `kept/`.
fn world() -> World {
    let world = World::new(&[record(1, "OPEN", None, &["cold"])], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED, tags: [vip] }}\n",
        uuid(1)
    ));
    for words in [
        "init -q .",
        "add convertalk.yaml leads",
        "commit -qm Declare",
    ] {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(words.split(' '))
            .current_dir(world.path(""));
        assert!(git.status().expect("git runs").success(), "{words}");
    }
    std::fs::create_dir(world.path("kept")).expect("a folder");
    world.run("snapshot --out kept/live.jsonl").exits(0);
    world.run("plan --out kept/plan.json").exits(0);
    world
        .run("apply --yes --base applied --begin files --applied kept/applied.json --run-file kept/run.jsonl")
        .exits(0);
    world.write(
        "kept/seed.yaml",
        "lead:\n- uuid: a\n- uuid: b\nformat_version: 1\n",
    );
    world.write(
        "kept/state.json",
        "{\"format_version\":1,\"lead\":[\n{\"uuid\":\"a\"}]}\n",
    );
    world
}

/// A kind of document: its file, the command that reads it, the text to replace and by what, and the place that is reported.
type Hostile = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const SHOW_PLAN: &str = "show kept/plan.json --format json";
const SHOW_RUN: &str = "show kept/run.jsonl --format json";
const LIVE: &str = "plan --live kept/live.jsonl --format json";
const RECORD: &str = "plan --base applied --applied kept/applied.json --format json";
const SEED: &str = "sandbox --listen 127.0.0.1:0 --seed kept/seed.yaml";
const STATE: &str = "sandbox --listen 127.0.0.1:0 --state kept/state.json";

#[rustfmt::skip]
const HOSTILE: [Hostile; 26] = [
    ("plan.json", SHOW_PLAN, "\"action\": \"update\"", "\"action\": \"destroy\"", "/changes/0/action: value is not"),
    ("plan.json", SHOW_PLAN, "\"format_version\": 1,", "", "/: \"format_version\" is a required property"),
    ("plan.json", SHOW_PLAN, "\"format_version\": 1", "\"format_version\": \"1\"", "/format_version: value is not of type"),
    ("plan.json", SHOW_PLAN, "\"changes\": [", "\"changes\": 7, \"x\": [", "/changes: value is not of type"),
    ("plan.json", SHOW_PLAN, "\"changes\": [", "\"changes\": [{},", "/changes/0: "),
    ("plan.json", SHOW_PLAN, "\"declared\": 1", "\"declared\": -1", "/summary/declared: value is less than the minimum"),
    ("plan.json", SHOW_PLAN, "\"after\": \"CLOSED\"", "\"after\": [\"CLOSED\"]", "/changes/0/fields/status/after: value is not of types"),
    ("plan.json", SHOW_PLAN, "\"tool_version\"", "\"format_version\": 1, \"tool_version\"", "the key `format_version` is listed twice"),
    ("run.jsonl", SHOW_RUN, "\"leads\":1", "\"leads\":\"one\"", "line 1: /leads: value is not of type"),
    ("run.jsonl", SHOW_RUN, "\"outcome\":\"verified\"", "\"outcome\":\"fine\"", "line 4: /outcome: value is not"),
    ("run.jsonl", SHOW_RUN, "\"type\":\"write\"", "\"type\":\"wrote\"", "line 2: "),
    ("run.jsonl", SHOW_RUN, "\"action\":\"update\"", "\"action\":null", "line 2: /action: value is not"),
    ("run.jsonl", "undo kept/run.jsonl --yes --format json", "\"exit\":0", "\"exit\":1000", "line 5: /exit: value is greater than the maximum"),
    ("applied.json", RECORD, "\"behind\": {}", "\"behind\": {\"x\": {\"commit\": 7, \"outcome\": \"failed\"}}", "/behind/x/commit: value is not of types"),
    ("applied.json", RECORD, "\"behind\": {}", "\"behind\": {\"x\": {\"commit\": null, \"outcome\": \"lost\"}}", "/behind/x/outcome: value is not"),
    ("applied.json", RECORD, "\"behind\": {}", "\"ahead\": {}", "/: \"behind\" is a required property"),
    ("live.jsonl", LIVE, "\"status\":\"OPEN\"", "\"status\":5", "line 2: /status: value is not of types"),
    ("live.jsonl", LIVE, "\"list\":\"lead\"", "\"list\":\"spam\"", "line 2: /list: value is not"),
    ("live.jsonl", LIVE, "\"tags\":[\"cold\"]", "\"tags\":[7]", "line 2: /tags/0: value is not of type"),
    ("live.jsonl", LIVE, "\"leads\":1", "\"leads\":-1", "line 3: /leads: value is less than the minimum"),
    ("live.jsonl", LIVE, "\"names\":\"initials\"", "\"names\":\"all\"", "line 1: /names: value is not"),
    ("live.jsonl", LIVE, "\"type\":\"lead\"", "\"type\":\"deal\"", "line 2: "),
    ("seed.yaml", SEED, "uuid: b", "uuid: 5", "line 3: /lead/1/uuid: value is not of type"),
    ("seed.yaml", SEED, "lead:", "deals:", "line 1: /: Additional properties are not allowed"),
    ("state.json", STATE, "{\"uuid\":\"a\"}", "7", "line 2: /lead/0: value is not of type"),
    ("state.json", STATE, "\"lead\":[", "\"lead\":7,\"non-lead\":[", "line 1: /lead: value is not of types"),
];

#[test]
fn a_hostile_document_of_each_kind_is_refused_with_its_place() {
    let world = world();
    for (file, command, from, to, place) in HOSTILE {
        let path = world.path("kept").join(file);
        let text = std::fs::read_to_string(&path).expect("a document");
        assert!(text.contains(from), "{file} has no {from}: {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("a document");
        let ran = world.run(command).exits(1);
        std::fs::write(&path, &text).expect("a document");
        assert!(ran.err.contains(place), "{file}, {to}: {}", ran.err);
        assert!(ran.err.contains(&format!("{file}: ")), "{}", ran.err);
        let line = line_of_place(&ran.err);
        if command.contains("--format json") {
            let error = &ran.json()["error"];
            let code = error["code"].as_str().expect("a code");
            let codes = ["plan-file", "run-file", "applied-record", "snapshot"];
            assert!(codes.contains(&code), "{error}");
            assert_eq!(error["places"][0]["line"], line, "{error}");
            let file = error["places"][0]["file"].as_str().expect("a file");
            assert!(Path::new(file).ends_with(Path::new(&path).file_name().expect("a name")));
        }
    }
    assert_eq!(world.puts().len(), 1, "only the first apply wrote");
}

/// The line that a message names.
fn line_of_place(message: &str) -> u64 {
    let rest = message.split("line ").nth(1).expect("a line");
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    number.parse().expect("a number")
}

/// How documents name the version of their format, and what follows it in one of another version: a key that this one does not know.
const OWN_VERSION: [(&str, &str); 3] = [
    ("\"format_version\": 1", ",\"unheard_of\":1"),
    ("\"format_version\":1", ",\"unheard_of\":1"),
    ("\nformat_version: 1", "\nunheard_of: 1"),
];

#[test]
fn versions_are_checked_both_ways_in_every_kind() {
    let world = world();
    for (file, command) in [
        ("plan.json", SHOW_PLAN),
        ("run.jsonl", SHOW_RUN),
        ("applied.json", RECORD),
        ("live.jsonl", LIVE),
        ("seed.yaml", SEED),
        ("state.json", STATE),
    ] {
        let path = world.path("kept").join(file);
        let text = std::fs::read_to_string(&path).expect("a document");
        for (version, words) in [(0, "which is older"), (2, "which is newer")] {
            let other = OWN_VERSION
                .into_iter()
                .fold(text.clone(), |text, (own, more)| {
                    let other = own.replace('1', &version.to_string()) + more;
                    text.replacen(own, &other, 1)
                });
            assert_ne!(other, text);
            std::fs::write(&path, other).expect("a document");
            let ran = world.run(command).exits(1);
            assert!(
                ran.err
                    .contains(&format!("format version {version}, {words}")),
                "{file}: {}",
                ran.err
            );
            if command.contains("--format json") {
                assert!(ran.json()["error"]["help"].is_string(), "{}", ran.out);
            } else {
                assert!(ran.err.contains("help: "), "{}", ran.err);
            }
        }
        std::fs::write(&path, &text).expect("a document");
    }
}

#[test]
fn the_digest_is_of_the_document_as_it_is_in_the_file() {
    let world = world();
    let text = std::fs::read_to_string(world.path("kept/plan.json")).expect("a plan");
    let plan: Json = serde_json::from_str(&text).expect("JSON");
    let show = |text: &str| {
        world.write("kept/other.json", text);
        world.run("show kept/other.json")
    };
    // White space and escapes are not part of it.
    let compact: String = text.lines().map(str::trim).collect();
    show(&compact.replace("OPEN", "\\u004fPEN")).exits(0);
    // A key that this version does not know is.
    let more = text.replacen("\"tool_version\"", "\"later\": true, \"tool_version\"", 1);
    let refused = show(&more).exits(1);
    assert!(
        refused.err.contains("changed after it was saved"),
        "{}",
        refused.err
    );
    // A plan that was saved with such a key, by a later version of the same format, is taken.
    let digest = digest_by_hand(&more);
    let old = plan["digest"].as_str().expect("a digest");
    show(&more.replace(old, &digest)).exits(0);
}

/// The digest by its definition: the compact text without the digest, which is the last key.
fn digest_by_hand(text: &str) -> String {
    use sha2::Digest;
    let mut compact = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut writer = serde_json::Serializer::new(&mut compact);
    serde_transcode::transcode(&mut reader, &mut writer).expect("JSON");
    let compact = String::from_utf8(compact).expect("UTF-8");
    let (before, _) = compact.split_once(",\"digest\"").expect("a digest");
    let hash = sha2::Sha256::digest(format!("{before}}}"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hash}")
}

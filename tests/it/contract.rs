//! The contract for programs: one document on stdout, errors too, each as its schema says.

use serde_json::Value as Json;

use crate::world::{Ran, World, program, record, uuid};

/// The one document that a run printed, which a schema takes.
fn document(ran: &Ran, schema: &str) -> Json {
    let path = format!("schema/{schema}.schema.json");
    let text = std::fs::read_to_string(path).expect("a schema");
    let schema: Json = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let document = ran.json();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(document.is_object(), "lists are objects: {document}");
    document
}

/// The document that a run printed, which the schema of errors takes.
fn error_of(ran: &Ran) -> Json {
    document(ran, "error")
}

#[test]
fn a_command_that_was_asked_for_json_gives_its_error_as_one_document() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    for (words, code) in [
        ("plan --format json --only tag=none-has-it", "selector"),
        ("plan --format json --base nowhere", "base"),
        ("plan --format json --live nothing.jsonl", "snapshot"),
        ("plan --format json --allow rule:x", "unknown-rule"),
        ("show nothing.json --format json", "no-run"),
    ] {
        let ran = world.run(words).exits(1);
        let error = error_of(&ran);
        assert_eq!(
            error["error"]["code"].as_str(),
            Some(code),
            "{words}: {error}"
        );
        assert!(
            ran.err.contains("error:"),
            "{words}: people read it on stderr"
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ran = program(&["validate", "--format", "json"])
        .current_dir(folder.path())
        .output();
    let error = error_of(&Ran::of(ran.expect("the program runs")).exits(1));
    assert_eq!(error["error"]["code"], "no-workspace");
    assert!(error["error"]["help"].is_string());
}

#[test]
fn errors_in_files_are_a_list_with_their_places() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {0}: {{ status: SHUT }}\n  {0}: {{ status: OPEN }}\n",
        uuid(1)
    ));
    for words in ["plan --format json", "explain x --format json"] {
        let errors = error_of(&world.run(words).exits(1));
        let errors = errors["errors"].as_array().expect("errors").clone();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert_eq!(
            (&errors[0]["code"], &errors[0]["places"][0]["line"]),
            (&"unknown-status".into(), &3.into())
        );
        assert_eq!(
            errors[1]["places"].as_array().map(Vec::len),
            Some(2),
            "both places of a duplicate"
        );
    }
    let validated = world.run("validate --format json").exits(1).json();
    assert_eq!(validated["errors"].as_array().map(Vec::len), Some(2));
    assert_eq!(validated["errors"][0]["code"], "unknown-status");
}

#[test]
fn text_has_no_document_on_stdout() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let ran = world.run("plan --only tag=none-has-it").exits(1);
    assert_eq!(ran.out, "");
}

#[test]
fn the_system_s_name_of_stdout_is_stdout_even_where_that_is_a_file() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    for words in [
        ["plan", "--report", "json=/dev/stdout"],
        ["plan", "--out", "/proc/self/fd/1"],
        ["snapshot", "--out", "/dev/fd/1"],
    ] {
        let file = std::fs::File::create(world.path("printed")).expect("a file");
        let status = world
            .command(&words)
            .stdout(file)
            .stderr(std::process::Stdio::null())
            .status()
            .expect("it runs");
        assert!(status.success(), "{words:?}");
        let printed = std::fs::read_to_string(world.path("printed")).expect("a file");
        let first = serde_json::Deserializer::from_str(&printed)
            .into_iter::<Json>()
            .next();
        assert!(matches!(first, Some(Ok(_))), "{words:?}: {printed}");
        assert!(!printed.contains("For bot "), "{words:?}: {printed}");
    }
    let link = std::fs::symlink_metadata("/dev/stdout").expect("a link");
    assert!(link.is_symlink());
}

#[test]
fn a_dash_is_stdout_and_takes_the_place_of_the_text() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let plan = world
        .run("plan --report json=- --report markdown=plan.md")
        .exits(0);
    assert_eq!(plan.json()["changes"].as_array().map(Vec::len), Some(1));
    assert!(world.path("plan.md").exists());

    let saved = world.run("plan --out -").exits(0);
    assert!(saved.json()["digest"].is_string());
    world.write("saved.json", &saved.out);
    let snapshot = world.run("snapshot --out -").exits(0);
    world.write("live.jsonl", &snapshot.out);
    world
        .run("plan --live live.jsonl --detailed-exitcode")
        .exits(2);
    world.run("apply saved.json --yes").exits(0);
    assert!(!world.path("-").exists());

    world.write("tests/policy.yaml", "version: 1\ntests: []\n");
    let junit = world.run("test --report junit=-").exits(0);
    assert!(junit.out.starts_with("<?xml"), "{}", junit.out);
    assert!(!world.path("-").exists());
    for words in [
        "plan --out - --report json=-",
        "plan --out - --format json",
        "plan --report json=- --format json",
        "plan --report json=- --report markdown=-",
        "show saved.json --report json=- --report markdown=-",
        "snapshot --out - --format json",
        "apply --yes --format json --report csv=-",
        "test --report junit=- --format json",
    ] {
        let twice = world.run(words).exits(1);
        if words.contains("json=-") || words.contains("--format json") {
            assert_eq!(error_of(&twice)["error"]["code"], "usage", "{words}");
        }
    }
}

#[test]
fn an_apply_and_its_undo_are_one_document_each() {
    let live = [
        record(1, "OPEN", None, &[]),
        record(2, "CLOSED", None, &[]),
        record(3, "OPEN", None, &[]),
    ];
    let world = World::new(&live, "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let deny = "policy: { transitions: { deny: [\"CLOSED -> OPEN\"] } }\n";
    world.write("convertalk.yaml", &(config + deny));
    let declare = |third: &str| {
        world.declare(&format!(
            "  {}: {{ label: Acme, status: REVIEW, notes: [{{ title: t }}] }}\n{third}",
            uuid(1)
        ));
    };
    declare(&format!("  {}: {{ status: OPEN }}\n", uuid(2)));
    let refused = world.run("apply --yes --format json").exits(3);
    let refused = document(&refused, "apply");
    assert_eq!(refused["plan"]["refusals"][0]["rule"], "transition");
    assert_eq!(
        (&refused["exit"], &refused["run"]),
        (&3.into(), &Json::Null)
    );

    declare(&format!("  {}: {{ status: OPEN }}\n", uuid(9)));
    let missing = world.run("apply --yes --format json").exits(1);
    let missing = document(&missing, "apply");
    assert_eq!(missing["error"]["code"], "missing");
    assert_eq!(missing["plan"]["missing"][0]["uuid"], uuid(9));
    assert!(world.puts().is_empty());

    declare("");
    let applied = world.run("apply --yes --format json").exits(0);
    let applied = document(&applied, "apply");
    assert_eq!(applied["leads"][0]["outcome"], "verified");
    assert_eq!(applied["leads"][0]["label"], "Acme");
    assert_eq!(applied["run"]["outcomes"]["verified"], 1);
    let file = applied["run"]["file"].as_str().expect("a file");
    assert!(world.path(file).exists(), "{file}");

    let undone = world.run("undo last --yes --format json").exits(0);
    let undone = document(&undone, "apply");
    assert_eq!(undone["leads"][0]["outcome"], "verified");
    assert_eq!(undone["stays"][0]["uuid"], uuid(1), "the note: {undone}");

    declare("");
    let again = world.run("apply --yes --only held --format json").exits(1);
    assert_eq!(error_of(&again)["error"]["code"], "selector");
}

#[test]
fn a_run_that_asks_shows_the_plan_beside_the_document() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let ran = world.run("apply --format json").exits(1);
    assert_eq!(error_of(&ran)["error"]["code"], "needs-yes");
    assert!(world.puts().is_empty());
}

#[test]
fn errors_in_the_command_line_are_a_document_too() {
    for words in [
        "plan --format json --nope",
        "plan --nope --format=json",
        "plan --report json=- --max-changes many",
        "apply --format json a b c",
        "undo --format json",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let ran = Ran::of(program(&words).output().expect("the program runs")).exits(1);
        let error = error_of(&ran);
        assert_eq!(error["error"]["code"], "usage", "{words:?}");
        let message = error["error"]["message"].as_str().expect("a message");
        assert!(!message.starts_with("error:") && !message.contains('\n'));
        assert!(ran.err.starts_with("error: "), "people read it on stderr");
    }
    let ran = program(&["plan", "--nope"]).output();
    assert_eq!(Ran::of(ran.expect("the program runs")).exits(1).out, "");
    let ran = program(&["plan", "--format", "json", "--help"]).output();
    assert!(
        !Ran::of(ran.expect("the program runs"))
            .exits(0)
            .out
            .starts_with('{')
    );
}

#[test]
fn errors_of_a_bulk_edit_are_a_list() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let ran = world.run("set --all status=SHUT tags=a, --format json");
    let errors = error_of(&ran.exits(1));
    assert_eq!(errors["errors"][0]["code"], "assignment", "{errors}");
    world.write("sheet.csv", "uuid,status\nnobody,SHUT\n");
    let ran = world.run("set --from sheet.csv --format json").exits(1);
    let errors = error_of(&ran);
    assert_eq!(errors["errors"][0]["places"][0]["line"], 2, "{errors}");
}

/// Every command that gives a result, with the schema of its document.
const COMMANDS: [(&str, i32, &str); 31] = [
    ("init new --format json", 0, "init"),
    ("doctor --format json", 0, "doctor"),
    ("validate --format json", 0, "validate"),
    ("fmt --check --diff --format json", 1, "fmt"),
    ("fmt --format json", 0, "fmt"),
    ("list --format json", 0, "list"),
    ("list --live --format json", 0, "list"),
    ("set --all status=REVIEW --dry-run --format json", 0, "set"),
    ("workspaces --format json", 0, "workspaces"),
    ("test --format json", 1, "test-results"),
    (
        "snapshot --out live.jsonl --format json",
        0,
        "snapshot-result",
    ),
    ("plan --format json", 0, "plan"),
    ("plan --live live.jsonl --format json", 0, "plan"),
    ("plan --out plan.json --format json", 0, "plan"),
    ("plan --report json=-", 0, "plan"),
    ("show plan.json --format json", 0, "plan"),
    ("explain Acme --format json", 0, "explain"),
    ("explain Acme --history --format json", 0, "history"),
    ("pull --format json", 0, "pull"),
    ("apply plan.json --yes --format json", 0, "apply"),
    ("apply --yes --format json", 0, "apply"),
    ("runs --format json", 0, "runs"),
    ("show last --format json", 0, "show-run"),
    ("undo last --yes --format json", 0, "apply"),
    (
        "watch --once --drift revert --dry-run --format json",
        0,
        "status",
    ),
    ("pull --update --format json", 0, "pull"),
    ("plan --out -", 0, "plan"),
    ("plan --report json=- --detailed-exitcode", 0, "plan"),
    ("plan --only tag=none-has-it --format json", 1, "error"),
    ("set --all status=SHUT --format json", 1, "error"),
    ("plan --nope --format json", 1, "error"),
];

/// A world in which each of them has something to say.
fn busy_world() -> World {
    let live = [
        record(1, "OPEN", None, &["cold"]),
        record(2, "OPEN", None, &[]),
        record(3, "OPEN", None, &[]),
    ];
    let world = World::new(&live, "");
    world.write(
        "leads/all.yaml",
        &format!(
            "version: 1\nleads:\n  {}: {{ label: Acme, status: CLOSED, tags: {{ present: [vip], absent: [cold] }}, contact: {{ email: a@b.example }} }}\n  {}: {{ hold: negotiating, status: REVIEW }}\n",
            uuid(1),
            uuid(2)
        ),
    );
    let test = format!(
        "version: 1\ntests:\n  - name: nothing changes\n    live: {{ {}: {{ status: OPEN }} }}\n    expect: {{ changes: 0 }}\n",
        uuid(1)
    );
    world.write("tests/policy.yaml", &test);
    world
}

/// Where .ci/schemas wants each document, for a validator that is not ours.
fn golden(name: &str, schema: &str, text: &str) {
    if let Some(folder) = std::env::var_os("GOLDEN_JSON") {
        let name = name.replace([' ', '/', '='], "_");
        let path = std::path::Path::new(&folder).join(format!("{name}.{schema}.json"));
        std::fs::write(path, text).expect("a file");
    }
}

#[test]
fn every_command_prints_one_document_as_its_schema_says() {
    let world = busy_world();
    for (words, exit, schema) in COMMANDS {
        let ran = world.run(words);
        assert_eq!(ran.exit, exit, "{words}: {}{}", ran.out, ran.err);
        document(&ran, schema);
        golden(words, schema, &ran.out);
    }
    let runs = world.run("runs --format json").json();
    let run = runs["runs"][0]["file"].as_str().expect("a file").to_owned();
    for (file, schema) in [(run.as_str(), "run"), ("live.jsonl", "snapshot")] {
        let text = std::fs::read_to_string(world.path(file)).expect("a file");
        let text_of = std::fs::read_to_string(format!("schema/{schema}.schema.json"));
        let schema_of: Json = serde_json::from_str(&text_of.expect("a schema")).expect("JSON");
        let validator = jsonschema::validator_for(&schema_of).expect("a schema");
        for (at, line) in text.lines().enumerate() {
            let document: Json = serde_json::from_str(line).expect("JSON");
            assert!(validator.is_valid(&document), "{file}: {line}");
            golden(&format!("line {at}"), schema, line);
        }
    }
}

#[test]
fn every_schema_is_of_a_document_or_of_a_file() {
    let files = [
        "workspace",
        "leads",
        "tests",
        "run",
        "snapshot",
        "seed",
        "applied",
        "listing",
        "platform",
    ];
    let schemas = std::fs::read_dir("schema").expect("schemas");
    for schema in schemas {
        let name = schema.expect("a schema").file_name();
        let name = name.to_string_lossy().replace(".schema.json", "");
        let has_document = COMMANDS.iter().any(|(_, _, schema)| *schema == name);
        assert!(has_document || files.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn in_json_what_cannot_be_seen_is_an_escape() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {}: {{ label: \"Acme \\u202E\\u200Brenewal\", status: CLOSED }}\n",
        uuid(1)
    ));
    for words in [
        "list --format json",
        "plan --format json",
        "plan --out -",
        "explain Acme --format json",
        "apply --yes --format json",
    ] {
        let ran = world.run(words).exits(0);
        assert!(
            ran.out.contains(r#""Acme \u202e\u200brenewal""#),
            "{words}: {}",
            ran.out
        );
        assert!(ran.out.is_ascii(), "{words}");
    }
}

#[test]
fn a_plan_of_invalid_files_shows_their_errors_in_the_formats_of_pull_requests() {
    let world = World::new(&[], "");
    world.declare(&format!("  {}: {{ status: CLOSD }}\n", uuid(1)));
    let words = "plan --format github --report sarif=errors.sarif --report markdown=plan.md";
    let ran = world.run(words).exits(1);
    assert!(
        ran.out.starts_with("::error file=leads/all.yaml,line=3"),
        "{}",
        ran.out
    );
    let text = std::fs::read_to_string(world.path("errors.sarif")).expect("a report");
    let log: Json = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "unknown-status");
    assert!(!world.path("plan.md").exists());
    let sarif = world.run("plan --format sarif").exits(1);
    assert_eq!(sarif.out, text);
    let refused = world.run("plan --report sarif=leads/all.yaml").exits(1);
    let file = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    assert!(file.contains("CLOSD"), "{}", refused.err);
}

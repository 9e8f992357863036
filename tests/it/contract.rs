//! The contract for programs: one document on stdout, errors too, each as its schema says.

use serde_json::Value as Json;

use crate::world::{Ran, World, program, record, uuid};

/// The document that a run printed, which the schema of errors takes.
fn error_of(ran: &Ran) -> Json {
    let schema = std::fs::read_to_string("schema/error.schema.json").expect("a schema");
    let schema: Json = serde_json::from_str(&schema).expect("JSON");
    let document = ran.json();
    assert!(jsonschema::is_valid(&schema, &document), "{document}");
    document
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

    let twice = world.run("plan --out - --report json=-").exits(1);
    assert_eq!(error_of(&twice)["error"]["code"], "output");
}

//! What `watch` prints and writes beside its endpoints: `--format json`, and `--report`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value as Json;

use crate::base::git_in;
use crate::world::{RAHUL, World, record, uuid};

/// A workspace with a commit: two leads, of which one is to be closed.
fn world() -> World {
    let live = [1, 2].map(|number| record(number, "OPEN", Some(RAHUL), &[]));
    let world = World::new(&live, "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    let folder = world.path(".");
    git_in(&folder, &["init", "-q", "."]);
    git_in(&folder, &["add", "convertalk.yaml", "leads"]);
    git_in(&folder, &["commit", "-qm", "Declare"]);
    world
}

fn read(world: &World, file: &str) -> String {
    std::fs::read_to_string(world.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Checks a status document with its schema.
#[track_caller]
fn assert_is_status(document: &Json) {
    let schema = std::fs::read_to_string("schema/status.schema.json").expect("a schema");
    let schema: Json = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(document), "{document:#}");
}

#[test]
fn a_single_pass_prints_its_status_and_nothing_else() {
    let world = world();
    let observed = world.run("watch --once --format json").exits(1);
    assert_is_status(&observed.json());
    assert_eq!(observed.json()["result"], "observed");
    assert!(observed.json()["error"]["help"].is_string());
    assert!(world.puts().is_empty());

    let changed = world
        .run("watch --once --begin files --format json")
        .exits(0);
    assert_is_status(&changed.json());
    assert_eq!(changed.json()["result"], "changed");
    assert_eq!(changed.json()["states"]["in_sync"], 2);
    assert_eq!(world.puts().len(), 1);

    let ok = world.run("watch --once --format json").exits(0).json();
    assert_eq!(ok["result"], "ok");
    assert_eq!(ok["commit"]["applied"], ok["commit"]["attempted"]);
}

#[test]
fn what_keeps_a_loop_from_starting_is_a_document_too() {
    let world = world();
    world.write("leads/all.yaml", "version: 1\nleads: [");
    let ran = world.run("watch --once --format json").exits(1);
    assert!(ran.json()["errors"][0]["places"][0]["line"].is_number());
    assert!(world.puts().is_empty());
}

#[cfg(unix)]
#[test]
fn a_loop_prints_a_line_for_each_pass() {
    let world = world();
    let words = "watch --begin files --every 300ms --poll 100ms --format json";
    let words: Vec<&str> = words.split(' ').collect();
    let mut child = world
        .command(&words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut status = || -> Json {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let (first, second) = (status(), status());
    for status in [&first, &second] {
        assert_is_status(status);
        assert!(status["next_pass_at"].is_string(), "{status}");
    }
    assert_eq!(first["result"], "changed");
    assert_eq!(second["result"], "ok");
    let killed = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status();
    assert!(killed.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn reports_of_a_pass_are_those_of_apply() {
    let world = world();
    let reports = "--report csv=plan.csv --report markdown=plan.md --report openmetrics=watch.prom";
    world.run(&format!("watch --once {reports}")).exits(1);
    assert!(read(&world, "plan.csv").contains("OPEN,CLOSED"));
    assert!(read(&world, "plan.md").starts_with("### Plan: "));
    assert!(
        read(&world, "watch.prom").contains("convertalk_passes_total{result=\"observed\"} 1\n")
    );

    world
        .run(&format!("watch --once --begin files {reports}"))
        .exits(0);
    assert!(read(&world, "plan.csv").contains("OPEN,CLOSED"));
    let figures = read(&world, "watch.prom");
    assert!(figures.contains("convertalk_passes_total{result=\"changed\"} 1\n"));
    assert!(figures.contains("convertalk_writes_total{outcome=\"verified\"} 1\n"));
    assert!(figures.contains("convertalk_leads{state=\"in_sync\"} 2\n"));

    let printed = world.run("watch --once --report json=-").exits(0);
    assert_eq!(printed.json()["summary"]["in_sync"], 2);
}

#[test]
fn a_report_that_is_no_report_is_refused_before_the_inbox_is_read() {
    let world = world();
    for (words, why) in [
        ("--report csv=leads/all.yaml", "is a file of the workspace"),
        (
            "--report csv=.convertalk/watch.json",
            "is a file of the program",
        ),
        ("--format json --report csv=-", "choose one"),
    ] {
        let ran = world
            .run(&format!("watch --once --begin files {words}"))
            .exits(1);
        assert!(ran.err.contains(why), "{words}: {}", ran.err);
    }
    assert_eq!(world.reads(), 0);
}

#[test]
fn a_run_that_cannot_start_writes_its_figures_too() {
    let world = world();
    let report = ["--report", "openmetrics=run.prom"];
    let runs = |broken: &str| {
        for words in ["plan", "apply --yes", "watch --once --begin files"] {
            let mut command =
                world.command(&[words.split(' ').collect(), report.to_vec()].concat());
            for token in ["CONVERTALK_READ_TOKEN", "CONVERTALK_WRITE_TOKEN"] {
                command.env_remove(token);
            }
            world.ran(command.output().expect("it runs")).exits(1);
            let figures = read(&world, "run.prom");
            let error = "convertalk_passes_total{result=\"error\"} 1\n";
            assert!(figures.contains(error), "{broken}, {words}: {figures}");
            std::fs::remove_file(world.path("run.prom")).expect("it is there");
        }
    };
    runs("no token");
    world.write("leads/all.yaml", "version: 1\nleads: [");
    runs("files that are not valid");

    // Nothing says whether these would be files of the workspace or of the program.
    for file in ["leads/new.yaml", "leads/NEW.YML", ".convertalk/watch.json"] {
        let report = format!("plan --report openmetrics={file}");
        world.run(&report).exits(1);
        assert!(!world.path(file).exists(), "{file}");
    }
    world.write("run.prom", "notes of mine\n");
    world.run("plan --report openmetrics=run.prom").exits(1);
    assert_eq!(read(&world, "run.prom"), "notes of mine\n");
}

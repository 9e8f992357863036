//! The schemas in `schema/`: derived from the code, fresh, and what the program writes satisfies them.

use std::path::Path;

use convertalk::apply::journal::Line;
use convertalk::fleet::Workspaces;
use convertalk::lead_file::schema;
use convertalk::plan::Plan;
use serde_json::Value as Json;

use crate::world::{World, program, record, uuid};

fn committed(name: &str) -> Json {
    let path = Path::new("schema").join(format!("{name}.schema.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON")
}

#[test]
fn they_are_what_the_code_says() {
    let all = [
        ("workspace", convertalk::config::schema::workspace()),
        ("leads", schema::leads()),
        ("plan", schemars::schema_for!(Plan)),
        ("run", schemars::schema_for!(Line)),
        (
            "snapshot",
            schemars::schema_for!(convertalk::snapshot::SnapshotLine),
        ),
        ("seed", convertalk::sandbox::seed_schema()),
        (
            "pull",
            schemars::schema_for!(convertalk::report::PullReport),
        ),
        ("fmt", schemars::schema_for!(convertalk::report::FmtReport)),
        (
            "init",
            schemars::schema_for!(convertalk::report::InitReport),
        ),
        (
            "doctor",
            schemars::schema_for!(convertalk::report::DoctorReport),
        ),
        (
            "validate",
            schemars::schema_for!(convertalk::report::ValidateReport<'static>),
        ),
        (
            "explain",
            schemars::schema_for!(convertalk::plan::explain::Explanation),
        ),
        (
            "snapshot-result",
            schemars::schema_for!(convertalk::report::SnapshotReport),
        ),
        (
            "show-run",
            schemars::schema_for!(convertalk::report::RunDocument),
        ),
        (
            "apply",
            schemars::schema_for!(convertalk::report::ApplyReport<'static>),
        ),
        (
            "platform",
            schemars::schema_for!(convertalk::apply::platform::PlatformRecord),
        ),
        (
            "listing",
            schemars::schema_for!(convertalk::hints::HintsRecord),
        ),
        (
            "applied",
            schemars::schema_for!(convertalk::apply::applied::AppliedRecord),
        ),
        ("workspaces", schemars::schema_for!(Workspaces)),
        (
            "error",
            schemars::schema_for!(convertalk::report::ErrorDocument),
        ),
        ("tests", convertalk::config_test::schema()),
        (
            "test-results",
            schemars::schema_for!(convertalk::config_test::Results),
        ),
        ("list", schemars::schema_for!(convertalk::report::LeadList)),
        ("set", schemars::schema_for!(convertalk::report::SetReport)),
        (
            "runs",
            schemars::schema_for!(convertalk::apply::history::RunList),
        ),
        (
            "history",
            schemars::schema_for!(convertalk::report::LeadHistory),
        ),
        (
            "status",
            schemars::schema_for!(convertalk::watch::status::WatchStatus),
        ),
    ];
    for (name, schema) in all {
        let path = Path::new("schema").join(format!("{name}.schema.json"));
        let made = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &made).expect("a schema");
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap_or_default(),
            made,
            "{name}: run the tests with UPDATE_SCHEMAS=1"
        );
        jsonschema::meta::validate(schema.as_value()).expect("a schema of schemas");
        let printed = program(&["schema", name])
            .output()
            .expect("the program runs")
            .stdout;
        assert_eq!(String::from_utf8(printed).expect("text"), made);
    }
}

#[test]
fn plans_and_run_files_satisfy_them() {
    let world = World::new(
        &[
            record(1, "OPEN", None, &["cold"]),
            record(2, "OPEN", None, &[]),
        ],
        "",
    );
    world.declare(&format!(
        "  {}: {{ status: CLOSED, agent: priya, tags: [vip], attributes: {{ tier: gold }}, contact: {{ email: a@b.example }}, notes: [{{ title: t }}] }}
  {}: {{ status: OPEN, label: as it is }}
  {}: {{ create: true, status: OPEN }}\n",
        uuid(1),
        uuid(2),
        uuid(3)
    ));
    let validator = jsonschema::validator_for(&committed("plan")).expect("a schema");
    for words in [
        "plan --format json",
        "plan --format json --names full",
        "plan --out plan.json --format json",
    ] {
        let plan = world.run(words).exits(0).json();
        let errors: Vec<String> = validator
            .iter_errors(&plan)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{words}: {errors:?}");
    }
    let saved: Json =
        serde_json::from_slice(&std::fs::read(world.path("plan.json")).expect("a plan"))
            .expect("JSON");
    assert!(validator.is_valid(&saved) && saved["digest"].is_string());
    assert!(!validator.is_valid(&serde_json::json!({ "format_version": 1 })));

    world.run("apply --yes").exits(0);
    let validator = jsonschema::validator_for(&committed("run")).expect("a schema");
    let lines = world.run_lines();
    assert_eq!(
        lines
            .iter()
            .filter(|line| line["type"] == "outcome")
            .count(),
        2
    );
    for line in &lines {
        let errors: Vec<String> = validator
            .iter_errors(line)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
}

/// The same fixtures are held against an independent validator in .ci/schemas.
#[test]
fn loader_and_schemas_agree_on_each_fixture() {
    use convertalk::config::{Overrides, parse};
    use convertalk::lead_file::desired_of;
    let here = Path::new(".");
    let workspace = parse(here, crate::arbitrary::CONFIG, &Overrides::default())
        .0
        .expect("a workspace");
    let mut seen = 0;
    for (kind, verdict) in [
        ("leads", "accepted"),
        ("leads", "rejected"),
        ("workspace", "accepted"),
        ("workspace", "rejected"),
    ] {
        let validator = jsonschema::validator_for(&committed(kind)).expect("a schema");
        for file in std::fs::read_dir(Path::new("tests/files/schemas").join(kind).join(verdict))
            .expect("fixtures")
        {
            let path = file.expect("a fixture").path();
            let text = std::fs::read_to_string(&path).expect("a fixture");
            let json: Json = serde_yaml::from_str(&text).expect("YAML");
            let diagnostics = match kind {
                "leads" => desired_of(vec![(path.to_string_lossy().into(), text)], &workspace).1,
                _ => parse(here, &text, &Overrides::default()).1,
            };
            let (loads, valid) = (
                diagnostics.iter().all(|made| !made.is_error()),
                validator.is_valid(&json),
            );
            assert_eq!(
                (loads, valid),
                (verdict == "accepted", verdict == "accepted"),
                "{}: {diagnostics:?}",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 30);
}

//! `--report` of `plan` and `apply`: rows for spreadsheets, and the figures of a run for monitoring.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::base::{commit, git};
use crate::world::{PRIYA, RAHUL, World, record, uuid};

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().map(|row| row.expect("a row"));
    rows.collect()
}

fn row<'r>(rows: &'r [BTreeMap<String, String>], field: &str) -> &'r BTreeMap<String, String> {
    let mut found = rows.iter().filter(|row| row["field"] == field);
    let one = found.next().expect("a row of the field");
    assert!(found.next().is_none(), "one row a field");
    one
}

/// The value of a sample, by its name and labels as they are written.
fn sample(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.find_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        (series == name).then(|| value.parse().expect("a number"))
    })
}

fn read(world: &World, file: &str) -> String {
    std::fs::read_to_string(world.path(file)).expect("a report")
}

fn world() -> World {
    let mut known = record(1, "OPEN", Some(RAHUL), &["web"]);
    known["profile"]["userDetails"]["contact"]["email"] = json!("asha.rao@example.com");
    World::new(&[known, record(2, "OPEN", Some(PRIYA), &[])], "")
}

fn declare(world: &World) {
    let first = format!(
        "  {}:\n    label: Acme\n    status: CLOSED\n    agent: priya\n    tags: [vip, web]\n    contact: {{ email: new@example.com }}\n",
        uuid(1)
    );
    world.declare(&format!("{first}  {}: {{ status: OPEN }}\n", uuid(2)));
}

#[test]
fn csv_has_a_row_for_each_field_that_differs() {
    let world = world();
    declare(&world);
    world.run("plan --report csv=plan.csv").exits(0);
    let text = read(&world, "plan.csv");
    let header = "uuid,label,action,class,field,before,after,taken,file,line";
    assert_eq!(text.lines().next(), Some(header));
    let rows = rows(&text);
    assert_eq!(rows.len(), 4, "{text}");
    assert!(
        rows.iter()
            .all(|row| row["uuid"] == uuid(1) && row["label"] == "Acme")
    );
    let sides = |field| {
        let row = row(&rows, field);
        (
            row["before"].as_str(),
            row["after"].as_str(),
            row["line"].as_str(),
        )
    };
    assert_eq!(sides("status"), ("OPEN", "CLOSED", "5"));
    assert_eq!(sides("agent"), ("rahul", "priya", "6"));
    assert_eq!(sides("tags"), ("web", "vip;web", "7"));
    assert_eq!(row(&rows, "status")["file"], "leads/all.yaml");
    assert_eq!(row(&rows, "status")["class"], "change");
    assert_eq!(row(&rows, "status")["action"], "update");
    assert_eq!(row(&rows, "status")["taken"], "file");
}

#[test]
fn csv_masks_contact_values_as_names_says() {
    let world = world();
    declare(&world);
    for (names, shows) in [("initials", false), ("none", false), ("full", true)] {
        let words = format!("plan --report csv=- --names {names}");
        let text = world.run(&words).exits(0).out;
        assert_eq!(
            text.contains("asha.rao@example.com"),
            shows,
            "{names}: {text}"
        );
        assert_eq!(text.contains("new@example.com"), shows, "{names}: {text}");
        let rows = rows(&text);
        let email = row(&rows, "contact.email");
        assert_ne!(email["before"], email["after"], "{names}: told apart");
    }
}

#[test]
fn csv_has_no_cell_that_a_spreadsheet_runs() {
    let hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1"];
    let live: Vec<_> = (1..=hostile.len())
        .map(|number| {
            let mut lead = record(number, "OPEN", None, &[]);
            lead["profile"]["userDetails"]["name"] = json!(hostile[number - 1]);
            lead
        })
        .collect();
    let world = World::new(&live, "");
    let leads = hostile.iter().enumerate().map(|(at, text)| {
        let text = serde_json::to_string(text).expect("JSON");
        let tags = if at == 0 {
            "[\"=a\", b]"
        } else {
            "[\"-a\", b]"
        };
        format!(
            "  {}: {{ label: {text}, contact: {{ name: new }}, tags: {tags} }}\n",
            uuid(at + 1)
        )
    });
    world.declare(&leads.collect::<String>());
    let text = world.run("plan --report csv=- --names full").exits(0).out;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut cells = 0;
    for row in reader.records() {
        for cell in &row.expect("a row") {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?}"
            );
            assert!(!cell.contains(['\t', '\r', '\n']), "{cell:?}");
            cells += 1;
        }
    }
    assert_eq!(cells, hostile.len() * 2 * 10, "a row a field");
    assert!(text.contains("'=1+1"), "{text}");
}

#[test]
fn csv_says_of_drift_that_is_kept_that_the_live_value_is_taken() {
    let world = world();
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    git(&world, "init -q");
    commit(&world);
    let kept = world.run("plan --base HEAD --report csv=-").exits(0).out;
    let rows = rows(&kept);
    let status = row(&rows, "status");
    assert_eq!(
        (status["class"].as_str(), status["taken"].as_str()),
        ("drift", "live")
    );
}

#[test]
fn openmetrics_of_a_plan_has_the_states_and_the_requests() {
    let world = world();
    declare(&world);
    world.run("plan --report openmetrics=plan.prom").exits(0);
    let text = read(&world, "plan.prom");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(
        sample(&text, "convertalk_leads{state=\"intended\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(&text, "convertalk_leads{state=\"in_sync\"}"),
        Some(1.0)
    );
    let gets = sample(
        &text,
        "convertalk_requests_total{method=\"GET\",code=\"200\"}",
    );
    // Pages that are read ahead may be given up; those are not counted.
    let gets = gets.expect("answers");
    assert!(gets >= 1.0 && gets <= world.reads() as f64, "{gets}");
    assert_eq!(
        sample(&text, "convertalk_passes_total{result=\"observed\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(&text, "convertalk_pass_duration_seconds_count"),
        Some(1.0)
    );
    assert!(!text.contains(&uuid(1)) && !text.contains("Acme"), "{text}");
}

#[test]
fn openmetrics_of_a_saved_plan_has_only_what_the_plan_says() {
    let world = world();
    declare(&world);
    world.run("plan --out plan.json").exits(0);
    let text = world
        .run("show plan.json --report openmetrics=-")
        .exits(0)
        .out;
    assert_eq!(
        sample(&text, "convertalk_leads{state=\"intended\"}"),
        Some(1.0)
    );
    assert!(
        !text.contains("requests") && !text.contains("passes"),
        "{text}"
    );
}

#[test]
fn openmetrics_of_a_plan_that_is_refused_says_so() {
    let world = world();
    declare(&world);
    let text = world
        .run("plan --max-changes 0 --report openmetrics=-")
        .exits(3)
        .out;
    assert_eq!(
        sample(&text, "convertalk_passes_total{result=\"refused\"}"),
        Some(1.0)
    );
}

#[test]
fn openmetrics_counts_an_answer_of_each_code_and_none() {
    let world = World::new(
        &[record(1, "OPEN", None, &[])],
        "--fault 500@read:1 --fault drop-before@read:2",
    );
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    let text = world.run("plan --report openmetrics=-").exits(0).out;
    assert_eq!(
        sample(
            &text,
            "convertalk_requests_total{method=\"GET\",code=\"500\"}"
        ),
        Some(1.0)
    );
    assert_eq!(
        sample(
            &text,
            "convertalk_requests_total{method=\"GET\",code=\"none\"}"
        ),
        Some(1.0)
    );
}

#[test]
fn apply_reports_its_plan_and_what_came_of_it() {
    let world = world();
    declare(&world);
    world
        .run("apply --yes --report csv=plan.csv --report json=plan.json --report openmetrics=run.prom")
        .exits(0);
    assert_eq!(rows(&read(&world, "plan.csv")).len(), 4);
    let plan: serde_json::Value = serde_json::from_str(&read(&world, "plan.json")).expect("JSON");
    assert_eq!(plan["summary"]["to_update"], 1);
    let text = read(&world, "run.prom");
    assert_eq!(
        sample(&text, "convertalk_leads{state=\"in_sync\"}"),
        Some(2.0)
    );
    assert_eq!(
        sample(&text, "convertalk_leads{state=\"intended\"}"),
        Some(0.0)
    );
    assert_eq!(
        sample(&text, "convertalk_writes_total{outcome=\"verified\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(&text, "convertalk_writes_total{outcome=\"failed\"}"),
        Some(0.0)
    );
    assert_eq!(
        sample(&text, "convertalk_passes_total{result=\"changed\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(
            &text,
            "convertalk_requests_total{method=\"PUT\",code=\"200\"}"
        ),
        Some(1.0)
    );
    assert!(
        sample(&text, "convertalk_last_success_timestamp_seconds").is_some_and(|time| time > 1.7e9)
    );
    for file in ["plan.csv", "plan.json", "run.prom"] {
        let mode = std::fs::metadata(world.path(file))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn apply_reports_a_failed_write_as_partial_and_still_intended() {
    let world = World::new(
        &[record(1, "OPEN", None, &[])],
        "--fault success-false@write:1,2,3,4,5,6,7,8",
    );
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world
        .run("apply --yes --report openmetrics=run.prom")
        .exits(5);
    let text = read(&world, "run.prom");
    assert_eq!(
        sample(&text, "convertalk_writes_total{outcome=\"failed\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(&text, "convertalk_passes_total{result=\"partial\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(&text, "convertalk_leads{state=\"intended\"}"),
        Some(1.0)
    );
    assert_eq!(
        sample(&text, "convertalk_last_success_timestamp_seconds"),
        None
    );
}

#[test]
fn apply_with_nothing_to_do_or_refused_reports_all_the_same() {
    let world = world();
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    let idle = world.run("apply --yes --report openmetrics=-").exits(0).out;
    assert_eq!(
        sample(&idle, "convertalk_passes_total{result=\"ok\"}"),
        Some(1.0)
    );
    declare(&world);
    world
        .run("apply --yes --max-changes 0 --report openmetrics=run.prom --report markdown=plan.md")
        .exits(3);
    let text = read(&world, "run.prom");
    assert_eq!(
        sample(&text, "convertalk_passes_total{result=\"refused\"}"),
        Some(1.0)
    );
    assert!(read(&world, "plan.md").contains("Refused"));
    assert_eq!(world.puts().len(), 0);
}

#[test]
fn a_run_that_cannot_read_the_inbox_reports_an_error_and_its_answers() {
    let world = world();
    declare(&world);
    for words in ["plan", "apply --yes"] {
        let command: Vec<&str> = words
            .split(' ')
            .chain(["--report", "openmetrics=run.prom"])
            .collect();
        let mut command = world.command(&command);
        let ran = world.ran(
            command
                .env("CONVERTALK_READ_TOKEN", "wrong")
                .output()
                .expect("it runs"),
        );
        ran.exits(1);
        let text = read(&world, "run.prom");
        let errors = sample(&text, "convertalk_passes_total{result=\"error\"}");
        assert_eq!(errors, Some(1.0), "{words}");
        assert!(
            text.contains("convertalk_requests_total{method=\"GET\",code=\"400\"}"),
            "{text}"
        );
        assert!(!text.contains("convertalk_leads"), "{text}");
        std::fs::remove_file(world.path("run.prom")).expect("it is there");
    }
}

#[test]
fn a_report_on_stdout_takes_the_place_of_the_text_of_apply() {
    let world = world();
    declare(&world);
    let ran = world.run("apply --yes --report json=-").exits(0);
    assert_eq!(ran.json()["summary"]["to_update"], 1);
    assert!(ran.err.contains("1 verified"), "{}", ran.err);
}

#[test]
fn apply_writes_nothing_where_a_report_cannot_be_written() {
    let world = world();
    declare(&world);
    for (report, why) in [
        ("csv=nowhere/plan.csv", "the folder does not exist"),
        ("csv=leads/all.yaml", "is a file of the workspace"),
        ("openmetrics=convertalk.yaml", "is a file of the workspace"),
        (
            "csv=seed.json.csv --report json=seed.json.csv",
            "is named twice",
        ),
        ("csv=same --run-file same", "is named twice"),
    ] {
        let ran = world
            .run(&format!("apply --yes --report {report}"))
            .exits(1);
        assert!(ran.err.contains(why), "{report}: {}", ran.err);
    }
    let ran = world.run("apply --yes --report tsv=x").exits(1);
    assert!(
        ran.err
            .contains("text json markdown html github sarif csv openmetrics"),
        "{}",
        ran.err
    );
    assert_eq!(world.puts().len(), 0);
}

/// The samples of an exposition by a parser that is not ours. Refused texts panic.
pub(crate) fn parsed(text: &str) -> BTreeMap<String, f64> {
    let python =
        std::env::var("METRICS_READER").expect("METRICS_READER: a Python with prometheus_client");
    let mut command = std::process::Command::new(python);
    let mut child = command
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/run_reports/reader.py"
        ))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("Python runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, text.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "refused:\n{text}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
#[ignore = "needs the parser of Prometheus; .ci/run installs it"]
fn the_parser_of_prometheus_reads_the_figures_as_they_are_meant() {
    let world = world();
    declare(&world);
    world
        .run("plan --out plan.json --report openmetrics=plan.prom")
        .exits(0);
    world
        .run("show plan.json --report openmetrics=saved.prom")
        .exits(0);
    world
        .run("apply --yes --report openmetrics=run.prom")
        .exits(0);
    assert_eq!(
        parsed(&read(&world, "plan.prom"))["convertalk_leads{state=intended}"],
        1.0
    );
    assert_eq!(
        parsed(&read(&world, "saved.prom"))["convertalk_leads{state=in_sync}"],
        1.0
    );
    let run = parsed(&read(&world, "run.prom"));
    assert_eq!(run["convertalk_writes_total{outcome=verified}"], 1.0);
    assert_eq!(run["convertalk_pass_duration_seconds_bucket{le=+Inf}"], 1.0);
    assert_eq!(run["convertalk_requests_total{code=200,method=PUT}"], 1.0);
    assert_eq!(run["convertalk_commit_info{applied=,attempted=}"], 1.0);
    let refused = std::panic::catch_unwind(|| parsed("# HELP a b\n# TYPE a counter\na_total 1\n"));
    assert!(refused.is_err(), "the parser is one that refuses");
}

#[test]
fn no_command_overwrites_a_file_of_another_kind() {
    let world = world();
    declare(&world);
    world.write("notes.md", "# Call list\n");
    world.write("sheet.csv", "uuid,status\n");
    world.write("tests/one.yaml", "version: 1\ntests: []\n");
    let files = [
        "notes.md",
        "sheet.csv",
        "leads/all.yaml",
        "convertalk.yaml",
        ".convertalk/applied.json",
    ];
    let formats = [
        "text",
        "json",
        "markdown",
        "html",
        "github",
        "sarif",
        "csv",
        "openmetrics",
    ];
    let reports = formats.map(|format| format!("plan --report {format}="));
    let applied = formats.map(|format| format!("apply --yes --report {format}="));
    let others = ["plan --out ", "snapshot --out ", "test --report junit="].map(str::to_owned);
    let commands = reports.into_iter().chain(applied).chain(others);
    for command in commands {
        for file in files {
            let before = std::fs::read(world.path(file)).ok();
            let ran = world.run(&format!("{command}{file}")).exits(1);
            assert!(ran.err.contains(file), "{command}{file}: {}", ran.err);
            assert_eq!(
                std::fs::read(world.path(file)).ok(),
                before,
                "{command}{file}"
            );
        }
    }
    assert_eq!(world.puts().len(), 0);
}

#[test]
fn every_output_replaces_one_of_its_own_kind() {
    let world = world();
    let idle = |_: &World| {};
    let states: [&dyn Fn(&World); 2] = [&idle, &declare];
    world.write("tests/one.yaml", "version: 1\ntests: []\n");
    world.write("empty.md", "");
    for format in [
        "text",
        "json",
        "markdown",
        "html",
        "github",
        "sarif",
        "csv",
        "openmetrics",
    ] {
        for make in states {
            make(&world);
            for allowed in ["--max-changes 0", "--max-changes 9"] {
                let words = format!("plan --report {format}=plan.{format} {allowed}");
                let exit = world.run(&words).exit;
                assert!([0, 3].contains(&exit), "{words}: {exit}");
            }
        }
    }
    for _ in 0..2 {
        world.run("plan --out kept.plan").exits(0);
        world.run("snapshot --out live.jsonl").exits(0);
        world.run("test --report junit=tests.xml").exits(0);
        world.run("plan --report markdown=empty.md").exits(0);
    }
}

#[test]
fn all_leads_are_shown_where_that_is_asked_for() {
    let live: Vec<_> = (1..=5).map(|n| record(n, "OPEN", None, &[])).collect();
    let world = World::new(&live, "");
    let leads = (1..=5).map(|n| format!("  {}: {{ status: CLOSED }}\n", uuid(n)));
    world.declare(&leads.collect::<String>());
    let rolled = [
        ("text", "5 leads, identical change"),
        ("markdown", "**5 leads:**"),
    ];
    let saved = world.run("plan --out kept.plan").exits(0);
    let note = "plan saved to kept.plan; `convertalk apply kept.plan` applies exactly this plan";
    assert!(saved.err.contains(note), "{}", saved.err);
    assert!(!world.run("plan -q --out kept.plan").err.contains(note));
    for (format, words) in rolled {
        for command in ["plan", "show kept.plan"] {
            let short = world.run(&format!("{command} --format {format}")).exits(0);
            assert!(short.out.contains(words), "{}", short.out);
            let long = world
                .run(&format!("{command} --format {format} --all-leads"))
                .exits(0);
            assert!(!long.out.contains(words), "{}", long.out);
            for number in 1..=5 {
                let place = format!("leads/all.yaml:{}", number + 2);
                assert!(long.out.contains(&place), "{place}: {}", long.out);
            }
            assert_eq!(long.out.matches("CLOSED").count(), 6, "{}", long.out);
        }
    }
}

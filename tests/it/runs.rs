//! Runs that are cut short, told again, undone, or two at once.

use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use crate::world::{PRIYA, RAHUL, Ran, World, record, uuid};

fn world(leads: usize, flags: &str) -> World {
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", Some(RAHUL), &["web"]))
        .collect();
    let world = World::new(&live, flags);
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, concurrency: 2"),
    );
    world.declare(
        &(1..=leads)
            .map(|number| {
                format!(
                    "  {}: {{ status: CLOSED, agent: priya, tags: [vip] }}\n",
                    uuid(number)
                )
            })
            .collect::<String>(),
    );
    world
}

/// Starts the program and returns once `started` holds.
fn spawn(world: &World, words: &[&str], started: impl Fn() -> bool) -> Child {
    let mut child = world
        .command(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    while !started() {
        let ended = child.try_wait().expect("a child");
        assert_eq!(ended, None, "it ended too early");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Starts an apply and returns once that many writes have been seen.
fn spawn_apply(world: &World, writes: usize) -> Child {
    spawn(world, &["apply", "--yes"], || world.puts().len() >= writes)
}

/// What the program came to, which must not wait for a platform that never answers.
fn ended(child: Child) -> Ran {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver
        .recv_timeout(Duration::from_secs(120))
        .expect("it ends");
    Ran::of(output.expect("its output"))
}

fn set_api(world: &World, setting: &str) {
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("concurrency: 2", setting),
    );
}

fn outcomes(world: &World) -> Vec<(String, String)> {
    let text = |line: &Json, key: &str| line[key].as_str().expect("text").to_owned();
    let lines = world
        .run_lines()
        .into_iter()
        .filter(|line| line["type"] == "outcome");
    lines
        .map(|line| (text(&line, "uuid"), text(&line, "outcome")))
        .collect()
}

fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

#[test]
fn a_signal_stops_new_writes_and_every_lead_has_an_outcome() {
    for name in ["-INT", "-TERM", "-HUP"] {
        // Six seconds of writes, so that the signal comes in time on the busiest machine.
        let world = world(120, "--latency 100ms");
        let child = spawn_apply(&world, 5);
        signal(&child, name);
        let ran = ended(child).exits(130);
        assert!(
            ran.out.contains("untried") && ran.out.contains("interrupted"),
            "{}",
            ran.out
        );
        let outcomes = outcomes(&world);
        assert_eq!(outcomes.len(), 120);
        let tried = outcomes
            .iter()
            .filter(|(_, outcome)| outcome != "untried")
            .count();
        assert_eq!(tried, world.sent().len(), "what was begun was ended");
        assert_eq!(world.run_lines().last().expect("a line")["type"], "summary");
        set_api(&world, "concurrency: 32");
        world.run("apply --yes").exits(0);
        world.assert_settled();
    }
}

#[test]
fn a_signal_while_the_platform_is_waited_for_ends_at_once() {
    let world = world(3, "--fault hang@read");
    set_api(&world, "timeout: 60m");
    let child = spawn(&world, &["plan"], || world.reads() > 0);
    signal(&child, "-INT");
    let ran = ended(child).exits(130);
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
}

#[test]
fn after_a_kill_the_same_apply_settles_the_rest() {
    let world = world(100, "--latency 50ms");
    let mut child = spawn_apply(&world, 9);
    child.kill().expect("a kill");
    child.wait().expect("it ends");
    let first = world.run_lines();
    assert!(first.iter().all(|line| line["type"] != "summary"));
    let file = std::fs::read_dir(world.path(".convertalk/runs"))
        .expect("runs")
        .next()
        .expect("a run")
        .expect("a run")
        .path();
    let shown = world.run(&format!("show {}", file.display())).exits(0);
    assert!(shown.out.contains("Did not end:"), "{}", shown.out);
    set_api(&world, "concurrency: 32");
    let ran = world.run("apply --yes").exits(0);
    assert!(ran.out.contains("verified"), "{}", ran.out);
    world.assert_settled();
    assert!(world.sent().values().all(|bodies| bodies.len() <= 2));
}

#[test]
fn a_run_is_undone_but_for_what_moved_since() {
    let world = world(4, "");
    let before = world.sandbox().records();
    world.run("apply --yes --run-file run.jsonl").exits(0);
    world
        .sandbox()
        .edit(&uuid(2), |record| record["status"] = "REVIEW".into());
    let ran = world.run("undo run.jsonl --yes").exits(4);
    assert!(ran.out.contains("CLOSED -> OPEN"), "{}", ran.out);
    assert!(ran.out.contains("3 verified, 1 stale"), "{}", ran.out);
    let after = world.sandbox().records();
    for number in [1, 3, 4] {
        let (was, is) = (&before[&uuid(number)], &after[&uuid(number)]);
        assert_eq!(
            (&was["status"], &was["_agentAssigned"], &was["profile"]),
            (&is["status"], &is["_agentAssigned"], &is["profile"])
        );
    }
    assert_eq!(
        after[&uuid(2)]["_agentAssigned"],
        PRIYA,
        "a lead that moved is left alone"
    );
}

#[test]
fn undo_tells_what_it_cannot_take_away_and_keeps_to_the_guards() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED, notes: [{{ title: new }}], attributes: {{ tier: gold, source: fair }}, contact: {{ email: a@b.example }} }}\n  {}: {{ create: true, status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    world.run("apply --yes --run-file run.jsonl").exits(0);
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &format!("{config}policy: {{ transitions: {{ deny: [\"CLOSED -> *\"] }} }}\n"),
    );
    world.run("undo run.jsonl --yes").exits(3);
    let ran = world
        .run("undo run.jsonl --yes --allow transition")
        .exits(0);
    assert!(ran.out.contains("run.jsonl:2"), "{}", ran.out);
    for word in [
        "notes cannot be removed",
        "attributes.tier: it was empty before",
        "contact.email: masked in the run file",
        "it was created",
    ] {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
    let record = &world.sandbox().records()[&uuid(1)];
    assert_eq!(
        (
            &record["status"],
            &record["profile"]["userDetails"]["attributes"][0]["value"]
        ),
        (&"OPEN".into(), &"web".into())
    );
    world.write("broken.jsonl", "{\"type\":\"write\"");
    world.run("undo broken.jsonl --yes").exits(1);
    let mut elsewhere = world.command(&["undo", "run.jsonl", "--yes"]);
    elsewhere.env("CONVERTALK_CUSTOMER_ID", "631aa793bcfa100487d13dff");
    assert!(
        world
            .ran(elsewhere.output().expect("the program runs"))
            .exits(1)
            .err
            .contains("another endpoint, bot or customer")
    );
}

#[test]
fn a_run_file_is_shown_and_goes_on_where_it_is_given_again() {
    let world = world(3, "");
    world.run("apply --yes --run-file run.jsonl").exits(0);
    let shown = world.run("show run.jsonl").exits(0);
    assert!(
        shown.out.contains("3 verified") && shown.out.contains("with exit code 0"),
        "{}",
        shown.out
    );
    assert_eq!(
        world.run("show run.jsonl --format json").exits(0).json()["lines"]
            .as_array()
            .map(Vec::len),
        Some(1 + 3 * 3 + 1)
    );
    let markdown = world
        .run("show run.jsonl --format markdown --report json=told.json")
        .exits(0)
        .out;
    assert!(
        markdown.starts_with("### Applied: 3 leads: 3 verified. <!--"),
        "{markdown}"
    );
    assert!(world.path("told.json").exists());
    // Nothing needs attention.
    assert_eq!(world.run("show run.jsonl --format github").exits(0).out, "");
    world.declare(&format!("  {}: {{ status: ONHOLD }}\n", uuid(1)));
    world.run("apply --yes --run-file run.jsonl").exits(0);
    let text = std::fs::read_to_string(world.path("run.jsonl")).expect("a run file");
    assert_eq!(text.matches("\"type\":\"run\"").count(), 2);
    assert!(
        world
            .run("show run.jsonl")
            .exits(0)
            .out
            .contains("1 verified")
    );
}

#[test]
fn nothing_is_written_without_a_run_file() {
    let world = world(2, "");
    for path in ["no/such/folder/run.jsonl", "leads", "/dev/full"] {
        let ran = world
            .run(&format!("apply --yes --run-file {path}"))
            .exits(1);
        assert!(ran.err.contains("run file"), "{path}: {}", ran.err);
    }
    assert!(world.puts().is_empty());
}

#[test]
fn of_two_runs_at_once_one_waits_for_nothing() {
    let world = world(100, "--latency 100ms");
    let child = spawn_apply(&world, 2);
    let second = world.run("apply --yes").exits(1);
    assert!(
        second.err.contains("another apply is running"),
        "{}",
        second.err
    );
    ended(child).exits(0);
    let writes: Vec<usize> = world.sent().values().map(Vec::len).collect();
    assert_eq!(writes, [1; 100]);
}

#[test]
fn a_deadline_leaves_time_to_read_back_and_report() {
    // Ten seconds of writes.
    let world = world(200, "--latency 100ms");
    let ran = world.run("apply --yes --deadline 4s").exits(5);
    assert!(
        ran.out.contains("the deadline was near")
            && ran.out.contains("verified")
            && ran.out.contains("untried"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("unverified"), "{}", ran.out);
}

#[test]
fn a_deadline_bounds_the_reading_too() {
    let world = world(3, "--fault hang@read");
    set_api(&world, "timeout: 60m");
    let ran = world.run("apply --yes --deadline 1s").exits(1);
    assert!(ran.err.contains("the deadline has passed"), "{}", ran.err);
}

#[test]
fn a_reader_who_has_seen_enough_changes_nothing() {
    let world = world(3, "");
    let closed = |words: &[&str]| {
        let mut child = world
            .command(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        drop(child.stdout.take());
        child.wait_with_output().expect("it ends").status.code()
    };
    assert_eq!(closed(&["plan", "--detailed-exitcode"]), Some(2));
    assert_eq!(closed(&["apply", "--yes"]), Some(0));
    world.assert_settled();
}

#[test]
fn runs_that_follow_one_another_in_a_file_are_undone_together() {
    let world = world(3, "");
    let before = world.sandbox().records();
    world
        .run("apply --yes --run-file run.jsonl --only agent=priya")
        .exits(0);
    world.declare(&format!("  {}: {{ status: ONHOLD }}\n", uuid(1)));
    world.run("apply --yes --run-file run.jsonl").exits(0);
    world.run("undo run.jsonl --yes").exits(0);
    let after = world.sandbox().records();
    for number in 1..=3 {
        assert_eq!(
            before[&uuid(number)]["status"],
            after[&uuid(number)]["status"]
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_programs_own_folder_is_refused() {
    let world = world(1, "");
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), world.path(".convertalk")).expect("a link");
    assert!(world.run("apply --yes").exits(1).err.contains("is a link"));
    assert_eq!(
        std::fs::read_dir(elsewhere.path())
            .expect("a folder")
            .count(),
        0
    );
}

#[test]
fn a_run_file_is_shown_with_no_more_than_may_be_told() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let contact = "contact: { name: Asha Rao, email: asha@new.example, phone: \"1234567890\" }";
    world.declare(&format!("  {}: {{ {contact} }}\n", uuid(1)));
    world
        .run("apply --yes --names full --run-file run.jsonl")
        .exits(0);
    let shown = |words: &str| {
        world
            .run(&format!("show run.jsonl --format json{words}"))
            .exits(0)
            .out
    };
    for secret in [
        "Asha Rao",
        "asha@new.example",
        "1234567890",
        "v1@example.com",
        "9876543210",
        "Visitor 1",
    ] {
        assert!(shown(" --names full").contains(secret), "{secret}");
        assert!(
            !shown("").contains(secret) && !shown(" --names none").contains(secret),
            "{secret}"
        );
    }
    assert!(shown("").contains("A. R.") && !shown(" --names none").contains("A. R."));
}

#[test]
fn a_run_file_is_private_and_no_other_file_is_appended_to() {
    use std::os::unix::fs::PermissionsExt;
    let world = world(1, "");
    world.write("notes.txt", "mine\n");
    for (path, why) in [
        ("leads/all.yaml", "is a file of the workspace"),
        ("convertalk.yaml", "is a file of the workspace"),
        ("notes.txt", "not a run file"),
    ] {
        let before = std::fs::read_to_string(world.path(path)).expect("a file");
        let ran = world
            .run(&format!("apply --yes --run-file {path}"))
            .exits(1);
        assert!(ran.err.contains(why), "{path}: {}", ran.err);
        assert_eq!(
            std::fs::read_to_string(world.path(path)).expect("a file"),
            before
        );
    }
    assert!(world.puts().is_empty());
    world.run("apply --yes --run-file run.jsonl").exits(0);
    let mode = std::fs::metadata(world.path("run.jsonl"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_run_is_shown_in_the_formats_of_a_plan() {
    let live = [record(1, "OPEN", None, &[]), record(2, "OPEN", None, &[])];
    let world = World::new(&live, "--fault 500@write:2,3,4,5,6,7,8,9");
    world.declare(&format!(
        "  {}: {{ label: Acme, status: CLOSED }}\n  {}: {{ label: Birch, status: CLOSED }}\n",
        uuid(1),
        uuid(2)
    ));
    world.run("apply --yes --patience 1s").exits(5);
    let github = world.run("show last --format github").exits(0).out;
    assert_eq!(github.lines().count(), 1, "{github}");
    assert!(
        github.starts_with("::error file=leads/all.yaml,line=4"),
        "{github}"
    );
    assert!(github.contains("(Birch) is failed"), "{github}");
    let sarif = world.run("show last --format sarif").exits(0).json();
    let results = &sarif["runs"][0]["results"];
    assert_eq!(results.as_array().map(Vec::len), Some(1));
    assert_eq!(results[0]["ruleId"], "failed");
    let csv = world.run("show last --report csv=-").exits(0).out;
    let row = format!("{},Acme,update,change,status,OPEN,CLOSED", uuid(1));
    assert!(csv.contains(&row), "{csv}");
    let page = world.run("show last --format html").exits(0).out;
    assert!(page.contains("1 verified, 1 failed"), "{page}");
    let figures = world.run("show last --report openmetrics=-").exits(1);
    assert!(figures.err.contains("apply --report"), "{}", figures.err);
}

#[test]
fn a_killed_run_and_the_one_after_it_are_shown_as_one_in_every_format() {
    let world = world(2, "");
    world.run("apply --yes --run-file run.jsonl").exits(0);
    let text = std::fs::read_to_string(world.path("run.jsonl")).expect("a run file");
    // As after a kill: the second lead was being written.
    let is_cut = |line: &&str| {
        line.contains("\"type\":\"summary\"")
            || line.contains(&uuid(2)) && !line.contains("\"type\":\"write\"")
    };
    let killed: String = text
        .lines()
        .filter(|line| !is_cut(line))
        .map(|line| format!("{line}\n"))
        .collect();
    world.write("killed.jsonl", &killed);
    let github = world.run("show killed.jsonl --format github").exits(0).out;
    assert_eq!(github.lines().count(), 1, "{github}");
    assert!(
        github.starts_with("::error") && github.contains("is unknown"),
        "{github}"
    );

    world.declare(&format!("  {}: {{ status: ONHOLD }}\n", uuid(1)));
    world.run("apply --yes --run-file run.jsonl").exits(0);
    let csv = world.run("show run.jsonl --report csv=-").exits(0).out;
    let row = |number: usize, words: &str| {
        let id = uuid(number);
        csv.lines()
            .any(|line| line.starts_with(&id) && line.contains(words))
    };
    assert!(row(1, "status,OPEN,ONHOLD"), "{csv}");
    assert!(row(2, "status,OPEN,CLOSED"), "{csv}");
    assert!(row(2, "agent,rahul,priya"), "{csv}");
}

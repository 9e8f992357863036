//! `watch` in a scripted world: a remote repository that an author pushes to, and an inbox that agents edit.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::base::git_in;
use crate::world::{RAHUL, World, record, uuid};

/// A world whose workspace is a clone of a bare repository, and another clone in which its author works.
struct Remote {
    world: World,
    outside: tempfile::TempDir,
}

fn leads(statuses: &[&str]) -> String {
    let lines = (1..)
        .zip(statuses)
        .map(|(number, status)| format!("  {}: {{ status: {status} }}\n", uuid(number)));
    format!("version: 1\nleads:\n{}", lines.collect::<String>())
}

impl Remote {
    /// Leads that are OPEN in the inbox and in the files.
    fn new(number: usize, flags: &str) -> Self {
        let live: Vec<Json> = (1..=number)
            .map(|number| record(number, "OPEN", Some(RAHUL), &[]))
            .collect();
        let world = World::new(&live, flags);
        let outside = tempfile::tempdir().expect("a folder");
        let remote = Self { world, outside };
        let place = remote.outside.path();
        git_in(place, &["init", "-q", "--bare", "origin.git"]);
        git_in(place, &["clone", "-q", "origin.git", "author"]);
        let config = std::fs::read(remote.world.path("convertalk.yaml")).expect("a file");
        std::fs::write(place.join("author/convertalk.yaml"), config).expect("a file");
        std::fs::write(place.join("author/.gitignore"), "seed.json\n").expect("a file");
        remote.push(&leads(&vec!["OPEN"; number]));
        let folder = remote.world.path(".");
        std::fs::remove_file(folder.join("convertalk.yaml")).expect("a file");
        let origin = place.join("origin.git");
        git_in(&folder, &["init", "-q", "."]);
        git_in(
            &folder,
            &["remote", "add", "origin", origin.to_str().expect("a path")],
        );
        git_in(&folder, &["fetch", "-q"]);
        git_in(&folder, &["checkout", "-q", "-b", "main", "origin/main"]);
        remote
    }

    fn author(&self) -> std::path::PathBuf {
        self.outside.path().join("author")
    }

    /// A commit of this lead file, pushed.
    fn push(&self, text: &str) -> String {
        self.push_file("leads/all.yaml", text)
    }

    fn push_file(&self, file: &str, text: &str) -> String {
        let author = self.author();
        std::fs::create_dir_all(author.join("leads")).expect("a folder");
        std::fs::write(author.join(file), text).expect("a file");
        git_in(&author, &["add", "."]);
        git_in(&author, &["commit", "-qm", "files"]);
        git_in(&author, &["push", "-q", "origin", "HEAD:main"]);
        git_in(&author, &["rev-parse", "HEAD"])
    }

    fn status(&self, number: usize) -> Json {
        self.world.sandbox().records()[&uuid(number)]["status"].clone()
    }

    fn agent_sets(&self, number: usize, status: &str) {
        let status = status.to_owned();
        self.world
            .sandbox()
            .edit(&uuid(number), |record| record["status"] = status.into());
    }

    /// A loop of this remote's main branch.
    fn watch(&self, words: &str) -> Loop {
        Loop::start(
            &self.world,
            &format!("watch --ref origin/main --poll 200ms --begin live {words}"),
        )
    }
}

/// A loop that runs.
struct Loop {
    child: Child,
    address: String,
}

impl Loop {
    fn start(world: &World, words: &str) -> Self {
        let words = format!("{words} --listen 127.0.0.1:0");
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut child = world
            .command(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {said}"));
            let line = line.expect("text");
            if let Some((_, address)) = line.split_once("http://") {
                break address.to_owned();
            }
            said += &line;
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let host = &self.address;
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn status(&self) -> Json {
        let answer = self.ask("GET", "/status");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The status, as soon as it is as it should be.
    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&Json) -> bool) -> Json {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.status();
            if is_so(&status) {
                return status;
            }
            assert!(Instant::now() < end, "not {what}: {status:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn until_applied(&self, commit: &str) -> Json {
        self.until(commit, |status| {
            status["commit"]["applied"] == commit && status["error"].is_null()
        })
    }

    /// Stops it as a service manager does; returns its exit code.
    #[cfg(unix)]
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").arg(&id).status();
        assert!(killed.expect("kill runs").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_push_is_written_drift_stays_and_the_work_tree_is_left_alone() {
    let remote = Remote::new(3, "");
    let running = remote.watch("--every 1s");
    running.until("begun", |status| status["commit"]["applied"].is_string());
    remote.agent_sets(3, "CLOSED");
    let second = remote.push(&leads(&["REVIEW", "OPEN", "OPEN"]));
    let status = running.until_applied(&second);
    assert_eq!(remote.status(1), "REVIEW");
    assert_eq!(remote.status(3), "CLOSED", "drift is kept");
    assert_eq!(
        status["states"],
        json!({ "declared": 3, "in_sync": 2, "intended": 0, "drift": 1, "conflict": 0, "missing": 0, "held": 0, "fighting": 0 })
    );
    assert_eq!(status["commit"]["valid"], second);
    let text = std::fs::read_to_string(remote.world.path("leads/all.yaml")).expect("a file");
    assert_eq!(text, leads(&["OPEN"; 3]), "the work tree");
    let third = remote.push(&leads(&["OPEN", "OPEN", "OPEN"]));
    running.until_applied(&third);
    assert_eq!(
        remote.status(1),
        "OPEN",
        "a revert is a change as any other"
    );
    assert_eq!(running.stop(), Some(0));
    let schema: Json =
        serde_json::from_slice(&std::fs::read("schema/status.schema.json").expect("a schema"))
            .expect("JSON");
    assert!(jsonschema::is_valid(&schema, &status));
}

#[test]
fn a_forced_push_is_refused_until_there_is_a_descendant() {
    let remote = Remote::new(1, "");
    let running = remote.watch("--every 1s");
    let second = remote.push(&leads(&["REVIEW"]));
    running.until_applied(&second);
    let author = remote.author();
    git_in(&author, &["reset", "-q", "--hard", "HEAD~1"]);
    git_in(&author, &["push", "-qf", "origin", "HEAD:main"]);
    let status = running.until("refused", |status| status["result"] == "refused");
    assert_eq!(status["refusals"][0]["rule"], "rewind");
    assert_eq!(status["rewind"], true);
    assert_eq!(status["next_pass_at"], Json::Null, "it waits for a change");
    assert_eq!(remote.status(1), "REVIEW");
    let reads = remote.world.reads();
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(remote.world.reads(), reads, "nor does it read the inbox");
    git_in(&author, &["reset", "-q", "--hard", &second]);
    let third = remote.push(&leads(&["CLOSED"]));
    running.until_applied(&third);
    assert_eq!(remote.status(1), "CLOSED");
}

#[test]
fn a_commit_that_was_collected_is_an_error_until_the_record_begins_anew() {
    let remote = Remote::new(1, "");
    let once = "watch --once --ref origin/main";
    remote.world.run(&format!("{once} --begin live")).exits(0);
    let author = remote.author();
    git_in(&author, &["checkout", "-q", "--orphan", "other"]);
    std::fs::write(author.join("leads/all.yaml"), leads(&["CLOSED"])).expect("a file");
    git_in(&author, &["add", "."]);
    git_in(&author, &["commit", "-qm", "Begin anew"]);
    git_in(&author, &["push", "-qf", "origin", "HEAD:main"]);
    let clone = remote.world.path(".");
    git_in(&clone, &["fetch", "-q"]);
    git_in(&clone, &["checkout", "-q", "--detach", "origin/main"]);
    git_in(&clone, &["branch", "-qD", "main"]);
    git_in(&clone, &["reflog", "expire", "--expire=now", "--all"]);
    git_in(&clone, &["gc", "-q", "--prune=now"]);

    let gone = remote.world.run(&format!("{once} --format json")).exits(1);
    let status = gone.json();
    assert_eq!(status["result"], "error", "{status:#}");
    let message = status["error"]["message"].as_str().expect("a message");
    assert!(message.contains("is not in this repository"), "{message}");
    assert!(status["error"]["help"].to_string().contains("fetch"));
    assert_eq!(remote.status(1), "OPEN", "nothing is written");

    std::fs::remove_file(remote.world.path(".convertalk/applied.json")).expect("a record");
    remote.world.run(&format!("{once} --begin files")).exits(0);
    assert_eq!(remote.status(1), "CLOSED");
}

#[test]
fn the_last_valid_commit_stays_in_force_while_a_newer_one_is_not() {
    let remote = Remote::new(2, "");
    let first = git_in(&remote.author(), &["rev-parse", "HEAD"]);
    let running = remote.watch("--every 1s --drift revert");
    running.until_applied(&first);
    let broken = remote.push(&format!(
        "version: 1\nleads:\n  {}: {{ status: SHUT }}\n  {}: {{ agent: nobody }}\n",
        uuid(1),
        uuid(2)
    ));
    let status = running.until("invalid", |status| {
        status["error"]["code"] == "invalid-files"
    });
    assert_eq!(status["result"], "error");
    let places = status["error"]["places"].as_array().expect("places");
    let lines: Vec<&Json> = places.iter().map(|place| &place["line"]).collect();
    assert_eq!(lines, [3, 4], "every error has its place: {status:#}");
    let message = status["error"]["message"].as_str().expect("a message");
    assert!(message.contains("`SHUT`") && message.contains("`nobody`"));
    assert_eq!(status["commit"]["attempted"], broken);
    assert_eq!(status["commit"]["valid"], first);
    remote.agent_sets(2, "CLOSED");
    running.until("reverted", |_| remote.status(2) == "OPEN");
    drop(running);
    let again = remote.watch("--every 1s --drift revert");
    let status = again.until("invalid", |status| {
        status["error"]["code"] == "invalid-files"
    });
    assert_eq!(status["commit"]["valid"], first, "after a restart, too");
    let fixed = remote.push(&leads(&["REVIEW", "OPEN"]));
    again.until_applied(&fixed);
    assert_eq!(remote.status(1), "REVIEW");
}

#[test]
fn a_failed_fetch_is_an_error_and_the_last_commit_stays_in_force() {
    let remote = Remote::new(1, "");
    let running = remote.watch("--every 1s --drift revert");
    running.until("begun", |status| status["commit"]["applied"].is_string());
    let (origin, away) = (
        remote.outside.path().join("origin.git"),
        remote.outside.path().join("away.git"),
    );
    std::fs::rename(&origin, &away).expect("a move");
    let status = running.until("failed", |status| status["error"]["code"] == "fetch");
    assert_eq!(status["result"], "error");
    remote.agent_sets(1, "CLOSED");
    running.until("reverted", |_| remote.status(1) == "OPEN");
    let ran = remote.world.run("watch --once --ref origin/main").exits(1);
    assert!(ran.err.contains("cannot fetch from origin"), "{}", ran.err);
    std::fs::rename(&away, &origin).expect("a move");
    running.until("well again", |status| {
        status["result"] == "ok" || status["result"] == "changed"
    });
}

#[test]
fn a_commit_for_another_inbox_is_refused_until_a_restart() {
    let remote = Remote::new(1, "");
    let running = remote.watch("--every 1s");
    running.until("begun", |status| status["commit"]["applied"].is_string());
    let config = std::fs::read_to_string(remote.author().join("convertalk.yaml")).expect("a file");
    let other = config.replace("63d9ffa77a8d152facbe2f00", "63d9ffa77a8d152facbe2fff");
    remote.push_file("convertalk.yaml", &other);
    let status = running.until("refused", |status| status["result"] == "refused");
    assert_eq!(status["refusals"][0]["rule"], "target");
    assert_eq!(status["target"]["bot_id"], "63d9ffa77a8d152facbe2f00");
    remote.push_file("convertalk.yaml", &config);
    running.until("well again", |status| status["result"] == "ok");
}

#[test]
fn once_without_a_record_observes_and_exits_with_1() {
    let remote = Remote::new(1, "");
    remote.push(&leads(&["CLOSED"]));
    let ran = remote.world.run("watch --once --ref origin/main").exits(1);
    assert!(ran.out.contains("OPEN -> CLOSED"), "{}", ran.out);
    assert!(ran.err.contains("--begin files"), "{}", ran.err);
    assert!(!remote.world.path(".convertalk/applied.json").exists());
    remote
        .world
        .run("watch --once --ref origin/main --begin files")
        .exits(0);
    assert_eq!(remote.status(1), "CLOSED");
    let lines = remote.world.run_lines().len();
    remote.world.run("watch --once --ref origin/main").exits(0);
    assert_eq!(
        remote.world.run_lines().len(),
        lines,
        "a pass with nothing to do keeps no run file"
    );
}

#[test]
fn a_dry_run_needs_no_write_token_and_records_nothing() {
    let remote = Remote::new(1, "");
    remote.push(&leads(&["CLOSED"]));
    let words = "watch --once --dry-run --ref origin/main --begin files";
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = remote.world.command(&words);
    let output = command.env_remove("CONVERTALK_WRITE_TOKEN").output();
    let ran = remote.world.ran(output.expect("it runs")).exits(0);
    assert!(ran.out.contains("OPEN -> CLOSED"), "{}", ran.out);
    assert!(remote.world.puts().is_empty());
    assert!(!remote.world.path(".convertalk").exists());
}

#[test]
fn suspended_or_frozen_it_only_observes() {
    let remote = Remote::new(1, "");
    remote
        .world
        .run("watch --once --ref origin/main --begin live")
        .exits(0);
    remote.push(&leads(&["CLOSED"]));
    let config = std::fs::read_to_string(remote.author().join("convertalk.yaml")).expect("a file");
    remote.push_file(
        "convertalk.yaml",
        &format!("{config}watch: {{ suspend: migration until Friday }}\n"),
    );
    let running = remote.watch("--every 1s");
    let status = running.until("suspended", |status| status["result"] == "suspended");
    assert_eq!(status["suspended"], "migration until Friday");
    assert_eq!(status["states"]["intended"], 1);
    let once = remote.world.run("watch --once --ref origin/main").exits(0);
    let why = "suspended by watch.suspend, nothing is written: migration until Friday";
    assert!(once.err.contains(why), "{}", once.err);
    remote.push_file(
        "convertalk.yaml",
        &format!("{config}policy: {{ freeze: [{{ from: 2020-01-01, to: 2199-01-01 }}] }}\n"),
    );
    let status = running.until("frozen", |status| status["result"] == "observed");
    assert_eq!(status["suspended"], Json::Null);
    assert_eq!(status["refusals"][0]["rule"], "freeze");
    assert!(remote.world.puts().is_empty());
    remote.push_file("convertalk.yaml", &config);
    running.until("written", |_| remote.status(1) == "CLOSED");
}

#[test]
fn a_field_that_is_reverted_three_times_is_left_alone_until_its_declaration_changes() {
    let remote = Remote::new(2, "");
    let pass = || {
        let words = "watch --once --ref origin/main --begin live --drift revert";
        remote.world.run(words).exits(0)
    };
    pass();
    for _ in 0..3 {
        remote.agent_sets(1, "CLOSED");
        pass();
        assert_eq!(remote.status(1), "OPEN");
    }
    remote.agent_sets(1, "CLOSED");
    remote.agent_sets(2, "REVIEW");
    let ran = pass();
    let left = format!(
        "left alone: {}: status was written again three times",
        uuid(1)
    );
    assert!(ran.err.contains(&left), "{}", ran.err);
    assert_eq!(remote.status(1), "CLOSED", "left alone");
    assert_eq!(remote.status(2), "OPEN", "the other lead is not");
    let running = remote.watch("--every 1s --drift revert");
    let status = running.until("a pass", |status| status["result"] == "ok");
    assert_eq!(
        status["fighting"],
        json!([{ "uuid": uuid(1), "field": "status" }])
    );
    assert_eq!(status["states"]["fighting"], 1);
    let declared = remote.push(&leads(&["REVIEW", "OPEN"]));
    let status = running.until("decided", |status| status["commit"]["valid"] == declared);
    assert_eq!(status["fighting"], json!([]), "its declaration has changed");
}

#[test]
fn a_new_lead_that_is_not_listed_is_not_sent_for_ever() {
    let remote = Remote::new(1, "--unknown ignore");
    let new = format!(
        "  {}: {{ create: true, status: OPEN, contact: {{ name: Asha }} }}\n",
        uuid(9)
    );
    remote.push(&(leads(&["OPEN"]) + &new));
    let words = "watch --once --ref origin/main --begin files --patience 200ms";
    for _ in 0..4 {
        remote.world.run(words).exits(6);
    }
    let sent = remote.world.puts().len();
    let ran = remote.world.run(words).exits(0);
    assert!(ran.err.contains("left alone"), "{}", ran.err);
    assert_eq!(remote.world.puts().len(), sent);
    // It is not settled: a day later it is tried again.
    std::fs::remove_file(remote.world.path(".convertalk/watch.json")).expect("a file");
    remote.world.run(words).exits(6);
    assert_eq!(remote.world.puts().len(), sent + 1);
}

#[test]
fn outside_of_git_only_drift_that_is_reverted_is_taken() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let ran = world.run("watch --once").exits(1);
    assert!(ran.err.contains("--drift revert"), "{}", ran.err);
    let ran = world.run("watch --once --ref origin/main --drift revert");
    ran.exits(1);
    assert!(world.puts().is_empty());
    let running = Loop::start(&world, "watch --drift revert --every 1s --poll 200ms");
    running.until("written", |status| status["result"] == "ok");
    let status = || world.sandbox().records()[&uuid(1)]["status"].clone();
    assert_eq!(status(), "CLOSED");
    world.declare(&format!("  {}: {{ status: REVIEW }}\n", uuid(1)));
    running.until("written", |_| status() == "REVIEW");
    assert!(!world.path(".convertalk/applied.json").exists());
}

#[test]
fn what_a_killed_loop_left_is_still_intended() {
    let remote = Remote::new(6, "--latency 200ms");
    let running = remote.watch("--every 1s");
    running.until("begun", |status| status["commit"]["applied"].is_string());
    let all = ["REVIEW"; 6];
    let second = remote.push(&leads(&all));
    let end = Instant::now() + Duration::from_secs(30);
    while remote.world.puts().is_empty() {
        assert!(Instant::now() < end, "nothing was written");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(running);
    let again = remote.watch("--every 1s");
    again.until_applied(&second);
    again.until("settled", |status| status["states"]["in_sync"] == 6);
    for number in 1..=6 {
        assert_eq!(remote.status(number), "REVIEW");
    }
}

#[cfg(unix)]
#[test]
fn a_stop_while_leads_are_written_exits_with_130_and_loses_none() {
    const LEADS: usize = 40;
    let remote = Remote::new(LEADS, "--latency 100ms");
    let pushed = remote.push(&leads(&["CLOSED"; LEADS]));
    let words = "watch --ref origin/main --poll 200ms --begin files --every 1h";
    let running = Loop::start(&remote.world, words);
    let end = Instant::now() + Duration::from_secs(30);
    while remote.world.puts().len() < 2 {
        assert!(Instant::now() < end, "nothing is written");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(running.stop(), Some(130));
    let is_closed = |number: &usize| remote.status(*number) == "CLOSED";
    let written = (1..=LEADS).filter(is_closed).count();
    assert!((1..LEADS).contains(&written), "{written} were written");
    let again = remote.watch("--every 1h");
    again.until_applied(&pushed);
    assert_eq!((1..=LEADS).filter(is_closed).count(), LEADS);
    assert_eq!(remote.world.puts().len(), LEADS, "none is written twice");
}

#[test]
fn an_api_that_fails_is_an_error_until_it_answers_again() {
    let mut remote = Remote::new(2, "");
    let running = remote.watch("--every 500ms --drift revert");
    running.until("well", |status| status["result"] == "ok");
    for fault in ["500@read=100%", "html@read=100%"] {
        remote.world.becomes(&format!("--fault {fault}"));
        let status = running.until(fault, |status| status["result"] == "error");
        assert!(status["error"]["message"].is_string(), "{status:#}");
        assert_eq!(status["states"]["declared"], 2, "what was read last");
        remote.agent_sets(1, "CLOSED");
        remote.world.becomes("");
        running.until("well again", |status| status["result"] == "ok");
        assert_eq!(
            remote.status(1),
            "OPEN",
            "{fault}: reverted once it answered"
        );
    }
}

/// What a pass keeps, the plan of hundreds of leads, would show after a few dozen.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_from_pass_to_pass() {
    let remote = Remote::new(400, "");
    let running = remote.watch("--every 100ms");
    let resident = |passes: u64| -> u64 {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let metrics = running.ask("GET", "/metrics");
            let of_passes = metrics
                .lines()
                .filter(|line| line.starts_with("convertalk_passes_total"));
            let made: u64 = of_passes
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum();
            if made >= passes {
                break;
            }
            assert!(Instant::now() < end, "{made} passes: {metrics}");
            std::thread::sleep(Duration::from_millis(50));
        }
        let status = format!("/proc/{}/status", running.child.id());
        let status = std::fs::read_to_string(status).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let digits = line.expect("its memory").split_whitespace().nth(1);
        digits.expect("a number").parse().expect("kB")
    };
    let (early, late) = (resident(30), resident(90));
    assert!(late < early + 6 * 1024, "{early} kB, then {late} kB");
}

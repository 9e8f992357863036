//! What `watch` shows of itself: its server, and its notifications.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::base::{commit, git};
use crate::run_reports::parsed;
use crate::world::{World, record, serve, uuid};

/// A loop that runs until it is dropped, with the address of its server and what it has printed to stderr.
struct Loop {
    child: Child,
    address: String,
    stderr: Arc<Mutex<String>>,
}

/// How long anything is waited for.
const LONGEST: Duration = Duration::from_secs(30);

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONGEST, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Loop {
    /// Starts `watch` with these words, `--listen` among them, and these variables.
    fn start(world: &World, words: &str, variables: &[(&str, &str)]) -> Self {
        let words: Vec<&str> = ["watch"]
            .into_iter()
            .chain(words.split_whitespace())
            .collect();
        let mut child = world
            .command(&words)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let stderr = Arc::new(Mutex::new(String::new()));
        let (kept, pipe) = (Arc::clone(&stderr), child.stderr.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut kept = kept.lock().expect("text");
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut address = None;
        wait_until("the address of the server", || {
            let text = stderr.lock().expect("text");
            let (_, rest) = text.split_once("listening at http://").unzip();
            address = rest.and_then(|rest| rest.lines().next().map(str::to_owned));
            address.is_some()
        });
        Self {
            child,
            address: address.expect("an address"),
            stderr,
        }
    }

    fn stderr(&self) -> String {
        self.stderr.lock().expect("text").clone()
    }

    /// Sends a request; the status, the head and the body of its answer.
    fn ask(&self, request: &str, headers: &str) -> (u16, String, String) {
        let port = self.address.rsplit(':').next().expect("a port");
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
        let text = format!(
            "{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n"
        );
        stream.write_all(text.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
            panic!("the answer has no length: {head}");
        } else {
            body
        };
        (status.expect("a status"), head.to_owned(), body.to_owned())
    }

    fn status(&self) -> Json {
        let (code, head, body) = self.ask("GET /status", "");
        assert_eq!(code, 200);
        assert!(head.contains("content-type: application/json"), "{head}");
        serde_json::from_str(&body).expect("JSON")
    }

    fn wait_for_pass(&self) {
        wait_until("the first pass", || self.ask("GET /readyz", "").0 == 200);
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// An inbox of two leads, of which one is to be closed, in a repository.
fn world() -> World {
    let world = World::new(
        &[record(1, "OPEN", None, &[]), record(2, "OPEN", None, &[])],
        "",
    );
    world.declare(&format!(
        "  {}: {{ label: Asha Rao, status: CLOSED }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(2)
    ));
    git(&world, "init -q");
    commit(&world);
    world
}

const QUIET: &str = "--every 1h --poll 1h --begin files --listen 127.0.0.1:0";

#[test]
fn the_server_shows_a_pass_as_status_metrics_and_page() {
    let world = world();
    let watch = Loop::start(&world, QUIET, &[]);
    assert!(watch.address.starts_with("127.0.0.1:") && !watch.address.ends_with(":0"));
    assert!(!watch.stderr().contains("warning"), "{}", watch.stderr());
    watch.wait_for_pass();
    wait_until("a result", || watch.status()["result"] == "changed");
    let status = watch.status();
    assert_eq!(status["states"]["declared"], 2);
    assert_eq!(status["states"]["in_sync"], 2, "{status:#}");
    assert_eq!(status["commit"]["applied"], status["commit"]["attempted"]);
    assert_eq!(watch.ask("GET /healthz", "").0, 200);

    let (code, head, metrics) = watch.ask("GET /metrics", "");
    assert_eq!(code, 200);
    assert!(
        head.contains("content-type: application/openmetrics-text"),
        "{head}"
    );
    let commit = status["commit"]["applied"].as_str().expect("a commit");
    for line in [
        "convertalk_leads{state=\"in_sync\"} 2".to_owned(),
        "convertalk_passes_total{result=\"changed\"} 1".to_owned(),
        "convertalk_passes_total{result=\"refused\"} 0".to_owned(),
        "convertalk_writes_total{outcome=\"verified\"} 1".to_owned(),
        "convertalk_requests_total{method=\"PUT\",code=\"200\"} 1".to_owned(),
        "convertalk_pass_duration_seconds_count 1".to_owned(),
        "convertalk_suspended 0".to_owned(),
        format!("convertalk_commit_info{{attempted=\"{commit}\",applied=\"{commit}\"}} 1"),
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "{line}\n{metrics}"
        );
    }
    assert!(metrics.ends_with("# EOF\n"));
    assert!(
        !metrics.contains(&uuid(1)) && !metrics.contains("Asha"),
        "{metrics}"
    );

    let (code, head, page) = watch.ask("GET /", "");
    assert_eq!(code, 200);
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(
        page.contains("<!doctype html>") && page.contains("Asha Rao"),
        "{page}"
    );
    assert!(
        page.contains("The last pass carried this plan out for 1 lead;"),
        "{page}"
    );
    assert!(!page.contains("Nothing has been written"), "{page}");
}

#[test]
#[ignore = "needs the parser of Prometheus; .ci/run installs it"]
fn the_parser_of_prometheus_reads_what_a_loop_serves() {
    let world = world();
    let watch = Loop::start(&world, QUIET, &[]);
    let before = parsed(&watch.ask("GET /metrics", "").2);
    assert_eq!(before["convertalk_suspended{}"], 0.0);
    wait_until("a result", || watch.status()["result"] == "changed");
    let after = parsed(&watch.ask("GET /metrics", "").2);
    assert_eq!(after["convertalk_passes_total{result=changed}"], 1.0);
    assert_eq!(after["convertalk_pass_duration_seconds_count{}"], 1.0);
    assert!(after["convertalk_last_success_timestamp_seconds{}"] > 1.7e9);
}

#[test]
fn a_poll_makes_it_look_at_once() {
    let world = world();
    let watch = Loop::start(&world, QUIET, &[]);
    wait_until("a result", || watch.status()["result"] == "changed");
    world.declare(&format!("  {}: {{ status: REVIEW }}\n", uuid(2)));
    commit(&world);
    assert_eq!(world.puts().len(), 1);
    assert_eq!(watch.ask("GET /poll", "").0, 405);
    let elsewhere = "origin: https://evil.example\r\n";
    assert_eq!(watch.ask("POST /poll", elsewhere).0, 403);
    assert_eq!(watch.ask("POST /poll", "").0, 202);
    wait_until("the second write", || world.puts().len() == 2);
}

#[test]
fn off_loopback_it_warns_and_poll_needs_the_token() {
    let world = world();
    let open = QUIET.replace("127.0.0.1:0", "0.0.0.0:0");
    let watch = Loop::start(&world, &open, &[("CONVERTALK_POLL_TOKEN", "p0ll-s3cret")]);
    wait_until("a warning", || {
        watch
            .stderr()
            .contains("warning: everyone who reaches 0.0.0.0:")
    });
    assert_eq!(watch.ask("POST /poll", "").0, 401);
    assert_eq!(
        watch.ask("POST /poll", "authorization: Bearer wrong\r\n").0,
        401
    );
    assert_eq!(
        watch
            .ask("POST /poll", "authorization: Bearer p0ll-s3cret\r\n")
            .0,
        202
    );
    assert_eq!(watch.ask("GET /status", "").0, 200);
    assert!(
        !watch.stderr().contains("p0ll-s3cret"),
        "{}",
        watch.stderr()
    );
    drop(watch);
    let watch = Loop::start(&world, &open, &[]);
    wait_until("a warning", || {
        watch.stderr().contains("CONVERTALK_POLL_TOKEN is not set")
    });
    assert_eq!(watch.ask("POST /poll", "authorization: Bearer \r\n").0, 403);
}

#[test]
fn a_pass_that_is_refused_and_one_that_is_well_again_are_notified_once_each() {
    let world = world();
    let got: Arc<Mutex<Vec<Json>>> = Arc::default();
    let kept = Arc::clone(&got);
    let receiver = serve(move |request| {
        let (head, body) = request.split_once("\r\n\r\n").expect("a request");
        assert!(head.starts_with("POST /hook-s3cret?key=k3y "), "{head}");
        kept.lock()
            .expect("a list")
            .push(serde_json::from_str(body).expect("JSON"));
        ("200 OK", String::new())
    });
    let hook = format!("{receiver}/hook-s3cret?key=k3y");
    world.write(
        "convertalk.yaml",
        &(CONFIG.to_owned() + "policy: { max_changes: 0 }\n"),
    );
    commit(&world);
    let watch = Loop::start(&world, QUIET, &[("CONVERTALK_NOTIFY_URL", &hook)]);
    wait_until("a notification", || !got.lock().expect("a list").is_empty());
    world.write("convertalk.yaml", CONFIG);
    commit(&world);
    assert_eq!(watch.ask("POST /poll", "").0, 202);
    wait_until("a second one", || got.lock().expect("a list").len() > 1);
    // Nothing has changed since.
    assert_eq!(watch.ask("POST /poll", "").0, 202);
    std::thread::sleep(Duration::from_millis(300));
    let got = got.lock().expect("a list");
    let results: Vec<&Json> = got.iter().map(|status| &status["result"]).collect();
    assert_eq!(results, ["refused", "changed"]);
    assert_eq!(got[0]["refusals"][0]["rule"], "max-changes");
    let stderr = watch.stderr();
    assert!(
        !stderr.contains("s3cret") && !stderr.contains("k3y"),
        "{stderr}"
    );
    let memory = std::fs::read_to_string(world.path(".convertalk/watch.json")).expect("a file");
    let memory: Json = serde_json::from_str(&memory).expect("JSON");
    assert_eq!(memory["notified"]["result"], "changed");
}

#[test]
fn a_notification_address_without_encryption_is_refused_and_not_printed() {
    let world = world();
    let ran = world
        .run("watch --once --notify http://hooks.example.com/hook-s3cret")
        .exits(1);
    assert!(ran.err.contains("must be https"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
}

const CONFIG: &str = "version: 1
api: { endpoint: sandbox, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents: { priya: 631aa793bcfa100487d13d0d }
";

/// The status and the body of a listing that is asked of the sandbox at a port by a host's name.
fn listing_of(port: &str, host: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).expect("a server");
    let line = "GET /inbox/direct/chats?botId=b&customerId=c&page=1&type=lead HTTP/1.1\r\n";
    let rest = format!("host: {host}\r\nx-bot-token: t\r\nconnection: close\r\n\r\n");
    stream
        .write_all(format!("{line}{rest}").as_bytes())
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_sandbox_answers_localhost_only_and_warns_where_others_reach_it() {
    use std::io::{BufRead, BufReader};
    for (listen, warns) in [("127.0.0.1:0", false), ("0.0.0.0:0", true)] {
        let mut child = crate::world::program(&["sandbox", "-q", "--listen", listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut first).expect("a line");
        let port = first.trim_end().rsplit(':').next().expect("a port");
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let answer = listing_of(port, &format!("{host}:{port}"));
            assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
        }
        let answer = listing_of(port, "evil.example");
        let status = if warns {
            "HTTP/1.1 200"
        } else {
            "HTTP/1.1 421"
        };
        assert!(answer.starts_with(status), "{listen}: {answer}");
        assert_eq!(answer.contains("success"), warns, "{answer}");
        child.kill().expect("it runs");
        let said = child.wait_with_output().expect("it ends").stderr;
        let said = String::from_utf8(said).expect("UTF-8");
        let warning = said.contains("warning: anyone who reaches this address");
        assert_eq!(warning, warns, "{said}");
    }
}

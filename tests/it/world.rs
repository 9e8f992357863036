//! A world to run the program in: a workspace in a folder of its own, and a sandbox that it talks to.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use convertalk::sandbox::{LoggedRequest, Options, Sandbox};
use serde_json::Value as Json;

/// The token that both endpoints expect. It must never show in any output.
pub(crate) const TOKEN: &str = "s3cret-0f-the-tests";
pub(crate) const BOT: &str = "63d9ffa77a8d152facbe2f00";
pub(crate) const CUSTOMER: &str = "631aa793bcfa100487d13d01";
pub(crate) const PRIYA: &str = "631aa793bcfa100487d13d0d";
pub(crate) const RAHUL: &str = "631aa793bcfa100487d13d0e";

const CONFIG: &str = "version: 1
api: { endpoint: sandbox, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
agents:
  priya: 631aa793bcfa100487d13d0d
  rahul: 631aa793bcfa100487d13d0e
";

pub(crate) struct World {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    /// Held from one sandbox to the next, so that nobody else gets the address.
    listener: TcpListener,
    /// None only while it is replaced.
    sandbox: Option<Sandbox>,
}

#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    options: Options,
}

fn start(listener: &TcpListener, seed: &Path, flags: &str) -> (tokio::runtime::Runtime, Sandbox) {
    let words = ["sandbox", "--read-token", TOKEN, "--write-token", TOKEN];
    let flags = Flags::try_parse_from(words.into_iter().chain(flags.split_whitespace()))
        .expect("flags of a sandbox");
    let options = Options {
        seed: Some(seed.to_owned()),
        log: true,
        ..flags.options
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = listener.try_clone().expect("a socket");
    let sandbox = runtime.block_on(async { Sandbox::start_on(listener, options) });
    (runtime, sandbox.expect("a sandbox"))
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// A world whose sandbox has these records as leads, and these flags of `convertalk sandbox`.
    pub(crate) fn new(live: &[Json], flags: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let seed = folder.path().join("seed.json");
        std::fs::write(&seed, serde_json::to_vec(live).expect("JSON")).expect("a seed");
        Self::with_seed(folder, &seed, flags)
    }

    /// A world whose sandbox reads a seed file.
    pub(crate) fn with_seed(folder: tempfile::TempDir, seed: &Path, flags: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let (runtime, sandbox) = start(&listener, seed, flags);
        let world = Self {
            folder,
            runtime,
            listener,
            sandbox: Some(sandbox),
        };
        if !world.path("convertalk.yaml").exists() {
            world.write("convertalk.yaml", CONFIG);
        }
        world
    }

    /// The same inbox at the same address, on a platform with these flags from now on.
    pub(crate) fn becomes(&mut self, flags: &str) {
        let sandbox = self.sandbox.take().expect("a sandbox");
        let records: Vec<Json> = sandbox.records().into_values().collect();
        let seed = self.path("seed.json");
        std::fs::write(&seed, serde_json::to_vec(&records).expect("JSON")).expect("a seed");
        self.runtime.block_on(sandbox.stop()).expect("it stops");
        let (runtime, sandbox) = start(&self.listener, &seed, flags);
        (self.runtime, self.sandbox) = (runtime, Some(sandbox));
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    /// Writes `leads/all.yaml`: the head and these leads, as they stand below `leads:`.
    pub(crate) fn declare(&self, leads: &str) {
        self.write("leads/all.yaml", &format!("version: 1\nleads:\n{leads}"));
    }

    /// The program as a command, with this world's endpoint and tokens and nothing else in its environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = program(words);
        command
            .current_dir(self.folder.path())
            .env("CONVERTALK_ENDPOINT", self.sandbox().url())
            .env("CONVERTALK_READ_TOKEN", TOKEN)
            .env("CONVERTALK_WRITE_TOKEN", TOKEN);
        command
    }

    /// Runs the program; words are separated by blanks. No token is ever in what it prints.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.ran(
            self.command(&words.split_whitespace().collect::<Vec<_>>())
                .output()
                .expect("the program runs"),
        )
    }

    pub(crate) fn ran(&self, output: Output) -> Ran {
        let ran = Ran::of(output);
        assert!(
            !ran.out.contains(TOKEN) && !ran.err.contains(TOKEN),
            "a token shows:\n{}\n{}",
            ran.out,
            ran.err
        );
        ran
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("a sandbox")
    }

    /// Every PUT so far, in the order of arrival.
    pub(crate) fn puts(&self) -> Vec<LoggedRequest> {
        self.sandbox()
            .requests()
            .into_iter()
            .filter(|request| request.method == "PUT")
            .collect()
    }

    pub(crate) fn reads(&self) -> usize {
        self.sandbox()
            .requests()
            .iter()
            .filter(|request| request.method == "GET")
            .count()
    }

    /// The bodies of every PUT so far by uuid, without the three keys.
    pub(crate) fn sent(&self) -> BTreeMap<String, Vec<Json>> {
        let mut sent: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        for put in self.puts() {
            let mut body = put.body.expect("a body");
            let keys = body.as_object_mut().expect("an object");
            assert_eq!(
                (keys.remove("botId"), keys.remove("customerId")),
                (Some(BOT.into()), Some(CUSTOMER.into()))
            );
            let uuid = keys.remove("uuid").expect("a uuid");
            sent.entry(uuid.as_str().expect("text").to_owned())
                .or_default()
                .push(body);
        }
        sent
    }

    /// The lines of every run file, in order.
    pub(crate) fn run_lines(&self) -> Vec<Json> {
        let runs = self.path(".convertalk/runs");
        let mut files: Vec<PathBuf> = std::fs::read_dir(runs)
            .map(|files| files.map(|file| file.expect("a file").path()).collect())
            .unwrap_or_default();
        files.sort();
        let lines = files.iter().flat_map(|file| {
            let text = std::fs::read_to_string(file).expect("a run file");
            assert!(!text.contains(TOKEN), "a token is in a run file");
            // A kill may leave a part of a line.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            whole
                .lines()
                .map(|line| serde_json::from_str(line).expect("a line of JSON"))
                .collect::<Vec<Json>>()
        });
        lines.collect()
    }

    /// A second plan has nothing to do.
    pub(crate) fn assert_settled(&self) {
        let again = self.run("plan --detailed-exitcode");
        assert_eq!(
            again.exit, 0,
            "the second plan is not empty:\n{}{}",
            again.out, again.err
        );
        assert!(again.out.starts_with("Nothing to do:"), "{}", again.out);
        assert_eq!(
            again.out.lines().count(),
            1,
            "a plan with nothing to do is one line"
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The sandbox's tasks end with the runtime's threads.
        let _entered = self.runtime.enter();
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Stdout as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{}\n{}", self.out, self.err))
    }

    #[track_caller]
    pub(crate) fn exits(self, exit: i32) -> Self {
        assert_eq!(
            self.exit, exit,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }
}

/// The program with nothing in its environment but where its libraries are.
pub(crate) fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convertalk"));
    command
        .env_clear()
        .args(words)
        .stdin(std::process::Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// A server whose every answer is made of the request's text, for what a sandbox does not do. Returns its address; it ends with
/// the test.
pub(crate) fn serve(answer: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> String {
    serve_bytes(move |request| {
        let (head, body) = answer(request);
        (head, body.into_bytes())
    })
}

/// As [`serve`], with bodies that are no UTF-8.
pub(crate) fn serve_bytes(
    answer: impl Fn(&str) -> (&'static str, Vec<u8>) + Send + 'static,
) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that has gone is none of our business: pages are asked for ahead, and not all are waited for.
            let Some(request) = whole_request(&mut stream) else {
                continue;
            };
            let (head, body) = answer(&request);
            let head = format!(
                "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let whole = [head.into_bytes(), body].concat();
            let _gone = std::io::Write::write_all(&mut stream, &whole);
        }
    });
    url
}

fn whole_request(stream: &mut std::net::TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        let mut part = [0; 4096];
        match std::io::Read::read(stream, &mut part) {
            Ok(read) if read > 0 => request.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

/// A uuid that ends with this number.
pub(crate) fn uuid(number: usize) -> String {
    format!("7e88d192-9b20-4035-9b68-{number:012x}")
}

/// A record of the listing with a few values, as full as a real one.
pub(crate) fn record(number: usize, status: &str, agent: Option<&str>, tags: &[&str]) -> Json {
    let mut record = serde_json::json!({
        "_id": format!("{number:024x}"),
        "uuid": uuid(number),
        "status": status,
        "profile": {
            "userDetails": {
                "name": format!("Visitor {number}"), "city": "Pune", "country": "India", "tags": tags,
                "attributes": [{ "key": "source", "value": "web" }, { "key": "visits", "value": 7 }],
                "contact": { "email": format!("v{number}@example.com"), "phone": { "number": "9876543210", "prefix": "91" } }
            },
            "notes": [{ "title": "Hello", "description": "First words", "_id": format!("{:024x}", number + 0xabc) }]
        },
        "createdAt": "2026-01-02T03:04:05.678Z", "updatedAt": "2026-02-03T04:05:06.789Z",
        "isOnline": false, "websiteVisits": 3, "unheardOf": { "deep": [1, 2.50, null] }
    });
    if let Some(agent) = agent {
        record["_agentAssigned"] = agent.into();
    }
    record
}

/// What changed in the inbox, value by value: `uuid /path: before -> after`. Dates and ids that the platform makes are left out.
pub(crate) fn effects(
    before: &BTreeMap<String, Json>,
    after: &BTreeMap<String, Json>,
) -> Vec<String> {
    let mut effects = Vec::new();
    let ids: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for id in ids {
        let (old, new) = (leaves(before.get(id)), leaves(after.get(id)));
        let paths: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for path in paths.into_iter().filter(|path| {
            !["/updatedAt", "/createdAt", "/_id"]
                .iter()
                .any(|end| path.ends_with(end))
        }) {
            let told =
                |value: Option<&String>| value.cloned().unwrap_or_else(|| "nothing".to_owned());
            if old.get(path) != new.get(path) {
                effects.push(format!(
                    "{id} {path}: {} -> {}",
                    told(old.get(path)),
                    told(new.get(path))
                ));
            }
        }
    }
    effects
}

fn leaves(json: Option<&Json>) -> BTreeMap<String, String> {
    fn walk(path: &str, json: &Json, leaves: &mut BTreeMap<String, String>) {
        match json {
            Json::Object(object) => object
                .iter()
                .for_each(|(key, value)| walk(&format!("{path}/{key}"), value, leaves)),
            Json::Array(items) if path.ends_with("/tags") => {
                drop(leaves.insert(path.to_owned(), Json::Array(items.clone()).to_string()))
            }
            Json::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, value)| walk(&format!("{path}/{at}"), value, leaves)),
            value => drop(leaves.insert(path.to_owned(), value.to_string())),
        }
    }
    let mut all = BTreeMap::new();
    if let Some(json) = json {
        walk("", json, &mut all);
    }
    all
}

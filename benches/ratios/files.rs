//! Workspaces that declare chats of a server: as they are there, but for every fifth, which is to be changed.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::bare::IDS;
use crate::server::Server;

pub(crate) const CONFIG_IDS: &str =
    "bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01";
const AGENTS: [(&str, &str); 5] = [
    ("priya", "631aa793bcfa100487d13d0d"),
    ("rahul", "631aa793bcfa100487d13d0e"),
    ("ananya", "631aa793bcfa100487d13d0f"),
    ("daniel", "631aa793bcfa100487d13d10"),
    ("mei", "631aa793bcfa100487d13d11"),
];

/// Which chats are declared, and how.
pub(crate) struct Shape {
    pub(crate) declared: usize,
    pub(crate) files: usize,
    /// Every n-th chat of the listing is declared; 1 takes the first ones.
    pub(crate) every: usize,
    /// Every n-th declared chat is to be changed.
    pub(crate) changed: usize,
    /// Requests at a time.
    pub(crate) concurrency: usize,
}

/// Writes a workspace for leads of the server, as `fmt` lays it out.
pub(crate) fn workspace(server: &Server, shape: &Shape) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let Shape {
        declared,
        files,
        every,
        changed,
        concurrency,
    } = *shape;
    let agents: String = AGENTS
        .iter()
        .map(|(name, id)| format!("  {name}: {id}\n"))
        .collect();
    let config = format!(
        "version: 1\napi: {{ endpoint: \"{}\", concurrency: {concurrency}, {CONFIG_IDS} }}\nagents:\n{agents}",
        server.url
    );
    write(folder.path(), "convertalk.yaml", &config);
    let mut leads = Leads {
        server,
        page: 0,
        left: Vec::new().into_iter(),
    }
    .step_by(every);
    for file in 0..files {
        let mut text = "version: 1\nleads:\n".to_owned();
        for number in 0..declared / files {
            let record = leads.next().expect("as many leads as are declared");
            if number > 0 {
                text.push('\n');
            }
            lead(&mut text, &record, (file + number) % changed == 0);
        }
        write(folder.path(), &format!("leads/{file:03}.yaml"), &text);
    }
    folder
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

fn lead(text: &mut String, record: &Json, changed: bool) {
    let details = &record["profile"]["userDetails"];
    let word = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let is = word(&record["status"]);
    let status = if !changed {
        is.as_str()
    } else if is == "CLOSED" {
        "OPEN"
    } else {
        "CLOSED"
    };
    let agent = AGENTS
        .iter()
        .find(|(_, id)| *id == word(&record["_agentAssigned"]))
        .map_or("none", |(name, _)| name);
    let tags: Vec<String> = details["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(word)
        .collect();
    let (uuid, name, tags) = (
        word(&record["uuid"]),
        word(&details["name"]),
        tags.join(", "),
    );
    writeln!(
        text,
        "  {uuid}:\n    label: {name}\n    status: {status}\n    agent: {agent}\n    tags: [{tags}]"
    )
    .expect("text");
}

/// The texts of a workspace's lead files.
pub(crate) fn texts(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder.join("leads"))
        .expect("a folder")
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"))
        .collect()
}

/// Seconds for the YAML library alone, its events thrown away.
pub(crate) fn scan(texts: &[String]) -> f64 {
    let start = Instant::now();
    for text in texts {
        for event in granit_parser::Parser::new_from_str(text) {
            black_box(event.expect("YAML"));
        }
    }
    start.elapsed().as_secs_f64()
}

/// The leads of a server, page by page.
struct Leads<'a> {
    server: &'a Server,
    page: u32,
    left: std::vec::IntoIter<Json>,
}

impl Iterator for Leads<'_> {
    type Item = Json;

    fn next(&mut self) -> Option<Json> {
        loop {
            if let Some(record) = self.left.next() {
                return Some(record);
            }
            self.page += 1;
            let body = page(&self.server.url, self.page);
            self.left = body["data"]
                .as_array()
                .filter(|records| !records.is_empty())?
                .clone()
                .into_iter();
        }
    }
}

fn page(url: &str, page: u32) -> Json {
    use std::io::{Read, Write};
    let host = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).expect("a server");
    let path = format!("/inbox/direct/chats?{IDS}&page={page}&type=lead");
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nhost: {host}\r\nx-bot-token: bench\r\n\r\n"
    )
    .expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let body = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head")
        + 4;
    serde_json::from_slice(&answer[body..]).expect("JSON")
}

//! Each switch and each fault, over HTTP. What takes time is counted in requests, or runs on a paused clock.

mod faults;
mod listing;
mod updates;

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const BOT: &str = "63d9ffa77a8d152facbe2f00";
const CUSTOMER: &str = "631aa793bcfa100487d13d01";

/// An answer as it came over the wire.
struct Response {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Response {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn uuids(&self) -> Vec<String> {
        let json = self.json();
        let chats = json["data"].as_array().cloned().unwrap_or_default();
        chats
            .iter()
            .map(|chat| chat["uuid"].as_str().unwrap_or("-").to_owned())
            .collect()
    }
}

fn free(options: Options) -> Options {
    Options {
        listen: ([127, 0, 0, 1], 0).into(),
        log: true,
        ..options
    }
}

async fn start(options: Options) -> Sandbox {
    Sandbox::start(free(options)).await.expect("it starts")
}

/// Starts with leads `a`, `b`, `c` … and one non-lead `x`.
async fn with_leads(count: u8, options: Options) -> Sandbox {
    let sandbox = start(options).await;
    sandbox.insert(ChatKind::NonLead, json!({ "uuid": "x", "status": "OPEN" }));
    for n in (0..count).rev() {
        let uuid = char::from(b'a' + n).to_string();
        let details = json!({ "name": "Asha", "tags": ["vip", "cold"], "attributes": [{ "key": "tier", "value": "gold" }],
            "contact": { "email": "a@example.com", "phone": { "number": "98", "prefix": "91" } } });
        let notes = json!([{ "_id": "n1", "title": "one", "description": "first" }]);
        sandbox.insert(
            ChatKind::Lead,
            json!({ "uuid": uuid, "status": "OPEN", "odd": { "z": 1, "a": [null] }, "_agentAssigned": "631aa793bcfa100487d13d0d",
            "profile": { "notes": notes, "userDetails": details } }),
        );
    }
    sandbox
}

/// Sends one request on a connection of its own; `None` where the connection ended without an answer.
async fn send(
    sandbox: &Sandbox,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> Option<Response> {
    let mut stream = TcpStream::connect(sandbox.address())
        .await
        .expect("a connection");
    let length = body.len();
    let text = format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    // A reset after the answer does not take the answer back.
    drop(stream.read_to_end(&mut bytes).await);
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    Some(Response {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: bytes[split + 4..].to_vec(),
    })
}

async fn try_list(sandbox: &Sandbox, kind: &str, page: u32) -> Option<Response> {
    let target =
        format!("/inbox/direct/chats?botId={BOT}&customerId={CUSTOMER}&page={page}&type={kind}");
    send(sandbox, "GET", &target, "x-bot-token: r\r\n", "").await
}

async fn list(sandbox: &Sandbox, page: u32) -> Response {
    try_list(sandbox, "lead", page).await.expect("an answer")
}

async fn try_put(sandbox: &Sandbox, uuid: &str, mut fields: Value) -> Option<Response> {
    for (key, value) in [("uuid", uuid), ("botId", BOT), ("customerId", CUSTOMER)] {
        fields[key] = json!(value);
    }
    send(
        sandbox,
        "PUT",
        "/inbox/direct/lead",
        "x-bp-token: w\r\n",
        &fields.to_string(),
    )
    .await
}

async fn put(sandbox: &Sandbox, uuid: &str, fields: Value) -> u16 {
    try_put(sandbox, uuid, fields)
        .await
        .expect("an answer")
        .status
}

/// Waits until that many requests have come.
async fn arrived(sandbox: &Sandbox, count: usize) {
    while sandbox.requests().len() < count {
        tokio::task::yield_now().await;
    }
}

fn record(sandbox: &Sandbox, uuid: &str) -> Value {
    sandbox.records().remove(uuid).unwrap_or(Value::Null)
}

fn details(sandbox: &Sandbox, uuid: &str) -> Value {
    record(sandbox, uuid)["profile"]["userDetails"].clone()
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path
}

#[tokio::test]
async fn a_seed_may_be_short_and_its_state_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = "lead:\n- { uuid: a, status: OPEN, word: no, long: '0123' }\n- { uuid: b }\nnon-lead:\n- { uuid: x }\n";
    for name in ["state.json", "state.yaml"] {
        let options = Options {
            seed: Some(file(&folder, "seed.yaml", seed)),
            state: Some(folder.path().join(name)),
            ..Options::default()
        };
        let sandbox = start(options.clone()).await;
        assert_eq!(list(&sandbox, 1).await.uuids(), ["a", "b"]);
        assert_eq!(
            record(&sandbox, "a")["_id"].as_str().map(str::len),
            Some(24)
        );
        assert_eq!(put(&sandbox, "b", json!({ "status": "CLOSED" })).await, 200);
        let before = sandbox.records();
        sandbox.stop().await.expect("saved");
        let again = start(options).await;
        assert_eq!(again.records(), before);
        assert_eq!(before["a"]["word"], "no");
        assert_eq!(
            (list(&again, 1).await.uuids(), again.kind("x")),
            (
                vec!["b".to_owned(), "a".to_owned()],
                Some(ChatKind::NonLead)
            )
        );
    }
}

#[tokio::test]
async fn a_broken_seed_is_a_clear_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text, words) in [
        ("a.yaml", "lead: [", "a.yaml is not YAML"),
        ("a.json", "{", "a.json is not JSON"),
        ("b.yaml", "leads: []", "line 1: /: Additional properties"),
        ("c.yaml", "[1]", "line 1: /0: value is not of type"),
        (
            "d.yaml",
            "lead:\n- {}\n- uuid: 5",
            "line 3: /lead/1/uuid: value is not of type",
        ),
        (
            "e.yaml",
            "[{uuid: a}, {uuid: a}]",
            "two records have the uuid `a`",
        ),
        ("f.yaml", "just words", "line 1: /: value is not of types"),
    ] {
        let error = Sandbox::start(free(Options {
            seed: Some(file(&folder, name, text)),
            ..Options::default()
        }))
        .await
        .err();
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            message.contains(words) && message.contains(name),
            "{message}"
        );
    }
}

#[tokio::test]
async fn tokens_and_ids_are_checked_when_set() {
    for (wrong_token, status) in [
        (WrongToken::BadRequest, 400),
        (WrongToken::Unauthorized, 401),
        (WrongToken::Forbidden, 403),
    ] {
        let tokens = Options {
            read_token: Some(Token::from("s")),
            write_token: Some(Token::from("t")),
            ..Options::default()
        };
        let sandbox = start(Options {
            wrong_token,
            ..tokens
        })
        .await;
        let reply = list(&sandbox, 1).await;
        assert_eq!(
            (reply.status, put(&sandbox, "a", json!({})).await),
            (status, status)
        );
        assert_eq!(
            String::from_utf8_lossy(&reply.body).contains("24 hex characters"),
            status == 400
        );
    }
    let sandbox = start(Options {
        bot_id: Some("b".into()),
        customer_id: Some(CUSTOMER.into()),
        ..Options::default()
    })
    .await;
    assert_eq!(
        list(&sandbox, 1).await.json()["data"],
        json!(["botId is unknown"])
    );
    let reply = send(
        &sandbox,
        "GET",
        "/inbox/direct/chats?page=0&type=x",
        "x-bot-token: r\r\n",
        "",
    )
    .await
    .expect("an answer");
    assert_eq!(
        (reply.status, reply.json()["data"].as_array().map(Vec::len)),
        (400, Some(4))
    );
    let reply = send(&sandbox, "GET", "/inbox/direct/chats", "", "")
        .await
        .expect("an answer");
    assert_eq!(
        (reply.status, reply.json()["success"].clone()),
        (400, json!(false))
    );
}

#[tokio::test]
async fn other_routes_and_large_bodies_are_refused() {
    let sandbox = start(Options::default()).await;
    let reply = send(&sandbox, "GET", "/x", "", "")
        .await
        .expect("an answer");
    assert_eq!(
        reply.json(),
        json!({ "statusCode": 404, "message": "Cannot GET /x", "error": "Not Found" })
    );
    let reply = send(&sandbox, "HEAD", "/inbox/direct/chats", "", "")
        .await
        .expect("an answer");
    assert_eq!((reply.status, reply.body.len()), (404, 0));
    let name = "x".repeat(1 << 20);
    assert_eq!(put(&sandbox, "a", json!({ "name": name })).await, 413);
}

#[tokio::test]
async fn requests_are_logged_without_tokens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("requests.jsonl");
    let sandbox = start(Options {
        requests: Some(path.clone()),
        ..Options::default()
    })
    .await;
    let target = format!("/inbox/direct/chats?botId={BOT}&customerId={CUSTOMER}&page=1&type=lead");
    send(&sandbox, "GET", &target, "x-bot-token: s3cret\r\n", "")
        .await
        .expect("an answer");
    put(&sandbox, "a", json!({ "status": "OPEN" })).await;
    let log = sandbox.requests();
    assert_eq!(
        (log.len(), log[0].status, sandbox.peak_in_flight()),
        (2, Some(200), 1)
    );
    assert_eq!(
        (
            log[0].query["page"].as_str(),
            log[1].body.as_ref().map(|body| body["uuid"].clone())
        ),
        ("1", Some(json!("a")))
    );
    sandbox.stop().await.expect("stopped");
    let text = std::fs::read_to_string(path).expect("lines");
    assert_eq!(
        text.lines()
            .filter(|line| serde_json::from_str::<Value>(line).is_ok())
            .count(),
        2
    );
    assert!(text.contains("x-bot-token") && !text.contains("s3cret"));
}

#[tokio::test]
async fn program_edits_show_at_once() {
    let sandbox = with_leads(2, Options::default()).await;
    assert!(sandbox.edit("b", |record| record["status"] = json!("DELETED")));
    assert!(!sandbox.edit("nobody", |_| {}));
    let reply = list(&sandbox, 1).await;
    assert_eq!(reply.json()["data"][1]["status"], "DELETED");
}

//! Bodies of listings and updates: a server that says anything at all, and the client that reads it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use convertalk::api::Client;
use convertalk::apply::{Update, Writer};
use convertalk::cancel::Cancellation;
use convertalk::lead::{Field, LeadId, Value};
use convertalk::observe::TagShape;
use convertalk::observe::{ChatType, Projection, Reader};
use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::any_or_wounded;
use super::growth::monsters;
use crate::arbitrary::workspace;

const PAGE: &str = r#"{"success":true,"message":"ok","code":200,"data":[{"_id":"63d9ffa77a8d152facbe2f00","uuid":"a","status":"OPEN",
"_agentAssigned":{"_id":"631aa793bcfa100487d13d0d"},"profile":{"userDetails":{"name":"N \ud83d\ude00","tags":["x"," y "],
"attributes":[{"key":"k","value":1.50}],"contact":{"email":"a@b.c","phone":{"number":"98","prefix":"91"}}},
"notes":[{"title":"t","description":"d","_id":"5"}]},"updatedAt":"2026-02-03T04:05:06.789Z","createdAt":null}]}"#;
const FAILURE: &str =
    r#"{"success":false,"message":["m"],"code":400,"data":["botId must be 24 hex characters"]}"#;

type Answer = (u16, &'static str, Vec<u8>);

fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![8 => Just(200_u16), 3 => select(vec![201, 204, 302, 400, 401, 404, 408, 418, 429, 500, 503, 599])];
    let after = select(vec![
        "",
        "0",
        "-1",
        "x",
        "99999999999999999999999",
        "999999",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ]);
    (
        status,
        after,
        prop_oneof![3 => any_or_wounded(PAGE), 1 => any_or_wounded(FAILURE)],
    )
}

/// Gives each number its answer once, and a good and empty one from then on, so that no case has to wait for many tries.
struct Server {
    answers: Vec<Answer>,
    given: Mutex<BTreeSet<usize>>,
}

impl Server {
    fn start(answers: Vec<Answer>) -> url::Url {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Arc::new(Self {
            answers,
            given: Mutex::default(),
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = Arc::clone(&server);
                std::thread::spawn(move || drop(server.serve(stream)));
            }
        });
        format!("http://{address}").parse().expect("a URL")
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(&stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {
            let line = head.lines().last().unwrap_or_default().to_ascii_lowercase();
            length = line
                .strip_prefix("content-length:")
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(length);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let text = head + &String::from_utf8_lossy(&body);
        let number = |mark: &str| {
            text.split(mark)
                .nth(1)?
                .split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse::<usize>()
                .ok()
        };
        let number = number("page=")
            .or_else(|| number("\"uuid\":\""))
            .unwrap_or_default();
        let first = self.given.lock().expect("no panic").insert(number);
        let good = (
            200,
            "",
            br#"{"success":true,"code":200,"data":[]}"#.to_vec(),
        );
        let (status, after, body) = self.answers.get(number).filter(|_| first).unwrap_or(&good);
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("retry-after: {after}\r\n")
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\n{after}content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        (&stream).write_all(head.as_bytes())?;
        (&stream).write_all(body)
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads each answer as a page and, by another client, as the answer to an update. A decoder that panics is told in the log.
fn read_all(answers: Vec<Answer>) {
    let count = answers.len();
    let told = Told::default();
    let log = told.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || log.clone())
        .with_ansi(false)
        .finish();
    let mut api = workspace().api;
    api.concurrency = 32;
    let token = convertalk::api::ApiToken {
        secret: "t0ken-of-the-fuzzing".to_owned().into(),
        variable: "CONVERTALK_TOKEN",
    };
    let client = || {
        let endpoint = Server::start(answers.clone());
        let client = Client::new(
            &endpoint,
            &api,
            &token,
            Cancellation::default(),
            Arc::default(),
        )
        .expect("a client");
        client
            .with_write(&endpoint, &api, &token)
            .expect("a client")
    };
    let (reader, writer) = (client(), client());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (pages, updates) = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let page = |number| reader.page(ChatType::Lead, number, &Projection::All);
            let pages = join_all((0..count as u32).map(page)).await;
            let ids: Vec<LeadId> = (0..count)
                .map(|number| LeadId::new(number.to_string()))
                .collect();
            let fields = || vec![(Field::STATUS, Value::Choice(convertalk::lead::Status::Open))];
            let updates: Vec<Update<'_>> = ids
                .iter()
                .map(|id| Update {
                    id,
                    fields: fields(),
                    live: None,
                    tag_shape: TagShape::Auto,
                    adds_notes: false,
                    lost_notes: &[],
                })
                .collect();
            (
                pages,
                join_all(
                    updates.iter().map(async |update| {
                        writer.update(update, writer.permit(false).await?).await
                    }),
                )
                .await,
            )
        })
    });
    let errors = pages
        .into_iter()
        .filter_map(Result::err)
        .chain(updates.into_iter().filter_map(Result::err));
    let mut text = String::from_utf8_lossy(&told.0.lock().expect("no panic")).into_owned();
    text.extend(errors.map(|error| error.to_string() + "\n"));
    assert!(
        !text.contains("could not be decoded"),
        "a decoder panicked:\n{text}"
    );
    assert!(!text.contains("t0ken-of"), "a token shows:\n{text}");
    assert!(
        text.lines().all(|line| line.len() < 2_000),
        "words without an end:\n{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn bodies_of_listings_and_updates(answers in vec(answer(), 100)) {
        read_all(answers);
    }
}

#[test]
fn bodies_of_great_depth_and_length() {
    let framed = |body: Vec<u8>| {
        [
            br#"{"success":true,"data":[{"uuid":"a","profile":"#.to_vec(),
            body,
            b"}]}".to_vec(),
        ]
        .concat()
    };
    let closed = |open: &str, close: &str| {
        [open.repeat(9_000), close.repeat(9_000)]
            .concat()
            .into_bytes()
    };
    let mut bodies = vec![
        framed(closed("[", "]")),
        framed(closed("{\"a\":", "}")),
        framed(closed("\\ud800", "")),
    ];
    bodies.extend(
        monsters(20_000)
            .into_iter()
            .flat_map(|(_, monster)| [framed(monster.clone()), monster]),
    );
    read_all(bodies.into_iter().map(|body| (200, "", body)).collect());
}

#[test]
fn a_page_whose_records_are_of_every_shape() {
    let odd = r#"null,1,"x",[],{},{"uuid":null},{"uuid":7},{"uuid":" "},{"uuid":"\ud800"},{"uuid":"a","uuid":"b"},{"uuid":"a","profile":[]},
        {"uuid":"a","profile":{"userDetails":{"tags":{},"attributes":[[],{"key":[]},{"value":1}],"contact":[],"name":{}},"notes":{}}}"#;
    let body = format!(r#"{{"data":[{odd}]}}"#).into_bytes();
    read_all(vec![(200, "", body)]);
}

//! The stages alone, each on an inbox of 10 000 chats of which 1 000 are declared and 200 are to be changed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use convertalk::api::page_of;
use convertalk::config::{Overrides, Workspace, parse};
use convertalk::diff::diff;
use convertalk::lead::desired::Desired;
use convertalk::lead::{FieldMask, LeadId};
use convertalk::lead_file::desired_of;
use convertalk::observe::{Listing, Live, Page, Projection};
use convertalk::plan::file::{from_bytes, saved};
use convertalk::plan::{DifferencePolicy, Input, Limits, Plan, Target, make};
use convertalk::redaction::Redaction;
use convertalk::report::{self, Format};
use convertalk::sandbox::{Options, Sandbox};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

const CONFIG: &str = "version: 1
api: { endpoint: https://api.example.com, bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }
";

/// What every stage is given.
struct Given {
    workspace: Workspace,
    files: Vec<(Arc<str>, String)>,
    desired: Desired,
    bodies: Vec<Vec<u8>>,
    live: Live,
}

fn main() {
    divan::main();
}

fn given() -> &'static Given {
    static GIVEN: OnceLock<Given> = OnceLock::new();
    GIVEN.get_or_init(|| {
        let bodies = bodies();
        let workspace = parse(std::path::Path::new("."), CONFIG, &Overrides::default())
            .0
            .expect("a workspace");
        let files = vec![(Arc::from("leads/all.yaml"), file(&bodies))];
        let (desired, diagnostics) = desired_of(files.clone(), &workspace);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let all = Projection::only(desired.keys().map(|id| (id, FieldMask::ALL)));
        let pages = bodies
            .iter()
            .map(|body| page_of(body, &all).expect("a page"));
        let leads: BTreeMap<_, _> = pages
            .flat_map(|page| page.leads)
            .map(|(id, lead)| (id, Arc::new(lead)))
            .collect();
        assert_eq!(leads.len(), desired.len());
        let live = Live {
            leads,
            listing: Listing {
                complete: true,
                leads_read: 9_000,
                pages_read: 45,
            },
            ..Live::default()
        };
        Given {
            workspace,
            files,
            desired,
            bodies,
            live,
        }
    })
}

/// Pages of 200 leads, as they are sent.
fn bodies() -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        leads: 10_000,
        page_size: 200,
        ..Options::default()
    };
    let sandbox = runtime
        .block_on(Sandbox::start(options))
        .expect("a sandbox");
    let body = |page| {
        let mut stream = std::net::TcpStream::connect(sandbox.address()).expect("a server");
        let path = format!("/inbox/direct/chats?botId=b&customerId=c&type=lead&page={page}");
        write!(stream, "GET {path} HTTP/1.0\r\nx-bot-token: bench\r\n\r\n").expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let head = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        answer.split_off(head + 4)
    };
    (1..=45).map(body).collect()
}

fn file(bodies: &[Vec<u8>]) -> String {
    let mut text = "version: 1\nleads:\n".to_owned();
    let records = bodies.iter().flat_map(|body| {
        let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        body["data"].as_array().expect("records").clone()
    });
    for (number, record) in records.step_by(9).enumerate() {
        let is = record["status"].as_str().expect("a status");
        let status = if number % 5 > 0 {
            is
        } else if is == "CLOSED" {
            "OPEN"
        } else {
            "CLOSED"
        };
        let (uuid, tags) = (
            record["uuid"].as_str().expect("a uuid"),
            &record["profile"]["userDetails"]["tags"],
        );
        text += &format!(
            "  {uuid}:\n    label: Acme {number}\n    status: {status}\n    tags: {tags}\n"
        );
    }
    text
}

fn plan() -> Plan {
    let Given {
        workspace,
        desired,
        live,
        ..
    } = given();
    let limits = Limits::new(&workspace.policy, &workspace.agents);
    let target = Target {
        endpoint: "e".to_owned(),
        bot_id: "b".to_owned(),
        customer_id: "c".to_owned(),
    };
    make(Input {
        desired,
        all: desired,
        live,
        agents: &workspace.agents,
        limits: &limits,
        target,
        base: None,
        left_alone: &std::collections::BTreeSet::new(),
        whose: DifferencePolicy::default(),
        created_at: "2026-01-02T03:04:05Z".to_owned(),
    })
}

#[divan::bench]
fn load_and_validate(bencher: Bencher<'_, '_>) {
    let Given {
        workspace, files, ..
    } = given();
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let bencher = bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(|| files.clone());
    bencher.bench_values(|files| desired_of(files, workspace));
}

#[divan::bench]
fn bare_scan_of_the_yaml_library(bencher: Bencher<'_, '_>) {
    let text = &given().files[0].1;
    bencher.counter(BytesCount::of_str(text)).bench(|| {
        for event in granit_parser::Parser::new_from_str(text) {
            black_box(event.expect("YAML"));
        }
    });
}

fn decode(bencher: Bencher<'_, '_>, projection: &Projection) {
    let body = &given().bodies[7];
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| -> Page { page_of(black_box(body), projection).expect("a page") });
}

#[divan::bench]
fn decode_a_page_of_which_none_is_declared(bencher: Bencher<'_, '_>) {
    decode(
        bencher,
        &Projection::only([(&LeadId::new("none"), FieldMask::ALL)]),
    );
}

#[divan::bench]
fn decode_a_page_of_which_a_ninth_is_compared(bencher: Bencher<'_, '_>) {
    decode(
        bencher,
        &Projection::only(given().desired.keys().map(|id| (id, FieldMask::least()))),
    );
}

#[divan::bench]
fn decode_a_page_whole(bencher: Bencher<'_, '_>) {
    decode(bencher, &Projection::All);
}

#[divan::bench]
fn diff_desired_with_live(bencher: Bencher<'_, '_>) {
    let Given { desired, live, .. } = given();
    bencher
        .counter(ItemsCount::new(desired.len()))
        .bench(|| diff(desired, live));
}

#[divan::bench]
fn make_a_plan(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(given().desired.len()))
        .bench(plan);
}

#[divan::bench(args = [Format::Text, Format::Json])]
fn report_a_plan(bencher: Bencher<'_, '_>, format: &Format) {
    let plan = plan();
    bencher
        .counter(ItemsCount::new(plan.changes.len()))
        .bench(|| report::plan(&plan, *format, report::Audience::default()));
}

#[divan::bench]
fn save_a_plan(bencher: Bencher<'_, '_>) {
    let plan = plan();
    bencher
        .counter(ItemsCount::new(plan.changes.len()))
        .bench(|| saved(&plan, Redaction::Full, None));
}

#[divan::bench]
fn read_a_saved_plan(bencher: Bencher<'_, '_>) {
    let bytes = saved(&plan(), Redaction::Full, None).expect("bytes");
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| from_bytes(&bytes));
}

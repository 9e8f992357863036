//! Leads that somebody is at while a run goes on, through the library.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use convertalk::api::Client;
use convertalk::apply::journal::Journal;
use convertalk::apply::platform::Knowledge;
use convertalk::apply::{self, Context, Outcome, RunOptions};
use convertalk::cancel::Cancellation;
use convertalk::config::Overrides;
use convertalk::diff::changes;
use convertalk::lead::{
    DesiredField, DesiredLead, DesiredValue, Field, FieldMask, LeadId, Place, Status,
};
use convertalk::observe::{ListingHints, TagShape, observe};
use convertalk::plan::{Action, Change, Class, Fields, Source};
use convertalk::redaction::Redaction;
use convertalk::sandbox::{self, Sandbox};
use tokio::time::Instant;

use crate::world::{record, uuid};

fn closed() -> DesiredLead {
    let fields = vec![DesiredField {
        field: Field::STATUS,
        value: DesiredValue::Choice(Status::Closed),
        line: 1,
    }];
    DesiredLead {
        place: Place {
            file: "leads/a.yaml".into(),
            line: 1,
        },
        label: None,
        hold: None,
        create: false,
        fields,
    }
}

/// A reading that has become too old while somebody was asked, and one that has not.
#[tokio::test]
async fn a_lead_that_moves_while_others_are_written_is_left_alone() {
    run_after(Duration::from_secs(2), false).await;
}

#[tokio::test]
async fn each_lead_is_read_after_a_consent_however_soon_it_was() {
    run_after(Duration::ZERO, true).await;
}

async fn run_after(pause: Duration, is_asked: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = folder.path().join("seed.json");
    let live: Vec<_> = (1..=60)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    std::fs::write(&seed, serde_json::to_vec(&live).expect("JSON")).expect("a seed");
    let options = sandbox::Options {
        listen: ([127, 0, 0, 1], 0).into(),
        seed: Some(seed),
        log: true,
        ..sandbox::Options::default()
    };
    let sandbox = Sandbox::start(options).await.expect("a sandbox");

    let config = format!(
        "version: 1\napi: {{ endpoint: \"{}\", bot_id: {}, customer_id: {}, concurrency: 1 }}\n",
        sandbox.url(),
        crate::world::BOT,
        crate::world::CUSTOMER
    );
    let (workspace, _) = convertalk::config::parse(folder.path(), &config, &Overrides::default());
    let api = workspace.expect("a workspace").api;
    let endpoint = sandbox.url().parse().expect("an address");
    let token = convertalk::api::ApiToken {
        secret: "any".to_owned().into(),
        variable: "CONVERTALK_TOKEN",
    };
    let stop = Cancellation::default();
    let client = Client::new(&endpoint, &api, &token, stop.clone(), Arc::default())
        .expect("a client")
        .with_write(&endpoint, &api, &token)
        .expect("a client");

    let ids: BTreeSet<LeadId> = (1..=60).map(|number| LeadId::new(uuid(number))).collect();
    let live = observe(&client, &ids, false, &ListingHints::default())
        .await
        .expect("a listing");
    let change = |id: &LeadId| -> Change {
        let fields = Fields(changes(&closed().fields, &live.leads[id].lead));
        let source = Source {
            file: "leads/a.yaml".to_owned(),
            line: 1,
        };
        Change {
            uuid: id.clone(),
            label: None,
            action: Action::Update,
            class: Class::Change,
            source,
            fields,
            unwritten: Fields::default(),
            taken: None,
        }
    };
    let journal = Journal::open(&folder.path().join("run.jsonl")).expect("a run file");
    // Somebody edits a lead while the plan is looked at.
    sandbox.edit(&uuid(58), |record| record["status"] = "REVIEW".into());
    tokio::time::sleep(pause).await;
    let options = RunOptions {
        canary: 1,
        max_failures: 9,
        verify: true,
        patience: Duration::from_secs(5),
        deadline: None,
        consented: is_asked.then(Instant::now),
        names: Redaction::Initials,
        tag_shape: TagShape::Array,
        side_effects: FieldMask::default(),
        adds_notes: false,
        known: Knowledge::default(),
    };
    // Somebody edits the last two leads as soon as the first write is answered.
    let busy = |_| {
        sandbox.edit(&uuid(59), |record| record["status"] = "REVIEW".into());
        sandbox.edit(&uuid(60), |record| record["status"] = "CLOSED".into());
    };
    let context = Context {
        writer: &client,
        journal: &journal,
        options: &options,
        stop: &stop,
        progress: &busy,
        learned: &|_| {},
    };
    let changes: Vec<Change> = ids.iter().map(change).collect();
    let report = apply::run(&context, &changes, &live).await;
    let outcome = |number| report.outcomes[uuid(number).as_str()].0;
    assert_eq!(
        [1, 58, 59, 60].map(outcome),
        [
            Outcome::Verified,
            Outcome::Stale,
            Outcome::Stale,
            Outcome::Already
        ]
    );
    assert_eq!(
        (report.count(Outcome::Verified), report.outcomes.len()),
        (57, 60)
    );
    for edited in [58, 59] {
        assert_eq!(sandbox.records()[&uuid(edited)]["status"], "REVIEW");
    }
}

//! Runs against a platform in memory, on a paused clock.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use super::*;
use crate::apply::{Update, WriteCertainty};
use crate::cancel::Cancellation;
use crate::lead::{DesiredField, DesiredValue, Field, Lead, Status, Value};
use crate::observe::{ChatType, Echo, Leads, Observed, Page, Projection, Reader};
use crate::plan::{Action, Class, Fields, Source};

/// Leads per page; each request takes the same time.
struct Platform {
    leads: Mutex<Leads>,
    answers_in: Duration,
}

impl Reader for Platform {
    type Error = Infallible;

    async fn page(&self, list: ChatType, number: u32, _: &Projection) -> Result<Page, Infallible> {
        tokio::time::sleep(self.answers_in).await;
        if (list, number) != (ChatType::Lead, 1) {
            return Ok(Page {
                is_end: true,
                ..Page::default()
            });
        }
        let leads = self.leads.lock().expect("no panic");
        Ok(Page {
            leads: leads
                .iter()
                .map(|(id, lead)| (id.clone(), Observed::clone(lead)))
                .collect(),
            ..Page::default()
        })
    }

    fn writes(&self) -> bool {
        true
    }

    fn width(&self) -> usize {
        2
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn page_cap(&self) -> u32 {
        10
    }
}

impl Writer for Platform {
    type Permit<'a> = ();

    fn interval(&self) -> Duration {
        Duration::ZERO
    }

    async fn prepay(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn permit(&self, _: bool) -> Result<(), Infallible> {
        Ok(())
    }

    fn retries(error: &Infallible) -> usize {
        match *error {}
    }

    fn retry_after(error: &Infallible) -> Option<Duration> {
        match *error {}
    }

    async fn update(&self, update: &Update<'_>, (): ()) -> Result<(), Infallible> {
        tokio::time::sleep(self.answers_in).await;
        let mut leads = self.leads.lock().expect("no panic");
        let lead = &mut Arc::make_mut(leads.get_mut(update.id).expect("a lead")).lead;
        lead.set(Field::STATUS, Value::Choice(Status::Closed));
        Ok(())
    }

    fn is_fatal(error: &Infallible) -> bool {
        match *error {}
    }

    fn certainty(error: &Infallible) -> WriteCertainty {
        match *error {}
    }

    fn hint(error: &Infallible) -> Option<Cow<'static, str>> {
        match *error {}
    }
}

fn open_lead() -> Arc<Observed> {
    Arc::new(Observed {
        lead: Lead::new([(Field::STATUS, Value::Choice(Status::Open))]),
        unmanaged: Vec::new(),
        echo: Echo::default(),
        tag_shape: None,
        updated: 0,
        activity: 0,
        seen: None,
        reading: None,
    })
}

/// Closes an open lead.
fn change(id: &LeadId) -> Change {
    let desired = DesiredField {
        field: Field::STATUS,
        value: DesiredValue::Choice(Status::Closed),
        line: 1,
    };
    Change {
        uuid: id.clone(),
        label: None,
        action: Action::Update,
        class: Class::Change,
        source: Source {
            file: "leads/a.yaml".to_owned(),
            line: 1,
        },
        fields: Fields(crate::diff::changes(&[desired], &open_lead().lead)),
        unwritten: Fields::default(),
        taken: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_leaves_time_to_read_back() {
    let ids: Vec<LeadId> = (0..200).map(|id| LeadId::new(id.to_string())).collect();
    let platform = Platform {
        leads: Mutex::new(ids.iter().map(|id| (id.clone(), open_lead())).collect()),
        answers_in: Duration::from_millis(100),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(&folder.path().join("run.jsonl")).expect("a run file");
    // All writes would take ten seconds.
    let end = Instant::now() + Duration::from_secs(5);
    let stop = Cancellation::at(Some(end)).with_last_write(Some(end - Duration::from_secs(1)));
    let options = RunOptions {
        canary: 1,
        max_failures: 1,
        verify: true,
        patience: Duration::from_secs(15),
        deadline: Some(end),
        names: Redaction::Full,
        tag_shape: TagShape::Auto,
        side_effects: FieldMask::default(),
        known: Knowledge::default(),
    };
    let changes: Vec<Change> = ids.iter().map(change).collect();
    let live = Live {
        leads: ids.iter().map(|id| (id.clone(), open_lead())).collect(),
        ..Live::default()
    };
    let context = Context {
        writer: &platform,
        journal: &journal,
        options: &options,
        stop: &stop,
        progress: &|_| {},
        learned: &|_| {},
    };
    let report = run(&context, &changes, &live).await;
    assert!(Instant::now() <= end, "{:?} late", Instant::now() - end);
    assert_eq!(report.stopped, Some(Reason::Deadline));
    let (verified, untried) = (
        report.count(Outcome::Verified),
        report.count(Outcome::Untried),
    );
    assert_eq!(verified + untried, 200);
    assert!(verified > 50, "{verified}");
}

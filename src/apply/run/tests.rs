//! Runs against a platform in memory, on a paused clock.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use super::*;
use crate::apply::platform::LearnedEffect;
use crate::apply::{Update, WriteCertainty};
use crate::cancel::Cancellation;
use crate::lead::{AgentId, DesiredField, DesiredValue, Field, Lead, Status, Value};
use crate::observe::{ChatType, Leads, Observed, Page, Projection, Reader, Seen};
use crate::plan::{Action, Class, Fields, Source};

/// All leads are on one page; each request takes the same time.
struct Platform {
    leads: Mutex<Leads>,
    answers_in: Duration,
    /// The status that a lead shows after an agent was assigned to it, if not the one that was sent.
    once_assigned: fn(&LeadId) -> Option<Status>,
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
        for (field, value) in &update.fields {
            lead.set(field.clone(), value.clone());
            if *field == Field::AGENT
                && let Some(status) = (self.once_assigned)(update.id)
            {
                lead.set(Field::STATUS, Value::Choice(status));
            }
        }
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
        seen: Some(Seen {
            list: ChatType::Lead,
            page: 1,
        }),
        ..Observed::default()
    })
}

/// What makes an open lead say this.
fn change(id: &LeadId, desired: impl IntoIterator<Item = (Field, DesiredValue)>) -> Change {
    let desired = desired.into_iter();
    let desired = desired.map(|(field, value)| DesiredField {
        field,
        value,
        line: 1,
    });
    let desired: Vec<DesiredField> = desired.collect();
    Change {
        uuid: id.clone(),
        label: None,
        action: Action::Update,
        class: Class::Change,
        source: Source {
            file: "leads/a.yaml".to_owned(),
            line: 1,
        },
        fields: Fields(crate::diff::changes(&desired, &open_lead().lead)),
        unwritten: Fields::default(),
        taken: None,
    }
}

fn options(end: Option<Instant>) -> RunOptions {
    RunOptions {
        canary: 1,
        max_failures: 1,
        verify: true,
        patience: Duration::from_secs(15),
        deadline: end,
        consented: None,
        names: Redaction::Full,
        tag_shape: TagShape::Auto,
        side_effects: FieldMask::covering([&Field::STATUS]),
        adds_notes: false,
        known: Knowledge::default(),
    }
}

/// Makes these changes on a platform whose leads are open.
async fn run_on(
    platform: &Platform,
    options: &RunOptions,
    stop: &Cancellation,
    changes: &[Change],
) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(&folder.path().join("run.jsonl")).expect("a run file");
    let live = Live {
        leads: platform.leads.lock().expect("no panic").clone(),
        ..Live::default()
    };
    let context = Context {
        writer: platform,
        journal: &journal,
        options,
        stop,
        progress: &|_| {},
        learned: &|_| {},
    };
    run(&context, changes, &live).await
}

fn platform(ids: &[LeadId], once_assigned: fn(&LeadId) -> Option<Status>) -> Platform {
    Platform {
        leads: Mutex::new(ids.iter().map(|id| (id.clone(), open_lead())).collect()),
        answers_in: Duration::from_millis(100),
        once_assigned,
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_leaves_time_to_read_back() {
    let ids: Vec<LeadId> = (0..200).map(|id| LeadId::new(id.to_string())).collect();
    let platform = platform(&ids, |_| None);
    // All writes would take ten seconds.
    let end = Instant::now() + Duration::from_secs(5);
    let stop = Cancellation::at(Some(end)).with_last_write(Some(end - Duration::from_secs(1)));
    let close = |id| change(id, [(Field::STATUS, DesiredValue::Choice(Status::Closed))]);
    let changes: Vec<Change> = ids.iter().map(close).collect();
    let report = run_on(&platform, &options(Some(end)), &stop, &changes).await;
    assert!(Instant::now() <= end, "{:?} late", Instant::now() - end);
    assert_eq!(report.stopped, Some(Reason::Deadline));
    let (verified, untried) = (
        report.count(Outcome::Verified),
        report.count(Outcome::Untried),
    );
    assert_eq!(verified + untried, 200);
    assert!(verified > 50, "{verified}");
}

/// Assigns leads that are to be in review, and returns the statuses that they show in the end.
async fn assign(leads: usize, once_assigned: fn(&LeadId) -> Option<Status>) -> Vec<Status> {
    assign_knowing(Knowledge::default(), leads, once_assigned).await
}

async fn assign_knowing(
    known: Knowledge,
    leads: usize,
    once_assigned: fn(&LeadId) -> Option<Status>,
) -> Vec<Status> {
    let ids: Vec<LeadId> = (0..leads)
        .map(|id| LeadId::new(format!("{id:02}")))
        .collect();
    let platform = platform(&ids, once_assigned);
    let agent = AgentId::parse("631aa793bcfa100487d13d0d");
    let assign = |id| {
        change(
            id,
            [
                (Field::STATUS, DesiredValue::Choice(Status::Review)),
                (Field::AGENT, DesiredValue::Reference(agent.clone())),
            ],
        )
    };
    let changes: Vec<Change> = ids.iter().map(assign).collect();
    let options = RunOptions {
        known,
        ..options(None)
    };
    run_on(&platform, &options, &Cancellation::default(), &changes).await;
    let leads = platform.leads.into_inner().expect("no panic");
    let statuses = leads.values().map(|lead| lead.lead.status().cloned());
    statuses.map(|status| status.expect("a status")).collect()
}

#[tokio::test(start_paused = true)]
async fn what_people_do_beside_a_side_effect_is_theirs() {
    let is_edited = |at: usize| [1, 2, 9].contains(&at);
    // The platform opens each lead with its agent; two people set some of them aside at once.
    let statuses = assign(12, |id| match id.as_str() {
        "01" | "09" => Some(Status::OnHold),
        "02" => Some(Status::Closed),
        _ => Some(Status::InProgress),
    })
    .await;
    for (at, status) in statuses.into_iter().enumerate() {
        assert_eq!(status != Status::Review, is_edited(at), "{at}: {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_people_do_beside_a_side_effect_on_some_leads_is_theirs() {
    // The platform opens some of the leads with their agents, and leaves most alone.
    let statuses = assign(20, |id| match id.as_str() {
        "00" | "01" | "02" | "03" | "04" | "05" | "06" | "07" => Some(Status::InProgress),
        "08" => Some(Status::OnHold),
        _ => None,
    })
    .await;
    for (at, status) in statuses.into_iter().enumerate() {
        assert_eq!(status == Status::OnHold, at == 8, "{at}: {status}");
        assert_eq!(status == Status::Review, at != 8, "{at}: {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_changed_its_ways_is_believed_after_a_few_leads() {
    let known = Knowledge {
        side_effects: vec![LearnedEffect {
            with: ["agent".to_owned()].into(),
            field: "status".to_owned(),
            shown: Some("INPROGRESS".to_owned()),
            leads: 1_000,
            without: 0,
        }],
        ..Knowledge::default()
    };
    let statuses = assign_knowing(known, 12, |_| Some(Status::OnHold)).await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(Status::OnHold), count(Status::Review)), (3, 9));
}

//! One attempt to write a lead: its lines in the run file, the request, and how it failed if it did.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;

use crate::apply::journal::{Line, now};
use crate::apply::precheck::Task;
use crate::apply::queue::{Pending, Ready};
use crate::apply::reading;
use crate::apply::run::Context;
use crate::apply::{Update, WriteCertainty, Writer};
use crate::cancel::Reason;
use crate::plan::Change;

/// Why a write is not known to be done.
#[derive(Debug, Clone)]
pub(in crate::apply) struct Failed {
    pub(in crate::apply) words: String,
    /// For all writes of the lead: if one may have been done, the result is uncertain.
    pub(in crate::apply) certainty: WriteCertainty,
    /// Why nothing more may be sent, if so.
    pub(in crate::apply) stops: Option<Reason>,
    pub(in crate::apply) hint: Option<Cow<'static, str>>,
}

impl Failed {
    /// After another write of the lead.
    pub(in crate::apply) fn then(self, later: Self) -> Self {
        match (self.certainty, later.certainty) {
            (_, WriteCertainty::NotSent) => self,
            (WriteCertainty::Indeterminate, WriteCertainty::Rejected) => Self {
                certainty: WriteCertainty::Indeterminate,
                ..later
            },
            (
                WriteCertainty::Indeterminate | WriteCertainty::NotSent | WriteCertainty::Rejected,
                WriteCertainty::Indeterminate | WriteCertainty::Rejected,
            ) => later,
        }
    }
}

/// A write that was sent, or should have been.
pub(super) struct Attempt<'a> {
    pub(super) pending: Pending<'a>,
    pub(super) task: Task,
    /// The age of its reading; `None` if it was not sent.
    pub(super) age: Option<Duration>,
    pub(super) failed: Option<Failed>,
    pub(super) retry: Retry,
}

/// Whether and when it may be repeated.
#[derive(Default)]
pub(super) struct Retry {
    pub(super) times: usize,
    pub(super) pause: Option<Duration>,
}

/// Sends one write, between its two lines in the run file. It is not sent where the first line cannot be written.
pub(super) async fn write_one<'a, 'w, W: Writer>(
    context: &Context<'w, W>,
    adds_notes: bool,
    ready: Ready<'a>,
    permit: W::Permit<'w>,
) -> Attempt<'a> {
    let Context {
        writer,
        journal,
        options,
        ..
    } = *context;
    let Ready {
        pending,
        task,
        reading,
    } = ready;
    let Change {
        uuid,
        action,
        fields,
        ..
    } = &task.change;
    let turn = pending.gap.map(|gap| reading::turn(reading, gap));
    if let Some(turn) = turn {
        tokio::select! {
            () = tokio::time::sleep_until(turn) => {}
            () = context.stop.until_interrupted() => {}
        }
    }
    if context.stop.reason().is_some() {
        return not_sent(pending, task, "not sent", None);
    }
    let line = Line::Write {
        uuid: uuid.clone(),
        at: now(),
        action: *action,
        again: pending.is_again,
        fields: crate::plan::file::redact_change(&task.change, options.names).fields,
    };
    if let Err(error) = journal.line(&line) {
        let words = format!("not sent, because the run file cannot be written: {error}");
        return not_sent(pending, task, &words, Some(Reason::Journal));
    }
    let update = Update {
        id: uuid,
        fields: fields
            .iter()
            .map(|change| (change.field.clone(), change.after.clone()))
            .collect(),
        live: task.live.as_deref(),
        tag_shape: options.tag_shape,
        adds_notes,
        lost_notes: &pending.lost_notes,
    };
    let age = Some(reading::age(reading, Instant::now()));
    let sent = writer.update(&update, permit).await;
    let retry = sent
        .as_ref()
        .err()
        .map_or_else(Retry::default, |error| Retry {
            times: W::retries(error),
            pause: W::retry_after(error),
        });
    let mut failed = sent.err().map(|error| Failed {
        words: options.names.message(
            &error.to_string(),
            &update.fields,
            update.live.map(|live| &live.lead),
        ),
        certainty: W::certainty(&error),
        stops: W::is_fatal(&error).then_some(Reason::Fatal),
        hint: W::hint(&error),
    });
    let line = Line::Answer {
        uuid: uuid.clone(),
        at: now(),
        error: failed.as_ref().map(|failed| failed.words.clone()),
    };
    if let Err(error) = journal.line(&line) {
        let failed = failed.get_or_insert_with(|| Failed {
            words: format!("written, but the run file cannot be written: {error}"),
            certainty: WriteCertainty::Indeterminate,
            stops: None,
            hint: None,
        });
        failed.stops = Some(Reason::Journal);
    }
    Attempt {
        pending,
        task,
        age,
        failed,
        retry,
    }
}

/// The attempt of a write that is not sent. Where its line cannot be written, no other can be sent either.
fn not_sent<'a>(
    pending: Pending<'a>,
    task: Task,
    words: &str,
    stops: Option<Reason>,
) -> Attempt<'a> {
    Attempt {
        pending,
        task,
        age: None,
        failed: Some(Failed {
            words: words.to_owned(),
            certainty: WriteCertainty::NotSent,
            stops,
            hint: None,
        }),
        retry: Retry::default(),
    }
}

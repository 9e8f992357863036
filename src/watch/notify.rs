//! `--notify`: one POST of the status document when the condition changes, and when all is well again.
//!
//! The condition of a loop is its result (where ok and changed are one), the counts of the states but `in_sync` and `intended`, the refusals, and
//! the code of the error. A loop of which nothing was ever sent counts as well: its first good pass is no news. What was last sent is kept in
//! `.convertalk/watch.json`, so that a restart sends nothing again.
//!
//! Sending is a task of its own beside the loop: a receiver that is slow, or away, holds up no pass. It is tried again with growing pauses
//! until it accepts, each time with the newest status; a condition that came and went meanwhile is not sent.

use std::sync::Arc;
use std::time::Duration;

use super::WatchHandle;
use super::memory::MemoryFile;
use super::status::{PassResult, WatchStatus};
use crate::api::{Webhook, WebhookError};
use crate::plan::Refusal;

/// The first pause after a failed attempt; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What a notification is about: two statuses of the same condition are no news.
#[derive(Debug, PartialEq, Eq)]
struct Condition<'s> {
    result: PassResult,
    /// Drift, conflict, missing, held and fighting.
    counts: [usize; 5],
    refusals: &'s [Refusal],
    error: Option<&'s str>,
}

/// All is well.
const WELL: Condition<'_> = Condition {
    result: PassResult::Ok,
    counts: [0; 5],
    refusals: &[],
    error: None,
};

impl<'s> Condition<'s> {
    /// The condition of a status; `None` before the first pass.
    fn new(status: &'s WatchStatus) -> Option<Self> {
        let result = match status.result? {
            PassResult::Ok | PassResult::Changed => PassResult::Ok,
            other => other,
        };
        let states = &status.states;
        Some(Self {
            result,
            counts: [
                states.drift,
                states.conflict,
                states.missing,
                states.held,
                states.fighting,
            ],
            refusals: &status.refusals,
            error: status.error.as_ref().map(|error| error.code.as_str()),
        })
    }
}

/// Whether a status says something else than the one that was last sent.
fn is_news(status: &WatchStatus, sent: Option<&WatchStatus>) -> bool {
    let Some(now) = Condition::new(status) else {
        return false;
    };
    now != sent.and_then(Condition::new).unwrap_or(WELL)
}

/// Sends notifications until the future is dropped. `warn` is called for an attempt that failed, and for a file that cannot be written.
pub async fn notify(
    handle: Arc<WatchHandle>,
    webhook: Webhook,
    memory: Arc<MemoryFile>,
    warn: impl Fn(String) + Send,
) {
    let mut statuses = handle.statuses();
    let mut pause = FIRST_PAUSE;
    loop {
        let status = Arc::clone(&statuses.borrow_and_update());
        if !is_news(&status, memory.read().notified.as_ref()) {
            pause = FIRST_PAUSE;
            if statuses.changed().await.is_err() {
                return;
            }
            continue;
        }
        match send(&webhook, &status).await {
            Ok(()) => {
                pause = FIRST_PAUSE;
                let kept = memory.update(|memory| memory.notified = Some((*status).clone()));
                if let Err(error) = kept {
                    warn(format!(
                        "the notification was sent, but recording it failed: {error}"
                    ));
                }
            }
            Err(error) => {
                let seconds = pause.as_secs();
                warn(format!(
                    "notification failed: {error}; retrying in {seconds} s"
                ));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Sends the notification of a single pass, if it has news, and tries `attempts` times.
///
/// # Errors
/// It was not accepted.
pub async fn notify_once(
    status: &WatchStatus,
    webhook: &Webhook,
    memory: &MemoryFile,
    attempts: u32,
) -> Result<(), WebhookError> {
    if !is_news(status, memory.read().notified.as_ref()) {
        return Ok(());
    }
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        match send(webhook, status).await {
            Ok(()) => break,
            Err(error) if attempt >= attempts => return Err(error),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
    // What could not be noted is sent again by the next run, which is better than an error of a run that did its work.
    let _sent_again = memory.update(|memory| memory.notified = Some(status.clone()));
    Ok(())
}

async fn send(webhook: &Webhook, status: &WatchStatus) -> Result<(), WebhookError> {
    let document = crate::json::line(status);
    let document = document.map_err(|error| WebhookError::Setup(error.to_string()))?;
    webhook.post(document).await
}

#[cfg(test)]
mod tests;

//! Cancellation: set once by a signal, a deadline or a failure, and checked before each write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Why no further write is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// `--deadline` is near.
    Deadline,
    /// The maximum number of writes failed.
    Failures,
    /// Every further request would fail, for example because of a wrong token.
    Fatal,
    /// The run file cannot be written.
    Journal,
    /// A lead that was written before the others was not verified.
    Canary,
    /// A write emptied a field that it left out.
    Emptied,
}

/// Why waiting ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The user asked to stop.
    Interrupted,
    /// The deadline set at the start has passed.
    Ended,
}

/// A cancellation that many tasks share. The first reason is kept.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    shared: Arc<Shared>,
    last_write: Option<Instant>,
    end: Option<Instant>,
}

#[derive(Debug, Default)]
struct Shared {
    reason: AtomicU8,
    changed: Notify,
}

impl Cancellation {
    /// A cancellation that ends all waiting at `end`.
    pub fn at(end: Option<Instant>) -> Self {
        Self {
            end,
            ..Self::default()
        }
    }

    /// The same cancellation, but no write is started after `last_write`.
    pub fn with_last_write(mut self, last_write: Option<Instant>) -> Self {
        self.last_write = last_write;
        self
    }

    /// The time after which no write is started.
    pub fn last_write(&self) -> Option<Instant> {
        self.last_write
    }

    /// The deadline set at the start.
    pub fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Cancels. An interrupt by the user takes precedence over other reasons.
    pub fn ask(&self, reason: Reason) {
        let code = reason as u8 + 1;
        if reason == Reason::Interrupted {
            self.shared.reason.store(code, Ordering::SeqCst);
            self.shared.changed.notify_waiters();
        } else {
            let _first_stays =
                self.shared
                    .reason
                    .compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// The reason to stop, if there is one.
    pub fn reason(&self) -> Option<Reason> {
        if self
            .last_write
            .is_some_and(|last_write| Instant::now() >= last_write)
        {
            self.ask(Reason::Deadline);
        }
        Some(match self.shared.reason.load(Ordering::SeqCst) {
            0 => return None,
            1 => Reason::Interrupted,
            2 => Reason::Deadline,
            3 => Reason::Failures,
            4 => Reason::Fatal,
            5 => Reason::Journal,
            6 => Reason::Canary,
            _ => Reason::Emptied,
        })
    }

    /// Whether the user asked to stop.
    pub fn interrupted(&self) -> bool {
        self.shared.reason.load(Ordering::SeqCst) == Reason::Interrupted as u8 + 1
    }

    /// Completes when the user asks to stop.
    pub async fn until_interrupted(&self) {
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            if self.interrupted() {
                return;
            }
            changed.await;
        }
    }

    /// Completes at the deadline; never if there is none.
    pub async fn until_ended(&self) {
        match self.end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Completes when waiting has to end.
    pub async fn until_over(&self) -> CancelReason {
        tokio::select! {
            biased;
            () = self.until_interrupted() => CancelReason::Interrupted,
            () = self.until_ended() => CancelReason::Ended,
        }
    }
}

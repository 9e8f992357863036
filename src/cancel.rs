//! The wish to stop: said once by a signal, a deadline or a failure, heard before each write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Why no further write is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// `--deadline` is near.
    Deadline,
    /// As many writes failed as may.
    Failures,
    /// Every further request would fail: a wrong token, say.
    Fatal,
    /// The run file cannot be written.
    Journal,
}

/// Why nothing is waited for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// A person asked to stop.
    Interrupted,
    /// The end is there that was set from the beginning.
    Ended,
}

/// A wish to stop that many hold. The first reason stays.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    shared: Arc<Shared>,
    last_write: Option<Instant>,
    end: Option<Instant>,
}

#[derive(Debug, Default)]
struct Shared {
    reason: AtomicU8,
    told: Notify,
}

impl Cancellation {
    /// Nothing is waited for past `end`.
    pub fn at(end: Option<Instant>) -> Self {
        Self {
            end,
            ..Self::default()
        }
    }

    /// The same wish, but that no write is begun after `last_write`.
    pub fn with_last_write(mut self, last_write: Option<Instant>) -> Self {
        self.last_write = last_write;
        self
    }

    /// The end that was set from the beginning.
    pub fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Asks to stop. A person's wish stands before any other reason.
    pub fn ask(&self, reason: Reason) {
        let code = reason as u8 + 1;
        if reason == Reason::Interrupted {
            self.shared.reason.store(code, Ordering::SeqCst);
            self.shared.told.notify_waiters();
        } else {
            let _first_stays =
                self.shared
                    .reason
                    .compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// Whether to stop, and why.
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
            _ => Reason::Journal,
        })
    }

    /// Whether a person asked.
    pub fn interrupted(&self) -> bool {
        self.shared.reason.load(Ordering::SeqCst) == Reason::Interrupted as u8 + 1
    }

    /// Returns once a person asked.
    pub async fn until_interrupted(&self) {
        loop {
            let mut told = std::pin::pin!(self.shared.told.notified());
            told.as_mut().enable();
            if self.interrupted() {
                return;
            }
            told.await;
        }
    }

    /// Returns once the end is there; never, where there is none.
    pub async fn until_ended(&self) {
        match self.end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Returns once nothing is to be waited for any more.
    pub async fn until_over(&self) -> CancelReason {
        tokio::select! {
            biased;
            () = self.until_interrupted() => CancelReason::Interrupted,
            () = self.until_ended() => CancelReason::Ended,
        }
    }
}

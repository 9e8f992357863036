//! The embedded API: a small HTTP server for the lead API as published in api.md, with its records in memory and in a file.
//!
//! Used for `endpoint: sandbox`, for `convertalk sandbox`, and by the tests. It implements api.md independently and shares nothing with
//! [`lead`](crate::lead), lead files or the client, so that each test compares two readings. Every doubt in api.md, and
//! every fault, is a switch of [`Options`].

mod access;
mod choices;
mod fault;
mod file;
mod gate;
mod generate;
mod habits;
mod http;
mod inbox;
mod kept;
mod log;
mod odd;
mod options;
mod order;
mod put;
mod random;
mod record;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use governor::{Quota, RateLimiter};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use choices::{
    AgentKey, Attributes, ChatKind, ListEnd, Normalise, Notes, Put, SideEffect, SignedBy, Sort,
    Tags, TagsShown, Unassign, Unknown, WrongToken,
};
pub use fault::{Fault, FaultError, FaultKind, FaultSide, When};
pub use file::{FileError, schema as seed_schema};
pub use log::{AgentEdit, LoggedRequest};
pub use options::{NamedHeader, Options, Token};

use generate::Generator;
use http::Server;
use inbox::Inbox;
use store::Store;

/// The newest date of seeded records without dates: 2025-07-01.
const NEWEST: i64 = 1_751_328_000_000;
/// Changes within this time are saved together.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// How long open requests may take to finish when the sandbox stops.
const GRACE: Duration = Duration::from_secs(1);

/// A sandbox that cannot start or cannot save its files.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is in use, or does not belong to this machine.
    #[error("cannot listen at {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// A seed or a state cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The log of requests cannot be written.
    #[error("cannot write {}", .0.display())]
    Requests(PathBuf, #[source] io::Error),
}

impl SandboxError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::File(FileError::Version(_, version)) if version.is_newer() => {
                Some("use a newer version of convertalk")
            }
            Self::File(FileError::Version(..)) => {
                Some("give another seed, or delete the state to start from the seed again")
            }
            Self::File(FileError::Shape(..)) => Some(
                "a seed has `lead` and `non-lead`, a list of records each; a uuid that looks like a number is in quotes: see `convertalk schema seed`",
            ),
            Self::File(_) | Self::Listen(..) | Self::Requests(..) => None,
        }
    }
}

/// A running sandbox. Dropping it stops it, too, but without a last save.
#[derive(Debug)]
pub struct Sandbox {
    server: Arc<Server>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<io::Result<()>>,
    saving: JoinHandle<Result<(), FileError>>,
}

impl Sandbox {
    /// Loads the data, binds the address, and serves in tasks of the current tokio runtime.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let listening = |error| SandboxError::Listen(options.listen, error);
        let listener = std::net::TcpListener::bind(options.listen).map_err(listening)?;
        Self::start_on(listener, options)
    }

    /// The same on a socket that listens already: one that several hold stays open from one sandbox to the next.
    pub fn start_on(
        listener: std::net::TcpListener,
        options: Options,
    ) -> Result<Self, SandboxError> {
        let listening = |error| SandboxError::Listen(options.listen, error);
        let address = listener.local_addr().map_err(listening)?;
        listener.set_nonblocking(true).map_err(listening)?;
        let listener = TcpListener::from_std(listener).map_err(listening)?;
        let options = Arc::new(options);
        let (store, generator) = load(&options)?;
        let requests = options.requests.as_ref().map(|path| {
            let file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path);
            file.map_err(|error| SandboxError::Requests(path.clone(), error))
        });
        let log = Arc::new(log::Log::new(options.log, requests.transpose()?));
        let (stop, stopping) = watch::channel(false);
        let faults = fault::Faults::new(
            &options.faults,
            random::Random::new(options.random_seed, 0xfa17),
        );
        let server = Arc::new(Server {
            inbox: Mutex::new(Inbox::new(
                Arc::clone(&options),
                Arc::clone(&generator),
                store,
            )),
            kept: Mutex::new(kept::Kept::new(options.keep_pages.saturating_mul(1 << 20))),
            faults: Mutex::new(faults),
            rate: options
                .rate
                .map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            changed: Notify::new(),
            stopping: stopping.clone(),
            is_loopback: crate::loopback::is_loopback(address),
            options,
            generator,
            log,
        });
        let router = Router::new()
            .fallback(http::answer)
            .with_state(Arc::clone(&server));
        let service = router.into_make_service_with_connect_info::<gate::Wire>();
        let mut ending = stopping.clone();
        let until = async move { stopped(&mut ending).await };
        let serving = tokio::spawn(async {
            axum::serve(gate::Gate(listener), service)
                .with_graceful_shutdown(until)
                .await
        });
        if !server.options.edits.is_zero() {
            tokio::spawn(keep_editing(Arc::clone(&server), stopping.clone()));
        }
        let saving = tokio::spawn(keep_saving(Arc::clone(&server), stopping));
        Ok(Self {
            server,
            address,
            stop,
            serving,
            saving,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS`, without a `/` at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in the order of arrival. Empty unless [`Options::log`] is set.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.server.log.entries).clone()
    }

    /// All edits by simulated agents, in order. Empty unless [`Options::edits`] is set.
    pub fn edits(&self) -> Vec<AgentEdit> {
        lock(&self.server.log.edits).clone()
    }

    /// The highest number of requests that were open at the same time.
    pub fn peak_in_flight(&self) -> usize {
        self.server.log.peak.load(Ordering::SeqCst)
    }

    /// All records by uuid (or by `_id` if they have none), including writes that listings do not show yet.
    pub fn records(&self) -> BTreeMap<String, Value> {
        lock(&self.server.inbox).records()
    }

    /// The type of a chat; `None` if there is no such chat.
    pub fn kind(&self, uuid: &str) -> Option<ChatKind> {
        lock(&self.server.inbox).kind(uuid)
    }

    /// Changes a record, as an agent in the inbox would. The caller sets `updatedAt`. The change shows at once;
    /// returns `false` if there is no such chat.
    pub fn edit(&self, uuid: &str, edit: impl FnOnce(&mut Value)) -> bool {
        self.changing(|inbox| inbox.edit(uuid, edit))
    }

    /// Adds a chat, or replaces the one with its uuid; `_id` and dates are added if missing. Values other than objects are ignored.
    pub fn insert(&self, kind: ChatKind, record: Value) -> bool {
        let Value::Object(record) = record else {
            return false;
        };
        self.changing(|inbox| inbox.insert(kind, record));
        true
    }

    fn changing<T>(&self, change: impl FnOnce(&mut Inbox) -> T) -> T {
        let done = change(&mut lock(&self.server.inbox));
        self.server.changed.notify_one();
        done
    }

    /// Lets open requests finish, for a second, and saves the state. Returns what could not be written.
    pub async fn stop(self) -> Result<(), SandboxError> {
        self.stop.send_replace(true);
        let mut serving = self.serving;
        if tokio::time::timeout(GRACE, &mut serving).await.is_err() {
            serving.abort();
        }
        // A task that was cancelled has nothing to report.
        self.saving.await.unwrap_or(Ok(()))?;
        save(&self.server).await?;
        match (
            lock(&self.server.log.failure).take(),
            &self.server.options.requests,
        ) {
            (Some(error), Some(path)) => Err(SandboxError::Requests(path.clone(), error)),
            _ => Ok(()),
        }
    }
}

/// The state if there is one, else the seed and generated chats.
fn load(options: &Options) -> Result<(Store, Arc<Generator>), SandboxError> {
    let state = options.state.as_ref().filter(|path| path.exists());
    let generator = Arc::new(Generator::new(
        options.random_seed,
        options.leads,
        options.odd_shapes,
    ));
    let path = state.or(options.seed.as_ref());
    let mut records = path.map_or_else(|| Ok(Vec::new()), |path| file::read(path))?;
    for (index, (_, record)) in records.iter_mut().enumerate() {
        record::complete(record, options.random_seed, index as u64, NEWEST);
        if options.odd_shapes && state.is_none() {
            odd::sprinkle(record, index);
        }
    }
    let generated = if state.is_some() {
        0
    } else {
        generator.count()
    };
    let store = Store::load(records, Arc::clone(&generator), generated, options.sort);
    let named = path.cloned().unwrap_or_default();
    let store = store.map_err(|uuid| FileError::Twice(named, uuid))?;
    Ok((store, generator))
}

/// Completes when the sandbox stops or was dropped.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn keep_saving(
    server: Arc<Server>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), FileError> {
    if server.options.state.is_none() {
        return Ok(());
    }
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return Ok(()),
            () = server.changed.notified() => {}
        }
        tokio::select! { () = stopped(&mut stopping) => return Ok(()), () = tokio::time::sleep(DEBOUNCE) => {} }
        save(&server).await?;
    }
}

/// Simulated agents, until the sandbox stops. Their edits and the order of these follow from the seed.
async fn keep_editing(server: Arc<Server>, mut stopping: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(server.options.edits);
    for number in 0.. {
        tokio::select! { () = stopped(&mut stopping) => return, _ = ticks.tick() => {} }
        let mut inbox = lock(&server.inbox);
        if let Some((uuid, field, value)) = inbox.edit_some(number) {
            let at = server.log.elapsed();
            lock(&server.log.edits).push(AgentEdit {
                at,
                uuid,
                field,
                value,
            });
            server.changed.notify_one();
        }
    }
}

/// Saves the state if it has changed.
async fn save(server: &Arc<Server>) -> Result<(), FileError> {
    let Some(path) = server.options.state.clone() else {
        return Ok(());
    };
    let bodies = {
        let mut inbox = lock(&server.inbox);
        if !std::mem::take(&mut inbox.changed) {
            return Ok(());
        }
        inbox.bodies()
    };
    let generator = Arc::clone(&server.generator);
    let written =
        tokio::task::spawn_blocking(move || file::write(&path, &bodies, &generator)).await;
    // The message of the panic itself is the best report of a panic while writing.
    written.unwrap_or(Ok(()))
}

/// The data behind a mutex, even after a panic of its last holder, such as a closure in a test.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The log of requests: in memory for tests, as lines of JSON for people.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use serde_json::{Value, json};

use super::fault::FaultKind;
use super::lock;

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct LoggedRequest {
    /// Its number, from 1, in the order of arrival.
    pub n: u64,
    /// `GET`, `PUT` or another.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
    /// The names of its headers, sorted, in lower case.
    pub headers: Vec<String>,
    /// The body, if it was JSON.
    pub body: Option<Value>,
    /// The status of the answer; `None` if there was none, or not yet.
    pub status: Option<u16>,
    /// The fault that was applied.
    pub fault: Option<FaultKind>,
    /// The time of arrival, since the start of the sandbox.
    pub at: Duration,
    /// The uuids of the chats that a listing showed.
    pub shown: Vec<String>,
}

/// An edit that an agent made in the inbox.
#[derive(Debug, Clone)]
pub struct AgentEdit {
    /// When, since the start of the sandbox.
    pub at: Duration,
    /// The chat.
    pub uuid: String,
    /// What was edited: `status`, `tags`, `notes` or `attributes`.
    pub field: &'static str,
    /// The new status, or the tag, the title or the key that was added.
    pub value: String,
}

/// All requests.
#[derive(Debug)]
pub(super) struct Log {
    start: Instant,
    keep: bool,
    file: Option<Mutex<File>>,
    /// The first error while writing a line.
    pub(super) failure: Mutex<Option<io::Error>>,
    pub(super) entries: Mutex<Vec<LoggedRequest>>,
    pub(super) edits: Mutex<Vec<AgentEdit>>,
    count: AtomicU64,
    in_flight: AtomicUsize,
    pub(super) peak: AtomicUsize,
}

impl Log {
    pub(super) fn new(keep: bool, file: Option<File>) -> Self {
        Self {
            start: Instant::now(),
            keep,
            file: file.map(Mutex::new),
            failure: Mutex::default(),
            entries: Mutex::default(),
            edits: Mutex::default(),
            count: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    /// Whether requests are kept.
    pub(super) fn keeps(&self) -> bool {
        self.keep
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn arrive(self: &Arc<Self>, parts: &Parts) -> Ticket {
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(in_flight, Ordering::SeqCst);
        let mut headers: Vec<String> = parts
            .headers
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect();
        headers.sort();
        let mut entries = lock(&self.entries);
        let request = LoggedRequest {
            n: self.count.fetch_add(1, Ordering::SeqCst) + 1,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect(),
            headers,
            body: None,
            status: None,
            fault: None,
            at: self.start.elapsed(),
            shown: Vec::new(),
        };
        let index = self.keep.then(|| {
            entries.push(request.clone());
            entries.len() - 1
        });
        drop(entries);
        Ticket {
            log: Arc::clone(self),
            request,
            index,
        }
    }
}

/// An open request; logged when dropped, answered or not.
pub(super) struct Ticket {
    log: Arc<Log>,
    pub(super) request: LoggedRequest,
    index: Option<usize>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.log.in_flight.fetch_sub(1, Ordering::SeqCst);
        if let Some(file) = &self.log.file {
            let LoggedRequest {
                n,
                method,
                path,
                query,
                headers,
                body,
                status,
                ..
            } = &self.request;
            let line = json!({ "n": n, "method": method, "path": path, "query": query, "headers": headers, "body": body, "status": status });
            if let Err(error) = lock(file).write_all(format!("{line}\n").as_bytes()) {
                lock(&self.log.failure).get_or_insert(error);
            }
        }
        if let Some(index) = self.index
            && let Some(entry) = lock(&self.log.entries).get_mut(index)
        {
            entry.clone_from(&self.request);
        }
    }
}

//! The inbox over time: lists pages, takes updates, and changes between requests.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::choices::{ChatKind, ListEnd, Put, Unknown};
use super::generate::Generator;
use super::habits;
use super::options::Options;
use super::put;
use super::random::Random;
use super::record::{Record, iso};
use super::store::{Store, StoredBody, text};

/// A write that listings do not show yet.
#[derive(Debug)]
struct PendingWrite {
    body: Record,
    ids: Random,
    now: i64,
    due: Instant,
    reads: u64,
}

/// What a list request returns.
pub(super) enum ListPage {
    Chats(Vec<StoredBody>),
    PastEnd,
}

/// The chats, and pending writes.
#[derive(Debug)]
pub(super) struct Inbox {
    options: Arc<Options>,
    generator: Arc<Generator>,
    store: Store,
    pending: VecDeque<PendingWrite>,
    reads: u64,
    arrived: u32,
    random: Random,
    /// Whether there is something to save.
    pub(super) changed: bool,
}

impl Inbox {
    pub(super) fn new(options: Arc<Options>, generator: Arc<Generator>, store: Store) -> Self {
        let random = Random::new(options.random_seed, u64::MAX);
        Self {
            options,
            generator,
            store,
            pending: VecDeque::new(),
            reads: 0,
            arrived: 0,
            random,
            changed: false,
        }
    }

    /// A page, numbered from 1, as it is now.
    pub(super) fn list(&mut self, kind: ChatKind, page: usize) -> ListPage {
        self.reads += 1;
        self.settle_due();
        self.stir(kind);
        let (size, len) = (self.options.page_size.max(1), self.store.len(kind));
        let overlap = usize::from(self.options.duplicates && size > 1);
        let stride = size - overlap;
        // A page that would only repeat the chat on the border is past the end.
        let pages = len
            .saturating_sub(overlap)
            .div_ceil(stride)
            .max(usize::from(len > 0));
        let page = if page > pages && self.options.end == ListEnd::RepeatLast {
            pages.max(1)
        } else {
            page
        };
        if page > pages && !(pages == 0 && self.options.end == ListEnd::RepeatLast) {
            return ListPage::PastEnd;
        }
        ListPage::Chats(self.store.window(kind, (page - 1) * stride, size))
    }

    /// Equal numbers mean that all pages are unchanged.
    pub(super) fn version(&self) -> u64 {
        self.store.version()
    }

    /// Applies a valid update. Returns `false` if the uuid is unknown and refused.
    pub(super) fn put(&mut self, mut body: Record) -> bool {
        habits::normalise(&mut body, &self.options.normalise);
        let uuid = body.get("uuid").and_then(Value::as_str).unwrap_or_default();
        let known = self.store.knows(uuid)
            || self
                .pending
                .iter()
                .any(|write| write.body.get("uuid") == body.get("uuid"));
        if !known && self.options.unknown != Unknown::Create {
            return self.options.unknown == Unknown::Ignore;
        }
        if self.options.put == Put::Ignore {
            return true;
        }
        self.changed = true;
        let bodies = if self.options.apart.is_zero() {
            vec![body]
        } else {
            habits::apart(&body)
        };
        let mut due = Instant::now() + self.options.lag;
        for body in bodies {
            let write = PendingWrite {
                ids: self.random.fork(),
                now: self.store.now(),
                due,
                reads: self.reads,
                body,
            };
            self.pending.push_back(write);
            due += self.options.apart;
        }
        self.settle_due();
        true
    }

    fn settle_due(&mut self) {
        let (reads, lag) = (self.reads, self.options.lag_reads);
        let now = Instant::now();
        let is_due =
            |write: &PendingWrite| write.due <= now && (lag == 0 || reads - write.reads > lag);
        let pending = std::mem::take(&mut self.pending);
        let (due, rest): (VecDeque<_>, VecDeque<_>) = pending.into_iter().partition(is_due);
        self.pending = rest;
        for write in due {
            perform(&mut self.store, &write, &self.options);
        }
    }

    /// Changes that happen in an inbox between two requests.
    fn stir(&mut self, kind: ChatKind) {
        let reads = self.reads;
        let due = |every: u64| every > 0 && reads.is_multiple_of(every);
        if due(self.options.churn) {
            self.touch(kind, kind);
        }
        if due(self.options.promote) {
            self.touch(ChatKind::NonLead, ChatKind::Lead);
        }
        if due(self.options.arrivals) {
            let now = self.store.now();
            let fresh = loop {
                self.arrived += 1;
                let record = self.generator.arrival(self.arrived, now);
                if !record
                    .get("uuid")
                    .and_then(Value::as_str)
                    .is_some_and(|uuid| self.store.knows(uuid))
                {
                    break record;
                }
            };
            self.store.put(None, kind, fresh);
            self.changed = true;
        }
    }

    /// A chat becomes active, and may change its type.
    fn touch(&mut self, from: ChatKind, to: ChatKind) {
        let place = self.random.below(self.store.len(from));
        let Some(slot) = self.store.at(from, place) else {
            return;
        };
        let Some((_, mut record)) = self.store.record(slot) else {
            return;
        };
        let now = iso(self.store.now());
        record.insert("lastSeenAt".to_owned(), now.clone());
        record.insert("updatedAt".to_owned(), now);
        self.store.put(Some(slot), to, record);
        self.changed = true;
    }

    fn settled(&self) -> Cow<'_, Store> {
        if self.pending.is_empty() {
            return Cow::Borrowed(&self.store);
        }
        let mut store = self.store.clone();
        for write in &self.pending {
            perform(&mut store, write, &self.options);
        }
        Cow::Owned(store)
    }

    /// Both listings in full, with pending writes applied.
    pub(super) fn bodies(&self) -> [Vec<StoredBody>; 2] {
        let store = self.settled();
        ChatKind::ALL.map(|kind| store.window(kind, 0, store.len(kind)))
    }

    /// All records by uuid, or by `_id` if they have none, with pending writes applied.
    pub(super) fn records(&self) -> BTreeMap<String, Value> {
        let bodies = self.bodies();
        let records = bodies
            .iter()
            .flatten()
            .filter_map(|body| serde_json::from_str::<Value>(&text(body, &self.generator)).ok());
        let key = |record: &Value| {
            ["uuid", "_id"]
                .iter()
                .find_map(|key| record.get(*key)?.as_str().map(str::to_owned))
        };
        records
            .map(|record| (key(&record).unwrap_or_default(), record))
            .collect()
    }

    /// The type of a chat, with pending writes applied.
    pub(super) fn kind(&self, uuid: &str) -> Option<ChatKind> {
        let store = self.settled();
        store.record(store.find(uuid)?).map(|(kind, _)| kind)
    }

    /// Some agent edits some chat: its status, or another tag, note or attribute, named after `number`. The chat, the field and the
    /// value; `None` where there is no chat.
    pub(super) fn edit_some(&mut self, number: u64) -> Option<(String, &'static str, String)> {
        let place = self.random.below(self.store.len(ChatKind::Lead));
        let slot = self.store.at(ChatKind::Lead, place)?;
        let (kind, mut record) = self.store.record(slot)?;
        let uuid = record.get("uuid").and_then(Value::as_str)?.to_owned();
        let (field, value) = put::edited(&mut record, number);
        record.insert("updatedAt".to_owned(), iso(self.store.now()));
        self.store.put(Some(slot), kind, record);
        self.changed = true;
        Some((uuid, field, value))
    }

    pub(super) fn edit(&mut self, uuid: &str, edit: impl FnOnce(&mut Value)) -> bool {
        let Some(slot) = self.store.find(uuid) else {
            return false;
        };
        let Some((kind, record)) = self.store.record(slot) else {
            return false;
        };
        let mut value = Value::Object(record);
        edit(&mut value);
        let Value::Object(record) = value else {
            return false;
        };
        self.store.put(Some(slot), kind, record);
        self.changed = true;
        true
    }

    pub(super) fn insert(&mut self, kind: ChatKind, mut record: Record) {
        let now = self.store.now();
        super::record::complete(&mut record, self.random.next(), 0, now);
        let place = record
            .get("uuid")
            .and_then(Value::as_str)
            .and_then(|uuid| self.store.find(uuid));
        self.store.put(place, kind, record);
        self.changed = true;
    }
}

fn perform(store: &mut Store, write: &PendingWrite, options: &Options) {
    let uuid = write
        .body
        .get("uuid")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut ids = write.ids.clone();
    let place = store.find(uuid);
    let known = place.and_then(|slot| store.record(slot));
    let (kind, mut record) =
        known.unwrap_or_else(|| (ChatKind::Lead, put::created(uuid, &mut ids, write.now)));
    put::apply(&mut record, &write.body, options, &mut ids, write.now);
    store.put(place, kind, record);
}

//! All chats, by uuid and in the order of both listings.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::choices::{ChatKind, Sort};
use super::generate::Generator;
use super::order::{Order, SortKey};
use super::record::{Record, time};

/// A record that is cheap to copy: its text, or the index from which it is generated.
#[derive(Debug, Clone)]
pub(super) enum StoredBody {
    Text(Arc<str>),
    Generated(u32),
}

#[derive(Debug, Clone)]
struct Slot {
    body: StoredBody,
    kind: ChatKind,
    key: SortKey,
}

/// The chats.
#[derive(Debug, Clone)]
pub(super) struct Store {
    slots: Vec<Option<Slot>>,
    by_uuid: HashMap<Box<str>, u32>,
    orders: [Order; 2],
    sort: Sort,
    generator: Arc<Generator>,
    rank: i64,
    clock: i64,
    /// Increases with every change.
    version: u64,
}

impl Store {
    /// Records in the order of a listing without dates, followed by the generated ones. Two records with one
    /// uuid are an error that names it.
    pub(super) fn load(
        records: Vec<(ChatKind, Record)>,
        generator: Arc<Generator>,
        generated: u32,
        sort: Sort,
    ) -> Result<Self, String> {
        let total = records.len() + generated as usize;
        let mut store = Self {
            slots: Vec::with_capacity(total),
            by_uuid: HashMap::with_capacity(total),
            orders: [Order::default(), Order::default()],
            sort,
            generator,
            rank: 0,
            clock: 0,
            version: 0,
        };
        let mut keys = [Vec::new(), Vec::new()];
        for (kind, record) in records {
            let time = store.sort_time(&record);
            let uuid = uuid(&record).map(Box::from);
            store.append(
                &mut keys,
                kind,
                uuid,
                StoredBody::Text(Value::Object(record).to_string().into()),
                time,
            )?;
        }
        for index in 0..generated {
            let (created, updated) = Generator::times(index);
            let time = [updated, created, 0][sort as usize];
            let uuid = store.generator.uuid(index).map(String::into_boxed_str);
            store.append(
                &mut keys,
                Generator::kind(index),
                uuid,
                StoredBody::Generated(index),
                time,
            )?;
        }
        store.orders = keys.map(Order::new);
        Ok(store)
    }

    fn append(
        &mut self,
        keys: &mut [Vec<SortKey>; 2],
        kind: ChatKind,
        uuid: Option<Box<str>>,
        body: StoredBody,
        time: i64,
    ) -> Result<(), String> {
        let slot = self.next_slot();
        if let Some(uuid) = uuid
            && let Some(twice) = self.by_uuid.insert(uuid.clone(), slot)
        {
            self.by_uuid.insert(uuid.clone(), twice);
            return Err(uuid.into());
        }
        let key = SortKey {
            time: Reverse(time),
            rank: Reverse(-i64::from(slot)),
            slot,
        };
        keys[kind as usize].push(key);
        self.slots.push(Some(Slot { body, kind, key }));
        Ok(())
    }

    fn next_slot(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    fn sort_time(&self, record: &Record) -> i64 {
        match self.sort {
            Sort::Updated => time(record, "updatedAt"),
            Sort::Created => time(record, "createdAt"),
            Sort::None => 0,
        }
    }

    /// The current time in milliseconds; later at each call, so that no two writes have the same date.
    pub(super) fn now(&mut self) -> i64 {
        self.clock = jiff::Timestamp::now().as_millisecond().max(self.clock + 1);
        self.clock
    }

    /// Equal numbers mean the same chats in the same order.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn knows(&self, uuid: &str) -> bool {
        self.by_uuid.contains_key(uuid)
    }

    pub(super) fn len(&self, kind: ChatKind) -> usize {
        self.orders[kind as usize].len()
    }

    /// The bodies of a range of a listing.
    pub(super) fn window(&self, kind: ChatKind, start: usize, count: usize) -> Vec<StoredBody> {
        let slots = self.orders[kind as usize].window(start, count);
        slots
            .filter_map(|slot| self.slots[slot as usize].as_ref())
            .map(|slot| slot.body.clone())
            .collect()
    }

    /// The record at an index of a listing.
    pub(super) fn at(&self, kind: ChatKind, place: usize) -> Option<u32> {
        self.orders[kind as usize].window(place, 1).next()
    }

    pub(super) fn find(&self, uuid: &str) -> Option<u32> {
        self.by_uuid.get(uuid).copied()
    }

    pub(super) fn record(&self, slot: u32) -> Option<(ChatKind, Record)> {
        let slot = self.slots.get(slot as usize)?.as_ref()?;
        match serde_json::from_str(&text(&slot.body, &self.generator)) {
            Ok(Value::Object(record)) => Some((slot.kind, record)),
            _ => None,
        }
    }

    /// Replaces a record or adds one, and moves it to where its dates belong.
    pub(super) fn put(&mut self, place: Option<u32>, kind: ChatKind, record: Record) {
        self.version += 1;
        let old = place.and_then(|slot| self.take(slot));
        let slot = place.unwrap_or_else(|| self.next_slot());
        let time = Reverse(self.sort_time(&record));
        let rank = match &old {
            Some(old) if old.kind == kind && old.key.time == time => old.key.rank,
            _ => {
                self.rank += 1;
                Reverse(self.rank)
            }
        };
        let key = SortKey { time, rank, slot };
        if let Some(uuid) = uuid(&record) {
            self.by_uuid.insert(uuid.into(), slot);
        }
        self.orders[kind as usize].insert(key);
        let slot_value = Some(Slot {
            body: StoredBody::Text(Value::Object(record).to_string().into()),
            kind,
            key,
        });
        match self.slots.get_mut(slot as usize) {
            Some(here) => *here = slot_value,
            None => self.slots.push(slot_value),
        }
    }

    fn take(&mut self, slot: u32) -> Option<Slot> {
        let uuid = self
            .record(slot)
            .and_then(|(_, record)| uuid(&record).map(str::to_owned));
        if let Some(uuid) = uuid {
            self.by_uuid.remove(uuid.as_str());
        }
        let old = self.slots.get_mut(slot as usize)?.take()?;
        self.orders[old.kind as usize].remove(&old.key);
        Some(old)
    }
}

/// The text of a body.
pub(super) fn text(body: &StoredBody, generator: &Generator) -> Arc<str> {
    match body {
        StoredBody::Text(text) => Arc::clone(text),
        StoredBody::Generated(index) => generator.text(*index).into(),
    }
}

fn uuid(record: &Record) -> Option<&str> {
    record.get("uuid").and_then(Value::as_str)
}

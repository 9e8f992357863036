//! Generated chats: any number of them, realistic, each a function of the seed and its index alone.
//!
//! A generated chat is not stored: it is rendered whenever it is listed, until a write makes it a stored record. So
//! a million chats cost neither time nor memory.

use std::fmt::Write as _;

use serde_json::Value;

use super::choices::ChatKind;
use super::odd;
use super::random::Random;
use super::record::{Record, iso};

/// The newest date of generated chats: 2025-06-01.
const NEWEST: i64 = 1_748_736_000_000;
/// Added to a seed with odd records: at least one of each kind.
const STRANGERS: u32 = 12;

const AGENTS: [(&str, &str); 5] = [
    ("631aa793bcfa100487d13d0d", "Priya"),
    ("631aa793bcfa100487d13d0e", "Rahul"),
    ("631aa793bcfa100487d13d0f", "Ananya"),
    ("631aa793bcfa100487d13d10", "Daniel"),
    ("631aa793bcfa100487d13d11", "Mei"),
];
const STATUSES: [&str; 9] = [
    "OPEN",
    "OPEN",
    "OPEN",
    "INPROGRESS",
    "INPROGRESS",
    "REVIEW",
    "ONHOLD",
    "DEPENDANCY",
    "CLOSED",
];
const FIRST: [&str; 12] = [
    "Aarav", "Maria", "John", "Wei", "Fatima", "Lucas", "Olga", "Kenji", "Zoe", "Ibrahim", "Sofia",
    "Noah",
];
const LAST: [&str; 10] = [
    "Sharma", "Garcia", "Smith", "Chen", "Khan", "Silva", "Ivanova", "Tanaka", "Okafor", "Novak",
];
const PLACES: [(&str, &str, &str); 5] = [
    ("Pune", "India", "91"),
    ("Madrid", "Spain", "34"),
    ("Austin", "United States", "1"),
    ("Berlin", "Germany", "49"),
    ("Osaka", "Japan", "81"),
];
const TAGS: [&str; 8] = [
    "vip",
    "renewal",
    "trial",
    "cold",
    "demo",
    "priority",
    "newsletter",
    "partner",
];
const TEXTS: [&str; 5] = [
    "What does it cost?",
    "Please call me back.",
    "Can I get a demo?",
    "Thank you!",
    "It does not work yet.",
];

/// The name of an agent of the generated chats; `Agent` for others.
pub(super) fn agent_name(id: &str) -> &'static str {
    AGENTS
        .iter()
        .find(|agent| agent.0 == id)
        .map_or("Agent", |agent| agent.1)
}

/// Generates chats.
#[derive(Debug, Clone)]
pub(super) struct Generator {
    seed: u64,
    leads: u32,
    odd: bool,
}

impl Generator {
    pub(super) fn new(seed: u64, leads: u32, odd: bool) -> Self {
        Self { seed, leads, odd }
    }

    /// The initial number of chats.
    pub(super) fn count(&self) -> u32 {
        self.leads + if self.odd { STRANGERS } else { 0 }
    }

    pub(super) fn kind(index: u32) -> ChatKind {
        if index % 10 == 9 {
            ChatKind::NonLead
        } else {
            ChatKind::Lead
        }
    }

    /// `None` for an odd chat without a uuid.
    pub(super) fn uuid(&self, index: u32) -> Option<String> {
        (self.oddity(index) != Some(odd::NO_UUID))
            .then(|| Random::new(self.seed, index.into()).uuid())
    }

    /// When a chat was created and updated; the first one was updated last.
    pub(super) fn times(index: u32) -> (i64, i64) {
        let updated = NEWEST - i64::from(index) * 37_000;
        (
            updated - i64::from(index.wrapping_mul(2_654_435_761) % 2_592_000) * 1_000,
            updated,
        )
    }

    /// The record as JSON, its keys sorted.
    pub(super) fn text(&self, index: u32) -> String {
        let text = self.plain(index).unwrap_or_default();
        match (self.oddity(index), serde_json::from_str(&text)) {
            (Some(oddity), Ok(Value::Object(mut record))) => {
                odd::make(&mut record, oddity);
                Value::Object(record).to_string()
            }
            _ => text,
        }
    }

    /// A chat that arrives now: never odd, with its own dates.
    pub(super) fn arrival(&self, index: u32, now: i64) -> Record {
        let plain = Self {
            seed: self.seed ^ 0xa55_1fe,
            odd: false,
            ..*self
        };
        let mut record = match serde_json::from_str(&plain.plain(index).unwrap_or_default()) {
            Ok(Value::Object(record)) => record,
            _ => Record::new(),
        };
        for key in ["createdAt", "updatedAt", "lastSeenAt"] {
            record.insert(key.to_owned(), iso(now));
        }
        record
    }

    fn oddity(&self, index: u32) -> Option<u32> {
        let stranger = index.checked_sub(self.leads);
        self.odd
            .then(|| stranger.or((index % 7 == 4).then_some(index / 7)))
            .flatten()
            .map(|n| n % odd::COUNT)
    }

    fn plain(&self, index: u32) -> Result<String, std::fmt::Error> {
        let mut random = Random::new(self.seed, index.into());
        let (uuid, id) = (random.uuid(), random.id());
        let (first, last) = (random.pick(&FIRST), random.pick(&LAST));
        let (city, country, prefix) = PLACES[random.below(PLACES.len())];
        let (created, updated) = Self::times(index);
        let (created, updated) = (iso(created), iso(updated));
        let mut text = String::with_capacity(1_100);
        let out = &mut text;
        out.push('{');
        if random.below(10) < 7 {
            write!(
                out,
                r#""_agentAssigned":"{}","#,
                AGENTS[random.below(AGENTS.len())].0
            )?;
        }
        write!(
            out,
            r#""_id":"{id}","createdAt":{created},"isOnline":{},"#,
            random.below(20) == 0
        )?;
        let (by, words) = (random.pick(&["user", "bot", "agent"]), random.pick(&TEXTS));
        write!(
            out,
            r#""lastMessage":{{"at":{updated},"by":"{by}","text":"{words}"}},"lastSeenAt":{updated},"#
        )?;
        out.push_str(r#""profile":{"notes":["#);
        if random.below(4) == 0 {
            write!(
                out,
                r#"{{"_id":"{}","description":"{words}","title":"Call with {first}"}}"#,
                random.id()
            )?;
        }
        let (source, plan) = (
            random.pick(&["website", "ads", "referral"]),
            random.pick(&["free", "pro", "team"]),
        );
        write!(
            out,
            r#"],"userDetails":{{"attributes":[{{"key":"source","value":"{source}"}},{{"key":"plan","value":"{plan}"}}],"#
        )?;
        write!(
            out,
            r#""city":"{city}","contact":{{"email":"{}.{}{index}@example.com","#,
            first.to_lowercase(),
            last.to_lowercase()
        )?;
        write!(
            out,
            r#""phone":{{"number":"{}","prefix":"{prefix}"}}}},"#,
            9_000_000_000_u64 + random.next() % 1_000_000_000
        )?;
        let gender = random.pick(&["female", "male", "other"]);
        write!(
            out,
            r#""country":"{country}","gender":"{gender}","name":"{first} {last}","tags":["#
        )?;
        let at = random.below(TAGS.len());
        for n in 0..random.below(4) {
            write!(
                out,
                r#"{}"{}""#,
                if n == 0 { "" } else { "," },
                TAGS[(at + n * 3) % TAGS.len()]
            )?;
        }
        let (status, visits) = (random.pick(&STATUSES), 1 + random.below(30));
        write!(
            out,
            r#"]}}}},"status":"{status}","updatedAt":{updated},"uuid":"{uuid}","websiteVisits":{visits}}}"#
        )?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chat_is_json_with_sorted_keys_and_its_own_uuid() {
        let generator = Generator::new(1, 500, true);
        for index in 0..generator.count() {
            let text = generator.text(index);
            let value: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(value.to_string(), text);
            assert_eq!(
                value.get("uuid").and_then(Value::as_str).map(str::to_owned),
                generator.uuid(index)
            );
        }
        assert_ne!(generator.uuid(0), generator.uuid(1));
    }
}

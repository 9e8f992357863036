//! The record of a chat: raw JSON with unknown keys, and the few parts that the sandbox knows.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::choices::{AgentKey, Tags, TagsShown};
use super::generate::agent_name;
use super::options::Options;
use super::random::Random;

/// A record.
pub(super) type Record = Map<String, Value>;

/// The key of a chat's agent.
pub(super) const AGENT: &str = "_agentAssigned";

/// ISO 8601 with milliseconds and Z.
pub(super) fn iso(millis: i64) -> Value {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    Value::String(format!("{time:.3}"))
}

/// The time of a key, in milliseconds since 1970; 0 if there is no readable one.
pub(super) fn time(record: &Record, key: &str) -> i64 {
    let text = record.get(key).and_then(Value::as_str);
    text.and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .map_or(0, |time| time.as_millisecond())
}

/// The object at a path; other values on the way are replaced.
pub(super) fn object<'a>(record: &'a mut Record, path: &[&str]) -> &'a mut Record {
    let mut here = record;
    for key in path {
        let next = here.entry(*key).or_insert(Value::Null);
        if !next.is_object() {
            *next = Value::Object(Record::new());
        }
        let Value::Object(map) = next else {
            unreachable!("made an object above")
        };
        here = map;
    }
    here
}

/// `profile.userDetails`, if it is an object.
pub(super) fn details(record: &mut Record) -> Option<&mut Record> {
    record
        .get_mut("profile")?
        .get_mut("userDetails")?
        .as_object_mut()
}

/// Tags in any form.
pub(super) fn tags(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(tags)) => tags
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Adds to a short record of a seed what the platform always has: `_id` and two dates, earlier for later records.
pub(super) fn complete(record: &mut Record, seed: u64, index: u64, newest: i64) {
    let mut random = Random::new(seed ^ 0x5eed, index);
    record
        .entry("_id")
        .or_insert_with(|| Value::String(random.id()));
    let date = ["updatedAt", "createdAt"]
        .iter()
        .find_map(|key| record.get(*key).cloned());
    let date = date.unwrap_or_else(|| iso(newest - i64::try_from(index).unwrap_or(0) * 60_000));
    for key in ["createdAt", "updatedAt"] {
        record.entry(key).or_insert_with(|| date.clone());
    }
}

/// A record as listed under the options for tags and agents.
pub(super) fn shown<'a>(text: &'a str, options: &Options) -> Cow<'a, str> {
    let comma = options.tags_shown == TagsShown::Text || options.tags == Tags::TextOnly;
    if !comma && options.agent_key == AgentKey::Missing {
        return Cow::Borrowed(text);
    }
    let Ok(Value::Object(mut record)) = serde_json::from_str(text) else {
        return Cow::Borrowed(text);
    };
    if comma
        && let Some(shown) = details(&mut record).and_then(|details| details.get_mut("tags"))
        && shown.is_array()
    {
        *shown = Value::String(tags(Some(shown)).join(","));
    }
    let assigned = record
        .get(AGENT)
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .map(str::to_owned);
    let nobody = record
        .get(AGENT)
        .is_none_or(|agent| agent.is_null() || agent.as_str() == Some(""));
    match options.agent_key {
        AgentKey::Null if nobody => record.insert(AGENT.to_owned(), Value::Null),
        AgentKey::Empty if nobody => record.insert(AGENT.to_owned(), Value::String(String::new())),
        AgentKey::Object if nobody => record.remove(AGENT),
        AgentKey::Object => {
            assigned.and_then(|id| record.insert(AGENT.to_owned(), agent_object(&id)))
        }
        AgentKey::Missing | AgentKey::Null | AgentKey::Empty => None,
    };
    Cow::Owned(Value::Object(record).to_string())
}

/// An agent as an object.
pub(super) fn agent_object(id: &str) -> Value {
    serde_json::json!({ "_id": id, "name": agent_name(id) })
}

//! Habits: how a platform normalizes the texts it is sent, and the side effects of an update.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::choices::{Normalise, SideEffect};
use super::record::{AGENT, Record};

/// The maximum length of a text on a platform that cuts, in characters.
const LONGEST: usize = 40;
/// The maximum number of tags on a platform with a cap.
const MOST_TAGS: usize = 5;

/// Turns a body into what the platform stores.
pub(super) fn normalise(body: &mut Record, habits: &[Normalise]) {
    for habit in habits {
        if *habit == Normalise::Cap
            && let Some(Value::Array(tags)) = body.get_mut("tags")
        {
            tags.truncate(MOST_TAGS);
        }
        for (key, value) in &mut *body {
            let is_text =
                !["uuid", "botId", "customerId", "agentId", "status"].contains(&key.as_str());
            if is_text {
                texts(key, value, &|key, text| changed(*habit, key, text));
            }
        }
    }
}

/// Calls `change` for each text of a field: its own, and those of its tags, notes and attributes, without their keys.
fn texts(key: &str, value: &mut Value, change: &impl Fn(&str, &str) -> String) {
    match value {
        Value::String(text) => *text = change(key, text),
        Value::Array(items) => items.iter_mut().for_each(|item| texts(key, item, change)),
        Value::Object(item) => {
            for (name, value) in item {
                if ["title", "description", "value"].contains(&name.as_str()) {
                    texts(key, value, change);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn changed(habit: Normalise, key: &str, text: &str) -> String {
    match habit {
        Normalise::Trim => text.trim().to_owned(),
        Normalise::Crlf => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        Normalise::LowerEmail if key == "email" => text.to_lowercase(),
        Normalise::LowerTags if key == "tags" => text.to_lowercase(),
        Normalise::Nfc => text.nfc().collect(),
        Normalise::Html if key != "picture" => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
        Normalise::Cut => text.chars().take(LONGEST).collect(),
        Normalise::LowerEmail | Normalise::LowerTags | Normalise::Html | Normalise::Cap => {
            text.to_owned()
        }
    }
}

/// Applies the side effects of an update to a record.
pub(super) fn side_effects(record: &mut Record, body: &Record, effects: &[SideEffect]) {
    for effect in effects {
        let is_assigned = body
            .get("agentId")
            .and_then(Value::as_str)
            .is_some_and(|id| !id.is_empty());
        match effect {
            SideEffect::AssignOpens if is_assigned => {
                record.insert("status".to_owned(), json!("INPROGRESS"));
            }
            SideEffect::CloseUnassigns if body.get("status") == Some(&json!("CLOSED")) => {
                record.remove(AGENT);
            }
            SideEffect::AssignOpens | SideEffect::CloseUnassigns => {}
        }
    }
}

/// The fields of an update, one by one, each with what every update includes.
pub(super) fn apart(body: &Record) -> Vec<Record> {
    let is_id = |key: &str| ["uuid", "botId", "customerId"].contains(&key);
    let ids: Record = body
        .iter()
        .filter(|(key, _)| is_id(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    body.iter()
        .filter(|(key, _)| !is_id(key))
        .map(|(key, value)| {
            let mut one = ids.clone();
            one.insert(key.clone(), value.clone());
            one
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_habit_changes_the_texts_that_it_is_about() {
        let body = json!({
            "uuid": " U ", "status": "OPEN", "name": " Ann ", "email": "Ann@Example.com", "tags": ["VIP", "a", "b", "c", "d", "e"],
            "notes": [{ "title": "<b>", "description": "one\ntwo" }], "attributes": [{ "key": " K ", "value": "e\u{301}" }, { "key": "n", "value": 7 }]
        });
        for (habit, path, expected) in [
            (Normalise::Trim, "/name", json!("Ann")),
            (Normalise::Trim, "/uuid", json!(" U ")),
            (Normalise::Crlf, "/notes/0/description", json!("one\r\ntwo")),
            (Normalise::LowerEmail, "/email", json!("ann@example.com")),
            (Normalise::LowerEmail, "/tags/0", json!("VIP")),
            (Normalise::LowerTags, "/tags/0", json!("vip")),
            (Normalise::Nfc, "/attributes/0/value", json!("\u{e9}")),
            (Normalise::Nfc, "/attributes/1/value", json!(7)),
            (Normalise::Html, "/notes/0/title", json!("&lt;b&gt;")),
            (Normalise::Cap, "/tags/5", Value::Null),
        ] {
            let mut stored = body.as_object().expect("an object").clone();
            normalise(&mut stored, &[habit]);
            let stored = Value::Object(stored);
            let found = stored.pointer(path).cloned().unwrap_or_default();
            assert_eq!(found, expected, "{habit:?} {path}");
        }
    }
}

//! What an update requests, and what it does to a record.
//!
//! Pure: depends on the body, the options and the time. The rules are those of api.md, `PUT /inbox/direct/lead`.

use serde_json::{Value, json};

use super::choices::{Attributes, Notes, Put, Tags, Unassign};
use super::habits;
use super::options::Options;
use super::random::Random;
use super::record::{AGENT, Record, iso, object, tags};

const STATUSES: [&str; 6] = [
    "OPEN",
    "INPROGRESS",
    "REVIEW",
    "ONHOLD",
    "DEPENDANCY",
    "CLOSED",
];
const OPTIONAL: [&str; 10] = [
    "agentId",
    "name",
    "email",
    "phone",
    "dialCode",
    "notes",
    "status",
    "picture",
    "tags",
    "attributes",
];
const DETAILS: [&str; 2] = ["profile", "userDetails"];

/// The reasons to refuse a body; empty if it is valid.
pub(super) fn reasons(body: &Record, options: &Options) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut check = |ok: bool, words: &str| {
        if !ok {
            reasons.push(words.to_owned())
        }
    };
    for key in ["uuid", "botId", "customerId"] {
        check(
            body.get(key)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty()),
            &format!("{key} should not be empty"),
        );
    }
    for key in ["name", "email", "phone"] {
        check(
            body.get(key).is_none_or(Value::is_string),
            &format!("{key} must be a string"),
        );
    }
    let is = |key: &str, test: fn(&str) -> bool| {
        body.get(key)
            .is_none_or(|value| value.as_str().is_some_and(test))
    };
    check(
        is("status", |text| STATUSES.contains(&text)),
        &format!("status must be one of {}", STATUSES.join(", ")),
    );
    check(
        is("dialCode", |text| text.is_empty() || text.starts_with('+')),
        "dialCode must be a string that starts with +",
    );
    let url =
        |text: &str| text.is_empty() || text.starts_with("http://") || text.starts_with("https://");
    check(is("picture", url), "picture must be an http URL");
    let agent = body.get("agentId").is_none_or(|value| match value {
        Value::Null => true,
        Value::String(id) => {
            id.is_empty() || id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        _ => false,
    });
    check(agent, "agentId must be a mongodb id");
    let wanted = body.get("tags");
    let array = wanted.and_then(Value::as_array).is_some_and(|tags| {
        let is_tag = |tag: &Value| tag.is_string() || tag["name"].is_string();
        tags.iter().all(is_tag)
    });
    let text = wanted.is_some_and(Value::is_string);
    match options.tags {
        Tags::TextOnly => check(wanted.is_none() || text, "tags must be a string"),
        Tags::Replace | Tags::Add | Tags::Ignore => {
            check(
                wanted.is_none() || text || array,
                "each value in tags must be a string",
            );
        }
    }
    let each = |key: &str, test: fn(&Value) -> bool| {
        body.get(key)
            .is_none_or(|value| value.as_array().is_some_and(|items| items.iter().all(test)))
    };
    let note = |note: &Value| {
        note["title"].is_string() && note.get("description").is_none_or(Value::is_string)
    };
    check(
        each("notes", note),
        "notes must be an array of objects with title and description",
    );
    let attribute =
        |attribute: &Value| attribute["key"].is_string() && attribute.get("value").is_some();
    check(
        each("attributes", attribute),
        "attributes must be an array of objects with key and value",
    );
    reasons
}

/// A lead created by an update.
pub(super) fn created(uuid: &str, ids: &mut Random, now: i64) -> Record {
    let record = json!({
        "_id": ids.id(), "uuid": uuid, "status": "OPEN", "createdAt": iso(now), "updatedAt": iso(now),
        "profile": { "notes": [], "userDetails": { "tags": [], "attributes": [], "contact": {} } },
    });
    match record {
        Value::Object(record) => record,
        _ => Record::new(),
    }
}

/// Applies an update to a record. `ids` provides the ids of new notes.
pub(super) fn apply(
    record: &mut Record,
    body: &Record,
    options: &Options,
    ids: &mut Random,
    now: i64,
) {
    if options.put == Put::Ignore || !OPTIONAL.iter().any(|key| body.contains_key(*key)) {
        return;
    }
    record.insert("updatedAt".to_owned(), iso(now));
    let before = if options.put == Put::Replace {
        clear(record, body)
    } else {
        Vec::new()
    };
    if let Some(status) = body.get("status") {
        record.insert("status".to_owned(), status.clone());
    }
    assign(record, body.get("agentId"), options.unassign);
    if let Some(tags) = body.get("tags") {
        tag(object(record, &DETAILS), tags, options.tags);
    }
    for (key, path, name) in [
        ("name", &DETAILS[..], "name"),
        ("picture", &DETAILS[..], "picture"),
        ("email", &["profile", "userDetails", "contact"], "email"),
        (
            "phone",
            &["profile", "userDetails", "contact", "phone"],
            "number",
        ),
        (
            "dialCode",
            &["profile", "userDetails", "contact", "phone"],
            "prefix",
        ),
    ] {
        if let Some(Value::String(text)) = body.get(key) {
            let text = if key == "dialCode" {
                text.trim_start_matches('+')
            } else {
                text
            };
            object(record, path).insert(name.to_owned(), json!(text));
        }
    }
    if let Some(Value::Array(sent)) = body.get("attributes") {
        attribute(object(record, &DETAILS), sent, options.attributes);
    }
    if let Some(Value::Array(sent)) = body.get("notes") {
        note(
            object(record, &["profile"]),
            sent,
            before,
            options.notes,
            ids,
        );
    }
    habits::side_effects(record, body, &options.side_effect);
}

/// What an agent edits in the inbox: of four fields the one that the number comes to, and the new status or what is added.
pub(super) fn edited(record: &mut Record, number: u64) -> (&'static str, String) {
    let added = format!("agent-{number}");
    let (field, path, item) = match number % 4 {
        0 => {
            let status = STATUSES[(number / 4 % 6) as usize];
            record.insert("status".to_owned(), json!(status));
            return ("status", status.to_owned());
        }
        1 => ("tags", &DETAILS[..], json!(added)),
        2 => (
            "notes",
            &["profile"][..],
            json!({ "title": added, "description": "by an agent", "by": "agent" }),
        ),
        _ => (
            "attributes",
            &DETAILS[..],
            json!({ "key": added, "value": number }),
        ),
    };
    let list = object(record, path)
        .entry(field)
        .or_insert_with(|| json!([]));
    match list {
        Value::Array(items) => items.push(item),
        // Tags as one text.
        list => *list = json!([tags(Some(list)), vec![added.clone()]].concat().join(",")),
    }
    (field, added)
}

fn assign(record: &mut Record, agent: Option<&Value>, unassign: Unassign) {
    match agent {
        Some(Value::String(id)) if !id.is_empty() => {
            drop(record.insert(AGENT.to_owned(), json!(id)))
        }
        Some(Value::String(_)) if matches!(unassign, Unassign::Either | Unassign::Empty) => {
            drop(record.remove(AGENT))
        }
        Some(Value::Null) if matches!(unassign, Unassign::Either | Unassign::Null) => {
            drop(record.remove(AGENT))
        }
        _ => {}
    }
}

fn tag(details: &mut Record, sent: &Value, rule: Tags) {
    let mut words = tags(Some(sent));
    let kept = match rule {
        Tags::Ignore => return,
        Tags::TextOnly => sent.clone(),
        Tags::Replace
            if sent
                .as_array()
                .is_some_and(|tags| tags.iter().any(Value::is_object)) =>
        {
            sent.clone()
        }
        Tags::Replace => json!(words),
        Tags::Add => {
            let mut all = tags(details.get("tags"));
            words.retain(|word| !all.contains(word));
            all.append(&mut words);
            json!(all)
        }
    };
    details.insert("tags".to_owned(), kept);
}

fn attribute(details: &mut Record, sent: &[Value], rule: Attributes) {
    let kept = details
        .get("attributes")
        .and_then(Value::as_array)
        .filter(|_| rule == Attributes::Merge);
    let mut kept = kept.cloned().unwrap_or_default();
    for new in sent {
        match kept.iter_mut().find(|old| old["key"] == new["key"]) {
            Some(Value::Object(old)) => drop(old.insert("value".to_owned(), new["value"].clone())),
            _ if rule == Attributes::Replace => kept.push(new.clone()),
            _ => kept.push(json!({ "key": new["key"], "value": new["value"] })),
        }
    }
    details.insert("attributes".to_owned(), Value::Array(kept));
}

fn note(profile: &mut Record, sent: &[Value], cleared: Vec<Value>, rule: Notes, ids: &mut Random) {
    let mut old = profile
        .get("notes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or(cleared);
    let mut notes = match rule {
        Notes::Verbatim => {
            profile.insert("notes".to_owned(), json!(sent));
            return;
        }
        Notes::Append => old.clone(),
        Notes::Replace => Vec::new(),
    };
    let text = |note: &Value| {
        (
            note["title"].clone(),
            note["description"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for new in sent {
        let same = old
            .iter()
            .position(|other| rule == Notes::Replace && text(other) == text(new));
        let (title, description) = text(new);
        let fresh = || json!({ "_id": ids.id(), "title": title, "description": description });
        notes.push(same.map_or_else(fresh, |place| old.remove(place)));
    }
    profile.insert("notes".to_owned(), Value::Array(notes));
}

/// Clears every writable field that the body leaves out. Returns the notes, so that equal ones keep their ids.
fn clear(record: &mut Record, body: &Record) -> Vec<Value> {
    let left_out = |key: &str| !body.contains_key(key);
    if left_out("status") {
        record.insert("status".to_owned(), json!("OPEN"));
    }
    if left_out("agentId") {
        record.remove(AGENT);
    }
    let profile = object(record, &["profile"]);
    let notes = profile
        .get("notes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if left_out("notes") {
        profile.insert("notes".to_owned(), json!([]));
    }
    let details = object(profile, &["userDetails"]);
    for key in ["name", "picture"].into_iter().filter(|key| left_out(key)) {
        details.remove(key);
    }
    for key in ["tags", "attributes"]
        .into_iter()
        .filter(|key| left_out(key))
    {
        details.insert(key.to_owned(), json!([]));
    }
    let contact = object(details, &["contact"]);
    if left_out("email") {
        contact.remove("email");
    }
    for (key, name) in [("phone", "number"), ("dialCode", "prefix")] {
        if left_out(key) {
            object(contact, &["phone"]).remove(name);
        }
    }
    notes
}

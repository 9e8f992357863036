//! Converts between the API's JSON and leads.
//!
//! Reads a value of each kind from a record and writes it to an update, with the tolerance that api.md requires: whatever form a value has,
//! what is needed is taken from it or left out. The table of fields says which key has which value.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::record::RecordValues;
use crate::api::NotesSent;
use crate::apply::Update;
use crate::lead::normal::has_note;
use crate::lead::{
    AgentId, Field, FieldId, FieldMask, Kind, Lead, Note, Status, TagSet, Value, tag,
};
use crate::observe::{Echo, Observed, TagShape};

/// An id as text, or an object with the id as `_id`; anything else is not an agent.
pub(super) fn agent(json: &Json) -> Option<AgentId> {
    match json {
        Json::String(id) => AgentId::parse(id.trim()),
        Json::Object(object) => agent(object.get("_id")?),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => None,
    }
}

/// A lead from the values of its record.
pub(super) fn observed(mut shown: RecordValues, updated: i64, activity: u64) -> Observed {
    let mut lead = Lead::default();
    let (mut attributes, mut echo) = (Vec::new(), Echo::default());
    let mut tag_shape = None;
    let mut unreadable = FieldMask::default();
    for id in FieldId::all() {
        let may_hide = shown.may_hide(id);
        let mut json = shown.take(id);
        if may_hide || !is_understood(id.spec().kind, &json) {
            unreadable = unreadable.and(id);
            json = Json::Null;
        }
        let normalise = id.spec().normalise;
        let value = match id.spec().kind {
            Kind::Choice => scalar(&json).map(|word| Value::Choice(Status::read(word.trim()))),
            Kind::Reference => agent(&json).map(Value::Reference),
            Kind::Set => {
                let (tags, shape) = tags(&json);
                tag_shape = tag_shape.or(shape);
                echo.tags = objects(json).collect();
                Some(Value::Set(tags))
            }
            Kind::Text => scalar(&json)
                .map(|text| normalise(&text))
                .filter(|text| !text.is_empty())
                .map(Value::Text),
            Kind::Notes => {
                let notes = notes(&json);
                echo.notes = objects(json).collect();
                Some(Value::Notes(notes))
            }
            Kind::Boolean => json.as_bool().map(Value::Boolean),
            Kind::KeyedText => {
                for item in keyed(json) {
                    let Some(key) = scalar(&item["key"]) else {
                        continue;
                    };
                    let text = scalar(&item["value"]).unwrap_or_default();
                    lead.set(Field::keyed(id, key.as_str()), Value::Text(text));
                    attributes.push(item);
                }
                None
            }
        };
        if let Some((field, value)) = Field::single(id).zip(value) {
            lead.set(field, value);
        }
    }
    echo.attributes = attributes.into_iter().collect();
    let unmanaged = shown.unmanaged();
    let unmanaged = unmanaged.filter_map(|(name, json)| Some((name, scalar(json)?)));
    Observed {
        lead,
        unreadable,
        unmanaged: unmanaged.collect(),
        echo,
        tag_shape,
        updated,
        activity,
        seen: None,
        reading: None,
    }
}

/// Whether all that a value holds is read of it: what is not read would be lost by a write. Nothing is understood in any form.
fn is_understood(kind: Kind, json: &Json) -> bool {
    if is_nothing(json) {
        return true;
    }
    match (kind, json) {
        (Kind::Choice | Kind::Text, json) => !json.is_array() && !json.is_object(),
        // Anything else is no agent.
        (Kind::Reference, _) => true,
        (Kind::Set, Json::Array(items)) => items.iter().all(is_tag),
        (Kind::Set, json) => json.is_string(),
        (Kind::Notes, Json::Array(items)) => items
            .iter()
            .all(|item| item.is_object() || is_nothing(item)),
        (Kind::KeyedText, Json::Array(items)) => items.iter().all(is_keyed),
        (Kind::KeyedText, json) => json.is_object(),
        (Kind::Notes, _) => false,
        (Kind::Boolean, json) => json.is_boolean(),
    }
}

/// Null, an empty text, and lists and objects of nothing else.
pub(super) fn is_nothing(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.iter().all(is_nothing),
        Json::Object(members) => members.values().all(is_nothing),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

fn is_tag(item: &Json) -> bool {
    is_nothing(item) || tag_name(item).is_some()
}

fn is_keyed(item: &Json) -> bool {
    is_nothing(item) || scalar(&item["key"]).is_some()
}

fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) if text.is_empty() => None,
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn tags(json: &Json) -> (TagSet, Option<TagShape>) {
    match json {
        Json::Array(items) => {
            let texts = items.iter().filter_map(tag_name);
            let tags = texts.filter_map(|text| tag(&text)).collect();
            (tags, Some(TagShape::Array))
        }
        Json::String(text) => {
            let tags = text.split(',').filter_map(tag).collect();
            (tags, Some(TagShape::String))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => (TagSet::new(), None),
    }
}

/// A tag is a text, or an object that has it as `name`.
fn tag_name(item: &Json) -> Option<String> {
    scalar(item).or_else(|| scalar(item.get("name")?))
}

/// The items of a list that are objects, as they are.
fn objects(json: Json) -> impl Iterator<Item = Json> {
    let items = match json {
        Json::Array(items) => items,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            Vec::new()
        }
    };
    items.into_iter().filter(Json::is_object)
}

/// Objects with a key and a value of any type: a list of them, or an object.
fn keyed(json: Json) -> Vec<Json> {
    match json {
        Json::Object(object) => object
            .into_iter()
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect(),
        list => objects(list).collect(),
    }
}

fn notes(json: &Json) -> Vec<Note> {
    let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(note).collect()
}

fn note(item: &Json) -> Option<Note> {
    let text = |key| scalar(&item[key]).unwrap_or_default();
    item.is_object().then(|| Note {
        title: text("title"),
        description: text("description"),
    })
}

/// The ids and settings for all updates.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) bot_id: String,
    pub(super) customer_id: String,
    pub(super) tags: TagShape,
    pub(super) notes: NotesSent,
    pub(super) unassign: Option<String>,
}

/// The body of an update: the three keys and the fields that differ, nothing else.
///
/// Tags, attributes and notes can be sent as whole lists only. Whether the platform adds to a list or replaces
/// it is not published, so existing items are sent, too: nothing is lost either way.
pub(super) fn update(out: &Outgoing, update: &Update<'_>) -> Json {
    let Update {
        id,
        fields,
        live,
        tag_shape: listing_shape,
        adds_notes,
        lost_notes,
    } = update;
    let mut body = Map::new();
    body.insert("uuid".into(), json!(id.as_str()));
    body.insert("botId".into(), json!(out.bot_id));
    body.insert("customerId".into(), json!(out.customer_id));
    let mut keyed: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (field, value) in fields {
        let key = field.spec().write;
        let json = match value {
            Value::Choice(status) => json!(status.as_str()),
            Value::Boolean(value) => json!(value),
            Value::Reference(agent) => json!(agent),
            Value::Set(tags) => {
                let shape = match out.tags {
                    TagShape::Auto => live
                        .and_then(|live| live.tag_shape)
                        .unwrap_or(*listing_shape),
                    forced @ (TagShape::Array | TagShape::String) => forced,
                };
                tags_json(*live, tags, shape)
            }
            Value::Text(text) => match field.key() {
                None => json!(text),
                Some(name) => {
                    keyed.entry(key).or_default().push((name, text));
                    continue;
                }
            },
            Value::Notes(notes) => {
                let with_others = !lost_notes.is_empty()
                    || match out.notes {
                        NotesSent::All => true,
                        NotesSent::Auto => !adds_notes,
                        NotesSent::New => false,
                    };
                notes_json(*live, lost_notes, notes, with_others)
            }
            Value::Absent if field.kind() == Kind::Reference => json!(out.unassign),
            // Nothing else can be cleared: an empty text would be a value.
            Value::Absent => continue,
        };
        body.insert(key.to_owned(), json);
    }
    for (key, values) in keyed {
        body.insert(key.to_owned(), attributes_json(*live, &values));
    }
    Json::Object(body)
}

fn tags_json(live: Option<&Observed>, tags: &TagSet, shape: TagShape) -> Json {
    let echo = live.map(|live| live.echo.tags.values());
    let echo = echo.unwrap_or_default();
    let is = |item: &&Json, name: &String| {
        tag_name(item).and_then(|text| tag(&text)).as_ref() == Some(name)
    };
    match shape {
        TagShape::Auto | TagShape::Array => tags
            .iter()
            .map(|name| {
                echo.iter()
                    .find(|item| is(item, name))
                    .cloned()
                    .unwrap_or_else(|| json!(name))
            })
            .collect(),
        TagShape::String => json!(
            tags.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(",")
        ),
    }
}

fn attributes_json(live: Option<&Observed>, wanted: &[(&str, &str)]) -> Json {
    let mut list: Vec<Json> = live
        .map(|live| live.echo.attributes.values())
        .unwrap_or_default();
    for &(key, text) in wanted {
        let is = |item: &&mut Json| scalar(&item["key"]).as_deref() == Some(key);
        let mut there = list.iter_mut().filter(is).peekable();
        if there.peek().is_some() {
            there.for_each(|item| item["value"] = typed(text, &item["value"]));
        } else {
            list.push(json!({ "key": key, "value": text }));
        }
    }
    Json::Array(list)
}

/// A text as a value of the type that is there, where it reads back the same: a number stays a number.
fn typed(text: &str, there: &Json) -> Json {
    let typed = match there {
        Json::Number(_) | Json::Bool(_) => serde_json::from_str::<Json>(text).ok(),
        Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
    };
    let is_same_type = |json: &Json| {
        json.is_number() == there.is_number()
            && json.is_boolean() == there.is_boolean()
            && scalar(json).as_deref() == Some(text)
    };
    typed.filter(is_same_type).unwrap_or_else(|| json!(text))
}

/// The notes to send: those that were lost, where asked those that are there, and those that are wanted and are in neither.
fn notes_json(live: Option<&Observed>, lost: &[Json], wanted: &[Note], with_others: bool) -> Json {
    let there: &[Note] = live.map(|live| live.lead.notes()).unwrap_or_default();
    let others = live.filter(|_| with_others);
    let others = others.map(|live| live.echo.notes.values());
    let is_there = |item: &&Json| note(item).is_some_and(|note| has_note(there, &note));
    let lost: Vec<Json> = lost
        .iter()
        .filter(|item| !is_there(item))
        .cloned()
        .collect();
    let brought: Vec<Note> = lost.iter().filter_map(note).collect();
    let added = wanted
        .iter()
        .filter(|note| !has_note(there, note) && !has_note(&brought, note));
    let added = added.map(|note| json!(note));
    let added: Vec<Json> = added.collect();
    lost.into_iter()
        .chain(others.unwrap_or_default())
        .chain(added)
        .collect()
}

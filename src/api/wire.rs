//! The API's JSON ↔ lead.
//!
//! Owns the platform's odd words and the tolerance that api.md asks for: whatever shape a record has, what is needed is taken
//! from it or left out, and a record never fails a page. Gives [`Page`]s for the bytes of a listing and bytes for an
//! [`Update`].

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use crate::apply::Update;
use crate::lead::{AgentId, ContactField, Field, Lead, LeadId, Note, Status, Value, tag};
use crate::observe::{Echo, Keep, Observed, Page, Record};
use crate::workspace::{NotesSent, TagShape};

use super::envelope::Envelope;

/// Decodes the body of a listing that was answered with success.
///
/// # Errors
/// Words for what the body is instead: not JSON, cut off, `success: false`, or data of another type.
pub(super) fn page(body: &[u8], keep: &Keep) -> Result<Page, String> {
    let body = String::from_utf8_lossy(body);
    let envelope = Envelope::read(body.as_bytes())?;
    let Some(data) = envelope.data else { return Ok(Page { is_end: true, ..Page::default() }) };
    let records: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|_| "`data` is not a list of records".to_owned())?;
    let mut signature = DefaultHasher::new();
    let is_end = records.is_empty();
    let records = records.into_iter().filter_map(|raw| record(raw, keep, &mut signature)).collect();
    Ok(Page { records, signature: signature.finish(), is_end, is_nowhere: false })
}

/// The few keys that every record is looked at for.
#[derive(Deserialize)]
struct Brief<'a> {
    #[serde(default, borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "_id")]
    id: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "_agentAssigned")]
    agent: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "updatedAt")]
    updated: Option<&'a RawValue>,
}

fn record(raw: &RawValue, keep: &Keep, signature: &mut DefaultHasher) -> Option<Record> {
    let Ok(brief) = serde_json::from_str::<Brief<'_>>(raw.get()) else {
        raw.get().hash(signature);
        return None;
    };
    brief.uuid.or(brief.id).map_or(raw.get(), RawValue::get).hash(signature);
    let uuid = brief.uuid.and_then(text).filter(|uuid| !uuid.trim().is_empty());
    let updated = brief.updated.map_or(i64::MIN, milliseconds);
    let agent = brief.agent.and_then(|raw| agent(&serde_json::from_str(raw.get()).ok()?));
    let key = uuid.as_deref().map(hash);
    let kept = uuid.filter(|uuid| keep.wants(uuid)).and_then(|uuid| {
        let full: Json =
            serde_json::from_str(raw.get()).or_else(|_| serde_json::from_str(&without_lone_surrogates(raw.get()))).ok()?;
        Some(Box::new((LeadId::new(uuid), observed(&full, updated))))
    });
    Some(Record { key, updated, agent, kept })
}

/// JavaScript cuts texts in the middle of an emoji and escapes the half that is left, which no strict reader takes.
fn without_lone_surrogates(json: &str) -> String {
    let unit = |at: usize| json.get(at..at + 6)?.strip_prefix("\\u").and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let mut whole = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        let escape = at + found;
        whole.push_str(&json[at..escape]);
        let (text, length) = match (unit(escape), unit(escape + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (&json[escape..escape + 12], 12),
            (Some(0xD800..=0xDFFF), _) => ("\\ufffd", 6),
            _ => {
                let length = 1 + json[escape + 1..].chars().next().map_or(0, char::len_utf8);
                (&json[escape..escape + length], length)
            }
        };
        whole.push_str(text);
        at = escape + length;
    }
    whole.push_str(&json[at..]);
    whole
}

fn hash(uuid: &str) -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    KEYS.get_or_init(RandomState::new).hash_one(uuid)
}

/// A scalar as text, a number as it is written.
fn text(raw: &RawValue) -> Option<String> {
    match serde_json::from_str(raw.get()).ok()? {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn milliseconds(raw: &RawValue) -> i64 {
    match serde_json::from_str(raw.get()) {
        Ok(Json::String(text)) => text.trim().parse().map_or(i64::MIN, |at: jiff::Timestamp| at.as_millisecond()),
        Ok(Json::Number(number)) => number.as_i64().unwrap_or(i64::MIN),
        _ => i64::MIN,
    }
}

/// An id as text, or an object that has it as `_id`; anything else is nobody.
fn agent(json: &Json) -> Option<AgentId> {
    match json {
        Json::String(id) => AgentId::parse(id.trim()),
        Json::Object(object) => agent(object.get("_id")?),
        _ => None,
    }
}

fn observed(record: &Json, updated: i64) -> Observed {
    let details = &record["profile"]["userDetails"];
    let (tags, tag_shape) = tags(&details["tags"]);
    let attributes = attributes(&details["attributes"]);
    let lead = Lead {
        status: scalar(&record["status"]).map(|word| Status::read(word.trim())),
        agent: agent(&record["_agentAssigned"]),
        tags,
        attributes: attributes.iter().map(|(key, value)| (key.clone(), scalar(value).unwrap_or_default())).collect(),
        contact: contact(details),
        notes: notes(&record["profile"]["notes"]),
    };
    let unmanaged = ["city", "country", "gender"];
    let unmanaged = unmanaged.into_iter().filter_map(|key| Some((key, scalar(&details[key])?))).collect();
    Observed { lead, unmanaged, echo: Echo { attributes }, tag_shape, updated, seen: None }
}

fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) if text.is_empty() => None,
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn tags(json: &Json) -> (BTreeSet<String>, Option<TagShape>) {
    match json {
        Json::Array(items) => (items.iter().filter_map(scalar).filter_map(|text| tag(&text)).collect(), Some(TagShape::Array)),
        Json::String(text) => (text.split(',').filter_map(tag).collect(), Some(TagShape::String)),
        _ => (BTreeSet::new(), None),
    }
}

fn attributes(json: &Json) -> Vec<(String, Json)> {
    let pair = |item: &Json| Some((scalar(&item["key"])?, item["value"].clone()));
    match json {
        Json::Array(items) => items.iter().filter_map(pair).collect(),
        Json::Object(object) => object.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        _ => Vec::new(),
    }
}

fn contact(details: &Json) -> BTreeMap<ContactField, String> {
    let contact = &details["contact"];
    let phone = match &contact["phone"] {
        Json::Object(phone) => (phone.get("number"), phone.get("prefix")),
        other => (Some(other), None),
    };
    let value = |field: ContactField| {
        let json = match field {
            ContactField::Name => Some(&details["name"]),
            ContactField::Email => Some(&contact["email"]),
            ContactField::Phone => phone.0,
            ContactField::DialCode => phone.1,
            ContactField::Picture => Some(&details["picture"]),
        };
        Some((field, field.normal(&scalar(json?)?))).filter(|(_, text)| !text.is_empty())
    };
    ContactField::ALL.into_iter().filter_map(value).collect()
}

fn notes(json: &Json) -> Vec<Note> {
    let text = |json: &Json| scalar(json).unwrap_or_default();
    let note =
        |item: &Json| item.is_object().then(|| Note { title: text(&item["title"]), description: text(&item["description"]) });
    json.as_array().map(|items| items.iter().filter_map(note).collect()).unwrap_or_default()
}

/// The ids and settings that shape every update.
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
/// Tags, attributes and notes are lists of which only the whole can be sent. Whether the platform adds to a list or replaces
/// it is not published, so what the lead has besides goes along: nothing is lost either way.
pub(super) fn update(out: &Outgoing, update: &Update<'_>) -> Json {
    let Update { id, fields, live, tag_shape: listing_shape, adds_notes } = update;
    let mut body = Map::new();
    body.insert("uuid".into(), json!(id.as_str()));
    body.insert("botId".into(), json!(out.bot_id));
    body.insert("customerId".into(), json!(out.customer_id));
    let mut attributes = Vec::new();
    for (field, value) in fields {
        match (field, value) {
            (Field::Attribute(key), value) => attributes.push((key, value.as_text().unwrap_or_default())),
            (Field::Agent, Value::Nothing) => drop(body.insert("agentId".into(), json!(out.unassign))),
            (Field::Agent, value) => drop(body.insert("agentId".into(), json!(value.as_text()))),
            (Field::Status, value) => drop(body.insert("status".into(), json!(value.as_text()))),
            (Field::Contact(contact), value) => {
                drop(body.insert(contact_key(*contact).into(), json!(value.as_text().unwrap_or_default())));
            }
            (Field::Tags, Value::Tags(tags)) => {
                let shape = match out.tags {
                    TagShape::Auto => live.and_then(|live| live.tag_shape).unwrap_or(*listing_shape),
                    forced => forced,
                };
                drop(body.insert("tags".into(), tags_json(tags, shape)));
            }
            (Field::Notes, Value::Notes(notes)) => {
                let others = match out.notes {
                    NotesSent::All => true,
                    NotesSent::Auto => !adds_notes,
                    NotesSent::New => false,
                };
                drop(body.insert("notes".into(), notes_json(*live, notes, others)));
            }
            (Field::Tags | Field::Notes, _) => {}
        }
    }
    if !attributes.is_empty() {
        body.insert("attributes".into(), attributes_json(*live, &attributes));
    }
    Json::Object(body)
}

fn contact_key(field: ContactField) -> &'static str {
    match field {
        ContactField::Name => "name",
        ContactField::Email => "email",
        ContactField::Phone => "phone",
        ContactField::DialCode => "dialCode",
        ContactField::Picture => "picture",
    }
}

fn tags_json(tags: &BTreeSet<String>, shape: TagShape) -> Json {
    match shape {
        TagShape::Auto | TagShape::Array => json!(tags),
        TagShape::String => json!(tags.iter().map(String::as_str).collect::<Vec<_>>().join(",")),
    }
}

fn attributes_json(live: Option<&Observed>, wanted: &[(&String, &str)]) -> Json {
    let mut list: Vec<(&String, Json)> =
        live.map(|live| live.echo.attributes.iter().map(|(key, value)| (key, value.clone())).collect()).unwrap_or_default();
    for &(key, text) in wanted {
        let mut there = list.iter_mut().filter(|(other, _)| *other == key).peekable();
        if there.peek().is_some() {
            there.for_each(|(_, value)| *value = json!(text));
        } else {
            list.push((key, json!(text)));
        }
    }
    list.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn notes_json(live: Option<&Observed>, wanted: &[Note], with_others: bool) -> Json {
    let there: &[Note] = live.map(|live| live.lead.notes.as_slice()).unwrap_or_default();
    let others = there.iter().filter(|_| with_others);
    let notes: Vec<&Note> = others.chain(wanted.iter().filter(|note| !there.contains(note))).collect();
    json!(notes)
}

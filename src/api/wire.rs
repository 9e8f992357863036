//! The API's JSON ↔ lead.
//!
//! Owns the platform's odd words and the tolerance that api.md asks for: whatever shape a value has, what is needed is taken
//! from it or left out. Gives an [`Observed`] for what `page` found of a record, and the body of an [`Update`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::api::NotesSent;
use crate::apply::Update;
use crate::lead::{AgentId, ContactField, Field, FieldMask, Lead, Note, Status, Value, tag};
use crate::observe::TagShape;
use crate::observe::{Echo, Observed};

/// The values of a record that are asked for; null where there is none, or it was not asked for.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) status: Json,
    pub(super) agent: Option<AgentId>,
    pub(super) notes: Json,
    tags: Json,
    attributes: Json,
    name: Json,
    picture: Json,
    contact: Json,
    /// Values that are never managed.
    others: [Json; 3],
}

const OTHERS: [&str; 3] = ["city", "country", "gender"];

impl Shown {
    /// The place for a key of `profile.userDetails`, where it is asked for.
    pub(super) fn detail(&mut self, key: &str, mask: FieldMask) -> Option<&mut Json> {
        let (fields, place) = match key {
            "tags" => (FieldMask::TAGS, &mut self.tags),
            "attributes" => (FieldMask::ATTRIBUTES, &mut self.attributes),
            "name" => (FieldMask::CONTACT, &mut self.name),
            "picture" => (FieldMask::CONTACT, &mut self.picture),
            "contact" => (FieldMask::CONTACT, &mut self.contact),
            other => (
                FieldMask::ALL,
                self.others
                    .get_mut(OTHERS.iter().position(|known| *known == other)?)?,
            ),
        };
        Some(place).filter(|_| mask.has(fields))
    }
}

/// An id as text, or an object that has it as `_id`; anything else is nobody.
pub(super) fn agent(json: &Json) -> Option<AgentId> {
    match json {
        Json::String(id) => AgentId::parse(id.trim()),
        Json::Object(object) => agent(object.get("_id")?),
        _ => None,
    }
}

pub(super) fn observed(shown: Shown, updated: i64) -> Observed {
    let contact = contact(&shown);
    let (tags, tag_shape) = tags(shown.tags);
    let attributes = attributes(shown.attributes);
    let lead = Lead {
        status: into_scalar(shown.status).map(|word| Status::read(word.trim())),
        agent: shown.agent,
        tags,
        attributes: attributes
            .iter()
            .map(|(key, value)| (key.clone(), scalar(value).unwrap_or_default()))
            .collect(),
        contact,
        notes: notes(&shown.notes),
    };
    let unmanaged = OTHERS
        .into_iter()
        .zip(&shown.others)
        .filter_map(|(key, json)| Some((key, scalar(json)?)))
        .collect();
    Observed {
        lead,
        unmanaged,
        echo: Echo { attributes },
        tag_shape,
        updated,
        seen: None,
    }
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

/// As [`scalar`], of text that is not needed any more.
fn into_scalar(json: Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text).filter(|text| !text.is_empty()),
        other => scalar(&other),
    }
}

fn tags(json: Json) -> (BTreeSet<String>, Option<TagShape>) {
    let normal = |text: String| {
        if text.trim().len() == text.len() {
            Some(text)
        } else {
            tag(&text)
        }
    };
    match json {
        Json::Array(items) => (
            items
                .into_iter()
                .filter_map(into_scalar)
                .filter_map(normal)
                .collect(),
            Some(TagShape::Array),
        ),
        Json::String(text) => (
            text.split(',').filter_map(tag).collect(),
            Some(TagShape::String),
        ),
        _ => (BTreeSet::new(), None),
    }
}

fn attributes(json: Json) -> Vec<(String, Json)> {
    let pair = |mut item: Json| {
        Some((
            scalar(&item["key"])?,
            item.get_mut("value").map(Json::take).unwrap_or_default(),
        ))
    };
    match json {
        Json::Array(items) => items.into_iter().filter_map(pair).collect(),
        Json::Object(object) => object.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn contact(shown: &Shown) -> BTreeMap<ContactField, String> {
    let contact = &shown.contact;
    let phone = match &contact["phone"] {
        Json::Object(phone) => (phone.get("number"), phone.get("prefix")),
        other => (Some(other), None),
    };
    let value = |field: ContactField| {
        let json = match field {
            ContactField::Name => Some(&shown.name),
            ContactField::Email => Some(&contact["email"]),
            ContactField::Phone => phone.0,
            ContactField::DialCode => phone.1,
            ContactField::Picture => Some(&shown.picture),
        };
        Some((field, field.normal(&scalar(json?)?))).filter(|(_, text)| !text.is_empty())
    };
    ContactField::ALL.into_iter().filter_map(value).collect()
}

fn notes(json: &Json) -> Vec<Note> {
    let text = |json: &Json| scalar(json).unwrap_or_default();
    let note = |item: &Json| {
        item.is_object().then(|| Note {
            title: text(&item["title"]),
            description: text(&item["description"]),
        })
    };
    json.as_array()
        .map(|items| items.iter().filter_map(note).collect())
        .unwrap_or_default()
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
    let Update {
        id,
        fields,
        live,
        tag_shape: listing_shape,
        adds_notes,
    } = update;
    let mut body = Map::new();
    body.insert("uuid".into(), json!(id.as_str()));
    body.insert("botId".into(), json!(out.bot_id));
    body.insert("customerId".into(), json!(out.customer_id));
    let mut attributes = Vec::new();
    for (field, value) in fields {
        match (field, value) {
            (Field::Attribute(key), value) => {
                attributes.push((key, value.as_text().unwrap_or_default()))
            }
            (Field::Agent, Value::Nothing) => {
                drop(body.insert("agentId".into(), json!(out.unassign)))
            }
            (Field::Agent, value) => drop(body.insert("agentId".into(), json!(value.as_text()))),
            (Field::Status, value) => drop(body.insert("status".into(), json!(value.as_text()))),
            (Field::Contact(contact), value) => {
                drop(body.insert(
                    contact_key(*contact).into(),
                    json!(value.as_text().unwrap_or_default()),
                ));
            }
            (Field::Tags, Value::Tags(tags)) => {
                let shape = match out.tags {
                    TagShape::Auto => live
                        .and_then(|live| live.tag_shape)
                        .unwrap_or(*listing_shape),
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
        TagShape::String => json!(
            tags.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(",")
        ),
    }
}

fn attributes_json(live: Option<&Observed>, wanted: &[(&String, &str)]) -> Json {
    let mut list: Vec<(&String, Json)> = live
        .map(|live| {
            live.echo
                .attributes
                .iter()
                .map(|(key, value)| (key, value.clone()))
                .collect()
        })
        .unwrap_or_default();
    for &(key, text) in wanted {
        let mut there = list
            .iter_mut()
            .filter(|(other, _)| *other == key)
            .peekable();
        if there.peek().is_some() {
            there.for_each(|(_, value)| *value = json!(text));
        } else {
            list.push((key, json!(text)));
        }
    }
    list.into_iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

fn notes_json(live: Option<&Observed>, wanted: &[Note], with_others: bool) -> Json {
    let there: &[Note] = live
        .map(|live| live.lead.notes.as_slice())
        .unwrap_or_default();
    let others = there.iter().filter(|_| with_others);
    let notes: Vec<&Note> = others
        .chain(wanted.iter().filter(|note| !there.contains(note)))
        .collect();
    json!(notes)
}

//! A value of each kind in a lead file: how it is written, read, checked and described by the schema.

use schemars::{SchemaGenerator, json_schema};
use serde_json::{Value as Json, json};

use super::emit::AgentNames;
use super::schema::{filled, text as any_text};
use crate::config::visible::warn_of_similar;
use crate::config::words::{read_status, read_tags};
use crate::lead::{DesiredValue, Field, FieldId, Kind, Note, Status, TagRule, TagSet};
use crate::text::invisible_in;
use crate::yaml::decode::{At, Decoder, Keys};
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;
use crate::yaml::value::YamlValue;
use crate::yaml::{NodeId, NodeKind};

/// What a file says of a field, before names and tags are looked up.
#[derive(Debug)]
pub(crate) enum RawValue<'t> {
    /// A value that needs nothing looked up.
    Ready(DesiredValue),
    /// An agent's name, an id, or `none`.
    Reference(&'t str),
    /// A list: exactly these.
    Exact(Vec<At<&'t str>>),
    /// `present` and `absent`.
    Patch(Vec<At<&'t str>>, Vec<At<&'t str>>),
}

/// Reads a value of the field's kind.
pub(crate) fn read<'t>(
    reader: &mut Decoder<'t>,
    id: NodeId,
    field: FieldId,
) -> Option<At<RawValue<'t>>> {
    let span = reader.span(id);
    let value = match field.spec().kind {
        Kind::Choice => status(reader, id)?,
        Kind::Reference => agent(reader, id)?,
        Kind::Set => tags(reader, id)?,
        Kind::KeyedText => {
            let text = reader.text(id, "an attribute")?.value;
            ready_text(field, text)
        }
        Kind::Text => return read_member(reader, id, field),
        Kind::Notes => notes(reader, id)?,
        Kind::Boolean => {
            let value = reader.truth(id, field.spec().name)?.value;
            RawValue::Ready(DesiredValue::Boolean(value))
        }
    };
    Some(At { value, span })
}

/// Reads a value that a group holds, or a text: such a text is never empty.
pub(crate) fn read_member<'t>(
    reader: &mut Decoder<'t>,
    id: NodeId,
    field: FieldId,
) -> Option<At<RawValue<'t>>> {
    let spec = field.spec();
    if spec.kind != Kind::Text {
        return read(reader, id, field);
    }
    let name = field.member().unwrap_or(spec.name);
    let text = reader.text(id, name)?;
    let value = text.value.trim();
    if value.is_empty() {
        let help = "leave it out; the API cannot clear it";
        reader.error(
            Code::EmptyValue,
            text.span,
            format!("`{name}` is empty"),
            help,
        );
        return None;
    }
    if let Some(help) = (spec.check)(value) {
        let message = format!("{} is not {}", quoted(value), spec.noun);
        reader.error(Code::BadContact, text.span, message, help);
        return None;
    }
    Some(At {
        value: ready_text(field, text.value),
        span: text.span,
    })
}

fn ready_text<'t>(field: FieldId, text: &str) -> RawValue<'t> {
    RawValue::Ready(DesiredValue::Text((field.spec().normalise)(text)))
}

fn status<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawValue<'t>> {
    if reader.is_null(id) {
        let help = "leave the line out to leave the status alone; a status cannot be cleared";
        reader.error(Code::EmptyValue, reader.span(id), "`status` is empty", help);
        return None;
    }
    let text = reader.text(id, "`status`")?;
    let status = read_status(reader, text)?;
    Some(RawValue::Ready(DesiredValue::Choice(status)))
}

fn agent<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawValue<'t>> {
    let is_blank =
        matches!(reader.tree.kind(id), NodeKind::Scalar(text, _) if text.trim().is_empty());
    if is_blank || reader.is_null(id) {
        let help = "write `none` to un-assign; leave the line out to not manage it";
        reader.error(Code::EmptyValue, reader.span(id), "`agent` is empty", help);
        return None;
    }
    let text = reader.text(id, "`agent`")?;
    Some(RawValue::Reference(text.value))
}

fn tags<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawValue<'t>> {
    if matches!(reader.tree.kind(id), NodeKind::Sequence(_)) {
        let tags = read_tags(reader, id, "`tags`")?;
        warn_of_similar(reader, &tags);
        return Some(RawValue::Exact(tags));
    }
    if !matches!(reader.tree.kind(id), NodeKind::Mapping { .. }) {
        let help = "write `[vip, renewal]` for exactly these, `[]` for none, or `{ present: [vip], absent: [cold] }`";
        reader.wrong(id, "`tags`", "a list, or `present` and `absent`", help);
        return None;
    }
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    let mut keys = Keys::default();
    for (key, value) in reader.tree.pairs(id) {
        match reader.key(key, &mut keys) {
            Some("present") => present = read_tags(reader, value, "`present`").unwrap_or_default(),
            Some("absent") => absent = read_tags(reader, value, "`absent`").unwrap_or_default(),
            Some(other) => reader.unknown(key, other, "`tags`", &["present", "absent"]),
            None => {}
        }
    }
    warn_of_similar(reader, &[present.as_slice(), &absent].concat());
    Some(RawValue::Patch(present, absent))
}

fn notes<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<RawValue<'t>> {
    let help = "write `- title: …` and `description: …` below `notes:`";
    let items = reader.list(id, "`notes`", help)?;
    let notes = items.filter_map(|item| note(reader, item));
    Some(RawValue::Ready(DesiredValue::notes_once(notes.collect())))
}

fn note(reader: &mut Decoder<'_>, id: NodeId) -> Option<Note> {
    let pairs = reader.mapping(id, "a note", "write `{ title: …, description: … }`")?;
    let (mut keys, mut has_title, mut title, mut description) =
        (Keys::default(), false, None, String::new());
    for (key, value) in pairs {
        match reader.key(key, &mut keys) {
            Some("title") => {
                has_title = true;
                title = reader.filled(value, "`title`");
            }
            Some("description") => {
                let text = reader.text(value, "`description`");
                description = text.map(|text| text.value.to_owned()).unwrap_or_default();
            }
            Some(other) => reader.unknown(key, other, "a note", &["title", "description"]),
            None => {}
        }
    }
    if !has_title {
        let help = "add `title:`; a note is known by its texts";
        let span = reader.span(id);
        reader.error(Code::MissingTitle, span, "a note needs a `title`", help);
    }
    title.map(|title| Note {
        title: title.value.to_owned(),
        description,
    })
}

/// Why no file can say this of a field; `None` where one can.
pub(crate) fn unwritable(field: &Field, value: &DesiredValue) -> Option<&'static str> {
    match value {
        DesiredValue::Choice(status) => Status::writable(status.as_str())
            .is_none()
            .then_some("a status that cannot be written"),
        DesiredValue::Reference(_) | DesiredValue::Boolean(_) => None,
        DesiredValue::Set(TagRule::Exact(tags)) => unwritable_tags(tags),
        DesiredValue::Set(TagRule::Patch { present, absent }) => {
            unwritable_tags(present).or_else(|| unwritable_tags(absent))
        }
        DesiredValue::Text(text) => unwritable_text(field, text),
        DesiredValue::Notes(notes) => notes
            .iter()
            .any(|note| note.title.trim().is_empty())
            .then_some("a note without a title"),
    }
}

fn unwritable_tags(tags: &TagSet) -> Option<&'static str> {
    tags.iter().find_map(|tag| unwritable_tag(tag))
}

/// Why no file can name a tag; `None` where one can.
pub(crate) fn unwritable_tag(tag: &str) -> Option<&'static str> {
    if invisible_in(tag).is_some() {
        return Some("a tag with a character that cannot be seen");
    }
    let is_normal = crate::lead::tag(tag).as_deref() == Some(tag);
    (!is_normal).then_some("a tag with white space around it")
}

fn unwritable_text(field: &Field, text: &str) -> Option<&'static str> {
    if let Some(key) = field.key() {
        if key.trim().is_empty() {
            return Some("an attribute without a name");
        }
        let is_long = crate::yaml::quote::double(key).len() >= super::adopt::LONGEST_KEY;
        return is_long.then_some("an attribute's name that is too long for a key");
    }
    let spec = field.spec();
    let is_value =
        (spec.normalise)(text) == text && !text.is_empty() && (spec.check)(text).is_none();
    (!is_value).then_some("a contact value that lead files do not take")
}

/// The value as YAML.
pub(crate) fn to_yaml(value: &DesiredValue, names: &AgentNames<'_>) -> YamlValue {
    match value {
        DesiredValue::Choice(status) => YamlValue::Text(status.to_string()),
        DesiredValue::Reference(agent) => YamlValue::Text(names.word(agent.as_ref())),
        DesiredValue::Set(TagRule::Exact(tags)) => tag_list(tags),
        DesiredValue::Set(TagRule::Patch { present, absent }) => {
            let sides = [("present", present), ("absent", absent)];
            let named = sides.into_iter().filter(|(_, tags)| !tags.is_empty());
            YamlValue::Map(
                named
                    .map(|(key, tags)| (key.to_owned(), tag_list(tags)))
                    .collect(),
            )
        }
        DesiredValue::Text(text) => YamlValue::Text(text.clone()),
        DesiredValue::Boolean(value) => YamlValue::Plain(value.to_string()),
        DesiredValue::Notes(notes) => YamlValue::List(notes.iter().map(note_map).collect()),
    }
}

fn tag_list(tags: &TagSet) -> YamlValue {
    YamlValue::List(tags.iter().cloned().map(YamlValue::Text).collect())
}

fn note_map(note: &Note) -> YamlValue {
    let mut entries = vec![("title".to_owned(), YamlValue::Text(note.title.clone()))];
    if !note.description.is_empty() {
        let text = YamlValue::Text(note.description.clone());
        entries.push(("description".to_owned(), text));
    }
    YamlValue::Map(entries)
}

/// The JSON Schema of a field's value.
pub(crate) fn schema(id: FieldId, generator: &mut SchemaGenerator) -> Json {
    match id.spec().kind {
        Kind::Choice => {
            let six: Vec<&str> = Status::WRITABLE.iter().map(Status::as_str).collect();
            json!({ "enum": six })
        }
        Kind::Reference => {
            json!({ "type": ["string", "number", "boolean"], "pattern": "\\S", "examples": ["none"] })
        }
        Kind::Set => {
            let list = json_schema!({ "type": "array", "items": filled(generator) });
            json!({
                "anyOf": [list, {
                    "type": "object",
                    "properties": { "present": list, "absent": list },
                    "anyOf": [
                        { "required": ["present"], "properties": { "present": { "minItems": 1 } } },
                        { "required": ["absent"], "properties": { "absent": { "minItems": 1 } } }
                    ],
                    "additionalProperties": false,
                }],
                "examples": [["vip", "renewal"], { "present": ["vip"], "absent": ["cold"] }],
            })
        }
        Kind::KeyedText => json!({
            "type": "object",
            "propertyNames": { "pattern": "\\S" },
            "additionalProperties": any_text(generator),
            "examples": [{ "tier": "gold" }],
        }),
        Kind::Text => (id.spec().schema)().unwrap_or_else(|| filled(generator).to_value()),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Notes => json!({ "type": "array", "items": { "$ref": "#/$defs/Note" } }),
    }
}

//! A lead file as written: raw, with places, checked for its shape and nothing else.
//!
//! Which keys there are, the table of fields says; how a value of each kind is written, `value` says. What needs the
//! workspace or a second lead is checked in [`valid`](super::valid).

use std::sync::LazyLock;

use super::value::{RawValue, read, read_member};
use crate::config::visible::{is_canonical, warn_of_odd_uuid};
use crate::config::words::read_version;
use crate::lead::field_table::groups;
use crate::lead::{Field, FieldId, Kind as FieldKind};
use crate::text::{invisible_in, is_unusual_space, name_of};
use crate::yaml::decode::{At, Decoder, Keys};
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;
use crate::yaml::scalar::{Scalar, resolve};
use crate::yaml::{NodeId, NodeKind};

/// A file of leads.
#[derive(Debug, Default)]
pub(crate) struct RawFile<'t> {
    /// For every lead of the file that does not have a value of its own.
    pub(crate) defaults: Option<RawLead<'t>>,
    /// The nodes of the leads' uuids and values.
    pub(crate) leads: Vec<(NodeId, NodeId)>,
}

/// One lead, or `defaults`. A field that is not there is not managed.
#[derive(Debug, Default)]
pub(crate) struct RawLead<'t> {
    /// For readers; never sent.
    pub(crate) label: Option<At<&'t str>>,
    /// Why the lead is held.
    pub(crate) hold: Option<At<&'t str>>,
    /// Whether it may be created.
    pub(crate) create: Option<At<bool>>,
    /// The fields, each once, in the order of the file.
    pub(crate) fields: Vec<(Field, At<RawValue<'t>>)>,
}

const FILE: &[&str] = &["version", "defaults", "leads"];

/// The keys of a lead, or of `defaults`, in the order of a file.
pub(crate) fn lead_keys(in_defaults: bool) -> &'static [&'static str] {
    static OF_LEADS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let fields = groups().map(|(name, _)| name);
        let own = ["label", "hold"].into_iter();
        own.chain(fields).chain(["create"]).collect()
    });
    static OF_DEFAULTS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let may = |ids: &[FieldId]| ids.iter().all(|id| id.spec().in_defaults);
        let fields = groups().filter(|(_, ids)| may(ids));
        fields.map(|(name, _)| name).chain(["create"]).collect()
    });
    if in_defaults { &OF_DEFAULTS } else { &OF_LEADS }
}

/// Reads the file's own keys; [`lead`] reads what `leads` holds.
pub(crate) fn file<'t>(reader: &mut Decoder<'t>) -> RawFile<'t> {
    let mut file = RawFile::default();
    let help = "begin with `version: 1`, then `leads:`";
    let Some(pairs) = reader.mapping(0, "a lead file", help) else {
        return file;
    };
    let (mut keys, mut has_version, mut has_leads) = (Keys::default(), false, false);
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys) else {
            continue;
        };
        match name {
            "version" => {
                has_version = true;
                read_version(reader, value);
            }
            "defaults" if reader.is_null(value) => {}
            "defaults" => file.defaults = Some(lead(reader, value, true)),
            "leads" if reader.is_null(value) => {
                has_leads = true;
                warn_of_no_leads(
                    reader,
                    key,
                    "`leads` is empty, so that this file declares no lead",
                );
            }
            "leads" => {
                has_leads = true;
                let help = "write each lead as `uuid:` with its fields below, indented";
                let leads = reader.mapping(value, "`leads`", help);
                file.leads = leads.map(Iterator::collect).unwrap_or_default();
            }
            other => reader.unknown(key, other, "a lead file", FILE),
        }
    }
    if !has_version {
        let span = reader.span(0);
        let help = "write `version: 1` on the first line";
        reader.error(Code::MissingVersion, span, "`version` is missing", help);
    }
    if !has_leads {
        warn_of_no_leads(
            reader,
            0,
            "there is no `leads`, so that this file declares no lead",
        );
    }
    file
}

fn warn_of_no_leads(reader: &mut Decoder<'_>, place: NodeId, message: &str) {
    let help = "write the leads below `leads:`, indented; `leads: {}` says that there are none";
    reader.warning(Code::EmptyLeads, reader.span(place), message, help);
}

/// Reads one lead, or `defaults`. Nothing after `uuid:` is a lead that only has the defaults.
pub(crate) fn lead<'t>(reader: &mut Decoder<'t>, id: NodeId, in_defaults: bool) -> RawLead<'t> {
    let mut lead = RawLead::default();
    if reader.is_null(id) && !in_defaults {
        return lead;
    }
    let what = if in_defaults { "`defaults`" } else { "a lead" };
    let help = "write its fields below it, indented: `status: OPEN`";
    let Some(pairs) = reader.mapping(id, what, help) else {
        return lead;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys) else {
            continue;
        };
        let known = lead_keys(in_defaults);
        match groups().find(|(group, _)| *group == name) {
            _ if !known.contains(&name) && lead_keys(false).contains(&name) => {
                let message = format!("`defaults` cannot hold `{name}`");
                let help = "write it in each lead it is about";
                reader.error(Code::UnknownKey, reader.span(key), message, help);
            }
            Some((_, ids)) => group(reader, value, ids, &mut lead.fields),
            None if name == "label" => lead.label = reader.text(value, "`label`"),
            None if name == "hold" => lead.hold = hold(reader, value),
            None if name == "create" => lead.create = reader.truth(value, "`create`"),
            None => reader.unknown(key, name, what, known),
        }
    }
    lead
}

fn hold<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<At<&'t str>> {
    let is_blank =
        matches!(reader.tree.kind(id), NodeKind::Scalar(text, _) if text.trim().is_empty());
    if is_blank || reader.is_null(id) {
        let help = "write why the lead is held, or leave the line out";
        reader.error(Code::EmptyValue, reader.span(id), "`hold` is empty", help);
        return None;
    }
    reader.text(id, "`hold`")
}

/// Reads the fields of one key: the field itself, its keys, or the members of a group.
fn group<'t>(
    reader: &mut Decoder<'t>,
    value: NodeId,
    ids: &[FieldId],
    out: &mut Vec<(Field, At<RawValue<'t>>)>,
) {
    match ids {
        [id] if id.spec().kind == FieldKind::KeyedText => keyed(reader, value, *id, out),
        [id] if id.member().is_none() => {
            let field = Field::single(*id);
            out.extend(field.and_then(|field| Some((field, read(reader, value, *id)?))));
        }
        members => group_members(reader, value, members, out),
    }
}

fn keyed<'t>(
    reader: &mut Decoder<'t>,
    value: NodeId,
    id: FieldId,
    out: &mut Vec<(Field, At<RawValue<'t>>)>,
) {
    let name = id.spec().name;
    let help = format!("write `{{ key: value }}`, or leave `{name}` out");
    let Some(pairs) = reader.mapping(value, &format!("`{name}`"), &help) else {
        return;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let Some(text) = reader.key(key, &mut keys) else {
            continue;
        };
        if text.trim().is_empty() {
            let help = "write the attribute's name before the `:`";
            let span = reader.span(key);
            reader.error(Code::EmptyValue, span, "an attribute has no key", help);
        } else if let Some(value) = read(reader, value, id) {
            out.push((Field::keyed(id, text), value));
        }
    }
}

fn group_members<'t>(
    reader: &mut Decoder<'t>,
    value: NodeId,
    members: &[FieldId],
    out: &mut Vec<(Field, At<RawValue<'t>>)>,
) {
    let Some(name) = members.first().map(|id| id.group()) else {
        return;
    };
    let help = format!("write `{{ name: …, email: … }}`, or leave `{name}` out");
    let Some(pairs) = reader.mapping(value, &format!("`{name}`"), &help) else {
        return;
    };
    let known: Vec<&str> = members.iter().filter_map(|id| id.member()).collect();
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let Some(text) = reader.key(key, &mut keys) else {
            continue;
        };
        let Some(id) = members.iter().find(|id| id.member() == Some(text)) else {
            reader.unknown(key, text, &format!("`{name}`"), &known);
            continue;
        };
        let field = Field::single(*id);
        out.extend(field.and_then(|field| Some((field, read_member(reader, value, *id)?))));
    }
}

/// Reads a uuid, and refuses the few things that no uuid can be.
pub(crate) fn uuid<'t>(reader: &mut Decoder<'t>, id: NodeId) -> Option<&'t str> {
    let NodeKind::Scalar(text, style) = reader.tree.kind(id) else {
        let help = "write the lead's uuid before the `:`";
        reader.error(Code::WrongType, reader.span(id), "a uuid is text", help);
        return None;
    };
    // As nearly all are.
    if is_canonical(text) {
        return Some(text);
    }
    if let Some(c) = invisible_in(text) {
        let message = format!("the uuid {} holds {}", quoted(text), name_of(c));
        let help = "delete the character, or copy the uuid from the inbox again";
        reader.error(Code::InvisibleCharacter, reader.span(id), message, help);
        return None;
    }
    if let Some(c) = text.chars().find(|c| is_unusual_space(*c)) {
        let message = format!("the uuid {} holds {}", quoted(text), name_of(c));
        let help = if text.starts_with(is_unusual_space) {
            "indent with plain spaces: YAML takes any other as a part of the key"
        } else {
            "delete the character, or copy the uuid from the inbox again"
        };
        reader.error(Code::BadUuid, reader.span(id), message, help);
        return None;
    }
    let null = (resolve(text, *style) == Scalar::Null).then_some("a uuid is empty");
    let Some(problem) = null.or_else(|| uuid_problem(text)) else {
        warn_of_odd_uuid(reader, reader.span(id), text);
        return Some(text);
    };
    let help = "write the uuid as the inbox shows it";
    reader.error(Code::BadUuid, reader.span(id), problem, help);
    None
}

/// Why a text can be no uuid.
pub(crate) fn uuid_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("a uuid is empty")
    } else if invisible_in(text).is_some() || text.chars().any(char::is_whitespace) {
        Some("a uuid holds white space or a character that cannot be seen")
    } else if text.len() > 200 && text.chars().nth(200).is_some() {
        Some("a uuid is longer than 200 characters")
    } else {
        None
    }
}

//! A lead file as written: raw, with places, held against its shape and nothing else.
//!
//! Given a tree; hands on the types below, whose JSON Schema is `schema/leads.schema.json`: what they take and what the schema
//! takes is the same, and a test holds them to it. What needs the workspace or a second lead is `validate`'s.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::lead::{ContactField, Status};
use crate::lead_file::schema;
use crate::yaml::Kind;
use crate::yaml::NodeId;
use crate::yaml::decode::{At, Keys, Reader};
use crate::yaml::diagnostic::{Code, meant};
use crate::yaml::excerpt::quoted;
use crate::yaml::scalar::Scalar;
use crate::yaml::scalar::resolve;

/// A file of leads and what is wanted of them.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Convertalk lead file", deny_unknown_fields)]
pub struct LeadFile<'t> {
    /// The version of this format: 1.
    #[schemars(schema_with = "schema::version")]
    pub version: (),
    /// For every lead of this file that does not say otherwise. Attributes merge key by key.
    #[schemars(with = "Option<Defaults>")]
    pub defaults: Option<Lead<'t>>,
    /// The leads, by uuid.
    #[schemars(schema_with = "schema::leads_by_uuid", default)]
    pub leads: Vec<(NodeId, NodeId)>,
}

/// What is wanted of every lead of a file that does not say otherwise.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "only its schema is used: the values are those of a lead"
)]
pub struct Defaults {
    /// The status.
    #[schemars(schema_with = "schema::status", default)]
    status: (),
    /// An agent's name from convertalk.yaml, a 24-hex id, or `none` for nobody.
    #[schemars(schema_with = "schema::agent", default)]
    agent: (),
    /// Exactly these tags, or those that must be present or absent. `[]` clears.
    #[schemars(schema_with = "schema::tags", default)]
    tags: (),
    /// These keys; others are left alone.
    #[schemars(schema_with = "schema::attributes", default)]
    attributes: (),
    /// Each must be there; others are left alone.
    #[schemars(with = "Vec<Note<'static>>", default)]
    notes: (),
    /// Allowed to be created where the API does not know it.
    #[schemars(with = "bool", default)]
    create: (),
}

/// What is wanted of one lead. A field that is not there is not managed.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lead<'t> {
    /// For readers; never sent.
    #[schemars(schema_with = "schema::text", default)]
    pub label: Option<At<&'t str>>,
    /// Why the lead is held: nothing of it is written, and no difference counts as drift.
    #[schemars(schema_with = "schema::filled", default)]
    pub hold: Option<At<&'t str>>,
    /// The status.
    #[schemars(schema_with = "schema::status", default)]
    pub status: Option<At<Status>>,
    /// An agent's name from convertalk.yaml, a 24-hex id, or `none` for nobody.
    #[schemars(schema_with = "schema::agent", default)]
    pub agent: Option<At<&'t str>>,
    /// Exactly these tags, or those that must be present or absent. `[]` clears.
    #[schemars(schema_with = "schema::tags", default)]
    pub tags: Option<At<Tags<'t>>>,
    /// These keys; others are left alone.
    #[schemars(schema_with = "schema::attributes", default)]
    pub attributes: Option<Vec<(&'t str, At<&'t str>)>>,
    /// Any of these; others are left alone.
    #[schemars(schema_with = "schema::contact", default)]
    pub contact: BTreeMap<ContactField, At<&'t str>>,
    /// Each must be there; others are left alone.
    #[schemars(with = "Vec<Note<'static>>", default)]
    pub notes: Option<At<Vec<Note<'t>>>>,
    /// Allowed to be created where the API does not know it.
    #[schemars(with = "bool", default)]
    pub create: Option<At<bool>>,
}

/// What is written after `tags:`.
#[derive(Debug)]
pub enum Tags<'t> {
    /// A list: exactly these.
    Exact(Vec<At<&'t str>>),
    /// `present` and `absent`.
    Patch(Vec<At<&'t str>>, Vec<At<&'t str>>),
}

/// A note that must be there.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Note<'t> {
    /// The headline.
    #[schemars(schema_with = "schema::filled")]
    pub title: &'t str,
    /// The text; empty unless said.
    #[schemars(schema_with = "schema::text", default)]
    pub description: &'t str,
}

const FILE: &[&str] = &["version", "defaults", "leads"];
pub(crate) const LEAD: &[&str] = &[
    "label",
    "hold",
    "status",
    "agent",
    "tags",
    "attributes",
    "contact",
    "notes",
    "create",
];
const DEFAULTS: &[&str] = &["status", "agent", "tags", "attributes", "notes", "create"];

/// Reads the file's own keys; `leads` gives key and value nodes, for [`lead`].
pub fn file<'t>(reader: &mut Reader<'t>) -> LeadFile<'t> {
    let mut made = LeadFile::default();
    let help = "begin with `version: 1`, then `leads:`";
    let Some(pairs) = reader.mapping(0, "a lead file", help) else {
        return made;
    };
    let (mut keys, mut version) = (Keys::default(), false);
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys) else {
            continue;
        };
        match name {
            "version" => {
                version = true;
                read_version(reader, value);
            }
            "defaults" if reader.is_null(value) => {}
            "defaults" => made.defaults = Some(lead(reader, value, true)),
            "leads" if reader.is_null(value) => {}
            "leads" => {
                let help = "write each lead as `uuid:` with its fields below, indented";
                made.leads = reader
                    .mapping(value, "`leads`", help)
                    .map(Iterator::collect)
                    .unwrap_or_default();
            }
            other => reader.unknown(key, other, "a lead file", FILE),
        }
    }
    if !version {
        let span = reader.span(0);
        reader.error(
            Code::MissingVersion,
            span,
            "`version` is missing",
            "write `version: 1` on the first line",
        );
    }
    made
}

/// Holds `version:` against 1.
pub(crate) fn read_version(reader: &mut Reader<'_>, id: NodeId) {
    if reader.number(id) != Some(1.0) {
        let message = format!("this program reads version 1, found {}", reader.found(id));
        reader.error(
            Code::UnknownVersion,
            reader.span(id),
            message,
            "write `version: 1`, without quotes",
        );
    }
}

/// Reads one lead, or `defaults`. Nothing after `uuid:` is a lead that only has the defaults.
pub fn lead<'t>(reader: &mut Reader<'t>, id: NodeId, defaults: bool) -> Lead<'t> {
    let mut made = Lead::default();
    if reader.is_null(id) && !defaults {
        return made;
    }
    let (what, known) = if defaults {
        ("`defaults`", DEFAULTS)
    } else {
        ("a lead", LEAD)
    };
    let help = "write its fields below it, indented: `status: OPEN`";
    let Some(pairs) = reader.mapping(id, what, help) else {
        return made;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys) else {
            continue;
        };
        match name {
            "label" if !defaults => made.label = reader.text(value, "`label`"),
            "hold" if !defaults => made.hold = hold(reader, value),
            "status" => made.status = status(reader, value),
            "agent" => made.agent = agent(reader, value),
            "tags" => made.tags = tags(reader, value),
            "attributes" => made.attributes = attributes(reader, value),
            "contact" if !defaults => made.contact = contact(reader, value),
            "notes" => made.notes = notes(reader, value),
            "create" => made.create = reader.truth(value, "`create`"),
            "label" | "contact" | "hold" => {
                let help = "write it in each lead it is about";
                reader.error(
                    Code::UnknownKey,
                    reader.span(key),
                    format!("`defaults` cannot hold `{name}`"),
                    help,
                );
            }
            other => reader.unknown(key, other, what, known),
        }
    }
    made
}

/// Holds a uuid against the few things that no uuid can be.
pub fn uuid<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<&'t str> {
    let Kind::Scalar(text, style) = reader.tree.kind(id) else {
        reader.error(
            Code::WrongType,
            reader.span(id),
            "a uuid is text",
            "write the lead's uuid before the `:`",
        );
        return None;
    };
    let null = (resolve(text, *style) == Scalar::Null).then_some("a uuid is empty");
    let Some(problem) = null.or_else(|| uuid_problem(text)) else {
        return Some(text);
    };
    reader.error(
        Code::BadUuid,
        reader.span(id),
        problem,
        "write the uuid as the inbox shows it",
    );
    None
}

/// Why a text can be no uuid.
pub(crate) fn uuid_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("a uuid is empty")
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some("a uuid holds a blank or a control character")
    } else if text.chars().nth(200).is_some() {
        Some("a uuid is longer than 200 characters")
    } else {
        None
    }
}

fn hold<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<At<&'t str>> {
    let blank = matches!(reader.tree.kind(id), Kind::Scalar(text, _) if text.trim().is_empty());
    if blank || reader.is_null(id) {
        let help = "write why the lead is held, or leave the line out";
        reader.error(Code::EmptyValue, reader.span(id), "`hold` is empty", help);
        return None;
    }
    reader.text(id, "`hold`")
}

fn status(reader: &mut Reader<'_>, id: NodeId) -> Option<At<Status>> {
    if reader.is_null(id) {
        let help = "leave the line out to leave the status alone; there is no way to un-set one";
        reader.error(Code::EmptyValue, reader.span(id), "`status` is empty", help);
        return None;
    }
    let text = reader.text(id, "`status`")?;
    read_status(reader, text).map(|value| At {
        value,
        span: text.span,
    })
}

/// One of the six, or an error that knows the usual slips.
pub(crate) fn read_status(reader: &mut Reader<'_>, text: At<&str>) -> Option<Status> {
    let known = Status::writable(text.value);
    if known.is_none() {
        let six = Status::WRITABLE.map(|status| status.as_str().to_owned());
        let help = match meant(text.value, six.iter().map(String::as_str)) {
            Some(near @ "DEPENDANCY") => format!("write `{near}`: the platform spells it so"),
            Some(near) => format!("write `{near}`"),
            None => format!("write one of {}", six.join(", ")),
        };
        reader.error(
            Code::UnknownStatus,
            text.span,
            format!("{} is not a status", quoted(text.value)),
            help,
        );
    }
    known
}

fn agent<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<At<&'t str>> {
    let blank = matches!(reader.tree.kind(id), Kind::Scalar(text, _) if text.trim().is_empty());
    if blank || reader.is_null(id) {
        let help = "write `none` to un-assign; leave the line out to not manage it";
        reader.error(Code::EmptyValue, reader.span(id), "`agent` is empty", help);
        return None;
    }
    reader.text(id, "`agent`")
}

fn tags<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<At<Tags<'t>>> {
    let span = reader.span(id);
    if matches!(reader.tree.kind(id), Kind::Sequence(_)) {
        return tag_list(reader, id, "`tags`").map(|tags| At {
            value: Tags::Exact(tags),
            span,
        });
    }
    if !matches!(reader.tree.kind(id), Kind::Mapping { .. }) {
        let help = "write `[vip, renewal]` for exactly these, `[]` for none, or `{ present: [vip], absent: [cold] }`";
        reader.wrong(id, "`tags`", "a list, or `present` and `absent`", help);
        return None;
    }
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    let mut keys = Keys::default();
    for (key, value) in reader.tree.pairs(id) {
        match reader.key(key, &mut keys) {
            Some("present") => present = tag_list(reader, value, "`present`").unwrap_or_default(),
            Some("absent") => absent = tag_list(reader, value, "`absent`").unwrap_or_default(),
            Some(other) => reader.unknown(key, other, "`tags`", &["present", "absent"]),
            None => {}
        }
    }
    Some(At {
        value: Tags::Patch(present, absent),
        span,
    })
}

/// A list of tags, here or in the policy.
pub(crate) fn tag_list<'t>(
    reader: &mut Reader<'t>,
    id: NodeId,
    what: &str,
) -> Option<Vec<At<&'t str>>> {
    let items = reader.list(id, what, "write the tags as a list: `[vip, renewal]`")?;
    Some(
        items
            .filter_map(|item| reader.filled(item, "a tag"))
            .collect(),
    )
}

fn attributes<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<Vec<(&'t str, At<&'t str>)>> {
    let pairs = reader.mapping(
        id,
        "`attributes`",
        "write `{ key: value }`, or leave `attributes` out",
    )?;
    let (mut keys, mut made) = (Keys::default(), Vec::new());
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys) else {
            continue;
        };
        if name.trim().is_empty() {
            reader.error(
                Code::EmptyValue,
                reader.span(key),
                "an attribute has no key",
                "write the attribute's name before the `:`",
            );
        } else if let Some(text) = reader.text(value, "an attribute") {
            made.push((name, text));
        }
    }
    Some(made)
}

fn contact<'t>(reader: &mut Reader<'t>, id: NodeId) -> BTreeMap<ContactField, At<&'t str>> {
    let mut made = BTreeMap::new();
    let help = "write `{ name: …, email: … }`, or leave `contact` out";
    let Some(pairs) = reader.mapping(id, "`contact`", help) else {
        return made;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        let Some(name) = reader.key(key, &mut keys) else {
            continue;
        };
        let Some(field) = ContactField::ALL
            .into_iter()
            .find(|field| field.as_str() == name)
        else {
            reader.unknown(
                key,
                name,
                "`contact`",
                &ContactField::ALL.map(ContactField::as_str),
            );
            continue;
        };
        if let Some(text) = reader.text(value, field.as_str())
            && contact_value(reader, field, text)
        {
            made.insert(field, text);
        }
    }
    made
}

fn contact_value(reader: &mut Reader<'_>, field: ContactField, text: At<&str>) -> bool {
    let (value, name) = (text.value.trim(), field.as_str());
    if value.is_empty() {
        reader.error(
            Code::EmptyValue,
            text.span,
            format!("`{name}` is empty"),
            "leave it out; contact values cannot be cleared",
        );
        return false;
    }
    let problem = contact_problem(field, value);
    if let Some(help) = problem {
        reader.error(
            Code::BadContact,
            text.span,
            format!("{} is no {}", quoted(value), name.replace('_', " ")),
            help,
        );
    }
    problem.is_none()
}

/// What to write instead of a value, without blanks around it, that is none of its field.
pub(crate) fn contact_problem(field: ContactField, value: &str) -> Option<&'static str> {
    let says_http = || value.starts_with("http://") || value.starts_with("https://");
    let blank = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '.' | '-');
    let (fine, help) = match field {
        ContactField::Name => (true, ""),
        ContactField::Email => (
            value.contains('@'),
            "write a mail address: `name@example.com`",
        ),
        ContactField::Phone => (
            !value.chars().all(blank),
            "write the number, or leave it out",
        ),
        ContactField::DialCode => (
            value.bytes().any(|byte| byte.is_ascii_digit()),
            "write the country's code: `\"+91\"`",
        ),
        ContactField::Picture => (says_http(), "write an address that begins with https://"),
    };
    (!fine).then_some(help)
}

fn notes<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<At<Vec<Note<'t>>>> {
    let help = "write `- title: …` and `description: …` below `notes:`";
    let items = reader.list(id, "`notes`", help)?;
    let value = items.filter_map(|item| note(reader, item)).collect();
    Some(At {
        value,
        span: reader.span(id),
    })
}

fn note<'t>(reader: &mut Reader<'t>, id: NodeId) -> Option<Note<'t>> {
    let pairs = reader.mapping(id, "a note", "write `{ title: …, description: … }`")?;
    let (mut keys, mut titled, mut title, mut description) = (Keys::default(), false, None, "");
    for (key, value) in pairs {
        match reader.key(key, &mut keys) {
            Some("title") => {
                titled = true;
                title = reader.filled(value, "`title`");
            }
            Some("description") => {
                description = reader
                    .text(value, "`description`")
                    .map_or("", |text| text.value)
            }
            Some(other) => reader.unknown(key, other, "a note", &["title", "description"]),
            None => {}
        }
    }
    if !titled {
        reader.error(
            Code::MissingTitle,
            reader.span(id),
            "a note needs a `title`",
            "add `title:`; a note is known by its texts",
        );
    }
    title.map(|title| Note {
        title: title.value,
        description,
    })
}

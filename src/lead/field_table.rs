//! The table of managed fields: one entry for each, with everything that differs between fields.
//!
//! Everything else loops over the table and matches on a field's [`Kind`] only: lead files and their schema, the API's JSON in both
//! directions, redaction, undo, snapshots, drafts. To add a field of a known kind, add its entry; to add a kind, add a variant, and
//! the compiler reports every place that must handle it.

use std::fmt;
use std::sync::LazyLock;

use serde_json::json;

use super::check;
use super::normal::{self, Compare};

/// The kind of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One value of a fixed list: the status.
    Choice,
    /// The id of an agent, or none.
    Reference,
    /// A set of texts, declared exactly or by what must be present and absent.
    Set,
    /// Texts by arbitrary keys. Each key is a field of its own.
    KeyedText,
    /// One text.
    Text,
    /// Yes or no.
    Boolean,
    /// Notes, which can be added and never removed.
    Notes,
}

/// How much of a field's value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privacy {
    /// All of it, everywhere.
    Public,
    /// All of it if the files declare it. A snapshot contains no other values of it.
    Declared,
    /// A person's name: its initials.
    Name,
    /// An email address: its first letters.
    Email,
    /// Other personal data: nothing.
    Personal,
}

impl Privacy {
    /// Whether the value is masked unless personal data is requested.
    pub fn is_personal(self) -> bool {
        match self {
            Self::Public | Self::Declared => false,
            Self::Name | Self::Email | Self::Personal => true,
        }
    }
}

/// One entry of the table. No member has a default: each is a decision.
#[derive(Debug)]
pub struct FieldSpec {
    /// The name in plans and reports. The part before a dot is a mapping in lead files that contains the field.
    pub name: &'static str,
    /// One sentence for the schema of lead files.
    pub about: &'static str,
    /// What a value is, for messages: "`x` is not an email address".
    pub noun: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// Where a record of the listing has it: paths of keys; the first path with a value counts.
    pub read: &'static [&'static [&'static str]],
    /// The key of an update.
    pub write: &'static str,
    /// How much of it may be shown.
    pub privacy: Privacy,
    /// Whether an update can clear it.
    pub clearable: bool,
    /// Whether `defaults` may contain it.
    pub in_defaults: bool,
    /// The normal form in which both sides store it.
    pub normalise: fn(&str) -> String,
    /// The form in which both sides are compared.
    pub compare: Compare,
    /// The help for a text that is not a valid value; `None` if it is valid.
    pub check: fn(&str) -> Option<&'static str>,
    /// The JSON Schema of a text in a lead file, if more specific than the kind's.
    pub schema: fn() -> Option<serde_json::Value>,
}

/// The managed fields, in the order of a lead file.
pub const FIELDS: [FieldSpec; 10] = [
    FieldSpec {
        name: "status",
        about: "The status.",
        noun: "a status",
        kind: Kind::Choice,
        read: &[&["status"]],
        write: "status",
        privacy: Privacy::Public,
        clearable: false,
        in_defaults: true,
        normalise: check::trimmed,
        compare: normal::text,
        check: check::anything,
        schema: check::no_schema,
    },
    FieldSpec {
        name: "agent",
        about: "An agent's name from convertalk.yaml, a 24-hex id, or `none` for no agent.",
        noun: "an agent",
        kind: Kind::Reference,
        read: &[&["_agentAssigned"]],
        write: "agentId",
        privacy: Privacy::Public,
        clearable: true,
        in_defaults: true,
        normalise: check::trimmed,
        compare: normal::text,
        check: check::anything,
        schema: check::no_schema,
    },
    FieldSpec {
        name: "tags",
        about: "Exactly these tags, or those that must be present or absent. `[]` clears.",
        noun: "a tag",
        kind: Kind::Set,
        read: &[&["profile", "userDetails", "tags"]],
        write: "tags",
        privacy: Privacy::Public,
        clearable: true,
        in_defaults: true,
        normalise: check::trimmed,
        compare: normal::text,
        check: check::anything,
        schema: check::no_schema,
    },
    FieldSpec {
        name: "attributes",
        about: "These keys; others are left alone.",
        noun: "an attribute",
        kind: Kind::KeyedText,
        read: &[&["profile", "userDetails", "attributes"]],
        write: "attributes",
        privacy: Privacy::Declared,
        clearable: false,
        in_defaults: true,
        normalise: check::as_it_is,
        compare: normal::text,
        check: check::anything,
        schema: check::no_schema,
    },
    FieldSpec {
        name: "contact.name",
        about: "The person's name.",
        noun: "a name",
        kind: Kind::Text,
        read: &[&["profile", "userDetails", "name"]],
        write: "name",
        privacy: Privacy::Name,
        clearable: false,
        in_defaults: false,
        normalise: check::trimmed,
        compare: normal::text,
        check: check::anything,
        schema: check::no_schema,
    },
    FieldSpec {
        name: "contact.email",
        about: "The email address.",
        noun: "an email address",
        kind: Kind::Text,
        read: &[&["profile", "userDetails", "contact", "email"]],
        write: "email",
        privacy: Privacy::Email,
        clearable: false,
        in_defaults: false,
        normalise: check::trimmed,
        compare: normal::email,
        check: check::email,
        schema: || {
            Some(json!({ "type": "string", "pattern": "@", "examples": ["name@example.com"] }))
        },
    },
    FieldSpec {
        name: "contact.phone",
        about: "The number without its country code.",
        noun: "a phone number",
        kind: Kind::Text,
        read: &[
            &["profile", "userDetails", "contact", "phone", "number"],
            &["profile", "userDetails", "contact", "phone"],
        ],
        write: "phone",
        privacy: Privacy::Personal,
        clearable: false,
        in_defaults: false,
        normalise: check::phone_number,
        compare: normal::text,
        check: check::phone,
        schema: || {
            let types = ["string", "number", "boolean"];
            Some(json!({ "type": types, "pattern": "[^\\s().\\-]" }))
        },
    },
    FieldSpec {
        name: "contact.dial_code",
        about: "The country code, with its `+`.",
        noun: "a country code",
        kind: Kind::Text,
        read: &[&["profile", "userDetails", "contact", "phone", "prefix"]],
        write: "dialCode",
        privacy: Privacy::Personal,
        clearable: false,
        in_defaults: false,
        normalise: check::dial_code_with_plus,
        compare: normal::text,
        check: check::dial_code,
        schema: || {
            Some(json!({ "type": ["string", "number"], "pattern": "[0-9]", "examples": ["+91"] }))
        },
    },
    FieldSpec {
        name: "contact.picture",
        about: "The address of a picture.",
        noun: "the address of a picture",
        kind: Kind::Text,
        read: &[&["profile", "userDetails", "picture"]],
        write: "picture",
        privacy: Privacy::Personal,
        clearable: false,
        in_defaults: false,
        normalise: check::trimmed,
        compare: normal::text,
        check: check::picture,
        schema: || Some(json!({ "type": "string", "pattern": "^\\s*https?://" })),
    },
    FieldSpec {
        name: "notes",
        about: "Each must be there; others are left alone.",
        noun: "a note",
        kind: Kind::Notes,
        read: &[&["profile", "notes"]],
        write: "notes",
        privacy: Privacy::Declared,
        clearable: false,
        in_defaults: true,
        normalise: check::as_it_is,
        compare: normal::text,
        check: check::anything,
        schema: check::no_schema,
    },
];

/// A reference to an entry of the table. Ordered like the fields of a lead file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(u8);

impl FieldId {
    /// Every entry, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        const { assert!(FIELDS.len() < 32, "a mask has a bit for each, and one more") };
        (0..FIELDS.len()).map(|at| Self(at as u8))
    }

    /// The entry itself.
    pub fn spec(self) -> &'static FieldSpec {
        static TABLE: [FieldSpec; FIELDS.len()] = FIELDS;
        &TABLE[self.at()]
    }

    /// Its index in the table, from 0.
    pub fn at(self) -> usize {
        usize::from(self.0)
    }

    /// The key of a lead file that contains it: `contact` of `contact.email`.
    pub fn group(self) -> &'static str {
        &self.spec().name[..self.dot()]
    }

    /// The key within its group: `email` of `contact.email`; `None` if the group is the field.
    pub fn member(self) -> Option<&'static str> {
        self.spec().name.get(self.dot() + 1..)
    }

    /// Where the group ends in its name. Asked for each value of each lead.
    fn dot(self) -> usize {
        static DOTS: [usize; FIELDS.len()] = dots();
        DOTS[self.at()]
    }

    /// The entry with this name, for constants: an unknown name does not compile.
    pub(super) const fn named(name: &str) -> Self {
        let mut at = 0;
        while at < FIELDS.len() {
            if same(FIELDS[at].name.as_bytes(), name.as_bytes()) {
                return Self(at as u8);
            }
            at += 1;
        }
        panic!("the table has no such field")
    }
}

/// The place of the first dot in each name, or its length.
const fn dots() -> [usize; FIELDS.len()] {
    let mut dots = [0; FIELDS.len()];
    let mut at = 0;
    while at < FIELDS.len() {
        let name = FIELDS[at].name.as_bytes();
        while dots[at] < name.len() && name[dots[at]] != b'.' {
            dots[at] += 1;
        }
        at += 1;
    }
    dots
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

impl fmt::Debug for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

/// The keys of lead files that contain fields, each once, in order, with their fields.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static [FieldId])> {
    // Asked for each key of each lead.
    static GROUPS: LazyLock<Vec<(&'static str, Vec<FieldId>)>> = LazyLock::new(|| {
        let mut groups: Vec<(&'static str, Vec<FieldId>)> = Vec::new();
        for id in FieldId::all() {
            match groups.last_mut() {
                Some((name, members)) if *name == id.group() => members.push(id),
                Some(_) | None => groups.push((id.group(), vec![id])),
            }
        }
        groups
    });
    GROUPS.iter().map(|(name, ids)| (*name, ids.as_slice()))
}

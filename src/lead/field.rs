//! A managed field of a lead, by its name.

use std::fmt;
use std::str::FromStr;

use super::field_table::{FieldId, FieldSpec, Kind};

/// A managed field of a lead: an entry of the table and, for texts by key, the key. Displayed and parsed as `status`, `contact.email`,
/// `attributes.KEY`.
///
/// ```
/// use convertalk::lead::Field;
///
/// let tier: Field = "attributes.tier".parse()?;
/// assert_eq!(tier, Field::attribute("tier"));
/// assert_eq!(tier.to_string(), "attributes.tier");
/// assert!("colour".parse::<Field>().is_err());
/// # Ok::<(), convertalk::lead::UnknownField>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    id: FieldId,
    key: Option<Box<str>>,
}

impl Field {
    /// `status`
    pub const STATUS: Self = Self::plain(FieldId::named("status"));
    /// `agent`
    pub const AGENT: Self = Self::plain(FieldId::named("agent"));
    /// `tags`
    pub const TAGS: Self = Self::plain(FieldId::named("tags"));
    /// `contact.name`
    pub const NAME: Self = Self::plain(FieldId::named("contact.name"));
    /// `contact.phone`
    pub const PHONE: Self = Self::plain(FieldId::named("contact.phone"));
    /// `notes`
    pub const NOTES: Self = Self::plain(FieldId::named("notes"));

    const ATTRIBUTES: FieldId = FieldId::named("attributes");

    const fn plain(id: FieldId) -> Self {
        Self { id, key: None }
    }

    /// The field of an entry; `None` if each of its keys is a field.
    pub fn single(id: FieldId) -> Option<Self> {
        (id.spec().kind != Kind::KeyedText).then_some(Self::plain(id))
    }

    /// One key of an entry of texts by key.
    pub fn keyed(id: FieldId, key: impl Into<Box<str>>) -> Self {
        Self {
            id,
            key: Some(key.into()),
        }
    }

    /// `attributes.KEY`
    pub fn attribute(key: impl Into<Box<str>>) -> Self {
        Self::keyed(Self::ATTRIBUTES, key)
    }

    /// Its entry in the table.
    pub fn id(&self) -> FieldId {
        self.id
    }

    /// Its entry in the table, with everything known about the field.
    pub fn spec(&self) -> &'static FieldSpec {
        self.id.spec()
    }

    /// The kind of its value.
    pub fn kind(&self) -> Kind {
        self.spec().kind
    }

    /// The key, for texts by key.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether its value is masked unless personal data is requested.
    pub fn is_personal(&self) -> bool {
        self.spec().privacy.is_personal()
    }

    /// The key of a lead file that contains it, and the key within that mapping, if any.
    pub fn path(&self) -> (&'static str, Option<&str>) {
        (self.id.group(), self.key().or(self.id.member()))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)?;
        self.key().map_or(Ok(()), |key| write!(f, ".{key}"))
    }
}

/// The text does not name a managed field.
#[derive(Debug, Clone, thiserror::Error)]
#[error("unknown field `{0}`")]
pub struct UnknownField(String);

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let named = FieldId::all().find_map(|id| {
            let rest = text.strip_prefix(id.spec().name)?;
            if id.spec().kind == Kind::KeyedText {
                let key = rest.strip_prefix('.').filter(|key| !key.is_empty())?;
                Some(Self::keyed(id, key))
            } else {
                rest.is_empty().then(|| Self::plain(id))
            }
        });
        named.ok_or_else(|| UnknownField(text.to_owned()))
    }
}

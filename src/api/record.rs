//! A record of the listing, in one pass: the values that the table of fields has paths to, and no others.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::envelope::key_of;
use super::wire::is_nothing;
use crate::lead::field_table::FIELDS;
use crate::lead::{FieldId, FieldMask};

/// Values of `profile.userDetails` that are never managed and must not change, unless the table has them.
const UNMANAGED: [(&str, &[&str]); 3] = [
    ("city", &["profile", "userDetails", "city"]),
    ("country", &["profile", "userDetails", "country"]),
    ("gender", &["profile", "userDetails", "gender"]),
];

/// The requested values of a record; null if missing or not requested.
#[derive(Debug, Default)]
pub(super) struct RecordValues {
    /// By the entries of the table.
    values: [Json; FIELDS.len()],
    /// By the entries of [`UNMANAGED`].
    unmanaged: [Json; UNMANAGED.len()],
    /// Entries below a member that is to be an object and is something else: whether they have a value is not known.
    hidden: FieldMask,
}

impl RecordValues {
    /// Takes the value of an entry of the table.
    pub(super) fn take(&mut self, id: FieldId) -> Json {
        self.values[id.at()].take()
    }

    /// Whether a value of an entry may be inside of something that is not understood.
    pub(super) fn may_hide(&self, id: FieldId) -> bool {
        self.hidden.has(id) && self.values[id.at()].is_null()
    }

    /// The values that are never managed, by name.
    pub(super) fn unmanaged(&self) -> impl Iterator<Item = (&'static str, &Json)> {
        let names = UNMANAGED.iter().map(|(name, _)| *name);
        names.zip(&self.unmanaged)
    }

    fn put(&mut self, slot: ValueSlot, value: Json) {
        let place = match slot {
            ValueSlot::Field(id) => &mut self.values[id.at()],
            ValueSlot::Unmanaged(at) => &mut self.unmanaged[at],
        };
        if place.is_null() {
            *place = value;
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum ValueSlot {
    Field(FieldId),
    Unmanaged(usize),
}

/// The paths as a tree of keys.
#[derive(Debug, Default)]
struct PathNode {
    /// What the value here is. A longer path to the same field takes precedence.
    slots: Vec<ValueSlot>,
    children: Vec<(&'static str, PathNode)>,
    /// Everything here and below.
    mask: FieldMask,
}

static PATHS: LazyLock<PathNode> = LazyLock::new(|| {
    let mut root = PathNode::default();
    for id in FieldId::all() {
        for path in id.spec().read {
            root.add(path, ValueSlot::Field(id), FieldMask::default().and(id));
        }
    }
    for (at, (_, path)) in UNMANAGED.iter().enumerate() {
        let is_managed = FIELDS.iter().any(|spec| spec.read.contains(path));
        if !is_managed {
            root.add(path, ValueSlot::Unmanaged(at), FieldMask::UNMANAGED);
        }
    }
    root
});

impl PathNode {
    fn add(&mut self, path: &[&'static str], slot: ValueSlot, mask: FieldMask) {
        self.mask = self.mask.with(mask);
        let Some((key, rest)) = path.split_first() else {
            self.slots.push(slot);
            return;
        };
        let known = self.children.iter().position(|(name, _)| name == key);
        let at = known.unwrap_or_else(|| {
            self.children.push((*key, Self::default()));
            self.children.len() - 1
        });
        self.children[at].1.add(rest, slot, mask);
    }

    fn child(&self, key: &str, mask: FieldMask) -> Option<&Self> {
        let found = self.children.iter().find(|(name, _)| *name == key);
        found
            .map(|(_, child)| child)
            .filter(|child| child.mask.overlaps(mask))
    }

    /// Assigns the values to the slots here and below.
    fn assign(&self, mut value: Json, shown: &mut RecordValues) {
        if self.slots.is_empty() && !value.is_object() && !is_nothing(&value) {
            shown.hidden = shown.hidden.with(self.mask);
        }
        for (key, child) in &self.children {
            if let Some(inner) = value.get_mut(*key) {
                child.assign(inner.take(), shown);
            }
        }
        // An object that values are in is not a value itself.
        let is_around = value.is_object() && !self.children.is_empty();
        for slot in self.slots.iter().filter(|_| !is_around) {
            shown.put(*slot, value.clone());
        }
    }
}

/// More than the number of members that the table has paths through.
pub(super) const MEMBERS: usize = FIELDS.len() + UNMANAGED.len();

/// The members of a record that the table has paths through.
pub(super) fn members() -> impl Iterator<Item = &'static str> {
    PATHS.children.iter().map(|(name, _)| *name)
}

/// Reads one member of a record: as much of it as `mask` selects.
///
/// # Errors
/// The member is not valid JSON, or is nested too deeply.
pub(super) fn read(
    member: &str,
    text: &str,
    mask: FieldMask,
    shown: &mut RecordValues,
) -> serde_json::Result<()> {
    let Some(node) = PATHS.child(member, mask) else {
        return Ok(());
    };
    let mut json = serde_json::Deserializer::from_str(text);
    Values { node, mask, shown }.deserialize(&mut json)?;
    json.end()
}

struct Values<'s> {
    node: &'s PathNode,
    mask: FieldMask,
    shown: &'s mut RecordValues,
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.node.slots.is_empty() {
            deserializer.deserialize_any(self)
        } else {
            let value = serde::Deserialize::deserialize(deserializer)?;
            self.node.assign(value, self.shown);
            Ok(())
        }
    }
}

impl Values<'_> {
    /// Something else than an object: what the paths lead to may be inside.
    fn hide(self) {
        self.shown.hidden = self.shown.hidden.with(self.node.mask);
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { node, mask, shown } = self;
        while let Some(child) = members.next_key_seed(key_of(|key: &str| node.child(key, mask)))? {
            match child {
                Some(node) => members.next_value_seed(Values {
                    node,
                    mask,
                    shown: &mut *shown,
                })?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut is_empty = true;
        while let Some(item) = items.next_element()? {
            is_empty &= is_nothing(&item);
        }
        if !is_empty {
            self.hide();
        }
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        // Some platforms have `false` for nothing.
        if value {
            self.hide();
        }
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.hide();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.hide();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.hide();
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let json = serde_json::from_str(text);
        if !text.trim().is_empty() && !json.is_ok_and(|json| is_nothing(&json)) {
            self.hide();
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

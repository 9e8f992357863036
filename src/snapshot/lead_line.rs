//! The reader of a line that is of a lead: nearly all of a snapshot.
//!
//! It takes the lead from the text in one pass, and takes no line that the schema refuses. A line that it refuses is compared with the
//! schema, which says where the fault is.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::lead::field_table::groups;
use crate::lead::typed::{NO_VALUE, OfKind};
use crate::lead::{Field, FieldId, FieldMask, Lead, LeadId};
use crate::observe::ChatType;

/// A lead as a line shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeadLine {
    pub(super) uuid: LeadId,
    pub(super) updated: i64,
    pub(super) unreadable: FieldMask,
    pub(super) lead: Lead,
}

impl<'de> Deserialize<'de> for LeadLine {
    fn deserialize<D: Deserializer<'de>>(line: D) -> Result<Self, D::Error> {
        line.deserialize_map(LineVisitor)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = LeadLine;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lead")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut line: A) -> Result<LeadLine, A::Error> {
        let mut lead = Lead::default();
        let (mut kind, mut uuid, mut list, mut updated) = (None, None, None, None);
        let mut unreadable = None;
        let mut groups_seen = FieldMask::default();
        while let Some(BorrowedText(key)) = line.next_key()? {
            match key.as_ref() {
                "type" => put(&mut kind, line.next_value::<LineType>()?)?,
                "uuid" => put(
                    &mut uuid,
                    LeadId::new(line.next_value::<BorrowedText<'_>>()?.0),
                )?,
                "list" => put(&mut list, line.next_value::<ChatType>()?)?,
                "updated" => put(&mut updated, line.next_value::<i64>()?)?,
                "unreadable" => put(&mut unreadable, mask(&line.next_value::<Vec<String>>()?)?)?,
                key => match groups().find(|(name, _)| *name == key) {
                    Some((_, ids)) if ids.iter().any(|id| groups_seen.has(*id)) => {
                        return Err(A::Error::custom(TWICE));
                    }
                    Some((_, ids)) => {
                        groups_seen = ids.iter().copied().fold(groups_seen, FieldMask::and);
                        line.next_value_seed(GroupSeed {
                            ids,
                            lead: &mut lead,
                        })?;
                    }
                    None => {
                        line.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        let (Some(LineType::Lead), Some(uuid), Some(_), Some(updated)) =
            (kind, uuid, list, updated)
        else {
            return Err(A::Error::custom("a key is missing"));
        };
        Ok(LeadLine {
            uuid,
            updated,
            unreadable: unreadable.unwrap_or_default(),
            lead,
        })
    }
}

/// The type of a line that is of a lead.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum LineType {
    Lead,
}

/// A text that is not copied where it is written without escapes.
#[derive(Deserialize)]
struct BorrowedText<'t>(#[serde(borrow)] Cow<'t, str>);

const TWICE: &str = "a key is there twice";

/// Sets a key that is to be there once.
fn put<T, E: Error>(place: &mut Option<T>, value: T) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom(TWICE)),
    }
}

/// The entries with these names.
fn mask<E: Error>(names: &[String]) -> Result<FieldMask, E> {
    let named = |name: &String| FieldId::all().find(|id| id.spec().name == name);
    let ids: Option<Vec<FieldId>> = names.iter().map(named).collect();
    let ids = ids.ok_or_else(|| E::custom(NO_VALUE))?;
    Ok(ids.into_iter().fold(FieldMask::default(), FieldMask::and))
}

/// The value below a key of a lead: that of a field, or a mapping of the members of a group.
struct GroupSeed<'l> {
    ids: &'static [FieldId],
    lead: &'l mut Lead,
}

impl<'de> DeserializeSeed<'de> for GroupSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        let is_alone = |id: &&FieldId| id.member().is_none();
        let alone = self.ids.iter().find(is_alone);
        match alone.and_then(|id| Some((Field::single(*id)?, id))) {
            Some((field, id)) => {
                let value = OfKind(id.spec().kind).deserialize(value)?;
                self.lead.set(field, value);
                Ok(())
            }
            None => value.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for GroupSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(BorrowedText(key)) = members.next_key()? {
            let field = self.ids.iter().find_map(|id| match Field::single(*id) {
                Some(field) => (id.member() == Some(key.as_ref())).then_some(field),
                None => Some(Field::keyed(*id, key.as_ref())),
            });
            let Some(field) = field else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.lead.get(&field).is_some() {
                return Err(A::Error::custom(TWICE));
            }
            let value = members.next_value_seed(OfKind(field.kind()))?;
            self.lead.set(field, value);
        }
        Ok(())
    }
}

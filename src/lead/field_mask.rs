//! Which fields of a lead are read: all of them, or those that some demands are about.

use super::Wanted;

/// Kinds of fields, one bit each. Status and agent are always read: they are short, and the policy is about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldMask(u8);

impl FieldMask {
    /// Every field, including those that cannot be managed.
    pub const ALL: Self = Self(u8::MAX);
    /// Status and agent only.
    pub const LEAST: Self = Self(0);
    /// The tags.
    pub const TAGS: Self = Self(1);
    /// The attributes.
    pub const ATTRIBUTES: Self = Self(2);
    /// The contact values.
    pub const CONTACT: Self = Self(4);
    /// The notes.
    pub const NOTES: Self = Self(8);

    /// The fields that these demands are about.
    pub fn of<'a>(demands: impl IntoIterator<Item = &'a Wanted>) -> Self {
        demands
            .into_iter()
            .fold(Self::LEAST, |mask, wanted| match wanted {
                Wanted::Status(_) | Wanted::Agent(_) => mask,
                Wanted::Tags(_) => mask.and(Self::TAGS),
                Wanted::Attribute(..) => mask.and(Self::ATTRIBUTES),
                Wanted::Contact(..) => mask.and(Self::CONTACT),
                Wanted::Notes(_) => mask.and(Self::NOTES),
            })
    }

    /// The fields of both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all fields of `other` are read.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

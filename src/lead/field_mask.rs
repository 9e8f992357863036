//! Which fields of a lead are read: all of them, or those that are managed.

use super::{Field, FieldId};

/// A set of entries of the table of fields, one bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldMask(u32);

impl FieldMask {
    /// Every field, including unmanaged ones.
    pub const ALL: Self = Self(u32::MAX);
    /// Fields that are never managed.
    pub const UNMANAGED: Self = Self(1 << 31);

    /// Status and agent, which are always read: they are short, and policy depends on them.
    pub fn least() -> Self {
        Self::default()
            .and(Field::STATUS.id())
            .and(Field::AGENT.id())
    }

    /// The minimum, and the entries of these fields.
    pub fn covering<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let ids = fields.into_iter().map(Field::id);
        ids.fold(Self::least(), Self::and)
    }

    /// The entries of these fields, and no others.
    pub fn exactly<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let ids = fields.into_iter().map(Field::id);
        ids.fold(Self::default(), Self::and)
    }

    /// Adds an entry.
    pub fn and(self, id: FieldId) -> Self {
        Self(self.0 | 1 << id.at())
    }

    /// Whether it contains an entry.
    pub fn has(self, id: FieldId) -> bool {
        self.0 & 1 << id.at() != 0
    }

    /// The union of both.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it contains every entry of the other.
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether they share an entry.
    pub fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

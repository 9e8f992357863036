//! Which fields of a lead are looked at: all of them, or those that some demands are about.

use super::Wanted;

/// Kinds of fields, a bit for each. Status and agent are looked at in any case: they are short, and the policy is about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(u8);

impl Parts {
    /// Every field, those that cannot be managed too.
    pub const ALL: Self = Self(u8::MAX);
    /// Status and agent.
    pub const LEAST: Self = Self(0);
    /// The tags.
    pub const TAGS: Self = Self(1);
    /// The attributes.
    pub const ATTRIBUTES: Self = Self(2);
    /// The contact values.
    pub const CONTACT: Self = Self(4);
    /// The notes.
    pub const NOTES: Self = Self(8);

    /// What these demands are about.
    pub fn of<'a>(demands: impl IntoIterator<Item = &'a Wanted>) -> Self {
        demands
            .into_iter()
            .fold(Self::LEAST, |parts, wanted| match wanted {
                Wanted::Status(_) | Wanted::Agent(_) => parts,
                Wanted::Tags(_) => parts.and(Self::TAGS),
                Wanted::Attribute(..) => parts.and(Self::ATTRIBUTES),
                Wanted::Contact(..) => parts.and(Self::CONTACT),
                Wanted::Notes(_) => parts.and(Self::NOTES),
            })
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is looked at.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

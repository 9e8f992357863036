//! [`TagSet`]: tags in order, each once. A lead has few, and the tags of all leads are held: a tree would take five times the memory.

use std::fmt;
use std::ops::{BitOr, Sub};

use serde::{Deserialize, Serialize};

use super::normal;

/// A sorted set of tags. Two forms of one text (NFC) are one tag: [`TagSet::contains`] and what is made of it take either for the other,
/// and each set keeps the form in which it was made. `==` compares the forms, too.
///
/// ```
/// # use convertalk::lead::TagSet;
/// let set = |tags: &[&str]| -> TagSet { tags.iter().map(|tag| (*tag).to_owned()).collect() };
/// let tags = set(&["vip", "cold", "vip"]);
/// assert_eq!(tags.iter().collect::<Vec<_>>(), ["cold", "vip"]);
/// assert_eq!(&tags | &set(&["new"]), set(&["cold", "new", "vip"]));
/// assert_eq!(&tags - &set(&["cold"]), set(&["vip"]));
/// assert_eq!(&set(&["e\u{301}"]) | &set(&["\u{e9}"]), set(&["e\u{301}"]));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct TagSet(Vec<String>);

impl TagSet {
    /// No tags.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The tags in order.
    pub fn iter(&self) -> std::slice::Iter<'_, String> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A tag in the form that it has here.
    pub fn get(&self, tag: &str) -> Option<&String> {
        let is = |other: &String| other.as_str().cmp(tag);
        match self.0.binary_search_by(is) {
            Ok(at) => Some(&self.0[at]),
            Err(_) => self.iter().find(|other| normal::same(other, tag)),
        }
    }

    /// Whether a tag is there.
    pub fn contains(&self, tag: &str) -> bool {
        self.get(tag).is_some()
    }

    /// Whether all tags are in another set.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|tag| other.contains(tag))
    }

    /// Whether all tags of another set are in this one.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.is_subset(self)
    }

    /// The tags of both sets: those of the other one alone come last.
    pub fn union<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s String> {
        self.iter().chain(other.difference(self))
    }

    /// The tags that another set does not have.
    pub fn difference<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s String> {
        self.iter().filter(|tag| !other.contains(tag))
    }
}

impl fmt::Debug for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl FromIterator<String> for TagSet {
    fn from_iter<I: IntoIterator<Item = String>>(tags: I) -> Self {
        Vec::from_iter(tags).into()
    }
}

impl From<Vec<String>> for TagSet {
    fn from(mut tags: Vec<String>) -> Self {
        tags.sort_unstable();
        tags.dedup();
        tags.shrink_to_fit();
        Self(tags)
    }
}

impl<const N: usize> From<[String; N]> for TagSet {
    fn from(tags: [String; N]) -> Self {
        tags.into_iter().collect()
    }
}

impl IntoIterator for TagSet {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'s> IntoIterator for &'s TagSet {
    type Item = &'s String;
    type IntoIter = std::slice::Iter<'s, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl BitOr for &TagSet {
    type Output = TagSet;

    fn bitor(self, other: Self) -> TagSet {
        self.union(other).cloned().collect()
    }
}

impl Sub for &TagSet {
    type Output = TagSet;

    fn sub(self, other: Self) -> TagSet {
        self.difference(other).cloned().collect()
    }
}

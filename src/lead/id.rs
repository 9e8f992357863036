//! The key of a lead.
//!
//! There are many of them, and they are often sorted, looked up and dropped: a text of the length of a uuid is stored inline, and only
//! longer ones are allocated.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key of a lead: the `uuid` of the listing, as written there. Its form is not guaranteed (api.md), so any text is accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct LeadId(IdText);

/// Texts of one length are always stored in the same way, so that equal texts are equal.
#[derive(Clone, PartialEq, Eq)]
enum IdText {
    /// The length in bytes; the other bytes are zero.
    Short(u8, [u8; SHORT]),
    Long(Box<str>),
}

/// The length of a uuid, and a little more.
const SHORT: usize = 38;

impl LeadId {
    /// Takes the text unchanged.
    pub fn new(text: impl AsRef<str> + Into<Box<str>>) -> Self {
        let bytes = text.as_ref().as_bytes();
        let mut short = [0; SHORT];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(bytes);
                Self(IdText::Short(length, short))
            }
            _ => Self(IdText::Long(text.into())),
        }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        // It was valid text when it was stored.
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// The bytes of the text.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            IdText::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            IdText::Long(text) => text.as_bytes(),
        }
    }

    /// Its start as a number: if two of these differ, the ids have the same order. Speeds up sorting.
    pub fn beginning(&self) -> u64 {
        let mut first = [0; 8];
        first
            .iter_mut()
            .zip(self.bytes())
            .for_each(|(place, byte)| *place = *byte);
        u64::from_be_bytes(first)
    }
}

impl Ord for LeadId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for LeadId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for LeadId {
    /// Hashed like its text, by which it is looked up.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for LeadId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeadId({:?})", self.as_str())
    }
}

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for LeadId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LeadId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use proptest::prelude::*;

    use super::*;

    /// Any two texts, or two that start alike and are often equal.
    fn pair() -> impl Strategy<Value = (String, String)> {
        let alike = ("[ab]{0,40}", "[ab]?", "[ab]?");
        prop_oneof![
            (".{0,12}", ".{0,12}"),
            alike.prop_map(|(start, one, other)| (
                format!("{start}{one}"),
                format!("{start}{other}")
            )),
        ]
    }

    proptest! {
        #[test]
        fn is_what_its_text_is((one, other) in pair()) {
            let (a, b) = (LeadId::new(one.as_str()), LeadId::new(other.clone()));
            prop_assert_eq!((a.as_str(), a.to_string()), (one.as_str(), one.clone()));
            prop_assert_eq!((a.cmp(&b), a == b), (one.cmp(&other), one == other));
            prop_assert!(a.beginning() == b.beginning() || a.beginning().cmp(&b.beginning()) == one.cmp(&other));
            prop_assert!(HashMap::from([(a.clone(), 1)]).contains_key(one.as_str()));
            prop_assert!(BTreeMap::from([(a.clone(), 1), (b, 2)]).contains_key(one.as_str()));
            let json = serde_json::to_string(&a).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<LeadId>(&json).expect("an id"), a);
        }
    }
}

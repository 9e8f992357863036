//! What is kept of a page: the values of some leads. Other records are only counted, with their agents.

use std::collections::HashSet;
use std::sync::Arc;

use super::key::{ByKey, Key};
use crate::lead::{FieldMask, LeadId};

/// Which leads are kept, and which fields of each.
#[derive(Debug, Clone)]
pub enum Projection {
    /// These fields of these leads.
    Only(Arc<Masks>),
    /// Every field of every record that has a uuid.
    All,
}

/// Leads, each with the fields to keep.
#[derive(Debug)]
pub struct Masks {
    fields: ByKey<FieldMask>,
    /// The uuids that have an upper-case letter, in lower case.
    folded: HashSet<Key>,
}

impl Projection {
    /// These fields of these leads.
    pub fn only<'a>(wanted: impl IntoIterator<Item = (&'a LeadId, FieldMask)>) -> Self {
        let mut masks = Masks {
            fields: ByKey::default(),
            folded: HashSet::new(),
        };
        for (id, mask) in wanted {
            masks.fields.insert(Key::for_lead(id), mask);
            if has_upper_case(id.bytes()) {
                masks.folded.insert(folded(id.as_str()));
            }
        }
        Self::Only(Arc::new(masks))
    }

    /// The number of leads to find; `None` if all are kept.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Only(masks) => Some(masks.fields.len()),
            Self::All => None,
        }
    }

    /// The fields to keep of a lead; `None` if the lead is not kept.
    pub fn mask(&self, key: Key) -> Option<FieldMask> {
        match self {
            Self::Only(masks) => masks.fields.get(&key).copied(),
            Self::All => Some(FieldMask::ALL),
        }
    }
}

impl Projection {
    /// Whether a listed uuid that is not kept differs only in letter case from one that is.
    pub fn resembles(&self, uuid: &str) -> bool {
        match self {
            Self::Only(masks) => {
                let folded = (has_upper_case(uuid.as_bytes()) || !masks.folded.is_empty())
                    .then(|| folded(uuid));
                // One that has no upper-case letter is its own lower case.
                folded.is_some_and(|folded| {
                    masks.folded.contains(&folded) || masks.fields.contains_key(&folded)
                })
            }
            Self::All => false,
        }
    }
}

fn has_upper_case(uuid: &[u8]) -> bool {
    uuid.iter().any(u8::is_ascii_uppercase)
}

fn folded(uuid: &str) -> Key {
    Key::new(&uuid.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_leads_that_are_looked_for_have_a_mask() {
        let leads: Vec<LeadId> = (0..700)
            .map(|number| LeadId::new(number.to_string()))
            .collect();
        let only = Projection::only(leads.iter().map(|id| (id, FieldMask::least())));
        assert_eq!(only.count(), Some(700));
        for number in 0..2_000 {
            let mask = only.mask(Key::new(&number.to_string()));
            assert_eq!(
                mask,
                (number < 700).then_some(FieldMask::least()),
                "{number}"
            );
        }
    }

    #[test]
    fn all_keeps_every_field_of_any_lead() {
        assert_eq!(Projection::All.count(), None);
        assert_eq!(Projection::All.mask(Key::new("any")), Some(FieldMask::ALL));
    }
}

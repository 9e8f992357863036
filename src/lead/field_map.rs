//! [`FieldMap`]: values by field, in the order of the fields. A lead has few, and those of all leads are held: a tree would take more time and memory.

use std::fmt;

use super::Field;

/// Values by field, in the order of the fields, each field once.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FieldMap<V>(Vec<(Field, V)>);

/// Up to this many fields, comparing one by one is faster than a search.
const FEW: usize = 8;

impl<V> FieldMap<V> {
    pub(crate) fn get(&self, field: &Field) -> Option<&V> {
        if self.0.len() <= FEW {
            let mut all = self.0.iter();
            return all
                .find(|(other, _)| other == field)
                .map(|(_, value)| value);
        }
        self.place(field).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn contains(&self, field: &Field) -> bool {
        self.place(field).is_ok()
    }

    /// Sets a value, in place of the one that is there.
    pub(crate) fn insert(&mut self, field: Field, value: V) {
        match self.place(&field) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (field, value)),
        }
    }

    pub(crate) fn remove(&mut self, field: &Field) {
        if let Ok(at) = self.place(field) {
            self.0.remove(at);
        }
    }

    /// Keeps only some fields.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Field) -> bool) {
        self.0.retain(|(field, _)| keep(field));
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Field, &V)> {
        self.0.iter().map(|(field, value)| (field, value))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().map(|(field, _)| field)
    }

    fn place(&self, field: &Field) -> Result<usize, usize> {
        // Most often they come in their order.
        if self.0.last().is_none_or(|(last, _)| last < field) {
            return Err(self.0.len());
        }
        self.0.binary_search_by(|(other, _)| other.cmp(field))
    }
}

impl<V> Default for FieldMap<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The last value of a field counts.
impl<V> FromIterator<(Field, V)> for FieldMap<V> {
    fn from_iter<I: IntoIterator<Item = (Field, V)>>(values: I) -> Self {
        let values = values.into_iter();
        let mut map = Self(Vec::with_capacity(values.size_hint().0));
        for (field, value) in values {
            // Most often they come in their order.
            match map.0.last() {
                Some((last, _)) if *last >= field => map.insert(field, value),
                _ => map.0.push((field, value)),
            }
        }
        map
    }
}

impl<V: fmt::Debug> fmt::Debug for FieldMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_the_order_of_the_fields_and_the_last_one_counts() {
        let said = [
            (Field::NOTES, 1),
            (Field::STATUS, 2),
            (Field::AGENT, 3),
            (Field::STATUS, 4),
        ];
        let mut map: FieldMap<i32> = said.into_iter().collect();
        assert_eq!(
            format!("{map:?}"),
            "[(Field { id: status, key: None }, 4), (Field { id: agent, key: None }, 3), (Field { id: notes, key: None }, 1)]"
        );
        map.remove(&Field::AGENT);
        map.remove(&Field::AGENT);
        map.insert(Field::NOTES, 5);
        assert_eq!(map.get(&Field::NOTES), Some(&5));
        assert!(!map.contains(&Field::AGENT));
        map.retain(|field| *field == Field::STATUS);
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&Field::STATUS, &4)]);
    }
}

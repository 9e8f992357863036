//! What a layout may know of a document: the order of keys, and where blank lines separate entries.

/// How a mapping and the mappings below it are laid out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayoutRules {
    /// Keys in their order. Others follow in the order of the file; `<<` comes first.
    pub order: Vec<&'static str>,
    /// Whether a blank line separates entries of more than one line.
    pub separated: bool,
    /// The rules for values: those of one key, or with `None` those of any other key.
    pub below: Vec<(Option<&'static str>, LayoutRules)>,
}

/// The rules of a mapping of which nothing is known.
static UNKNOWN: LayoutRules = LayoutRules {
    order: Vec::new(),
    separated: false,
    below: Vec::new(),
};

impl LayoutRules {
    /// The rules for the value of `key`.
    pub(crate) fn value(&self, key: &str) -> &Self {
        self.below
            .iter()
            .find(|(name, _)| name.is_none_or(|name| name == key))
            .map_or(&UNKNOWN, |(_, rules)| rules)
    }

    /// The rules for what is in a list.
    pub(crate) fn unknown() -> &'static Self {
        &UNKNOWN
    }

    /// The place of a key among the others.
    pub(crate) fn rank(&self, key: &str) -> usize {
        if key == "<<" || self.order.is_empty() {
            return 0;
        }
        self.order
            .iter()
            .position(|known| *known == key)
            .map_or(usize::MAX, |at| at + 1)
    }
}

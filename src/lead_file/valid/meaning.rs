//! What files say of leads, wherever they say it: declarations without their lines, so that two can be compared.

use crate::lead::{DesiredLead, DesiredValue, Field, FieldMap};

/// What a file says of a lead, wherever in the file it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) label: Option<Box<str>>,
    pub(crate) hold: Option<Box<str>>,
    pub(crate) create: bool,
    pub(crate) fields: FieldMap<DesiredValue>,
}

impl Meaning {
    /// Whether a declaration says this, and nothing else.
    pub(crate) fn is_said_by(&self, lead: &DesiredLead) -> bool {
        let said = lead.fields.iter();
        self.label == lead.label
            && self.hold == lead.hold
            && self.create == lead.create
            && said
                .map(|said| (&said.field, &said.value))
                .eq(self.fields.iter())
    }

    /// Makes it say this of a field.
    pub(crate) fn say(&mut self, field: Field, value: DesiredValue) {
        self.fields.insert(field, value);
    }
}

/// A declaration without its lines.
pub(crate) fn one_meaning(lead: &DesiredLead) -> Meaning {
    Meaning {
        label: lead.label.clone(),
        hold: lead.hold.clone(),
        create: lead.create,
        fields: lead
            .fields
            .iter()
            .map(|desired| (desired.field.clone(), desired.value.clone()))
            .collect(),
    }
}

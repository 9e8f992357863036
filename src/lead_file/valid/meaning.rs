//! What files say of leads, wherever they say it: declarations without their lines, so that two can be compared.

use std::collections::BTreeMap;

use crate::lead::{Desired, DesiredLead, DesiredValue, Field, FieldMap, LeadId};

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

/// Declarations without their lines.
pub(crate) fn meaning_of(desired: Desired) -> BTreeMap<LeadId, Meaning> {
    let lead = |(id, lead): (LeadId, DesiredLead)| {
        let fields = lead.fields.into_iter();
        let meaning = Meaning {
            label: lead.label,
            hold: lead.hold,
            create: lead.create,
            fields: fields.map(|said| (said.field, said.value)).collect(),
        };
        (id, meaning)
    };
    desired.into_iter().map(lead).collect()
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

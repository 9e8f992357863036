//! Matching: one term against a declared lead, or against a live one.

use super::SelectorTest;
use crate::lead::{Desired, DesiredLead, DesiredValue, Field, Lead, LeadId, Value};

/// A declared lead with what it is compared with.
pub(super) struct DeclaredLead<'d> {
    pub(super) id: &'d LeadId,
    pub(super) lead: &'d DesiredLead,
    pub(super) base: Option<&'d Desired>,
}

impl DeclaredLead<'_> {
    pub(super) fn matches(&self, test: &SelectorTest, exact: &[&str]) -> bool {
        match test {
            SelectorTest::Uuid(uuid) => is_uuid(self.id, uuid, exact),
            SelectorTest::Status(status) => {
                self.asks(&Field::STATUS, &DesiredValue::Choice(status.clone()))
            }
            SelectorTest::Agent(agent) => {
                self.asks(&Field::AGENT, &DesiredValue::Reference(agent.clone()))
            }
            SelectorTest::Tag(tag) => {
                let tags = self.value(&Field::TAGS).and_then(DesiredValue::tag_rule);
                tags.is_some_and(|rule| rule.required().contains(tag))
            }
            SelectorTest::Attribute(key, value) => {
                let field = Field::attribute(key.as_str());
                self.asks(&field, &DesiredValue::Text(value.clone()))
            }
            SelectorTest::File(glob) => glob.is_match(&*self.lead.place.file),
            SelectorTest::Label(part) => self
                .lead
                .label
                .as_ref()
                .is_some_and(|label| label.to_lowercase().contains(part)),
            SelectorTest::Held => self.lead.hold.is_some(),
            SelectorTest::Changed => self.has_changed(),
        }
    }

    /// Whether the declaration differs from the base in anything that has an effect.
    fn has_changed(&self) -> bool {
        let Some(was) = self.base.and_then(|base| base.get(self.id)) else {
            return true;
        };
        let values = |lead: &'_ DesiredLead| -> Vec<(Field, DesiredValue)> {
            let fields = lead.fields.iter();
            fields
                .map(|desired| (desired.field.clone(), desired.value.clone()))
                .collect()
        };
        was.create != self.lead.create
            || was.hold != self.lead.hold
            || values(was) != values(self.lead)
    }

    fn value(&self, field: &Field) -> Option<&DesiredValue> {
        self.lead.get(field).map(|desired| &desired.value)
    }

    fn asks(&self, field: &Field, value: &DesiredValue) -> bool {
        self.value(field) == Some(value)
    }
}

/// Whether a live lead matches.
pub(super) fn shows(id: &LeadId, lead: &Lead, test: &SelectorTest, exact: &[&str]) -> bool {
    match test {
        SelectorTest::Uuid(uuid) => is_uuid(id, uuid, exact),
        SelectorTest::Status(status) => lead.status() == Some(status),
        SelectorTest::Agent(agent) => lead.agent() == agent.as_ref(),
        SelectorTest::Tag(tag) => lead.tags().contains(tag),
        SelectorTest::Attribute(key, value) => {
            let live = lead.get(&Field::attribute(key.as_str()));
            live.and_then(Value::text) == Some(value)
        }
        SelectorTest::File(_)
        | SelectorTest::Label(_)
        | SelectorTest::Held
        | SelectorTest::Changed => false,
    }
}

pub(super) fn is_about_files(test: &SelectorTest) -> bool {
    match test {
        SelectorTest::File(_)
        | SelectorTest::Label(_)
        | SelectorTest::Held
        | SelectorTest::Changed => true,
        SelectorTest::Uuid(_)
        | SelectorTest::Status(_)
        | SelectorTest::Agent(_)
        | SelectorTest::Tag(_)
        | SelectorTest::Attribute(..) => false,
    }
}

pub(super) fn is_uuid(id: &LeadId, uuid: &str, exact: &[&str]) -> bool {
    id.as_str() == uuid || !exact.contains(&uuid) && id.as_str().starts_with(uuid)
}

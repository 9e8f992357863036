//! Fields that something else keeps changing back. Pure.
//!
//! A field that was reverted three times in 24 hours is left alone, until its declaration changes or 24 hours have passed since the
//! last time: two programs that each want their own value would write for ever. A write counts as a revert where the difference was drift,
//! or where the same declaration had been written before and did not last.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::status::FightingField;
use crate::lead::{Desired, DesiredValue, Field, LeadId};

/// How many reverts make a fight.
const REVERTS: usize = 3;
/// The time in which they are counted, and for which the field is left alone.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A field that was written again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Fight {
    #[schemars(with = "String")]
    uuid: LeadId,
    field: String,
    /// A fingerprint of the declared value: values may be personal.
    declared: String,
    /// When the declared value was last written.
    #[schemars(with = "String")]
    written: Timestamp,
    /// When it was written over a value that had come back.
    #[schemars(with = "Vec<String>")]
    reverts: Vec<Timestamp>,
}

/// One write of a field.
#[derive(Debug)]
pub struct FieldWrite<'a> {
    /// The lead.
    pub uuid: &'a LeadId,
    /// The field.
    pub field: &'a Field,
    /// What its file declares.
    pub declared: &'a DesiredValue,
    /// Whether the difference was drift.
    pub was_drift: bool,
    /// Whether the next write of the same declaration is a revert, though this one is not.
    pub is_expected_to_last: bool,
}

/// The fields that were written again of late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fights(Vec<Fight>);

impl Fights {
    /// The fields that are left alone now.
    pub fn left_alone(&self, desired: &Desired, now: Timestamp) -> BTreeSet<(LeadId, Field)> {
        let fights = self.0.iter().filter(|fight| fight.is_on(now));
        fights
            .filter_map(|fight| Some((fight.uuid.clone(), fight.field_in(desired)?.clone())))
            .collect()
    }

    /// Forgets what is over: a declaration that has changed, or 24 hours without a write.
    pub fn prune(&mut self, desired: &Desired, now: Timestamp) {
        self.0.retain(|fight| {
            now.duration_since(fight.written) < WINDOW && fight.field_in(desired).is_some()
        });
    }

    /// Notes a write.
    pub fn note(&mut self, write: &FieldWrite<'_>, now: Timestamp) {
        let (name, declared) = (write.field.to_string(), fingerprint(write.declared));
        let known = self.0.iter_mut().find(|fight| {
            fight.uuid == *write.uuid && fight.field == name && fight.declared == declared
        });
        match known {
            Some(fight) => {
                fight
                    .reverts
                    .retain(|time| now.duration_since(*time) < WINDOW);
                fight.reverts.push(now);
                fight.written = now;
            }
            None if write.was_drift || write.is_expected_to_last => {
                self.0.push(Fight {
                    uuid: write.uuid.clone(),
                    field: name,
                    declared,
                    written: now,
                    reverts: write.was_drift.then_some(now).into_iter().collect(),
                });
                self.0.sort();
            }
            None => {}
        }
    }
}

impl Fight {
    fn is_on(&self, now: Timestamp) -> bool {
        self.reverts.len() >= REVERTS && now.duration_since(self.written) < WINDOW
    }

    /// The field, where it is declared as it was.
    fn field_in<'d>(&self, desired: &'d Desired) -> Option<&'d Field> {
        let fields = &desired.get(&self.uuid)?.fields;
        let same = |desired: &&crate::lead::DesiredField| {
            desired.field.to_string() == self.field && fingerprint(&desired.value) == self.declared
        };
        fields.iter().find(same).map(|desired| &desired.field)
    }
}

/// Equal for equal values. Another version of the program may compute another one, which ends a fight early and does no harm.
fn fingerprint(value: &DesiredValue) -> String {
    let digest = Sha256::digest(format!("{value:?}"));
    digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        let _never_fails = write!(hex, "{byte:02x}");
        hex
    })
}

/// Fields as the status names them.
pub fn named(fields: &BTreeSet<(LeadId, Field)>) -> Vec<FightingField> {
    let named = fields.iter().map(|(uuid, field)| FightingField {
        uuid: uuid.clone(),
        field: field.to_string(),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{DesiredField, DesiredLead, Place, Status};

    fn desired(status: Status) -> Desired {
        let place = Place {
            file: "leads/a.yaml".into(),
            line: 1,
        };
        let lead = DesiredLead {
            place,
            label: None,
            hold: None,
            create: false,
            fields: vec![DesiredField {
                field: Field::STATUS,
                value: DesiredValue::Choice(status),
                line: 2,
            }],
        };
        Desired::from([(id(), lead)])
    }

    fn id() -> LeadId {
        LeadId::new("7e88d192-9b20-4035-9b68-000000000001")
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn reverted(fights: &mut Fights, hours: i64, was_drift: bool) {
        let (id, declared) = (id(), DesiredValue::Choice(Status::Open));
        let write = FieldWrite {
            uuid: &id,
            field: &Field::STATUS,
            declared: &declared,
            was_drift,
            is_expected_to_last: true,
        };
        fights.note(&write, at(hours));
    }

    #[test]
    fn three_reverts_in_a_day_are_a_fight_for_a_day() {
        let (mut fights, open) = (Fights::default(), desired(Status::Open));
        for hour in [0, 5] {
            reverted(&mut fights, hour, true);
        }
        assert!(fights.left_alone(&open, at(6)).is_empty());
        reverted(&mut fights, 6, true);
        assert_eq!(fights.left_alone(&open, at(29)).len(), 1);
        assert!(fights.left_alone(&open, at(30)).is_empty(), "a day later");
        fights.prune(&open, at(30));
        assert_eq!(fights, Fights::default());
    }

    #[test]
    fn reverts_on_three_days_are_no_fight() {
        let (mut fights, open) = (Fights::default(), desired(Status::Open));
        for hour in [0, 23, 46, 69] {
            reverted(&mut fights, hour, true);
        }
        assert!(fights.left_alone(&open, at(69)).is_empty());
    }

    #[test]
    fn another_declaration_ends_a_fight() {
        let mut fights = Fights::default();
        for hour in 0..3 {
            reverted(&mut fights, hour, true);
        }
        let closed = desired(Status::Closed);
        assert!(fights.left_alone(&closed, at(3)).is_empty());
        fights.prune(&closed, at(3));
        assert!(
            fights.left_alone(&desired(Status::Open), at(3)).is_empty(),
            "and it does not come back with the old one"
        );
    }

    #[test]
    fn a_first_write_of_what_the_files_changed_is_no_revert() {
        let (mut fights, open) = (Fights::default(), desired(Status::Open));
        for hour in 0..3 {
            reverted(&mut fights, hour, false);
        }
        assert!(fights.left_alone(&open, at(3)).is_empty());
        reverted(&mut fights, 3, false);
        assert_eq!(fights.left_alone(&open, at(3)).len(), 1);
    }
}

//! Classifies differences by the files at the base: intended, drift or conflict. Pure.
//!
//! Input is a field that differs from the live lead. If the file says the same as at the base, the inbox changed: *drift*. If the file
//! says something else and the live value is what the base declared, the file changed: *intended*. Otherwise both changed: *conflict*.
//! Each tag and each note is compared with the base on its own, so they never conflict: one is there or not, and no third value exists.
//!
//! Example with tags: the base declares `[vip]`, the file declares `[vip, renewal]`, the inbox has `[vip, cold]`. Adding `renewal` is
//! intended, because the file changed; removing `cold` is drift, because an agent added it.

use super::{Action, Change, Class, Released, Source};
use crate::diff::FieldChange;
use crate::lead::normal::Compare;
use crate::lead::{Desired, DesiredField, DesiredLead, DesiredValue, Lead, LeadId, Value};
use crate::observe::Live;

/// Sets the class of each field.
pub(super) fn classify(all: &mut [Change], desired: &Desired, base: &Desired, live: &Live) {
    let nothing = Lead::default();
    for change in all {
        let now = live.get(&change.uuid).map_or(&nothing, |seen| &seen.lead);
        let (Some(head), was) = (desired.get(&change.uuid), base.get(&change.uuid)) else {
            continue;
        };
        if change.action == Action::Create {
            // A lead that is not in the inbox is created as a whole or not at all.
            let as_it_was = was.is_some_and(|was| was.create && same(&was.fields, &head.fields));
            change.class = if as_it_was {
                Class::Drift
            } else {
                Class::Intended
            };
            change
                .fields
                .0
                .iter_mut()
                .for_each(|field| field.class = Some(change.class));
            continue;
        }
        for field in &mut change.fields.0 {
            class(field, head, was, now);
        }
        let classes = change.fields.iter().filter_map(|field| field.class);
        change.class = classes
            .max_by_key(|class| weight(*class))
            .unwrap_or(Class::Intended);
    }
}

/// Whether two leads declare the same values, wherever they declare them.
fn same(one: &[DesiredField], other: &[DesiredField]) -> bool {
    let pairs = one.iter().zip(other);
    one.len() == other.len()
        && pairs
            .into_iter()
            .all(|(a, b)| a.field == b.field && a.value == b.value)
}

fn weight(class: Class) -> u8 {
    match class {
        Class::Change => 0,
        Class::Drift => 1,
        Class::Intended => 2,
        Class::Conflict => 3,
    }
}

fn class(change: &mut FieldChange, head: &DesiredLead, was: Option<&DesiredLead>, now: &Lead) {
    let Some(desired) = head.get(&change.field).map(|desired| &desired.value) else {
        return;
    };
    let base = was
        .and_then(|was| was.get(&change.field))
        .map(|desired| &desired.value);
    let Some(part) = desired.intended_part(base, &change.before, &change.after) else {
        let (now, compare) = (now.value(&change.field), change.field.spec().compare);
        change.class = Some(class_of_whole(desired, base, &now, compare));
        return;
    };
    let is_drift = part == change.before;
    change.class = Some(if is_drift {
        Class::Drift
    } else {
        Class::Intended
    });
    change.intended = Some(part).filter(|part| !is_drift && *part != change.after);
}

/// The class of a value that cannot be intended in part.
fn class_of_whole(
    desired: &DesiredValue,
    base: Option<&DesiredValue>,
    now: &Value,
    compare: Compare,
) -> Class {
    match base {
        None => Class::Intended,
        Some(base) if base == desired => Class::Drift,
        Some(base) if base.is_met(now, compare) => Class::Intended,
        Some(_) => Class::Conflict,
    }
}

/// Fields that the base declared and the files no longer declare.
pub(super) fn released(
    desired: &Desired,
    base: &Desired,
    chosen: impl Fn(&LeadId) -> bool,
) -> Vec<Released> {
    let mut all = Vec::new();
    for (id, was) in base {
        let now = desired.get(id);
        let fields: Vec<String> = was
            .fields
            .iter()
            .map(|declared| &declared.field)
            .filter(|field| now.is_none_or(|lead| lead.get(field).is_none()))
            .map(|field| field.to_string())
            .collect();
        if !fields.is_empty() && chosen(id) {
            all.push(Released {
                uuid: id.clone(),
                label: was.label.as_deref().map(str::to_owned),
                fields,
                source: Source::from(&was.place),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::lead::TagSet;

    use super::*;
    use crate::diff::changes;
    use crate::lead::{Field, Place, Status, TagRule};

    fn lead(field: &Field, value: DesiredValue) -> DesiredLead {
        let place = Place {
            file: "leads/a.yaml".into(),
            line: 1,
        };
        let field = field.clone();
        DesiredLead {
            place,
            label: None,
            hold: None,
            create: false,
            fields: vec![DesiredField {
                field,
                value,
                line: 2,
            }],
        }
    }

    fn classed(
        field: &Field,
        base: Option<DesiredValue>,
        head: DesiredValue,
        now: &Lead,
    ) -> FieldChange {
        let head = lead(field, head);
        let mut change = changes(&head.fields, now).remove(0);
        let base = base.map(|base| lead(field, base));
        class(&mut change, &head, base.as_ref(), now);
        change
    }

    #[test]
    fn one_value_is_intended_drift_or_conflict() {
        let now = Lead::new([(Field::STATUS, Value::Choice(Status::Open))]);
        let class = |base: Option<Status>| {
            let base = base.map(DesiredValue::Choice);
            let head = DesiredValue::Choice(Status::Closed);
            classed(&Field::STATUS, base, head, &now).class
        };
        assert_eq!(class(None), Some(Class::Intended), "newly declared");
        assert_eq!(
            class(Some(Status::Open)),
            Some(Class::Intended),
            "the file changed and the inbox did not"
        );
        assert_eq!(
            class(Some(Status::Closed)),
            Some(Class::Drift),
            "the inbox changed and the file did not"
        );
        assert_eq!(
            class(Some(Status::Review)),
            Some(Class::Conflict),
            "both changed, to different values"
        );
    }

    #[test]
    fn tags_are_compared_with_the_base_one_by_one() {
        let tags = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<TagSet>()
        };
        let exact = |words: &[&str]| DesiredValue::Set(TagRule::Exact(tags(words)));
        let now = Lead::new([(Field::TAGS, Value::Set(tags(&["old", "agents-own"])))]);
        let change = classed(
            &Field::TAGS,
            Some(exact(&["old"])),
            exact(&["old", "new"]),
            &now,
        );
        assert_eq!(change.class, Some(Class::Intended));
        assert_eq!(change.after, Value::Set(tags(&["old", "new"])));
        assert_eq!(
            change.intended,
            Some(Value::Set(tags(&["old", "new", "agents-own"]))),
            "what an agent added is kept"
        );
        let change = classed(&Field::TAGS, Some(exact(&["old"])), exact(&["old"]), &now);
        assert_eq!((change.class, change.intended), (Some(Class::Drift), None));
    }
}

//! The table, and what loops over it.

use std::collections::BTreeSet;

use super::field_table::{FIELDS, groups};
use super::*;

#[test]
fn every_entry_is_read_back_by_its_name() {
    for id in FieldId::all() {
        let field = Field::single(id).unwrap_or_else(|| Field::keyed(id, "some key"));
        assert_eq!(field.to_string().parse::<Field>().ok(), Some(field));
    }
}

#[test]
fn names_that_are_no_fields_are_refused() {
    for name in [
        "",
        "statuses",
        "attributes",
        "attributes.",
        "contact",
        "contact.x",
        "status.x",
    ] {
        assert!(name.parse::<Field>().is_err(), "{name}");
    }
}

#[test]
fn the_members_of_a_group_follow_each_other() {
    let names: Vec<&str> = groups().map(|(name, _)| name).collect();
    let distinct: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn every_entry_is_sent_under_a_key_of_its_own() {
    let keys: BTreeSet<&str> = FIELDS.iter().map(|spec| spec.write).collect();
    assert_eq!(keys.len(), FIELDS.len());
}

#[test]
fn an_empty_value_is_no_value() {
    let mut lead = Lead::new([(Field::TAGS, Value::Set(TagSet::from(["vip".to_owned()])))]);
    lead.set(Field::TAGS, Value::empty(Kind::Set));
    assert_eq!(lead, Lead::default());
}

#[test]
fn a_boolean_is_not_its_text() {
    let yes = Value::from_json(Kind::Boolean, serde_json::json!(true));
    assert_eq!(yes, Some(Value::Boolean(true)));
    let text = Value::from_json(Kind::Boolean, serde_json::json!("true"));
    assert_eq!(text, None);
}

#[test]
fn a_boolean_that_is_not_there_is_neither_true_nor_false() {
    for wanted in [true, false] {
        let wanted = DesiredValue::Boolean(wanted);
        assert!(!wanted.is_met(&Value::empty(Kind::Boolean), normal::text));
        assert!(wanted.is_met(&wanted.applied_to(&Value::Absent), normal::text));
    }
}

#[test]
fn what_a_file_says_of_a_value_is_met_by_that_value() {
    for value in [
        Value::Choice(Status::Review),
        Value::Set(TagSet::from(["vip".to_owned()])),
        Value::Text("gold".to_owned()),
        Value::Boolean(false),
    ] {
        let desired = DesiredValue::exactly(&value).expect("a file can say it");
        assert!(desired.is_met(&value, normal::text), "{value:?}");
        assert_eq!(desired.applied_to(&Value::Absent), value);
    }
}

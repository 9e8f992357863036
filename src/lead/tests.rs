//! The table, and what loops over it.

use super::field::{FIELDS, groups};
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
    let mut lead = Lead::new([(Field::TAGS, Value::Set(BTreeSet::from(["vip".to_owned()])))]);
    lead.set(Field::TAGS, Value::empty(Kind::Set));
    assert_eq!(lead, Lead::default());
}

//! Values in other forms than the published ones: what is understood of them, and what is left alone.

use super::*;
use crate::lead::FieldId;

#[test]
fn values_of_other_types_are_taken_for_none() {
    for record in [
        r#"{"uuid":"a"}"#,
        r#"{"uuid":"a","status":null,"profile":null}"#,
        r#"{"uuid":"a","status":{},"profile":[[]]}"#,
        r#"{"uuid":"a","profile":{"userDetails":[{}],"notes":{}}}"#,
        r#"{"uuid":"a","profile":{"userDetails":{"tags":{},"attributes":[[],{"key":[]},{"value":1}],"contact":[],"name":{}},"notes":7}}"#,
    ] {
        let read = lead(record).lead;
        assert_eq!(
            format!("{read:?}"),
            format!("{:?}", lead(r#"{"uuid":"a"}"#).lead),
            "{record}"
        );
    }
}

/// A write of a list that was there would lose it.
#[test]
fn what_is_inside_of_something_else_than_an_object_is_unreadable() {
    let inside = r#"{"userDetails":{"tags":["vip"]},"notes":[]}"#;
    let all = [
        "tags",
        "attributes",
        "contact.name",
        "contact.email",
        "contact.phone",
        "contact.dial_code",
        "contact.picture",
    ];
    for (member, unreadable) in [
        (
            format!(r#""profile":[{inside}]"#),
            [&all[..], &["notes"]].concat(),
        ),
        (r#""profile":5"#.to_owned(), [&all[..], &["notes"]].concat()),
        (
            r#""profile":true"#.to_owned(),
            [&all[..], &["notes"]].concat(),
        ),
        (
            r#""profile":{"userDetails":[{"tags":["vip"]}]}"#.to_owned(),
            all.to_vec(),
        ),
        (
            r#""profile":{"userDetails":"{\"tags\":[5]}"}"#.to_owned(),
            all.to_vec(),
        ),
        (
            r#""profile":{"userDetails":{"contact":"x"}}"#.to_owned(),
            vec!["contact.email", "contact.phone", "contact.dial_code"],
        ),
        (r#""profile":"""#.to_owned(), vec![]),
        (r#""profile":false"#.to_owned(), vec![]),
        (
            r#""profile":{"userDetails":"{}","notes":[]}"#.to_owned(),
            vec![],
        ),
        (r#""profile":"null""#.to_owned(), vec![]),
        (r#""profile":[[],null]"#.to_owned(), vec![]),
        (r#""profile":{"userDetails":[]}"#.to_owned(), vec![]),
    ] {
        let read = lead(&format!(r#"{{"uuid":"a",{member}}}"#));
        let names = FieldId::all().filter(|id| read.unreadable.has(*id));
        let names: Vec<&str> = names.map(|id| id.spec().name).collect();
        assert_eq!(names, unreadable, "{member}");
    }
}

/// What is not read of a list would be lost by a write of it.
#[test]
fn a_value_in_a_form_that_is_not_understood_is_unreadable_and_nothing_is_understood_in_any() {
    let fields = |mask: FieldMask| {
        let names = FieldId::all().filter(|id| mask.has(*id));
        names.map(|id| id.spec().name).collect::<Vec<_>>().join(" ")
    };
    for (member, unreadable) in [
        (r#""status":{"name":"OPEN"}"#, "status"),
        (r#""status":5,"profile":{"notes":{}}"#, ""),
        (r#""profile":{"notes":7}"#, "notes"),
        (r#""profile":{"notes":["called"]}"#, "notes"),
        (r#""profile":{"notes":{"a":1}}"#, "notes"),
        (r#""profile":{"notes":[null,{"_id":1}]}"#, ""),
        (
            r#""profile":{"userDetails":{"tags":{"items":["vip"]}}}"#,
            "tags",
        ),
        (r#""profile":{"userDetails":{"tags":[["vip"]]}}"#, "tags"),
        (r#""profile":{"userDetails":{"tags":[{"id":1}]}}"#, "tags"),
        (r#""profile":{"userDetails":{"tags":true}}"#, "tags"),
        (
            r#""profile":{"userDetails":{"contact":{"phone":{"number":null,"country":"IN"}}}}"#,
            "",
        ),
        (
            r#""profile":{"userDetails":{"contact":{"phone":{"number":{"national":"98765"}}}}}"#,
            "contact.phone",
        ),
        (
            r#""profile":{"userDetails":{"contact":{"phone":["98765"]}}}"#,
            "contact.phone",
        ),
        (
            r#""profile":{"userDetails":{"tags":[null,"",5,{},{"name":"vip"}]}}"#,
            "",
        ),
        (
            r#""profile":{"notes":["",{}],"userDetails":{"attributes":[{},{"key":"","value":""}]}}"#,
            "",
        ),
        (
            r#""profile":{"userDetails":{"tags":{},"attributes":"","name":[]}}"#,
            "",
        ),
        (
            r#""profile":{"userDetails":{"attributes":["tier"]}}"#,
            "attributes",
        ),
        (
            r#""profile":{"userDetails":{"attributes":[{"name":"tier","value":"gold"}]}}"#,
            "attributes",
        ),
        (
            r#""profile":{"userDetails":{"attributes":{"tier":"gold"}}}"#,
            "",
        ),
        (
            r#""profile":{"userDetails":{"name":{"first":"Asha"}}}"#,
            "contact.name",
        ),
    ] {
        let read = lead(&format!(r#"{{"uuid":"a",{member}}}"#));
        assert_eq!(fields(read.unreadable), unreadable, "{member}");
    }
}

use super::*;
use crate::lead::TagSet;

fn vocabulary() -> Vocabulary<'static> {
    Vocabulary::default()
}

fn assigned(now: &[&str], texts: &[&str]) -> Option<DesiredValue> {
    let mut lead = Meaning::default();
    for text in now.iter().chain(texts) {
        Assignment::parse(text, vocabulary())
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .apply(&mut lead);
    }
    lead.fields.get(&Field::TAGS).cloned()
}

fn tags(names: &[&str]) -> TagSet {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn patch(present: &[&str], absent: &[&str]) -> Option<DesiredValue> {
    Some(DesiredValue::Set(TagRule::Patch {
        present: tags(present),
        absent: tags(absent),
    }))
}

fn exact(names: &[&str]) -> Option<DesiredValue> {
    Some(DesiredValue::Set(TagRule::Exact(tags(names))))
}

#[test]
fn tags_are_added_and_taken_by_what_the_lead_says_of_them() {
    assert_eq!(
        assigned(&["tags=a,b"], &["tags+=c"]),
        exact(&["a", "b", "c"])
    );
    assert_eq!(assigned(&["tags=a,b"], &["tags-=b,x"]), exact(&["a"]));
    assert_eq!(assigned(&[], &["tags+=a"]), patch(&["a"], &[]));
    assert_eq!(assigned(&[], &["tags-=a"]), patch(&[], &["a"]));
    assert_eq!(assigned(&["tags+=a"], &["tags-=a"]), patch(&[], &["a"]));
    assert_eq!(
        assigned(&["tags-=a,b"], &["tags+=a"]),
        patch(&["a"], &["b"])
    );
    assert_eq!(assigned(&["tags=a"], &["tags="]), exact(&[]));
    assert_eq!(assigned(&[], &["tags=a\\,b, c"]), exact(&["a,b", "c"]));
}

#[test]
fn an_empty_value_clears() {
    let mut lead = Meaning {
        label: Some("Acme".into()),
        hold: Some("wait".into()),
        ..Meaning::default()
    };
    for text in ["label=", "hold=", "agent="] {
        Assignment::parse(text, vocabulary())
            .expect("an assignment")
            .apply(&mut lead);
    }
    assert_eq!((lead.label, lead.hold), (None, None));
    assert_eq!(
        lead.fields.iter().collect::<Vec<_>>(),
        [(&Field::AGENT, &DesiredValue::Reference(None))]
    );
    let status = Assignment::parse("status=", vocabulary()).expect_err("an error");
    assert_eq!(status, AssignError::StatusCleared);
    let contact = Assignment::parse("contact.name=", vocabulary()).expect_err("an error");
    assert_eq!(contact, AssignError::ContactCleared);
}

#[test]
fn what_is_no_assignment_says_why() {
    for (text, why) in [
        ("status", "FIELD=VALUE"),
        ("colour=red", "`colour` is not a field"),
        ("attributes=x", "`attributes` is not a field"),
        ("status=Opn", "did you mean `OPEN`"),
        ("status+=OPEN", "only tags"),
        ("tags+=", "a tag is missing"),
        ("agent=zoe", "`zoe` is not an agent"),
        ("notes=x", "notes are written in the lead file"),
        ("contact.email=x", "contact.email"),
    ] {
        let error = Assignment::parse(text, vocabulary())
            .expect_err(text)
            .to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    for name in ["colour", "attributes.", "create"] {
        let error = Assignment::unset(name).expect_err(name);
        assert_eq!(error, AssignError::NotUnset(name.to_owned()));
    }
}

//! `set` over each layout, compared with an oracle that reads the files by another reader and knows nothing of lead files but `defaults`.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

use super::{comments, laid_out, layouts, world_of};
use crate::world::World;

/// A layout that cannot be edited in place where a key is added: `? key` over lines.
const EXPLICIT: &str = "explicit-keys.yaml";

/// One of each kind.
pub(super) const ASSIGNMENTS: [&str; 15] = [
    "status=CLOSED",
    "agent=rahul",
    "agent=none",
    "agent=",
    "tags=a,b",
    "tags=",
    "tags+=fresh,vip",
    "tags-=vip",
    "attributes.tier=platinum",
    "attributes.fresh=x",
    "contact.email=a@b.example",
    "label=Renewal",
    "label=",
    "hold=negotiating",
    "hold=",
];

type Leads = BTreeMap<String, Mapping>;

/// What each lead of a file says, with its defaults.
fn leads(name: &str, text: &str) -> Leads {
    let text = text.trim_start_matches('\u{feff}');
    let mut file: Value =
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
    file.apply_merge().expect("merges");
    let defaults = file["defaults"].as_mapping().cloned().unwrap_or_default();
    let leads = file["leads"].as_mapping().expect("leads").clone();
    let lead = |(uuid, says): (Value, Value)| {
        let mut says = says.as_mapping().cloned().unwrap_or_default();
        for (key, value) in &defaults {
            let own = says.entry(key.clone()).or_insert_with(|| value.clone());
            if let (Value::Mapping(own), Value::Mapping(value), Some("attributes" | "contact")) =
                (own, value, key.as_str())
            {
                for (key, value) in value {
                    own.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        (uuid.as_str().expect("a uuid").to_owned(), says)
    };
    leads.into_iter().map(lead).collect()
}

/// Tags as a lead file can say them.
#[derive(Debug, PartialEq, Eq)]
enum Tags {
    Unsaid,
    Exact(BTreeSet<String>),
    Patch(BTreeSet<String>, BTreeSet<String>),
}

fn words(list: &Value) -> BTreeSet<String> {
    let items = list.as_sequence().into_iter().flatten();
    items
        .map(|item| item.as_str().expect("a text").trim().to_owned())
        .collect()
}

fn tags(lead: &Mapping) -> Tags {
    match lead.get("tags") {
        None => Tags::Unsaid,
        Some(Value::Mapping(sides)) => {
            let side = |name: &str| sides.get(name).map(words).unwrap_or_default();
            Tags::Patch(side("present"), side("absent"))
        }
        Some(list) => Tags::Exact(words(list)),
    }
}

/// What the tags of a lead are after an assignment.
fn tags_after(before: Tags, assignment: &str) -> Tags {
    let (operator, names) = assignment
        .strip_prefix("tags")
        .and_then(|rest| rest.split_once('='))
        .expect("tags");
    let mut names: BTreeSet<String> = names.split(',').map(str::to_owned).collect();
    names.remove("");
    match (operator, before) {
        ("", _) => Tags::Exact(names),
        ("+", Tags::Unsaid) => Tags::Patch(names, BTreeSet::new()),
        ("-", Tags::Unsaid) => Tags::Patch(BTreeSet::new(), names),
        ("+", Tags::Exact(before)) => Tags::Exact(&before | &names),
        ("-", Tags::Exact(before)) => Tags::Exact(&before - &names),
        ("+", Tags::Patch(present, absent)) => Tags::Patch(&present | &names, &absent - &names),
        (_, Tags::Patch(present, absent)) => Tags::Patch(&present - &names, &absent | &names),
        (operator, _) => panic!("{operator}"),
    }
}

/// The value of a path, `attributes.tier` say, as text.
fn value(lead: &Mapping, path: &str) -> Option<String> {
    let (group, member) = path
        .split_once('.')
        .map_or((path, None), |(group, member)| (group, Some(member)));
    let found = lead.get(group)?;
    let found = match member {
        Some(member) => found.get(member)?,
        None => found,
    };
    let text = serde_yaml::to_string(found).expect("YAML");
    Some(text.trim().trim_matches(['\'', '"']).to_owned())
}

/// A lead without what an assignment is about.
fn without(lead: &Mapping, path: &str) -> Mapping {
    let mut lead = lead.clone();
    match path.split_once('.') {
        None => {
            lead.remove(path);
        }
        Some((group, member)) => {
            if let Some(Value::Mapping(inner)) = lead.get_mut(group) {
                inner.remove(member);
                if inner.is_empty() {
                    lead.remove(group);
                }
            }
        }
    }
    lead
}

fn check(name: &str, assignment: &str, before: &str, after: &str) {
    let case = || format!("{assignment} of {name}:\n{before}\n{after}");
    let path = assignment.split(['=', '+', '-']).next().expect("a field");
    let (said, says) = (leads(name, before), leads(name, after));
    assert!(said.keys().eq(says.keys()), "{}", case());
    for (uuid, now) in &says {
        let was = &said[uuid];
        assert_eq!(without(was, path), without(now, path), "{}", case());
        if path == "tags" {
            assert_eq!(tags(now), tags_after(tags(was), assignment), "{}", case());
            continue;
        }
        let wanted = assignment.split_once('=').map(|(_, wanted)| wanted);
        let wanted = match (path, wanted) {
            ("label" | "hold", Some("")) => None,
            ("agent", Some("")) => Some("none"),
            (_, wanted) => wanted,
        };
        assert_eq!(value(now, path).as_deref(), wanted, "{}", case());
    }
    let new = comments(after)
        .into_iter()
        .find(|comment| !comments(before).contains(comment));
    assert_eq!(new, None, "{}", case());
    let bare = after.replace("\r\n", "").contains(['\n', '\r']);
    assert!(!(before.contains("\r\n") && bare), "{}", case());
    if laid_out(before) == before {
        assert_eq!(laid_out(after), after, "{}", case());
    }
}

fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path(&format!("leads/{name}"))).expect("a file")
}

#[test]
fn bulk_edits_say_what_was_assigned_and_nothing_else() {
    let mut files = layouts();
    files.remove(EXPLICIT);
    let world = world_of(&files.clone().into_iter().collect::<Vec<_>>());
    for assignment in ASSIGNMENTS {
        world.run(&format!("set --all {assignment}")).exits(0);
        for (name, before) in &files {
            check(name, assignment, before, &read(&world, name));
        }
        let again = world.run(&format!("set --all {assignment}")).exits(0);
        assert!(again.out.starts_with("Nothing"), "{}", again.out);
        for (name, before) in &files {
            world.write(&format!("leads/{name}"), before);
        }
    }
}

#[test]
fn what_cannot_be_edited_in_place_changes_no_file() {
    let files = layouts();
    let world = world_of(&files.clone().into_iter().collect::<Vec<_>>());
    let ran = world.run("set --all tags=a").exits(1);
    assert!(ran.err.contains("convertalk fmt"), "{}", ran.err);
    assert!(
        ran.err.contains("1 error; no file was changed"),
        "{}",
        ran.err
    );
    for (name, before) in &files {
        assert_eq!(read(&world, name), *before, "{name}");
    }
    world.run(&format!("fmt leads/{EXPLICIT}")).exits(0);
    world.run("set --all tags=a").exits(0);
}

#[test]
fn a_comment_goes_with_what_an_assignment_takes_away() {
    let text = "version: 1
leads:
  00000001-0000-4000-8000-000000000001:
    tags: # by campaign
      present: [vip] # from sales
      absent: [cold] # GDPR
    status: OPEN # kept
";
    let world = world_of(&[("a.yaml".to_owned(), text.to_owned())]);
    world.run("set --all tags=").exits(0);
    let now = read(&world, "a.yaml");
    assert!(
        !now.contains("GDPR") && !now.contains("from sales"),
        "{now}"
    );
    assert!(now.contains("status: OPEN # kept\n"), "{now}");
}

//! `set` over each layout, compared with an oracle on the values.

use super::{comments, laid_out, layouts, world_of};
use crate::oracle::leads;
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

fn check(name: &str, assignment: &str, before: &str, after: &str) {
    let case = || format!("{assignment} of {name}:\n{before}\n{after}");
    let (said, says) = (leads(before), leads(after));
    assert!(said.keys().eq(says.keys()), "{}", case());
    for (uuid, now) in &says {
        let mut wanted = said[uuid].clone();
        wanted.assign(assignment);
        assert_eq!(now.values(), wanted.values(), "{}", case());
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

/// Makes each assignment to every lead of each layout that takes it, and looks at the files: name, assignment, text before and after.
pub(super) fn each_assignment(mut look: impl FnMut(&str, &str, &str, &str)) {
    let mut files = layouts();
    files.remove(EXPLICIT);
    let world = world_of(&files.clone().into_iter().collect::<Vec<_>>());
    for assignment in ASSIGNMENTS {
        world.run(&format!("set --all {assignment}")).exits(0);
        for (name, before) in &files {
            look(name, assignment, before, &read(&world, name));
        }
        let again = world.run(&format!("set --all {assignment}")).exits(0);
        assert!(again.out.starts_with("Nothing"), "{}", again.out);
        for (name, before) in &files {
            world.write(&format!("leads/{name}"), before);
        }
    }
}

#[test]
fn bulk_edits_say_what_was_assigned_and_nothing_else() {
    each_assignment(check);
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

#[test]
fn one_remark_on_many_leads_goes_where_its_value_goes() {
    let lead = |number: u32| {
        format!(
            "  00000001-0000-4000-8000-00000000000{number}:\n    status: OPEN\n    # by phone\n    hold: negotiating\n"
        )
    };
    let text = format!("version: 1\nleads:\n{}{}", lead(1), lead(2));
    let world = world_of(&[("a.yaml".to_owned(), text.clone())]);
    world
        .run("set 00000001-0000-4000-8000-000000000001 hold=")
        .exits(0);
    let expected = text.replacen("    # by phone\n    hold: negotiating\n", "", 1);
    assert_eq!(read(&world, "a.yaml"), expected);
}

#[test]
fn a_group_goes_with_the_last_of_its_values() {
    let text = "version: 1
leads:
  00000001-0000-4000-8000-000000000001:
    status: OPEN
    contact: # of the form
      name: N. N.
      phone: \"123\"
    attributes: { tier: gold, source: web }
";
    let world = world_of(&[("a.yaml".to_owned(), text.to_owned())]);
    world
        .run("set --all --unset contact.name --unset contact.phone contact.email=a@b.example --unset attributes")
        .exits(0);
    let expected = "version: 1
leads:
  00000001-0000-4000-8000-000000000001:
    status: OPEN
    contact: # of the form
      email: a@b.example
";
    assert_eq!(read(&world, "a.yaml"), expected);
    world.run("set --all --unset contact").exits(0);
    assert!(!read(&world, "a.yaml").contains("contact"));
    let twice = world.run("set --all tags+=vip --unset tags").exits(1);
    assert!(twice.err.contains("tags is set and unset"), "{}", twice.err);
}

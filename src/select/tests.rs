use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config::{Overrides, Workspace, parse};
use crate::lead::Value;
use crate::lead_file::desired_of;

const LEADS: &str = "version: 1
defaults: { agent: priya }
leads:
  aaaa1111-0000-4000-8000-000000000001:
    label: Acme Renewal
    status: INPROGRESS
    tags: [vip, \"a,b\"]
    attributes: { tier: gold }
  aaaa2222-0000-4000-8000-000000000002:
    label: ÉCOLE
    hold: negotiating
    agent: none
    tags: { present: [vip], absent: [cold] }
  bbbb1111-0000-4000-8000-000000000003:
    status: CLOSED
    tags: []
";

fn workspace() -> Workspace {
    let text = "version: 1
api: { endpoint: sandbox }
agents: { priya: 631aa793bcfa100487d13d0d, rahul: 631aa793bcfa100487d13d0e }
";
    let (workspace, diagnostics) = parse(Path::new("."), text, &Overrides::default());
    workspace.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

fn declared(text: &str) -> Desired {
    let file: Arc<str> = "leads/eu/all.yaml".into();
    let (desired, diagnostics) = desired_of(vec![(file, text.to_owned())], &workspace());
    assert!(
        !diagnostics.iter().any(|made| made.is_error()),
        "{diagnostics:?}"
    );
    desired
}

fn texts(selectors: &[&str]) -> Vec<String> {
    selectors.iter().map(|text| (*text).to_owned()).collect()
}

fn select(
    selectors: &[&str],
    base: Option<&Desired>,
) -> Result<(String, Vec<String>), SelectError> {
    let desired = declared(LEADS);
    let selected =
        Selection::parse(&texts(selectors), &workspace().agents)?.of_desired(&desired, base)?;
    let first = |id: &LeadId| id.as_str().split('-').next().unwrap_or_default().to_owned();
    let ids: Vec<String> = selected.leads.keys().map(first).collect();
    Ok((ids.join(" "), selected.unmatched))
}

#[track_caller]
fn selects(selectors: &[&str], expected: &str) {
    match select(selectors, None) {
        Ok((ids, _)) => assert_eq!(ids, expected, "{selectors:?}"),
        Err(error) => panic!("{selectors:?}: {error}"),
    }
}

#[track_caller]
fn refuses(selectors: &[&str], message: &str) {
    let error = select(selectors, None).expect_err("an error").to_string();
    assert!(error.contains(message), "{selectors:?}: {error}");
    assert!(!error.contains('…'), "{error}");
}

#[test]
fn each_selector_matches_its_field() {
    selects(&["bbbb"], "bbbb1111");
    selects(&["aaaa2222-0000-4000-8000-000000000002"], "aaaa2222");
    selects(&["status=closed"], "bbbb1111");
    selects(&["status=InProgress"], "aaaa1111");
    selects(&["agent=priya"], "aaaa1111 bbbb1111");
    selects(&["agent=631AA793BCFA100487D13D0D"], "aaaa1111 bbbb1111");
    selects(&["agent=none"], "aaaa2222");
    selects(&["tag=vip"], "aaaa1111 aaaa2222");
    selects(&["label~renew"], "aaaa1111");
    selects(&["label~école"], "aaaa2222");
    selects(&["attributes.tier=gold"], "aaaa1111");
    selects(&["held"], "aaaa2222");
    selects(&["file=leads/eu/*.yaml"], "aaaa1111 aaaa2222 bbbb1111");
}

#[test]
fn a_negated_selector_matches_leads_without_the_field() {
    selects(&["status!=CLOSED"], "aaaa1111 aaaa2222");
    selects(&["tag!=vip"], "bbbb1111");
    selects(&["attributes.tier!=gold"], "aaaa2222 bbbb1111");
    selects(&["agent!=priya"], "aaaa2222");
    selects(&["uuid!=bbbb"], "aaaa1111 aaaa2222");
}

#[test]
fn a_comma_means_that_all_terms_match() {
    selects(&["agent=priya,status!=CLOSED"], "aaaa1111");
    selects(&["tag=vip, held"], "aaaa2222");
    selects(&["bbbb", "held"], "aaaa2222 bbbb1111");
}

#[test]
fn a_comma_is_literal_when_escaped_and_in_braces_of_a_glob() {
    selects(&["tag=a\\,b"], "aaaa1111");
    selects(&["tag=a\\,b,status=INPROGRESS"], "aaaa1111");
    selects(&["file=leads/{us,eu}/**,held"], "aaaa2222");
    selects(&["held,file!=leads/{us,uk}/**"], "aaaa2222");
}

#[test]
fn changed_compares_declarations_with_the_base() {
    let base = declared(
        &LEADS
            .replace("[vip, \"a,b\"]", "[vip]")
            .replace("ÉCOLE", "other"),
    );
    let (ids, _) = select(&["changed"], Some(&base)).expect("a selection");
    assert_eq!(ids, "aaaa1111", "a label is not sent, and so is no change");
    let base = declared(&LEADS.replace("    hold: negotiating\n", ""));
    let (ids, _) = select(&["changed"], Some(&base)).expect("a selection");
    assert_eq!(ids, "aaaa2222", "held since the base");
    let (ids, _) = select(&["changed"], Some(&Desired::new())).expect("a selection");
    assert_eq!(ids, "aaaa1111 aaaa2222 bbbb1111", "new since the base");
    refuses(&["changed"], "--base");
}

#[test]
fn one_dead_selector_of_several_is_returned_and_all_are_an_error() {
    let (ids, unmatched) = select(&["held", "tag=hot", "cccc"], None).expect("a selection");
    assert_eq!(ids, "aaaa2222");
    assert_eq!(unmatched, ["tag=hot", "cccc"]);
    refuses(&["tag=hot"], "`tag=hot` selects none of 3 declared leads");
    refuses(&["tag=hot", "cccc"], "`tag=hot`, `cccc` select none of 3");
}

#[test]
fn what_is_not_a_selector_is_quoted_with_what_is_wrong() {
    refuses(&["aaa"], "`aaa`");
    refuses(&["aaaa"], "2 uuids");
    refuses(&["status=CLOSE"], "not a status");
    refuses(&["agent=zoe"], "priya rahul none");
    refuses(&["tag="], "missing value");
    refuses(&["held,"], "empty");
    refuses(&["colour=red"], "attributes.KEY=");
    refuses(&["attributes.=x"], "attributes.KEY=");
    refuses(&["file=leads/{a,b"], "`file=leads/{a,b`");
}

#[test]
fn live_leads_match_by_what_the_inbox_shows() {
    let workspace = workspace();
    let lead = |status: &str, tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Lead::new([
            (Field::STATUS, Value::Choice(Status::read(status))),
            (Field::TAGS, Value::Set(tags)),
        ])
    };
    let (one, other) = (lead("OPEN", &["vip"]), lead("DELETED", &[]));
    let ids = [LeadId::new("aaaa1111"), LeadId::new("bbbb2222")];
    let live = vec![(&ids[0], &one), (&ids[1], &other)];
    let select = |selectors: &[&str]| {
        let selection = Selection::parse(&texts(selectors), &workspace.agents)?;
        let selected = selection.of_live(live.clone())?;
        Ok::<_, SelectError>(
            selected
                .leads
                .iter()
                .map(|(id, _)| id.to_string())
                .collect(),
        )
    };
    let ids = |selectors: &[&str]| -> Vec<String> { select(selectors).expect("a selection") };
    assert_eq!(ids(&["status=open"]), ["aaaa1111"]);
    assert_eq!(ids(&["status!=OPEN"]), ["bbbb2222"]);
    assert_eq!(ids(&["agent=none,tag=vip"]), ["aaaa1111"]);
    for about_files in ["file=leads/**", "label~acme", "held", "changed"] {
        let error: Result<Vec<String>, _> = select(&[about_files]);
        let error = error.expect_err("an error").to_string();
        assert!(error.contains("about the files"), "{error}");
    }
}

//! The recipe of docs/policy.md: a policy in Rego on the plan's JSON, as conftest evaluates it: `data.main.deny`.

use std::collections::BTreeSet;

use crate::world::{PRIYA, RAHUL, World, record, uuid};

/// The policy that the page shows.
fn policy() -> String {
    let page = std::fs::read_to_string("docs/policy.md").expect("a page");
    let (_, rest) = page.split_once("```rego\n").expect("a policy");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// What the policy denies of a plan.
fn denied(plan: &str) -> BTreeSet<String> {
    let mut engine = regorus::Engine::new();
    engine
        .add_policy("plan.rego".to_owned(), policy())
        .expect("Rego");
    engine.set_input(regorus::Value::from_json_str(plan).expect("JSON"));
    let denied = engine
        .eval_rule("data.main.deny".to_owned())
        .expect("a set");
    let messages = denied.as_set().expect("a set").iter();
    messages
        .map(|message| message.as_string().expect("a text").to_string())
        .collect()
}

#[test]
fn the_recipe_denies_what_it_says_and_nothing_else() {
    let live: Vec<_> = (1..=5)
        .map(|number| record(number, "OPEN", Some(PRIYA), &[]))
        .collect();
    let world = World::new(&live, "");
    let lead = |number: usize, says: &str| format!("  {}: {{ {says} }}\n", uuid(number));
    world.declare(
        &(lead(1, "label: Acme, status: CLOSED, agent: rahul")
            + &lead(2, "status: REVIEW, agent: rahul")
            + &lead(3, "agent: rahul")),
    );
    world.run("plan --out plan.json").exits(0);
    let plan = || std::fs::read_to_string(world.path("plan.json")).expect("a plan");
    assert_eq!(denied(&plan()), BTreeSet::new());

    world.declare(
        &((1..=4)
            .map(|number| lead(number, "agent: rahul"))
            .collect::<String>()
            + &lead(5, "status: CLOSED")),
    );
    world.run("plan --out plan.json").exits(0);
    let expected = [
        "leads/all.yaml:7: a lead that is closed has a label".to_owned(),
        format!("4 leads go from {PRIYA} to {RAHUL} at once"),
    ];
    assert_eq!(denied(&plan()), expected.into());
}

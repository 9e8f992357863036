//! `snapshot` and `plan --live`: plans without credentials.

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, RAHUL, World, program, record, uuid};

/// Leads that manage one field each; the files say of the first contact what the inbox says.
fn world() -> World {
    let world = World::new(
        &(1..=6)
            .map(|number| record(number, "OPEN", Some(RAHUL), &["web"]))
            .collect::<Vec<_>>(),
        "",
    );
    world.declare(&format!(
        "  {}: {{ contact: {{ email: v1@example.com, phone: \"1234567\" }} }}
  {}: {{ status: CLOSED, agent: priya }}
  {}: {{ tags: [web, vip], attributes: {{ source: shop }} }}
  {}: {{ notes: [{{ title: Hello, description: First words }}, {{ title: Second }}] }}
  {}: {{ status: OPEN, create: true }}
",
        uuid(1),
        uuid(2),
        uuid(3),
        uuid(4),
        uuid(99)
    ));
    world
}

/// The plan's own words, without what a second reading may tell otherwise.
fn essence(mut plan: Json) -> Json {
    for key in ["created_at", "warnings", "listing"] {
        plan[key].take();
    }
    plan
}

/// `plan --live` with nothing in the environment but the address that the plan is for.
fn offline(world: &World, words: &str) -> crate::world::Ran {
    let mut command = program(&words.split_whitespace().collect::<Vec<_>>());
    let command = command
        .current_dir(world.path("."))
        .env("CONVERTALK_ENDPOINT", world.sandbox().url());
    world.ran(command.output().expect("the program runs"))
}

#[test]
fn a_snapshot_gives_the_same_plan_without_credentials() {
    let world = world();
    let asked = essence(world.run("plan --full --format json").exits(0).json());
    world.run("snapshot --out live.jsonl").exits(0);
    let reads = world.reads();
    let told = offline(&world, "plan --live live.jsonl --format json").exits(0);
    assert!(told.err.contains("live values of "), "{}", told.err);
    let plan = told.json();
    assert_eq!(essence(plan.clone()), asked);
    assert_eq!(
        (&plan["listing"]["complete"], &plan["listing"]["leads_read"]),
        (&true.into(), &6.into())
    );
    assert_eq!(world.reads(), reads, "nothing was asked of the API");
    assert_eq!(
        plan["warnings"][0]["leads"],
        json!([uuid(1), uuid(4)]),
        "what the snapshot cannot know"
    );
    offline(&world, "plan --live live.jsonl --detailed-exitcode").exits(2);
}

#[test]
fn a_snapshot_holds_no_more_than_it_must() {
    let world = world();
    world.run("snapshot --out live.jsonl").exits(0);
    let text = std::fs::read_to_string(world.path("live.jsonl")).expect("a snapshot");
    for secret in ["9876543210", "v2@example.com", "Visitor", "visits", "Pune"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(
        text.contains("v1@example.com"),
        "what the files say is no secret: {text}"
    );
    assert_eq!(
        text.matches("First words").count(),
        1,
        "a note that the files name is held where they name it"
    );
    world.run("snapshot --names none --out live.jsonl").exits(0);
    assert!(
        !std::fs::read_to_string(world.path("live.jsonl"))
            .expect("a snapshot")
            .contains("v***")
    );
    world.run("snapshot --names full --out live.jsonl").exits(0);
    let text = std::fs::read_to_string(world.path("live.jsonl")).expect("a snapshot");
    assert!(
        text.contains("v2@example.com") && text.contains("visits"),
        "{text}"
    );
    let plan = offline(&world, "plan --live live.jsonl --format json")
        .exits(0)
        .json();
    assert_eq!(plan["warnings"], json!([]));
}

#[test]
fn a_lead_that_is_not_in_the_snapshot_is_missing() {
    let world = world();
    world.run("snapshot --out live.jsonl").exits(0);
    world.declare(&format!(
        "  {}: {{ agent: priya }}\n  {}: {{ status: OPEN }}\n",
        uuid(1),
        uuid(7)
    ));
    let plan = offline(&world, "plan --live live.jsonl --format json")
        .exits(1)
        .json();
    assert_eq!(
        (
            &plan["missing"][0]["uuid"],
            &plan["changes"][0]["fields"]["agent"]["after"]
        ),
        (&uuid(7).into(), &PRIYA.into())
    );
}

#[test]
fn what_is_no_snapshot_of_this_inbox_is_refused() {
    let world = world();
    world.run("snapshot --out live.jsonl").exits(0);
    let whole = std::fs::read_to_string(world.path("live.jsonl")).expect("a snapshot");
    let refused = |text: &str, words: &str| {
        world.write("live.jsonl", text);
        let told = offline(&world, "plan --live live.jsonl").exits(1);
        assert!(
            told.err.contains(words) && told.err.contains("help:") && told.out.is_empty(),
            "{words}: {}",
            told.err
        );
    };
    let without_end = whole.trim_end().rsplit_once('\n').expect("lines").0;
    refused(without_end, "the snapshot is cut off");
    refused(
        &whole.replacen("\n", "\n{\"type\":\"lead\"", 1),
        "not a snapshot: line 2: ",
    );
    refused(
        &whole.replacen("\"type\":\"snapshot\"", "\"type\":\"plan\"", 1),
        "not a snapshot: line 1: ",
    );
    refused(
        &whole.replacen("\"format_version\":1", "\"format_version\":2", 1),
        "format version 2",
    );
    refused("", "not a snapshot: line 1: ");
    refused(
        &whole.replacen("\"bot_id\":\"", "\"bot_id\":\"0", 1),
        "for another endpoint, bot or customer",
    );
    assert!(
        offline(&world, "plan --live none.jsonl")
            .exits(1)
            .err
            .contains("cannot read none.jsonl")
    );
}

#[test]
fn a_plan_of_a_snapshot_can_be_saved_and_applied() {
    let world = world();
    world.run("snapshot --out live.jsonl").exits(0);
    offline(
        &world,
        "plan --live live.jsonl --only status=CLOSED --out plan.json",
    )
    .exits(0);
    world.run("apply plan.json --yes").exits(0);
    assert_eq!(world.sandbox().records()[&uuid(2)]["status"], "CLOSED");
    world.sandbox().edit(&uuid(3), |record| {
        record["profile"]["userDetails"]["tags"] = json!(["moved"])
    });
    offline(
        &world,
        "plan --live live.jsonl --only tag=vip --out plan.json",
    )
    .exits(0);
    world.run("apply plan.json --yes").exits(4);
}

#[test]
fn no_output_takes_the_place_of_another_or_of_a_file_of_the_workspace() {
    let world = world();
    let before = std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file");
    for (words, why) in [
        (
            "plan --report html=leads/all.yaml",
            "leads/all.yaml is a file of the workspace",
        ),
        ("plan --report json=x --out x", "x is named twice"),
        (
            "plan --out convertalk.yaml",
            "convertalk.yaml is a file of the workspace",
        ),
        (
            "snapshot --out leads/all.yaml",
            "leads/all.yaml is a file of the workspace",
        ),
    ] {
        let refused = world.run(words).exits(1);
        assert!(refused.err.contains(why), "{words}: {}", refused.err);
    }
    assert!(
        world
            .run("plan --out no/such/plan.json")
            .exits(1)
            .err
            .contains("the folder does not exist")
    );
    assert_eq!(
        std::fs::read_to_string(world.path("leads/all.yaml")).expect("a file"),
        before
    );
    assert_eq!(
        world
            .run("snapshot --out /dev/stdout")
            .exits(0)
            .out
            .lines()
            .filter(|line| !line.starts_with('{'))
            .count(),
        0
    );
}

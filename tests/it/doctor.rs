//! `doctor`: what is wrong, what was learnt, and what to do next; and never a write.

use serde_json::Value as Json;

use crate::world::{PRIYA, World, record, serve, uuid};

fn checks(world: &World, exit: i32) -> Vec<Json> {
    let told = world.run("doctor --format json").exits(exit);
    assert_eq!(world.puts().len(), 0, "doctor never writes");
    told.json()["checks"].as_array().expect("a list").clone()
}

#[track_caller]
fn finds(checks: &[Json], health: &str, words: &str) {
    let found = checks.iter().find(|check| {
        check["message"]
            .as_str()
            .is_some_and(|message| message.contains(words))
    });
    let found = found.unwrap_or_else(|| panic!("no `{words}` in {checks:#?}"));
    assert_eq!(found["health"], health, "{found}");
    assert_eq!(
        found["next"].is_null(),
        health == "ok",
        "each finding has a next step: {found}"
    );
}

#[test]
fn it_learns_how_the_platform_lists() {
    let mut live: Vec<_> = (1..=10)
        .map(|number| record(number, "OPEN", Some(PRIYA), &["web"]))
        .collect();
    live[1]["status"] = "DELETED".into();
    live[2]["_agentAssigned"] = "00000000000000000000000a".into();
    live[3].as_object_mut().expect("a record").remove("uuid");
    let world = World::new(&live, "--page-size 4 --end repeat-last");
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    let checks = checks(&world, 0);
    finds(&checks, "ok", "1 lead in 1 file");
    finds(&checks, "ok", "the read token is set");
    finds(&checks, "ok", "ms a page");
    finds(&checks, "ok", "lead: 4 chats a page");
    finds(&checks, "ok", "return the last page");
    finds(&checks, "ok", "non-lead: no chats");
    finds(&checks, "ok", "tags are listed as an array");
    finds(&checks, "warning", "1 chat without a uuid");
    finds(&checks, "warning", "DELETED");
    finds(&checks, "warning", "1 agent without a name");
    let text = world.run("doctor").exits(0).out;
    let agents = "agents:\n  agent-00000a: \"00000000000000000000000a\" # 1 lead\n";
    assert!(
        text.contains(agents) && text.contains("Doctor: 3 warnings."),
        "{text}"
    );
    assert_eq!(
        world.reads(),
        2 * 4,
        "three pages of a list that has chats, one of another"
    );
}

#[test]
fn a_wrong_token_address_or_id_is_told_with_a_next_step() {
    let world = World::new(
        &[record(1, "OPEN", None, &["web"])],
        "--bot-id 63d9ffa77a8d152facbe2fff",
    );
    world.declare(&format!("  {}: {{ status: OPEN }}\n", uuid(1)));
    finds(&checks(&world, 1), "error", "HTTP 4");
    let elsewhere = |answer: (&'static str, &'static str)| {
        let url = serve(move |_| (answer.0, answer.1.to_owned()));
        let mut command = world.command(&["doctor", "--format", "json"]);
        let told = world
            .ran(
                command
                    .env("CONVERTALK_ENDPOINT", url)
                    .output()
                    .expect("the program runs"),
            )
            .exits(1);
        told.json()["checks"].as_array().expect("a list").clone()
    };
    // Empty lists are no 404, whoever says it.
    let envelope = r#"{"success":false,"code":404,"message":"no route"}"#;
    for body in ["<html>nothing</html>", "{}", envelope] {
        let found = elsewhere(("404 Not Found", body));
        finds(&found, "error", "nothing is served at this address");
        assert!(
            found
                .iter()
                .any(|check| check["next"].to_string().contains("check api.endpoint"))
        );
    }
    finds(&elsewhere(("401 Unauthorized", "{}")), "error", "HTTP 401");
    let wrong_ids = r#"{"success":false,"code":400,"message":"bad botId"}"#;
    assert!(
        elsewhere(("400 Bad Request", wrong_ids))
            .iter()
            .any(|check| check["next"].to_string().contains("bot_id and customer_id"))
    );
    let wrong_token =
        r#"{"success":false,"code":400,"message":"x","data":["token must be 24 hex characters"]}"#;
    finds(
        &elsewhere(("400 Bad Request", wrong_token)),
        "error",
        "24 hex characters",
    );
}

#[test]
fn without_a_token_or_with_broken_files_it_says_so() {
    let world = World::new(&[], "");
    world.declare("  x: { status: REVEIW }\n");
    let mut command = world.command(&["doctor", "--format", "json"]);
    command
        .env_remove("CONVERTALK_READ_TOKEN")
        .env_remove("CONVERTALK_WRITE_TOKEN");
    let told = world
        .ran(command.output().expect("the program runs"))
        .exits(1);
    let checks = told.json()["checks"].as_array().expect("a list").clone();
    finds(&checks, "error", "1 error");
    finds(&checks, "error", "neither CONVERTALK_READ_TOKEN");
    finds(&checks, "warning", "write token is not set");
    assert!(told.err.contains("leads/all.yaml:3"), "{}", told.err);
    finds(&self::checks(&world, 1), "warning", "lists no chats");
}

#[test]
fn a_wrong_address_is_no_empty_inbox_for_any_command() {
    let world = World::new(&[], "");
    world.declare(&format!(
        "  {}: {{ status: OPEN, create: true }}\n",
        uuid(1)
    ));
    let envelope = r#"{"success":false,"code":404,"message":"no route"}"#;
    let url = serve(move |_| ("404 Not Found", envelope.to_owned()));
    for words in [
        "plan",
        "apply --yes",
        "pull",
        "snapshot --out live.json",
        "list --live",
    ] {
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut command = world.command(&words);
        command.env("CONVERTALK_ENDPOINT", &url);
        let ran = world.ran(command.output().expect("the program runs"));
        let ran = ran.exits(1);
        assert!(
            ran.err.contains("nothing is served at this address")
                && ran.err.contains("check api.endpoint"),
            "{words:?}: {}",
            ran.err
        );
    }
    assert!(!world.path("live.json").exists() && !world.path("leads/inbox.yaml").exists());
}

//! The requests, exactly as api.md has them.

use std::time::{Duration, Instant};

use crate::world::{BOT, CUSTOMER, PRIYA, World, record, uuid};

#[test]
fn each_endpoint_gets_its_own_header_and_its_own_keys() {
    let world = World::new(&[record(1, "OPEN", None, &["web"])], "");
    world.declare(&format!(
        "  {}: {{ status: CLOSED, agent: priya, tags: [vip, a], label: never sent, contact: {{ phone: 98765 00000 }} }}\n",
        uuid(1)
    ));
    world.run("apply --yes").exits(0);
    let requests = world.sandbox().requests();
    for request in &requests {
        let header = |name: &str| request.headers.iter().any(|header| header == name);
        match request.method.as_str() {
            "GET" => {
                assert_eq!(request.path, "/inbox/direct/chats");
                assert!(header("x-bot-token") && !header("x-bp-token"));
                assert_eq!(
                    request.query.keys().collect::<Vec<_>>(),
                    ["botId", "customerId", "page", "type"]
                );
                assert_eq!(
                    (
                        request.query["botId"].as_str(),
                        request.query["customerId"].as_str()
                    ),
                    (BOT, CUSTOMER)
                );
                assert!(
                    request.query["page"]
                        .parse::<u32>()
                        .is_ok_and(|page| page >= 1)
                );
                assert!(["lead", "non-lead"].contains(&request.query["type"].as_str()));
            }
            "PUT" => {
                assert_eq!(request.path, "/inbox/direct/lead");
                assert!(header("x-bp-token") && !header("x-bot-token"));
                let body = request.body.as_ref().expect("a body");
                let wanted = serde_json::json!({
                    "uuid": uuid(1), "botId": BOT, "customerId": CUSTOMER,
                    "status": "CLOSED", "agentId": PRIYA, "tags": ["a", "vip"], "phone": "9876500000",
                });
                assert_eq!(*body, wanted);
            }
            other => panic!("{other} was sent"),
        }
    }
}

#[test]
fn header_names_are_settings() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace(
            "endpoint: sandbox",
            "endpoint: sandbox, read_header: x-other-token",
        ),
    );
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world.run("plan").exits(1);
    let requests = world.sandbox().requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(request.headers.contains(&"x-other-token".to_owned()));
    }
}

#[test]
fn rate_and_concurrency_are_never_exceeded() {
    let live: Vec<_> = (1..=24)
        .map(|number| record(number, "OPEN", None, &[]))
        .collect();
    let world = World::new(&live, "--page-size 4");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace(
            "endpoint: sandbox",
            "endpoint: sandbox, rate: 50, concurrency: 3",
        ),
    );
    world.declare(
        &(1..=24)
            .map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)))
            .collect::<String>(),
    );
    // By the clock of this process, because a busy machine may keep a request from arriving, and so two may come at once.
    let start = Instant::now();
    world.run("apply --yes").exits(0);
    let took = start.elapsed();
    assert!(world.sandbox().peak_in_flight() <= 3);
    let requests = world.sandbox().requests().len();
    assert!(requests > 30, "{requests}");
    let gaps = u32::try_from(requests - 1).expect("a few");
    assert!(
        took >= gaps * Duration::from_millis(20),
        "{requests} requests in {took:?}"
    );
}

fn configured(world: &World, api: &str) {
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let with = format!("endpoint: sandbox, {api}");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", &with),
    );
}

#[test]
fn a_platform_that_wants_a_bearer_and_a_fixed_header_is_planned_and_written() {
    let flags = "--auth bearer --require-header authtype=Key --wrong-token 401";
    let world = World::new(&[record(1, "OPEN", None, &[])], flags);
    configured(&world, "auth: bearer, headers: { AuthType: Key }");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    world.run("doctor").exits(0);
    world.run("apply --yes").exits(0);
    world.assert_settled();
    assert_eq!(world.puts().len(), 1);
    for request in world.sandbox().requests() {
        let header = |name: &str| request.headers.iter().any(|header| header == name);
        assert!(header("authorization") && header("authtype"));
        assert!(!header("x-bot-token") && !header("x-bp-token"));
    }
}

#[test]
fn the_embedded_sandbox_takes_both_ways_to_sign_in() {
    let world = World::new(&[], "");
    for auth in ["token", "bearer"] {
        world.write(
            "convertalk.yaml",
            &format!("version: 1\napi: {{ endpoint: sandbox, auth: {auth} }}\n"),
        );
        let mut command = world.command(&["plan"]);
        let output = command.env_remove("CONVERTALK_ENDPOINT").output();
        world.ran(output.expect("the program runs")).exits(0);
    }
}

/// What plan, apply and doctor say about a refused token, each without its first words.
fn refusals(world: &World, env: &[(&str, &str)]) -> Vec<String> {
    let commands: [&[&str]; 3] = [&["plan"], &["apply", "--yes"], &["doctor"]];
    let said = commands.map(|words| {
        let mut command = world.command(words);
        for variable in ["CONVERTALK_READ_TOKEN", "CONVERTALK_WRITE_TOKEN"] {
            command.env_remove(variable);
        }
        let ran = world.ran(command.envs(env.iter().copied()).output().expect("it runs"));
        let ran = ran.exits(1);
        ran.out + &ran.err
    });
    said.to_vec()
}

#[test]
fn a_refused_token_is_explained_alike_by_plan_apply_and_doctor() {
    for flags in ["--wrong-token 401", "--wrong-token 400"] {
        let world = World::new(&[record(1, "OPEN", None, &[])], flags);
        world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
        for said in refusals(&world, &[("CONVERTALK_TOKEN", "of-another-bot")]) {
            for words in [
                "the token of CONVERTALK_TOKEN was sent in the header x-bot-token (`auth: token`)",
                "newer installations want `auth: bearer` with `headers: { authtype: Key }`",
            ] {
                assert!(said.contains(words), "{flags}: {words}: {said}");
            }
        }
    }
    let world = World::new(&[], "--auth bearer --require-header authtype=Key");
    configured(&world, "auth: bearer");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    for said in refusals(
        &world,
        &[
            ("CONVERTALK_READ_TOKEN", crate::world::TOKEN),
            ("CONVERTALK_WRITE_TOKEN", crate::world::TOKEN),
        ],
    ) {
        assert!(
            said.contains("HTTP 401") && said.contains("CONVERTALK_READ_TOKEN"),
            "{said}"
        );
        assert!(said.contains("`auth: bearer`"), "{said}");
    }
}

#[test]
fn a_refused_write_token_is_explained_as_the_read_token_is() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "--wrong-token 401");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let mut command = world.command(&["apply", "--yes"]);
    command.env("CONVERTALK_WRITE_TOKEN", "of-another-bot");
    let ran = world.ran(command.output().expect("it runs")).exits(5);
    let said = ran.out + &ran.err;
    let words =
        "the token of CONVERTALK_WRITE_TOKEN was sent in the header x-bp-token (`auth: token`)";
    assert!(said.contains(words), "{said}");
    assert!(said.contains("`headers: { authtype: Key }`"), "{said}");
}

#[test]
fn a_fixed_header_never_holds_a_token_that_is_in_use() {
    let world = World::new(&[], "");
    configured(&world, "headers: { x-team: its-me }");
    let mut command = world.command(&["plan"]);
    command.env("CONVERTALK_READ_TOKEN", "its-me");
    let ran = world.ran(command.output().expect("it runs")).exits(1);
    assert!(
        ran.err.contains("api.headers contains the token"),
        "{}",
        ran.err
    );
    assert_eq!(world.reads(), 0);
}

#[test]
fn headers_that_carry_secrets_or_cannot_be_sent_are_errors_at_their_places() {
    let world = World::new(&[], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let cases = [
        ("Authorization: Bearer hush", "token-in-file", 5),
        ("proxy-authorization: hush", "token-in-file", 5),
        ("Cookie: sid=hush", "token-in-file", 5),
        ("X-Bot-Token: hush", "token-in-file", 5),
        ("x-bp-token: hush", "token-in-file", 5),
        ("X-Mine: hush", "token-in-file", 5),
        ("x-api-key: hush", "token-in-file", 5),
        ("x-team: hush63d9ffa77a8d152facbe2f00", "token-in-file", 13),
        ("x-team: Bearer hush", "token-in-file", 13),
        ("x team: sales", "bad-header", 5),
        ("x-team: \"a\\nb\"", "bad-header", 13),
        ("x-team: café", "bad-header", 13),
        ("host: example.com", "bad-header", 5),
    ];
    for (line, rule, column) in cases {
        let text = format!(
            "version: 1\napi:\n  endpoint: sandbox\n  bot_id: {BOT}\n  customer_id: {CUSTOMER}\n  read_header: x-mine\n  headers:\n    {line}\n"
        );
        world.write("convertalk.yaml", &text);
        let ran = world.run("validate --format json").exits(1);
        let found = &ran.json()["diagnostics"][0];
        assert_eq!(
            (
                found["rule"].as_str(),
                found["line"].as_u64(),
                found["column"].as_u64()
            ),
            (Some(rule), Some(8), Some(column)),
            "{line}: {found:#}"
        );
        assert!(found["help"].is_string(), "{found:#}");
        let text = world.run("validate").exits(1);
        assert!(
            !text.err.contains("hush") && !ran.out.contains("hush"),
            "{}",
            text.err
        );
    }
}

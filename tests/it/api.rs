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

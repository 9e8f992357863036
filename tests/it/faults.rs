//! Faults of the API and of the network: a run through them ends with the wanted state or an honest exit code.

use std::time::Duration;

use crate::world::{TOKEN, World, record, serve, uuid};

fn world(leads: usize, flags: &str) -> World {
    let live: Vec<_> = (1..=leads)
        .map(|number| record(number, "OPEN", None, &["web"]))
        .collect();
    let world = World::new(&live, flags);
    world.declare(
        &(1..=leads)
            .map(|number| format!("  {}: {{ status: CLOSED }}\n", uuid(number)))
            .collect::<String>(),
    );
    world
}

/// A fault now and then, on both endpoints: repeated, and done.
fn survives(fault: &str) {
    let world = world(
        30,
        &format!("--page-size 5 --retry-after 0 --slow 20ms --fault {fault}"),
    );
    world.run("apply --yes").exits(0);
    let requests = world.sandbox().requests();
    assert!(
        requests.iter().any(|request| request.fault.is_some()),
        "no fault struck"
    );
    for (uuid, bodies) in world.sent() {
        let lost = world
            .puts()
            .iter()
            .filter(|put| {
                put.fault.is_some()
                    && put
                        .body
                        .as_ref()
                        .is_some_and(|body| body["uuid"] == uuid.as_str())
            })
            .count();
        assert!(
            bodies.len() <= 1 + lost,
            "{uuid} was written {} times with {lost} faults",
            bodies.len()
        );
    }
    assert!(
        world
            .sandbox()
            .records()
            .values()
            .all(|record| record["status"] == "CLOSED")
    );
    world.assert_settled();
}

macro_rules! survives {
    ($($name:ident: $fault:literal,)*) => {
        $(#[test] fn $name() { survives($fault); })*
    };
}

survives! {
    too_many_requests: "429=15%",
    server_errors: "500=15%",
    bad_gateways: "502-html=15%",
    unavailable: "503=15%",
    pages_of_html_instead: "html=15%",
    json_cut_off: "truncated=15%",
    success_that_says_false: "success-false=15%",
    connections_dropped_before_the_write: "drop-before=15%",
    connections_dropped_after_the_write: "drop-after=15%",
    slow_answers: "slow=15%",
}

#[test]
fn a_retry_after_is_obeyed() {
    let world = world(12, "--page-size 4 --retry-after 1 --fault 429@write:4");
    // One at a time, so that none was under way when the platform refused one.
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, concurrency: 1"),
    );
    world.run("apply --yes").exits(0);
    let requests = world.sandbox().requests();
    let refused = requests
        .iter()
        .position(|request| request.status == Some(429))
        .expect("a 429");
    let waited = requests[refused + 1].at - requests[refused].at;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[test]
fn a_wrong_token_is_one_clear_error_and_never_tried_again() {
    for status in ["400", "401", "403"] {
        let world = world(3, &format!("--wrong-token {status}"));
        let mut command = world.command(&["plan", "-v", "-v"]);
        command.env("CONVERTALK_READ_TOKEN", "wr0ng-token");
        let ran = world
            .ran(command.output().expect("the program runs"))
            .exits(1);
        assert_eq!(ran.err.matches("error:").count(), 1, "{}", ran.err);
        assert!(
            ran.err.contains("CONVERTALK_READ_TOKEN")
                && ran.err.contains(&format!("HTTP {status}")),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains("wr0ng-token"), "{}", ran.err);
        assert!(
            world.reads() <= 2,
            "each list is asked for once at the most"
        );
        assert_eq!(ran.out, "");
    }
}

#[test]
fn a_wrong_write_token_stops_the_run_at_once() {
    let world = world(5, "");
    let mut command = world.command(&["apply", "--yes"]);
    command.env("CONVERTALK_WRITE_TOKEN", "wr0ng-token");
    let ran = world
        .ran(command.output().expect("the program runs"))
        .exits(5);
    assert_eq!(world.puts().len(), 1);
    assert!(
        ran.out.contains("1 failed") && ran.out.contains("4 untried"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("wr0ng-token") && !ran.err.contains("wr0ng-token"));
}

#[test]
fn no_token_is_an_error_that_names_the_variable() {
    let world = world(1, "");
    let mut command = world.command(&["plan"]);
    command
        .env_remove("CONVERTALK_READ_TOKEN")
        .env("CONVERTALK_TOKEN", "  ");
    let ran = world
        .ran(command.output().expect("the program runs"))
        .exits(1);
    assert!(
        ran.err
            .contains("neither CONVERTALK_READ_TOKEN nor CONVERTALK_TOKEN is set"),
        "{}",
        ran.err
    );
    let mut command = world.command(&["plan"]);
    command
        .env_remove("CONVERTALK_READ_TOKEN")
        .env("CONVERTALK_TOKEN", TOKEN);
    world
        .ran(command.output().expect("the program runs"))
        .exits(0);
}

#[test]
fn a_listing_that_breaks_off_is_an_error() {
    let from_the_fourth: Vec<String> = (4..200).map(|read| read.to_string()).collect();
    let fault = format!(
        "--page-size 5 --fault 500@read:{}",
        from_the_fourth.join(",")
    );
    let world = world(30, &fault);
    let ran = world.run("apply --yes --full").exits(1);
    assert!(ran.err.contains("the listing is incomplete"), "{}", ran.err);
    assert_eq!(world.puts().len(), 0);
}

#[test]
fn too_many_failures_end_the_run() {
    let world = world(30, "--unknown reject");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, concurrency: 1"),
    );
    world.declare(
        &(1..=30)
            .map(|number| {
                format!(
                    "  {}: {{ status: CLOSED, create: true }}\n",
                    uuid(number + 1000)
                )
            })
            .collect::<String>(),
    );
    let ran = world
        .run("apply --yes --canary 0 --max-failures 3")
        .exits(5);
    assert_eq!(world.puts().len(), 3);
    assert!(
        ran.out.contains("3 failed") && ran.out.contains("27 untried"),
        "{}",
        ran.out
    );
}

#[test]
fn an_answer_lost_after_the_write_is_read_back_and_counts() {
    let world = world(1, "--fault drop-after@write");
    world.run("apply --yes").exits(0);
    let lines = world.run_lines();
    assert!(
        lines
            .iter()
            .any(|line| line["type"] == "answer" && line["error"].is_string()),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line["type"] == "outcome" && line["outcome"] == "verified"),
        "{lines:?}"
    );
}

#[test]
fn nothing_follows_a_redirect_to_another_host() {
    let other = World::new(&[], "");
    let to = other.sandbox().url();
    let location: &'static str =
        Box::leak(format!("302 Found\r\nlocation: {to}/inbox/direct/chats").into_boxed_str());
    let world = world(1, "");
    let mut command = world.command(&["plan"]);
    command.env(
        "CONVERTALK_ENDPOINT",
        serve(move |_| (location, String::new())),
    );
    let ran = world
        .ran(command.output().expect("the program runs"))
        .exits(1);
    assert!(
        ran.err.contains("redirected to http://127.0.0.1")
            && ran.err.contains("the token is not sent there"),
        "{}",
        ran.err
    );
    assert_eq!(other.reads(), 0);
}

#[test]
fn an_hour_is_not_waited_for_and_nothing_more_is_sent() {
    let world = world(30, "--retry-after 3600 --fault 429@write");
    let ran = world.run("apply --yes --canary 0").exits(5);
    assert!(
        world.puts().len() <= 8,
        "only what was under way was sent: {}",
        world.puts().len()
    );
    assert!(
        ran.out.contains("untried") && ran.out.contains("3600 s"),
        "{}",
        ran.out
    );

    let few: Vec<String> = (3..20).map(|number| number.to_string()).collect();
    let world = self::world(
        6,
        &format!("--retry-after 3600 --fault 429@write:{}", few.join(",")),
    );
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace("endpoint: sandbox", "endpoint: sandbox, concurrency: 1"),
    );
    let ran = world.run("apply --yes").exits(5);
    assert!(
        ran.out.contains("written")
            && ran.out.contains("not read back")
            && !ran.out.contains("unverified"),
        "{}",
        ran.out
    );
}

#[test]
fn the_platforms_words_do_not_tell_what_is_masked() {
    let url = serve(|request| match request {
        write if write.starts_with("PUT") => (
            "400 Bad Request",
            r#"{"success":false,"code":400,"message":"asha@acme.example is taken"}"#.to_owned(),
        ),
        first if first.contains("page=1&type=lead") => (
            "200 OK",
            r#"{"success":true,"data":[{"uuid":"u-1"}]}"#.to_owned(),
        ),
        _ => ("200 OK", r#"{"success":true,"data":[]}"#.to_owned()),
    });
    let world = World::new(&[], "");
    world.declare("  u-1: { contact: { email: asha@acme.example } }\n");
    let mut command = world.command(&["apply", "--yes"]);
    command.env("CONVERTALK_ENDPOINT", url);
    let ran = world
        .ran(command.output().expect("the program runs"))
        .exits(5);
    assert!(ran.out.contains("a***@a*** is taken"), "{}", ran.out);
    assert!(!format!("{:?}", world.run_lines()).contains("asha@"));
}

//! No token in any sink, whatever the platform says.

use crate::world::{TOKEN, World, record, serve, serve_bytes, uuid};

/// A platform that repeats the token in all it says.
fn parrot(status: &'static str) -> String {
    let body = format!(
        "{{\"success\":false,\"code\":401,\"message\":\"token {TOKEN} is not known\",\"data\":[\"{TOKEN}\"]}}"
    );
    serve(move |_| (status, body.clone()))
}

#[test]
fn a_token_that_the_platform_repeats_is_scrubbed() {
    for (status, shown) in [
        ("401 Unauthorized", "token *** is not known"),
        ("200 OK", "token *** is not known"),
        // The words are not shown at all.
        ("404 Not Found", "nothing is served at this address"),
    ] {
        let world = World::new(&[], "");
        world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
        let mut command = world.command(&["plan", "-v", "-v"]);
        command.env("CONVERTALK_ENDPOINT", parrot(status));
        let ran = world
            .ran(command.output().expect("the program runs"))
            .exits(1);
        let all = ran.out + &ran.err;
        assert!(all.contains(shown), "{status}: {all}");
    }
}

#[test]
fn a_token_at_which_a_long_message_ends_is_scrubbed() {
    let world = World::new(&[], "");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    for before in (280..305).step_by(4) {
        let words = "x".repeat(before);
        let body = format!(r#"{{"success":false,"code":401,"message":"{words}{TOKEN} more"}}"#);
        let mut command = world.command(&["plan", "-v", "-v"]);
        let address = serve(move |_| ("401 Unauthorized", body.clone()));
        command.env("CONVERTALK_ENDPOINT", address);
        let ran = world.ran(command.output().expect("the program runs"));
        let ran = ran.exits(1);
        let all = ran.out + &ran.err;
        assert!(all.contains(&"x".repeat(250)), "{before}: {all}");
        for length in 4..TOKEN.len() {
            let start = &TOKEN[..length];
            assert!(!all.contains(&format!("x{start}")), "{before}: {start}");
        }
    }
}

#[test]
fn verbose_output_tells_requests_and_neither_tokens_nor_ids() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "--fault 500@read:1");
    world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
    let ran = world.run("apply --yes -v -v").exits(0);
    assert!(
        ran.err.contains("GET /inbox/direct/chats page=1 type=lead")
            && ran.err.contains("retrying in"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("PUT /inbox/direct/lead"), "{}", ran.err);
}

#[test]
fn a_token_in_the_workspace_file_is_an_error_that_does_not_show_it() {
    let world = World::new(&[], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &config.replace(
            "endpoint: sandbox",
            &format!("endpoint: sandbox, read_token: {TOKEN}"),
        ),
    );
    let ran = world.run("validate").exits(1);
    assert!(
        ran.err.contains("token-in-file") && ran.err.contains("CONVERTALK_READ_TOKEN"),
        "{}",
        ran.err
    );
}

#[test]
fn a_token_outside_of_ascii_is_scrubbed_in_the_encodings_of_servers_on_the_way() {
    let token = "s3cr\u{e9}t-\u{fc}ber";
    for (form, echoed) in [
        ("UTF-8", token.as_bytes().to_vec()),
        ("Latin-1", token.chars().map(|c| c as u8).collect()),
        ("percent", b"s3cr%C3%A9t-%c3%bcber".to_vec()),
        ("JSON", br"s3cr\u00e9t-\u00fcber".to_vec()),
    ] {
        let mut body = br#"{"success":false,"code":401,"message":"who is "#.to_vec();
        body.extend(&echoed);
        body.extend(br#"?"}"#);
        let world = World::new(&[], "");
        world.declare(&format!("  {}: {{ status: CLOSED }}\n", uuid(1)));
        let mut command = world.command(&["plan", "-v", "-v"]);
        command.env("CONVERTALK_READ_TOKEN", token).env(
            "CONVERTALK_ENDPOINT",
            serve_bytes(move |_| ("401 Unauthorized", body.clone())),
        );
        let ran = world.ran(command.output().expect("the program runs"));
        let all = ran.exits(1);
        let all = all.out + &all.err;
        assert!(all.contains("who is ***?"), "{form}: {all}");
        assert!(
            !all.contains("s3cr") && !all.contains("ber?"),
            "{form}: {all}"
        );
    }
}

use axum::http::header::HOST;
use reqwest::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::plan::Target;
use crate::watch::status::{PassResult, WatchStatus};

const SHORT: Duration = Duration::from_millis(500);
const TOKEN: &str = "p0ll-t0ken";

fn target() -> Target {
    Target {
        endpoint: "sandbox".to_owned(),
        bot_id: "b".to_owned(),
        customer_id: "c".to_owned(),
    }
}

fn server(poll_token: Option<&str>) -> WatchServer {
    let requests = Arc::default();
    let status = WatchStatus::before_first_pass(target(), "2026-01-02T03:04:05Z".to_owned());
    WatchServer {
        handle: Arc::new(WatchHandle::new(status)),
        metrics: Metrics::new(Arc::clone(&requests)),
        requests,
        every: Duration::from_secs(60),
        names: Redaction::Initials,
        poll_token: poll_token.map(|token| SecretString::from(token.to_owned())),
    }
}

/// A plan with a change whose label is hostile.
fn plan() -> crate::plan::Plan {
    let file = include_str!("../../../tests/it/html/every_class.json");
    serde_json::from_str(file).expect("a plan")
}

/// Serves at an address of the kind, and returns `http://127.0.0.1:PORT` and what the loop publishes.
async fn served(listen: &str, server: WatchServer) -> (String, Arc<WatchHandle>) {
    let listener = TcpListener::bind(listen).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let handle = Arc::clone(&server.handle);
    tokio::spawn(serve_patiently(listener, server, SHORT));
    (format!("http://127.0.0.1:{port}"), handle)
}

fn client() -> Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let builder = Client::builder().no_proxy().tls_backend_preconfigured(tls);
    builder.build().expect("a client")
}

async fn asked(handle: &WatchHandle) -> bool {
    tokio::time::timeout(Duration::from_millis(200), handle.asked_to_poll())
        .await
        .is_ok()
}

#[tokio::test]
async fn each_path_answers_before_and_after_the_first_pass() {
    let (url, handle) = served("127.0.0.1:0", server(None)).await;
    let client = client();
    let status = async |path: &str| {
        let answer = client.get(format!("{url}{path}")).send().await;
        answer.expect("an answer").status().as_u16()
    };
    assert_eq!(status("/healthz").await, 200);
    assert_eq!(status("/readyz").await, 503);
    assert_eq!(status("/").await, 503);
    assert_eq!(status("/status").await, 200);
    assert_eq!(status("/metrics").await, 200);
    assert_eq!(status("/favicon.ico").await, 404);
    handle.publish_plan(plan());
    assert_eq!(status("/readyz").await, 200);
    assert_eq!(status("/").await, 200);
}

#[tokio::test]
async fn the_status_is_the_document_and_the_page_is_the_plan() {
    let (url, handle) = served("127.0.0.1:0", server(None)).await;
    let client = client();
    let mut status = WatchStatus::before_first_pass(target(), String::new());
    status.result = Some(PassResult::Changed);
    handle.publish(status.clone());
    handle.publish_plan(plan());
    let answer = client
        .get(format!("{url}/status"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()[CONTENT_TYPE], JSON);
    let text = answer.text().await.expect("a body");
    let read: WatchStatus = serde_json::from_str(&text).expect("a status");
    assert_eq!(read, status);
    let page = client.get(&url).send().await.expect("an answer");
    assert_eq!(page.headers()[CONTENT_TYPE], HTML);
    assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(
        page.headers()[CONTENT_SECURITY_POLICY],
        "frame-ancestors 'none'"
    );
    let page = page.text().await.expect("a body");
    assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"));
}

#[tokio::test]
async fn metrics_have_their_content_type_and_what_the_status_says() {
    let (url, handle) = served("127.0.0.1:0", server(None)).await;
    let mut status = WatchStatus::before_first_pass(target(), String::new());
    status.suspended = Some("migration".to_owned());
    handle.publish(status);
    let answer = client()
        .get(format!("{url}/metrics"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()[CONTENT_TYPE], OPENMETRICS);
    let text = answer.text().await.expect("a body");
    assert!(text.contains("convertalk_suspended 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn head_has_no_body_and_other_methods_are_refused() {
    let (url, _) = served("127.0.0.1:0", server(None)).await;
    let client = client();
    let head = client
        .head(format!("{url}/status"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(head.status(), 200);
    assert_eq!(head.text().await.expect("no body"), "");
    for path in ["/healthz", "/readyz", "/status", "/metrics", "/"] {
        let posted = client
            .post(format!("{url}{path}"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(posted.status(), 405, "{path}");
        assert_eq!(posted.headers()[ALLOW], "GET, HEAD", "{path}");
    }
    let read = client
        .get(format!("{url}/poll"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (read.status().as_u16(), &read.headers()[ALLOW]),
        (405, &"POST".parse().expect("a value"))
    );
}

#[tokio::test(start_paused = true)]
async fn health_ends_after_twice_the_time_without_progress() {
    let server = server(None);
    assert_eq!(server.health().status(), 200);
    tokio::time::advance(Duration::from_secs(120)).await;
    assert_eq!(server.health().status(), 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(server.health().status(), 503);
    server.handle.progressed();
    assert_eq!(server.health().status(), 200);
    tokio::time::advance(Duration::from_secs(121)).await;
    assert_eq!(server.health().status(), 503);
    server.requests.count("GET", None);
    assert_eq!(server.health().status(), 503, "no answer is no progress");
    server.requests.count("GET", Some(500));
    assert_eq!(server.health().status(), 200);
}

#[tokio::test]
async fn on_loopback_only_requests_for_it_are_answered() {
    let (url, handle) = served("127.0.0.1:0", server(None)).await;
    let client = client();
    let status = async |host: &str| {
        let request = client.get(format!("{url}/status")).header(HOST, host);
        request.send().await.expect("an answer").status().as_u16()
    };
    for host in [
        "localhost",
        "localhost:8080",
        "127.0.0.1:1",
        "[::1]:80",
        "127.9.9.9",
    ] {
        assert_eq!(status(host).await, 200, "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example:80",
        "localhost.evil.example",
        "10.0.0.1",
        "",
    ] {
        assert_eq!(status(host).await, 421, "{host}");
    }
    let poll = client
        .post(format!("{url}/poll"))
        .header(HOST, "evil.example");
    assert_eq!(poll.send().await.expect("an answer").status(), 421);
    assert!(!asked(&handle).await);
}

#[tokio::test]
async fn on_loopback_poll_needs_no_token_but_takes_no_page_of_another_site() {
    let (url, handle) = served("127.0.0.1:0", server(None)).await;
    let client = client();
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        let poll = client.post(format!("{url}/poll")).header(ORIGIN, origin);
        assert_eq!(
            poll.send().await.expect("an answer").status(),
            403,
            "{origin}"
        );
    }
    assert!(!asked(&handle).await);
    let poll = client
        .post(format!("{url}/poll"))
        .header(ORIGIN, url.as_str());
    assert_eq!(poll.send().await.expect("an answer").status(), 202);
    assert!(asked(&handle).await);
    let poll = client
        .post(format!("{url}/poll"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(poll.status(), 202);
    assert!(asked(&handle).await);
}

#[tokio::test]
async fn off_loopback_poll_needs_the_token_and_all_else_none() {
    let (url, handle) = served("0.0.0.0:0", server(Some(TOKEN))).await;
    let client = client();
    let poll = async |authorization: Option<&str>| {
        let mut request = client.post(format!("{url}/poll"));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(poll(None).await, 401);
    for wrong in [
        "Bearer wrong",
        "Bearer ",
        "Bearer p0ll-t0kenx",
        "Basic p0ll-t0ken",
        "p0ll-t0ken",
        "",
    ] {
        assert_eq!(poll(Some(wrong)).await, 401, "{wrong}");
    }
    assert!(!asked(&handle).await);
    assert_eq!(poll(Some("Bearer p0ll-t0ken")).await, 202);
    assert!(asked(&handle).await);
    assert_eq!(poll(Some("bearer p0ll-t0ken")).await, 202);
    let read = client
        .get(format!("{url}/status"))
        .header(HOST, "watch.example");
    assert_eq!(read.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn off_loopback_poll_is_off_without_a_token_in_the_environment() {
    let (url, handle) = served("0.0.0.0:0", server(None)).await;
    let request = client()
        .post(format!("{url}/poll"))
        .header(AUTHORIZATION, "Bearer ");
    assert_eq!(request.send().await.expect("an answer").status(), 403);
    assert!(!asked(&handle).await);
}

/// What the server sends until it closes the connection.
async fn rest_of(mut stream: TcpStream) -> String {
    let mut rest = String::new();
    let read = stream.read_to_string(&mut rest);
    tokio::time::timeout(Duration::from_secs(30), read)
        .await
        .expect("the connection is closed")
        .expect("text");
    rest
}

#[tokio::test]
async fn a_client_that_sends_half_a_request_is_dropped() {
    let (address, _) = served("127.0.0.1:0", server(None)).await;
    let address = address.trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(&address).await.expect("it listens");
    half.write_all(b"GET /status HTTP/1.1\r\nhost: localhost\r\n")
        .await
        .expect("sent");
    let silent = TcpStream::connect(&address).await.expect("it listens");
    let (half, silent) = tokio::join!(rest_of(half), rest_of(silent));
    assert!(!half.contains("format_version"), "{half}");
    assert_eq!(silent, "");
}

#[tokio::test]
async fn many_silent_clients_hold_up_others_only_for_a_while() {
    let (address, _) = served("127.0.0.1:0", server(None)).await;
    let place = address.trim_start_matches("http://").to_owned();
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS * 2 {
        silent.push(TcpStream::connect(&place).await.expect("it listens"));
    }
    let answer = client().get(format!("{address}/healthz")).send();
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
    assert_eq!(answer.expect("in time").expect("an answer").status(), 200);
}

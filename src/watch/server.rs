//! The server of `--listen`: probes, status, metrics, the plan as a page, and a request to look at the desired state now.
//!
//! It only reads what the loop publishes in its [`WatchHandle`], so no request can hold up a pass. Everything but `/poll` is GET and HEAD.
//!
//! # Who may ask
//!
//! - On loopback, a request must name a loopback host: a page in a browser whose name was made to resolve to this machine (DNS rebinding) is
//!   answered with 421. A page may still send `POST /poll` from elsewhere; its `Origin` gives it away, and it is answered with 403.
//! - Off loopback everyone who reaches the address may read; `/poll` needs a bearer token, which is compared in constant time. Without a token
//!   in the environment it is off.
//!
//! A client that sends nothing, or only part of a request, is dropped after a while, and no more than a few dozen are served at a time: nobody
//! who reaches the port can use up the process's files.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::WatchHandle;
use super::metrics::{CONTENT_TYPE as OPENMETRICS, Metrics};
use crate::api::RequestCounts;
use crate::loopback;
use crate::redaction::Redaction;
use crate::report::{self, Audience, Format};

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the server shows, and how.
#[derive(Debug)]
pub struct WatchServer {
    /// What the loop publishes.
    pub handle: Arc<WatchHandle>,
    /// The metrics of this process.
    pub metrics: Metrics,
    /// Its requests: an answered one is progress.
    pub requests: Arc<RequestCounts>,
    /// The longest time between two passes: `/healthz` takes the loop for stuck after twice as long.
    pub every: Duration,
    /// How much of people's names the page shows.
    pub names: Redaction,
    /// The token for `/poll`.
    pub poll_token: Option<SecretString>,
}

/// A server with the address that it has.
struct Listening {
    server: WatchServer,
    is_loopback: bool,
}

/// How long the head of a request may take to arrive, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How many connections are served at a time; others wait for one to end.
const CONNECTIONS: usize = 64;

/// How long to wait before connections are accepted again after the system refused one: it has no more files, say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Answers requests until the future is dropped.
///
/// # Errors
/// The listener has no address.
pub async fn serve(listener: TcpListener, server: WatchServer) -> std::io::Result<()> {
    serve_patiently(listener, server, HEAD_TIME).await
}

async fn serve_patiently(
    listener: TcpListener,
    server: WatchServer,
    head_time: Duration,
) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    let listening = Arc::new(Listening {
        server,
        is_loopback: loopback::is_loopback(address),
    });
    let router = Router::new().fallback(answer).with_state(listening);
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let _permit = permit;
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head_time)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!("a connection of --listen has ended: {error}");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(State(listening): State<Arc<Listening>>, request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let server = &listening.server;
    if listening.is_loopback && !loopback::names_loopback(request.headers()) {
        return text(StatusCode::MISDIRECTED_REQUEST, loopback::ONLY_LOCALHOST);
    }
    match path {
        "/poll" if *method == Method::POST => listening.poll(request.headers()),
        "/poll" => not_allowed("POST"),
        "/healthz" | "/readyz" | "/status" | "/metrics" | "/" if !reads => not_allowed("GET, HEAD"),
        "/healthz" => server.health(),
        "/readyz" if server.handle.plan().is_some() => text(StatusCode::OK, "ready"),
        "/readyz" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "no pass has been completed yet",
        ),
        "/status" => server.status(),
        "/metrics" => {
            server.metrics.set_status(&server.handle.status());
            respond(StatusCode::OK, OPENMETRICS, server.metrics.encode())
        }
        "/" => server.page().await,
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

impl WatchServer {
    fn health(&self) -> Response {
        let progress = self.handle.last_progress();
        let last = self
            .requests
            .last_answer()
            .map_or(progress, |answer| answer.max(progress));
        let idle = Instant::now().saturating_duration_since(last);
        if idle > self.every.saturating_mul(2) {
            let words = format!("nothing has progressed for {} s", idle.as_secs());
            return text(StatusCode::SERVICE_UNAVAILABLE, &words);
        }
        text(StatusCode::OK, "ok")
    }

    fn status(&self) -> Response {
        match crate::json::pretty(&*self.handle.status()) {
            Ok(json) => respond(StatusCode::OK, JSON, json),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    async fn page(&self) -> Response {
        let Some(plan) = self.handle.plan() else {
            return text(
                StatusCode::SERVICE_UNAVAILABLE,
                "no plan yet: the first pass has not been completed",
            );
        };
        let (names, result) = (self.names, self.handle.status().result);
        // A large plan takes a while, which must not hold up the loop.
        let render = move || match result {
            Some(result) if result.may_have_written() => report::carried_out_page(&plan, names),
            Some(_) | None => {
                let audience = Audience {
                    names,
                    ..Audience::default()
                };
                report::plan(&plan, Format::Html, audience)
            }
        };
        match tokio::task::spawn_blocking(render).await {
            Ok(page) => respond(StatusCode::OK, HTML, page),
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page could not be rendered",
            ),
        }
    }
}

impl Listening {
    fn poll(&self, headers: &HeaderMap) -> Response {
        if is_of_another_site(headers) {
            return text(StatusCode::FORBIDDEN, "asked for by a page of another site");
        }
        if !self.is_loopback {
            let Some(token) = &self.server.poll_token else {
                let words = "off: set CONVERTALK_POLL_TOKEN, and send it as a bearer token";
                return text(StatusCode::FORBIDDEN, words);
            };
            if !has_token(headers, token) {
                let mut refused = text(StatusCode::UNAUTHORIZED, "a bearer token is needed");
                let scheme = HeaderValue::from_static("Bearer");
                refused.headers_mut().insert(WWW_AUTHENTICATE, scheme);
                return refused;
            }
        }
        self.server.handle.ask_to_poll();
        text(StatusCode::ACCEPTED, "asked")
    }
}

/// Whether a browser says that a page of another site sends the request.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().unwrap_or_default();
    let sender = origin.split_once("://").map(|(_, authority)| authority);
    let here = loopback::host(headers);
    sender.is_none_or(|sender| here.is_none_or(|here| here.as_str() != sender))
}

fn has_token(headers: &HeaderMap, token: &SecretString) -> bool {
    let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let given = given.and_then(|value| {
        let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(rest)
    });
    given.is_some_and(|given| given.ct_eq(token.expose_secret().trim().as_bytes()).into())
}

fn not_allowed(methods: &'static str) -> Response {
    let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "not allowed");
    let methods = HeaderValue::from_static(methods);
    refused.headers_mut().insert(ALLOW, methods);
    refused
}

fn text(status: StatusCode, words: &str) -> Response {
    respond(status, TEXT, format!("{words}\n"))
}

/// An answer that no browser keeps, guesses at, or shows in the frame of another page. The connection leaves out the body for HEAD.
fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;

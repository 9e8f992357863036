//! HTTP: access, requests, answers and faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use governor::DefaultDirectRateLimiter;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::access;
use super::choices::{ChatKind, ListEnd};
use super::fault::{FaultKind, FaultSide, Faults};
use super::gate::Wire;
use super::generate::Generator;
use super::inbox::{Inbox, ListPage};
use super::kept::Kept;
use super::lock;
use super::log::Log;
use super::options::Options;
use super::put;
use super::record::{Record, shown};
use super::store::{StoredBody, text};
use crate::loopback;

const MAX_BODY: usize = 1 << 20;
/// Larger bodies are read and discarded up to this size, so that the client receives the error.
const MAX_DRAINED: usize = 16 << 20;
const OVERSIZED: usize = 256 << 20;

/// Everything that a request needs.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) options: Arc<Options>,
    pub(super) generator: Arc<Generator>,
    pub(super) inbox: Mutex<Inbox>,
    pub(super) kept: Mutex<Kept>,
    pub(super) faults: Mutex<Faults>,
    /// What goes over it is answered with 429.
    pub(super) rate: Option<DefaultDirectRateLimiter>,
    pub(super) log: Arc<Log>,
    /// Notified after changes.
    pub(super) changed: Notify,
    /// Whether only requests to localhost are answered.
    pub(super) is_loopback: bool,
    /// True, or closed, when the sandbox stops.
    pub(super) stopping: watch::Receiver<bool>,
}

pub(super) type Reply = (StatusCode, Bytes);

/// Answers one request.
pub(super) async fn answer(
    State(server): State<Arc<Server>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if server.is_loopback && !loopback::names_loopback(&parts.headers) {
        return (StatusCode::MISDIRECTED_REQUEST, loopback::ONLY_LOCALHOST).into_response();
    }
    let side = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/inbox/direct/chats") => Some(FaultSide::Read),
        (&Method::PUT, "/inbox/direct/lead") => Some(FaultSide::Write),
        _ => None,
    };
    let mut ticket = server.log.arrive(&parts);
    let is_over = |rate: &DefaultDirectRateLimiter| rate.check().is_err();
    let fault = if side.is_some() && server.rate.as_ref().is_some_and(is_over) {
        Some(FaultKind::TooManyRequests)
    } else {
        side.and_then(|side| lock(&server.faults).strike(side))
    };
    ticket.request.fault = fault;
    let bytes = to_bytes(body, MAX_DRAINED)
        .await
        .ok()
        .filter(|bytes| bytes.len() <= MAX_BODY);
    ticket.request.body = bytes
        .as_ref()
        .and_then(|bytes| serde_json::from_slice(bytes).ok());
    server.pause(server.options.latency).await;
    let before = match fault {
        Some(FaultKind::Hang) => {
            server.stopped().await;
            wire.cut();
            return StatusCode::OK.into_response();
        }
        Some(FaultKind::DropBefore) => {
            wire.cut();
            return StatusCode::OK.into_response();
        }
        Some(FaultKind::Slow) => {
            server.pause(server.options.slow).await;
            None
        }
        Some(fault) => struck(fault, &server.options),
        None => None,
    };
    if let Some(response) = before {
        ticket.request.status = Some(response.status().as_u16());
        return response;
    }
    let (status, text): Reply = match (side, bytes) {
        (None, _) => {
            let words = format!("Cannot {} {}", parts.method, parts.uri.path());
            (
                StatusCode::NOT_FOUND,
                json!({ "statusCode": 404, "message": words, "error": "Not Found" })
                    .to_string()
                    .into(),
            )
        }
        (_, None) => {
            let words = json!({ "statusCode": 413, "message": "request entity too large", "error": "Payload Too Large" });
            (StatusCode::PAYLOAD_TOO_LARGE, words.to_string().into())
        }
        (Some(side), Some(_)) => {
            let wrong = access::refused(&server.options, side, &parts.headers);
            wrong.unwrap_or_else(|| match side {
                FaultSide::Read => {
                    let (answer, shown) = server.list(&ticket.request.query);
                    ticket.request.shown = shown;
                    answer
                }
                FaultSide::Write => server.put(ticket.request.body.as_ref()),
            })
        }
    };
    if fault == Some(FaultKind::DropAfter) {
        wire.cut();
        return StatusCode::OK.into_response();
    }
    let response = match fault {
        Some(FaultKind::Truncated) => json_response(StatusCode::OK, text.slice(..text.len() / 2)),
        Some(FaultKind::Oversized) => oversized(),
        _ if status == StatusCode::NOT_FOUND && text.starts_with(b"<") => html(status),
        _ => json_response(status, text),
    };
    ticket.request.status = Some(response.status().as_u16());
    response
}

impl Server {
    async fn stopped(&self) {
        super::stopped(&mut self.stopping.clone()).await;
    }

    async fn pause(&self, duration: Duration) {
        if !duration.is_zero() {
            tokio::select! { () = tokio::time::sleep(duration) => {}, () = self.stopped() => {} }
        }
    }

    /// A reason for each of the two ids that is unknown here.
    fn strange_ids<'a>(&self, id: impl Fn(&str) -> Option<&'a str>) -> Vec<String> {
        let known = [
            ("botId", &self.options.bot_id),
            ("customerId", &self.options.customer_id),
        ];
        let strange = known
            .into_iter()
            .filter(|(key, known)| known.as_deref().is_some_and(|known| id(key) != Some(known)));
        strange
            .map(|(key, _)| format!("{key} is unknown"))
            .collect()
    }

    /// The answer to a listing, and the uuids that it shows where requests are kept.
    fn list(&self, query: &BTreeMap<String, String>) -> (Reply, Vec<String>) {
        let get = |key: &str| {
            query
                .get(key)
                .map(String::as_str)
                .filter(|text| !text.is_empty())
        };
        let mut reasons: Vec<String> = ["botId", "customerId"]
            .into_iter()
            .filter(|key| get(key).is_none())
            .map(|key| format!("{key} should not be empty"))
            .collect();
        let page = get("page")
            .and_then(|page| page.parse::<u32>().ok())
            .filter(|page| *page > 0);
        let kind = ChatKind::ALL
            .into_iter()
            .find(|kind| get("type") == Some(kind.as_str()));
        reasons.extend(
            page.is_none()
                .then(|| "page must be a number not less than 1".to_owned()),
        );
        reasons.extend(
            kind.is_none()
                .then(|| "type must be one of lead, non-lead".to_owned()),
        );
        if reasons.is_empty() {
            reasons = self.strange_ids(get);
        }
        let (Some(page), Some(kind), true) = (page, kind, reasons.is_empty()) else {
            return (refused(reasons), Vec::new());
        };
        let mut inbox = lock(&self.inbox);
        let found = inbox.list(kind, page as usize);
        let (changed, version) = (inbox.changed, inbox.version());
        drop(inbox);
        if changed {
            self.changed.notify_one();
        }
        let mut shown = Vec::new();
        if let ListPage::Chats(bodies) = &found
            && self.log.keeps()
        {
            shown.extend(bodies.iter().filter_map(|body| self.uuid(body)));
        }
        let answer = match (found, self.options.end) {
            (ListPage::Chats(bodies), _) => {
                (StatusCode::OK, self.kept_page(version, kind, page, &bodies))
            }
            (ListPage::PastEnd, ListEnd::Empty | ListEnd::RepeatLast) => {
                (StatusCode::OK, self.page(&[]))
            }
            (ListPage::PastEnd, ListEnd::MissingData) => envelope(StatusCode::OK, "ok", None),
            (ListPage::PastEnd, ListEnd::NullData) => {
                envelope(StatusCode::OK, "ok", Some(Value::Null))
            }
            (ListPage::PastEnd, ListEnd::NotFound) => {
                envelope(StatusCode::NOT_FOUND, "No chats found", None)
            }
            (ListPage::PastEnd, ListEnd::NotFoundHtml) => {
                (StatusCode::NOT_FOUND, Bytes::from_static(b"<"))
            }
        };
        (answer, shown)
    }

    fn uuid(&self, body: &StoredBody) -> Option<String> {
        let record: Value = serde_json::from_str(&text(body, &self.generator)).ok()?;
        Some(record["uuid"].as_str()?.to_owned())
    }

    fn kept_page(&self, version: u64, kind: ChatKind, page: u32, bodies: &[StoredBody]) -> Bytes {
        if self.options.keep_pages == 0 {
            return self.page(bodies);
        }
        let kept = lock(&self.kept).get(version, kind, page);
        kept.unwrap_or_else(|| {
            let body = self.page(bodies);
            lock(&self.kept).keep(version, kind, page, &body);
            body
        })
    }

    fn page(&self, bodies: &[StoredBody]) -> Bytes {
        let mut out = String::from(r#"{"success":true,"message":"ok","code":200,"data":["#);
        for (index, body) in bodies.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "," });
            out.push_str(&shown(&text(body, &self.generator), &self.options));
        }
        out.push_str("]}");
        out.into()
    }

    fn put(&self, body: Option<&Value>) -> Reply {
        let Some(body) = body.and_then(Value::as_object) else {
            return refused(vec!["body must be a JSON object".to_owned()]);
        };
        let mut reasons = put::reasons(body, &self.options);
        if reasons.is_empty() {
            reasons = self.strange_ids(|key| body.get(key).and_then(Value::as_str));
        }
        if !reasons.is_empty() {
            return refused(reasons);
        }
        let done = lock(&self.inbox).put(Record::clone(body));
        self.changed.notify_one();
        if done {
            envelope(StatusCode::OK, "ok", None)
        } else {
            envelope(StatusCode::NOT_FOUND, "Lead not found", None)
        }
    }
}

pub(super) fn envelope(status: StatusCode, message: &str, data: Option<Value>) -> Reply {
    let mut text =
        json!({ "success": status.is_success(), "message": message, "code": status.as_u16() });
    if let Some(data) = data {
        text["data"] = data;
    }
    (status, text.to_string().into())
}

fn refused(reasons: Vec<String>) -> Reply {
    envelope(StatusCode::BAD_REQUEST, "Bad Request", Some(json!(reasons)))
}

/// The answer of a fault that replaces the real one.
fn struck(fault: FaultKind, options: &Options) -> Option<Response> {
    let say = |status, words| {
        let (status, text) = envelope(status, words, None);
        json_response(status, text)
    };
    match fault {
        FaultKind::TooManyRequests => {
            let mut response = say(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
            // A date has whole seconds: rounded up, so that a client that obeys it has waited long enough.
            let date = SystemTime::now()
                + Duration::from_millis(
                    options.retry_after.saturating_mul(1_000).min(1 << 40) + 999,
                );
            let after = if options.retry_after_date {
                httpdate::fmt_http_date(date)
            } else {
                options.retry_after.to_string()
            };
            response.headers_mut().extend(
                HeaderValue::try_from(after)
                    .ok()
                    .map(|value| (header::RETRY_AFTER, value)),
            );
            Some(response)
        }
        FaultKind::InternalError => Some(say(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error",
        )),
        FaultKind::BadGatewayHtml => Some(html(StatusCode::BAD_GATEWAY)),
        FaultKind::Unavailable => Some(say(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")),
        FaultKind::Html => Some(html(StatusCode::OK)),
        FaultKind::SuccessFalse => {
            let text = json!({ "success": false, "message": "Something went wrong", "code": 200 });
            Some(json_response(StatusCode::OK, text.to_string().into()))
        }
        FaultKind::Empty => Some(StatusCode::OK.into_response()),
        FaultKind::Truncated
        | FaultKind::Oversized
        | FaultKind::DropBefore
        | FaultKind::DropAfter => None,
        FaultKind::Slow | FaultKind::Hang => None,
    }
}

fn json_response(status: StatusCode, body: Bytes) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body,
    )
        .into_response()
}

fn html(status: StatusCode) -> Response {
    let page = format!(
        "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// Sent as long as the client reads, up to 256 MiB; then the connection breaks.
fn oversized() -> Response {
    let chunk = Bytes::from(
        r#"{"uuid":"00000000-0000-4000-8000-000000000000","padding":"xxxxxxxx"},"#.repeat(1_000),
    );
    let head = Bytes::from_static(br#"{"success":true,"message":"ok","code":200,"data":["#);
    let stream = futures_util::stream::unfold(0_usize, move |sent| {
        let next = match sent {
            0 => Ok(head.clone()),
            sent if sent < OVERSIZED => Ok(chunk.clone()),
            _ => Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)),
        };
        let length = next.as_ref().map_or(1, Bytes::len);
        async move { (sent <= OVERSIZED * 2).then_some((next, sent + length)) }
    });
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        Body::from_stream(stream),
    )
        .into_response()
}

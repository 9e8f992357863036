//! The API: the only module that reaches the network.
//!
//! Provides [`Client`], which reads the listing and, with a write token, updates leads. All peculiarities of the
//! platform stay here: its keys, its formats, its errors. What is known about it, and what is not, is described in
//! docs/sandbox.md.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use reqwest::{Method, StatusCode};
use url::Url;

use crate::apply::{Update, WriteCertainty, Writer};
use crate::cancel::Cancellation;
use crate::observe::{ChatType, Page, Projection, Reader};

mod answer;
mod body;
mod credential;
mod envelope;
mod error;
mod http;
mod limiter;
mod network;
mod page;
mod record;
mod requests;
mod scrub;
mod settings;
mod webhook;
mod wire;

use answer::Answer;
use credential::Credential;
pub use credential::{ApiToken, SignIn};
use envelope::{Envelope, NoRecords};
pub use error::{ApiError, Failure, NotSent};
use http::{Request, Transport};
pub use limiter::Permit;
use page::PageReader;
pub use requests::RequestCounts;
pub use settings::{ApiSettings, Auth, Endpoint, NotesSent};
pub use webhook::{Webhook, WebhookError};

/// A client that reads, and also writes if `W` is [`Write`].
#[derive(Debug)]
pub struct Client<W = ReadOnly> {
    transport: Arc<Transport>,
    listing: Url,
    read: Credential,
    page_cap: u32,
    write: W,
}

/// No right to write.
#[derive(Debug)]
pub struct ReadOnly;

/// The right to write.
#[derive(Debug)]
pub struct Write {
    lead: Url,
    credential: Credential,
    outgoing: wire::Outgoing,
}

impl Client {
    /// A client for the API at `endpoint` with the settings of `api`. It sends nothing until the first request, and nothing more
    /// once the user asked to stop. Its requests are counted in `requests`.
    ///
    /// # Errors
    /// A token or header name that cannot be sent, or no usable certificate store.
    pub fn new(
        endpoint: &Url,
        api: &ApiSettings,
        read_token: &ApiToken,
        stop: Cancellation,
        requests: Arc<RequestCounts>,
    ) -> Result<Self, ApiError> {
        let transport = Transport::new(endpoint, api, stop, requests)?;
        transport.keep_secret(&read_token.secret);
        let mut listing = endpoint_path(endpoint, "inbox/direct/chats");
        listing
            .query_pairs_mut()
            .append_pair("botId", &api.bot_id)
            .append_pair("customerId", &api.customer_id);
        let read = Credential::new(api, &api.read_header, read_token)?;
        Ok(Self {
            transport: Arc::new(transport),
            listing,
            read,
            page_cap: api.page_cap,
            write: ReadOnly,
        })
    }

    /// The same client with the right to write.
    ///
    /// # Errors
    /// A token or header name that cannot be sent.
    pub fn with_write(
        self,
        endpoint: &Url,
        api: &ApiSettings,
        write_token: &ApiToken,
    ) -> Result<Client<Write>, ApiError> {
        let Self {
            transport,
            listing,
            read,
            page_cap,
            write: ReadOnly,
        } = self;
        let outgoing = wire::Outgoing {
            bot_id: api.bot_id.clone(),
            customer_id: api.customer_id.clone(),
            tags: api.tags,
            notes: api.notes,
            unassign: api.unassign.clone(),
        };
        transport.keep_secret(&write_token.secret);
        let credential = Credential::new(api, &api.write_header, write_token)?;
        let write = Write {
            lead: endpoint_path(endpoint, "inbox/direct/lead"),
            credential,
            outgoing,
        };
        Ok(Client {
            transport,
            listing,
            read,
            page_cap,
            write,
        })
    }
}

fn endpoint_path(endpoint: &Url, path: &str) -> Url {
    let mut url = endpoint.clone();
    url.set_path(&format!("{}/{path}", endpoint.path().trim_end_matches('/')));
    url
}

/// Reads a page of the listing from the body of an answer, without a connection.
///
/// # Errors
/// What is wrong with the body.
pub fn page_of(body: &[u8], projection: &Projection) -> Result<Page, String> {
    let (envelope, page) = Envelope::read(body, PageReader::new(projection))?;
    page.finish(&envelope)
}

/// What a client may do.
pub trait Right: Sync {
    /// Whether it may write.
    const WRITES: bool;
}

impl Right for ReadOnly {
    const WRITES: bool = false;
}

impl Right for Write {
    const WRITES: bool = true;
}

impl<W: Right> Reader for Client<W> {
    type Error = ApiError;

    async fn page(
        &self,
        list: ChatType,
        number: u32,
        projection: &Projection,
    ) -> Result<Page, ApiError> {
        let mut url = self.listing.clone();
        url.query_pairs_mut()
            .append_pair("page", &number.to_string())
            .append_pair("type", list.as_str());
        let request = Request {
            method: Method::GET,
            url,
            credential: self.read.clone(),
            body: None,
        };
        let projection = projection.clone();
        let decode = move |status, body: &[u8]| listing(status, body, &projection);
        // A separate task: bodies are read as they arrive, while the sweep processes earlier pages.
        let transport = Arc::clone(&self.transport);
        let mut task = AbortOnDrop(tokio::spawn(async move {
            transport.send(&request, decode).await
        }));
        let (page, reading) = (&mut task.0).await.unwrap_or(Err(ApiError::Undecodable))?;
        self.transport.requests.count_page(page.records());
        Ok(Page {
            reading: Some(reading),
            ..page
        })
    }

    fn writes(&self) -> bool {
        W::WRITES
    }

    fn width(&self) -> usize {
        self.transport.limiter.max()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn page_cap(&self) -> u32 {
        self.page_cap
    }
}

/// A task that is cancelled when its result is dropped.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn listing(status: StatusCode, body: &[u8], projection: &Projection) -> Answer<Page> {
    let read = Envelope::read(body, PageReader::new(projection));
    if status == StatusCode::NOT_FOUND {
        let envelope = read.map(|(envelope, _)| envelope);
        return Answer {
            // The end of a list. On the first page of both, the platform is not at this address.
            value: Ok(Page {
                is_end: true,
                is_nowhere: true,
                ..Page::default()
            }),
            envelope,
        };
    }
    match read {
        Ok((envelope, page)) => Answer {
            value: page.finish(&envelope),
            envelope: Ok(envelope),
        },
        Err(instead) => Answer {
            value: Err(instead.clone()),
            envelope: Err(instead),
        },
    }
}

/// An update succeeded if its status says so and its body is empty or an envelope.
fn updated(status: StatusCode, body: &[u8]) -> Answer<()> {
    let envelope = Envelope::read(body, NoRecords).map(|(envelope, NoRecords)| envelope);
    let value = match &envelope {
        Ok(_) if status.is_success() => Ok(()),
        Err(_) if status.is_success() && body.iter().all(u8::is_ascii_whitespace) => Ok(()),
        Ok(_) | Err(_) => Err(envelope::words(&envelope)),
    };
    Answer { envelope, value }
}

impl Client<Write> {
    fn put(&self, body: Option<bytes::Bytes>) -> Request {
        Request {
            method: Method::PUT,
            url: self.write.lead.clone(),
            credential: self.write.credential.clone(),
            body,
        }
    }
}

impl Writer for Client<Write> {
    type Permit<'a> = Permit<'a>;

    fn interval(&self) -> Duration {
        self.transport.limiter.interval()
    }

    async fn prepay(&self) -> Result<(), ApiError> {
        let paid = self.transport.limiter.prepay();
        let paid = self.transport.wait(paid).await;
        paid.map_err(|failure| self.put(None).error(failure))
    }

    async fn permit(&self, is_prepaid: bool) -> Result<Permit<'_>, ApiError> {
        let limiter = &self.transport.limiter;
        let permit = if is_prepaid {
            self.transport.wait(limiter.acquire_prepaid()).await
        } else {
            self.transport.wait(limiter.acquire()).await
        };
        permit.map_err(|failure| self.put(None).error(failure))
    }

    async fn update(&self, update: &Update<'_>, permit: Permit<'_>) -> Result<(), ApiError> {
        let body = wire::update(&self.write.outgoing, update);
        let request = self.put(Some(body.to_string().into()));
        let sent = self.transport.attempt(&request, permit, updated).await;
        sent.map(drop).map_err(|failure| request.error(failure))
    }

    fn retries(error: &ApiError) -> usize {
        error.failure().map_or(0, http::retries)
    }

    fn retry_after(error: &ApiError) -> Option<Duration> {
        error.failure().and_then(Failure::retry_after)
    }

    fn is_fatal(error: &ApiError) -> bool {
        let too_long = |pause: Duration| pause > limiter::LONGEST_PAUSE;
        error.is_credential()
            || match error.failure() {
                Some(
                    Failure::Redirected { .. }
                    | Failure::Untrusted { .. }
                    | Failure::NotSent(NotSent::Closed(_)),
                ) => true,
                Some(failure) => failure.retry_after().is_some_and(too_long),
                None => false,
            }
    }

    fn paused_at(&self) -> Option<Instant> {
        self.transport.limiter.paused_at()
    }

    fn certainty(error: &ApiError) -> WriteCertainty {
        match error.failure() {
            Some(Failure::NotSent(_)) => WriteCertainty::NotSent,
            // A proxy may answer 503 for a platform that has done it.
            Some(Failure::Busy { status: 503, .. }) => WriteCertainty::Indeterminate,
            Some(
                Failure::Credential { .. }
                | Failure::Refused { .. }
                | Failure::Busy { .. }
                | Failure::Redirected { .. }
                | Failure::Untrusted { .. }
                | Failure::NoProxy { .. }
                | Failure::Broken {
                    connected: false, ..
                },
            )
            | None => WriteCertainty::Rejected,
            Some(
                Failure::Unsuccessful { .. }
                | Failure::Unavailable { .. }
                | Failure::Malformed { .. }
                | Failure::Oversized { .. }
                | Failure::Broken {
                    connected: true, ..
                },
            ) => WriteCertainty::Indeterminate,
        }
    }

    fn hint(error: &ApiError) -> Option<Cow<'static, str>> {
        error.hint()
    }
}

//! The API: the only module that reaches the network.
//!
//! Gives [`Client`], which reads the listing and, where it was made with a write token, updates leads. Everything that is odd
//! about the platform ends here: its keys, its shapes, its errors. What is known of it, and what is not, is described in
//! docs/sandbox.md.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use url::Url;

use crate::apply::{Update, WriteCertainty, Writer};
use crate::cancel::{CancelReason, Cancellation};
use crate::observe::{ChatType, Page, Projection, Reader};

mod body;
mod envelope;
mod http;
mod limiter;
mod network;
mod page;
mod record;
mod settings;
mod wire;

use envelope::{Envelope, NoRecords};
use http::{Answer, Credential, Request, Transport};
pub use limiter::Permit;
use page::PageReader;
pub use settings::{ApiSettings, Endpoint, NotesSent};

/// A client that reads, and writes where `W` is [`Write`].
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
    /// A client for the API at `endpoint` with the settings of `api`. It sends nothing yet, and nothing any more
    /// once a person asked to stop.
    ///
    /// # Errors
    /// A token or header name that cannot be sent, or no usable certificate store.
    pub fn new(
        endpoint: &Url,
        api: &ApiSettings,
        read_token: &SecretString,
        stop: Cancellation,
    ) -> Result<Self, ApiError> {
        let transport = Transport::new(endpoint, api, stop)?;
        transport.keep_secret(read_token);
        let mut listing = endpoint_path(endpoint, "inbox/direct/chats");
        listing
            .query_pairs_mut()
            .append_pair("botId", &api.bot_id)
            .append_pair("customerId", &api.customer_id);
        let read = Credential::new(&api.read_header, read_token)?;
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
        write_token: &SecretString,
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
        transport.keep_secret(write_token);
        let credential = Credential::new(&api.write_header, write_token)?;
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
/// A description of what the body is instead.
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
        // A task of its own: it is read where it arrives, while the sweep is busy with the pages before it.
        let transport = Arc::clone(&self.transport);
        let mut task = AbortOnDrop(tokio::spawn(async move {
            transport.send(&request, decode).await
        }));
        let (page, reading) = (&mut task.0).await.unwrap_or(Err(ApiError::Undecodable))?;
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

    fn page_cap(&self) -> u32 {
        self.page_cap
    }
}

/// A task that ends when its result is no longer waited for.
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
            value: Ok(past_the_end(&envelope)),
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

/// A 404 ends a list. Without the platform's own envelope it may also mean that nothing of the platform is served there.
fn past_the_end(envelope: &Result<Envelope, String>) -> Page {
    let is_platform = envelope.as_ref().is_ok_and(|envelope| envelope.is_platform);
    Page {
        is_end: true,
        is_nowhere: !is_platform,
        ..Page::default()
    }
}

/// The answer to an update is good where its status is, and its body is empty or an envelope.
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

    fn certainty(error: &ApiError) -> WriteCertainty {
        match error.failure() {
            Some(Failure::NotSent(_)) => WriteCertainty::NotSent,
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

    fn hint(error: &ApiError) -> Option<&'static str> {
        error.hint()
    }
}

/// What one try came to. All words in it are the platform's, trimmed; no token is ever in it.
#[derive(Debug, Clone)]
#[allow(
    missing_docs,
    reason = "status is HTTP's, words are the platform's; the variants say the rest"
)]
pub enum Failure {
    /// The token or an id is wrong. Never tried again.
    Credential { status: u16, words: String },
    /// The platform does not want this request. Not tried again.
    Refused { status: u16, words: String },
    /// An answer with HTTP success that says `success: false`.
    Unsuccessful { status: u16, words: String },
    /// Too many requests.
    Busy {
        status: u16,
        words: String,
        retry_after: Option<Duration>,
    },
    /// A server error or a time-out on the other side.
    Unavailable {
        status: u16,
        words: String,
        retry_after: Option<Duration>,
    },
    /// Success by its status, but the body is not what it should be.
    Malformed { status: u16, words: String },
    /// The body has no end.
    Oversized { limit: usize },
    /// The token would have to go to another address.
    Redirected { status: u16, to: String },
    /// No answer: the connection failed, before (`connected: false`) or after the request went out.
    Broken { reason: String, connected: bool },
    /// Who answers has a certificate that is not trusted; nothing was sent.
    Untrusted { reason: String },
    /// No connection through the proxy; nothing was sent.
    NoProxy { proxy: String, reason: String },
    /// There was no try at all.
    NotSent(NotSent),
}

/// Why a request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// A person asked to stop.
    Interrupted,
    /// The end had come that was set from the beginning.
    Ended,
    /// The platform had asked for a pause that is too long to wait for.
    Closed(Duration),
}

impl From<CancelReason> for NotSent {
    fn from(over: CancelReason) -> Self {
        match over {
            CancelReason::Interrupted => Self::Interrupted,
            CancelReason::Ended => Self::Ended,
        }
    }
}

impl Failure {
    /// Whether another try may come out differently, and soon.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy { retry_after, .. } | Self::Unavailable { retry_after, .. } => {
                retry_after.is_none_or(|pause| pause <= limiter::LONGEST_PAUSE)
            }
            // A redirect to nowhere leads there the next time too.
            Self::Malformed {
                status: 300..=399, ..
            } => false,
            Self::Unsuccessful { .. }
            | Self::Malformed { .. }
            | Self::Oversized { .. }
            | Self::Broken { .. }
            | Self::NoProxy { .. } => true,
            Self::Credential { .. }
            | Self::Refused { .. }
            | Self::Redirected { .. }
            | Self::Untrusted { .. }
            | Self::NotSent(_) => false,
        }
    }

    /// How long the platform asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential { status, words }
            | Self::Refused { status, words }
            | Self::Unsuccessful { status, words }
            | Self::Malformed { status, words } => write!(f, "HTTP {status}: {words}"),
            Self::Busy {
                status,
                words,
                retry_after,
            }
            | Self::Unavailable {
                status,
                words,
                retry_after,
            } => {
                write!(f, "HTTP {status}: {words}")?;
                retry_after.map_or(Ok(()), |pause| {
                    write!(f, " (asks to wait {} s)", pause.as_secs())
                })
            }
            Self::Oversized { limit } => write!(f, "the answer is larger than {limit} MiB"),
            Self::Redirected { status, to } => write!(
                f,
                "HTTP {status}: redirected to {to}; the token is not sent there"
            ),
            Self::Untrusted { reason } => {
                write!(f, "the certificate of the server is not trusted: {reason}")
            }
            Self::NoProxy { proxy, reason } => {
                write!(f, "no connection through {proxy}: {reason}")
            }
            Self::NotSent(NotSent::Interrupted) => f.write_str("interrupted"),
            Self::NotSent(NotSent::Ended) => f.write_str("the deadline had passed"),
            Self::NotSent(NotSent::Closed(pause)) => {
                write!(f, "the platform asks to wait {} s", pause.as_secs())
            }
            Self::Broken {
                reason,
                connected: true,
            } => f.write_str(reason),
            Self::Broken {
                reason,
                connected: false,
            } => write!(f, "no connection: {reason}"),
        }
    }
}

/// Why the API could not be used.
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs, reason = "the messages name each field")]
pub enum ApiError {
    /// The request came to nothing, all tries done.
    #[error("{method} {path}: {failure}")]
    Request {
        method: String,
        path: String,
        failure: Failure,
    },
    /// Not the name of a header.
    #[error("`{name}` is not the name of an HTTP header")]
    BadHeader { name: String },
    /// A token that holds what a header cannot.
    #[error("the token holds characters that an HTTP header cannot carry")]
    BadToken,
    /// The decoder gave up on an answer: a mistake of this program.
    #[error("an answer could not be decoded")]
    Undecodable,
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {reason}")]
    Setup { reason: String },
    /// A variable that does not hold the address of a proxy. Its value may hold a password, and is not shown.
    #[error("{variable} is not the address of a proxy")]
    BadProxy { variable: &'static str },
    /// Certificates that are named and cannot be used.
    #[error("the certificates that {variables} names cannot be used: {reason}")]
    BadCertificates { variables: String, reason: String },
}

impl ApiError {
    /// The failure of a request, where it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Request { failure, .. } => Some(failure),
            Self::BadHeader { .. }
            | Self::BadToken
            | Self::Undecodable
            | Self::Setup { .. }
            | Self::BadProxy { .. }
            | Self::BadCertificates { .. } => None,
        }
    }

    /// Whether the token or an id is wrong, so that every further request would fail too.
    pub fn is_credential(&self) -> bool {
        matches!(self.failure(), Some(Failure::Credential { .. })) || matches!(self, Self::BadToken)
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::BadHeader { .. } => "check api.read_header and api.write_header",
            Self::BadToken => {
                "check the token for line breaks and quotes that came along when it was copied"
            }
            Self::Undecodable => "please report it, with what the platform answered",
            Self::Setup { .. } => "please report it, with the system that you use",
            Self::BadProxy { .. } => "write http://HOST:PORT, or unset it to use no proxy",
            Self::BadCertificates { .. } => {
                "SSL_CERT_FILE is a file, SSL_CERT_DIR a folder with files, in PEM; unset both to use the system's certificates"
            }
            Self::Request {
                method, failure, ..
            } => match failure {
                Failure::Credential { .. } if method == "PUT" => {
                    "check CONVERTALK_WRITE_TOKEN, or CONVERTALK_TOKEN where it is not set, and that it belongs to this bot"
                }
                Failure::Credential { .. } => {
                    "check CONVERTALK_READ_TOKEN, or CONVERTALK_TOKEN where it is not set, and bot_id and customer_id: the embed script \
                     has them as botId,customerId"
                }
                Failure::Untrusted { .. } => {
                    "if a private authority signed it, or a proxy that reads along, set SSL_CERT_FILE (a file in PEM) or SSL_CERT_DIR (a \
                     folder with such files); if not, check api.endpoint and this machine's clock"
                }
                Failure::NoProxy { .. } => {
                    "check that variable and the proxy, or list the host of api.endpoint in NO_PROXY; nothing was sent"
                }
                Failure::Refused { status: 402, .. } => {
                    "the platform asks for a payment: check the plan of the account"
                }
                Failure::Refused { status: 407, .. } => {
                    "a proxy asks for a user and a password: write them into HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT"
                }
                Failure::Refused { status: 451, .. } => {
                    "it is blocked for legal reasons, by the platform or on the way to it"
                }
                Failure::NotSent(NotSent::Interrupted) => return None,
                Failure::NotSent(NotSent::Ended) => "give it more time: --deadline",
                Failure::NotSent(NotSent::Closed(_)) => "run again when that time is over",
                Failure::Redirected { .. } => "if you trust that address, set api.endpoint to it",
                Failure::Refused { .. } if method == "PUT" => {
                    "the platform does not take this update: if its words are about tags, set api.tags to `string` or `array`; if about \
                     the agent, check that the agent is active"
                }
                Failure::Refused { status: 404, .. } => {
                    "check api.endpoint: it is the host alone, without a path"
                }
                Failure::Refused { .. } => {
                    "check bot_id and customer_id (the embed script has them as botId,customerId) and api.endpoint: the platform will \
                     not take this request however often it is sent"
                }
                Failure::Busy { .. } => {
                    "the platform limits requests: set api.rate, lower api.concurrency, or run again later"
                }
                Failure::Broken {
                    connected: false, ..
                } => "check api.endpoint and the network; nothing was sent",
                Failure::Malformed { .. } if method == "GET" => {
                    "if it stays like this, check api.endpoint: something else than the API answers there; if not, run again later"
                }
                Failure::Unsuccessful { .. }
                | Failure::Unavailable { .. }
                | Failure::Malformed { .. }
                | Failure::Oversized { .. }
                | Failure::Broken { .. } => {
                    "the platform or something before it is unwell: run again later"
                }
            },
        })
    }
}

//! What can go wrong with a request: the result of one attempt, and the error after the last one, with its hint.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::cancel::CancelReason;

use super::{SignIn, limiter};

/// The result of one failed attempt. Texts are the platform's, trimmed; they never contain a token.
#[derive(Debug, Clone)]
#[allow(
    missing_docs,
    reason = "`status` comes from HTTP, `words` from the platform; the variants explain the rest"
)]
pub enum Failure {
    /// The token or an id is wrong. Not retried.
    Credential { status: u16, words: String },
    /// The platform refused the request. Not retried.
    Refused { status: u16, words: String },
    /// HTTP success with `success: false`.
    Unsuccessful { status: u16, words: String },
    /// Too many requests.
    Busy {
        status: u16,
        words: String,
        retry_after: Option<Duration>,
    },
    /// A server error or a timeout on the server side.
    Unavailable {
        status: u16,
        words: String,
        retry_after: Option<Duration>,
    },
    /// Success by status, but the body cannot be used.
    Malformed { status: u16, words: String },
    /// The body exceeds the size limit.
    Oversized { limit: usize },
    /// A redirect that would send the token to another address.
    Redirected { status: u16, to: String },
    /// No answer: the connection failed before (`connected: false`) or after the request was sent.
    Broken { reason: String, connected: bool },
    /// The certificate of the server is not trusted; nothing was sent.
    Untrusted { reason: String },
    /// No connection through the proxy; nothing was sent.
    NoProxy { proxy: String, reason: String },
    /// The request was not attempted.
    NotSent(NotSent),
}

/// Why a request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The user asked to stop.
    Interrupted,
    /// The deadline of the run had passed.
    Ended,
    /// The platform asked for a pause that is too long to wait for.
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
    /// Whether another attempt may soon succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy { retry_after, .. } | Self::Unavailable { retry_after, .. } => {
                retry_after.is_none_or(|pause| pause <= limiter::LONGEST_PAUSE)
            }
            // A redirect without a usable address stays one.
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
            Self::Credential { status, words } => write!(
                f,
                "the API refused the token or the ids: HTTP {status}: {words}"
            ),
            Self::Refused { status, words }
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
            Self::NotSent(NotSent::Ended) => f.write_str("the deadline has passed"),
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
    /// A request failed, after all retries.
    #[error("{method} {path}: {failure}")]
    Request {
        method: String,
        path: String,
        failure: Failure,
        sign_in: Box<SignIn>,
    },
    /// Not a valid header name.
    #[error("`{name}` is not an HTTP header name")]
    BadHeader { name: String },
    /// A fixed header contains a token.
    #[error("api.headers contains the token of {variable}")]
    TokenInHeaders { variable: &'static str },
    /// The token contains characters that a header cannot carry.
    #[error("the token contains characters that are not allowed in an HTTP header")]
    BadToken,
    /// The decoder failed on an answer: a bug in this program.
    #[error("an answer could not be decoded")]
    Undecodable,
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {reason}")]
    Setup { reason: String },
    /// A variable does not contain the address of a proxy. Its value may contain a password and is not shown.
    #[error("{variable} is not the address of a proxy")]
    BadProxy { variable: &'static str },
    /// The configured certificates cannot be used.
    #[error("the certificates that {variables} names cannot be used: {reason}")]
    BadCertificates { variables: String, reason: String },
}

impl ApiError {
    /// The failure of a request, if this is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Request { failure, .. } => Some(failure),
            Self::BadHeader { .. }
            | Self::TokenInHeaders { .. }
            | Self::BadToken
            | Self::Undecodable
            | Self::Setup { .. }
            | Self::BadProxy { .. }
            | Self::BadCertificates { .. } => None,
        }
    }

    /// Whether the token or an id is wrong, so that every further request would fail, too.
    pub fn is_credential(&self) -> bool {
        matches!(self.failure(), Some(Failure::Credential { .. })) || matches!(self, Self::BadToken)
    }

    /// The hint.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        if let Self::Request {
            failure: Failure::Credential { .. },
            sign_in,
            ..
        } = self
        {
            return Some(Cow::Owned(sign_in.hint()));
        }
        self.fixed_hint().map(Cow::Borrowed)
    }

    fn fixed_hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::BadHeader { .. } => "check api.read_header, api.write_header and api.headers",
            Self::TokenInHeaders { .. } => {
                "tokens come from the environment only: delete it from convertalk.yaml, and revoke it if it was committed"
            }
            Self::BadToken => "check the token for line breaks and quotes from copying",
            Self::Undecodable => "please report it, with what the platform answered",
            Self::Setup { .. } => "please report it, with the system that you use",
            Self::BadProxy { .. } => "write http://HOST:PORT, or unset it to use no proxy",
            Self::BadCertificates { .. } => {
                "SSL_CERT_FILE is a file, SSL_CERT_DIR a folder with files, in PEM; unset both to use the system's certificates"
            }
            Self::Request {
                method, failure, ..
            } => match failure {
                Failure::Credential { .. } => return None,
                Failure::Untrusted { .. } => {
                    "if a private authority signed it, or a proxy that intercepts TLS, set SSL_CERT_FILE (a file in PEM) or SSL_CERT_DIR (a \
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
                    "the request is blocked for legal reasons, by the platform or on the way to it"
                }
                Failure::NotSent(NotSent::Interrupted) => return None,
                Failure::NotSent(NotSent::Ended) => "allow more time with --deadline",
                Failure::NotSent(NotSent::Closed(_)) => "run again after that time",
                Failure::Redirected { .. } => {
                    "if you trust the new address, set api.endpoint to it"
                }
                Failure::Refused { .. } if method == "PUT" => {
                    "the platform refused this update: if its message is about tags, set api.tags to `string` or `array`; if about \
                     the agent, check that the agent is active"
                }
                Failure::Refused { status: 404, .. } => {
                    "check api.endpoint: expected the host alone, without a path"
                }
                Failure::Refused { .. } => {
                    "check bot_id and customer_id (the embed script has them as botId,customerId) and api.endpoint: repeating the \
                     request will not help"
                }
                Failure::Busy { status: 503, .. } => {
                    "the platform, or a proxy before it, is not available: run again later; if it limits requests so, set api.rate"
                }
                Failure::Busy { .. } => {
                    "the platform limits requests: set api.rate, lower api.concurrency, or run again later"
                }
                Failure::Broken {
                    connected: false, ..
                } => "check api.endpoint and the network; nothing was sent",
                Failure::Malformed { .. } if method == "GET" => {
                    "run again later; if the error persists, check api.endpoint: something other than the API answers there"
                }
                Failure::Unsuccessful { .. }
                | Failure::Unavailable { .. }
                | Failure::Malformed { .. }
                | Failure::Oversized { .. }
                | Failure::Broken { .. } => {
                    "the platform, or a server in front of it, is not working: run again later"
                }
            },
        })
    }
}

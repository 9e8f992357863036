//! What an answer means: its status, its headers and its envelope, before and beside its data.
//!
//! A redirect that was not followed, a refusal and an envelope that reports a failure become a [`Failure`]; whether that is
//! retried is decided by `http`.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use url::Url;

use super::Failure;
use super::envelope::{self, Envelope};
use super::scrub::Scrubber;

/// What was decoded of the body of an answer. Errors say what is wrong with it.
pub(super) struct Answer<T> {
    pub(super) envelope: Result<Envelope, String>,
    pub(super) value: Result<T, String>,
}

/// Reads the body of an answer.
pub(super) trait Decode<T>:
    Fn(StatusCode, &[u8]) -> Answer<T> + Clone + Send + Sync + 'static
{
}

impl<T, F: Fn(StatusCode, &[u8]) -> Answer<T> + Clone + Send + Sync + 'static> Decode<T> for F {}

/// Classifies an answer before its data is decoded.
pub(super) fn judge(
    status: StatusCode,
    envelope: &Result<Envelope, String>,
    headers: &HeaderMap,
    secrets: &Scrubber,
) -> Result<(), Failure> {
    let words = || envelope::trimmed(&secrets.scrubbed(&envelope::words(envelope)));
    let failed = match envelope {
        Ok(envelope) if status.is_success() && envelope.failed => Some(envelope),
        _ => None,
    };
    let meant = match failed.map(|envelope| envelope.code.filter(|code| *code >= 400)) {
        // HTTP 200 with `success: false` and no specific code: may be temporary.
        Some(None) => {
            return Err(Failure::Unsuccessful {
                status: status.as_u16(),
                words: words(),
            });
        }
        Some(Some(code)) => code,
        None if status.is_success() => return Ok(()),
        None => status.as_u16(),
    };
    let words = words();
    Err(match meant {
        401 | 403 => Failure::Credential {
            status: meant,
            words,
        },
        400 if words.to_ascii_lowercase().contains("24 hex") => Failure::Credential {
            status: meant,
            words,
        },
        429 | 503 => Failure::Busy {
            status: meant,
            words,
            retry_after: retry_after(headers),
        },
        408 | 425 | 500..=599 => Failure::Unavailable {
            status: meant,
            words,
            retry_after: retry_after(headers),
        },
        _ => Failure::Refused {
            status: meant,
            words,
        },
    })
}

/// A redirect that was not followed: to another origin, or without a usable address.
pub(super) fn redirected(
    status: StatusCode,
    headers: &HeaderMap,
    (from, secrets): (&Url, &Scrubber),
) -> Failure {
    let location = headers.get(LOCATION).and_then(|to| to.to_str().ok());
    let to = location
        .map(str::trim)
        .filter(|to| !to.is_empty())
        .and_then(|to| from.join(to).ok());
    let status_code = status.as_u16();
    let words = match to {
        _ if status == StatusCode::NOT_MODIFIED => {
            "not modified, although the request was unconditional"
        }
        None => "a redirect without an address",
        Some(to) if to.origin() == from.origin() => "too many redirects",
        Some(to) => {
            return Failure::Redirected {
                status: status_code,
                to: secrets.scrubbed(&to.origin().ascii_serialization()),
            };
        }
    };
    Failure::Malformed {
        status: status_code,
        words: words.to_owned(),
    }
}

/// Seconds or a date, plus a margin so that clocks and rounding do not make us early.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    // Some platforms say `8.0` or `8s`.
    let seconds = text.strip_suffix('s').unwrap_or(text).trim_end();
    let pause = match seconds.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(SystemTime::now())
            .unwrap_or_default(),
    };
    pause.checked_add(Duration::from_millis(50))
}

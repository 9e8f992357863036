//! Requests and answers: tokens, timeouts, retries.
//!
//! Decides what a broken connection means, and which failures are retried; `answer` decides what an answer means. Takes a
//! request and a decoder for its answer; returns the decoded answer or an [`ApiError`]. Tokens are `SecretString`s in headers
//! marked as sensitive; they never appear in an error or a log.
//!
//! A request is open, and its permit held, until the last byte of its answer has arrived.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;

use super::answer::{Answer, Decode, judge, redirected};
use super::body::Bodies;
use super::credential::{self, Credential};
use super::limiter::{ConcurrencyLimiter, LONGEST_PAUSE, Permit};
use super::network::{self, Proxy};
use super::requests::RequestCounts;
use super::scrub::Scrubber;
use super::{ApiError, Failure, NotSent};
use crate::api::ApiSettings;
use crate::cancel::Cancellation;
use crate::observe::Reading;

/// Retries after the first attempt: if the platform is busy, failing, or not reachable.
const RETRIES_BUSY: usize = 12;
const RETRIES_UNWELL: usize = 6;
const RETRIES_ABSENT: usize = 4;

/// One request, sent as often as needed.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) credential: Credential,
    pub(super) body: Option<Bytes>,
}

impl Request {
    /// The error of a request that came to this.
    pub(super) fn error(&self, failure: Failure) -> ApiError {
        ApiError::Request {
            method: self.method.to_string(),
            path: self.url.path().to_owned(),
            failure,
            sign_in: Box::new(self.credential.sign_in.clone()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Transport {
    client: reqwest::Client,
    /// The proxy that the client uses.
    proxy: Option<Proxy>,
    pub(super) limiter: ConcurrencyLimiter,
    bodies: Bodies,
    stop: Cancellation,
    pub(super) requests: Arc<RequestCounts>,
    /// The tokens in use: the platform's message may repeat one, ours must not.
    secrets: Mutex<Arc<Scrubber>>,
}

impl Transport {
    pub(super) fn new(
        endpoint: &Url,
        api: &ApiSettings,
        stop: Cancellation,
        requests: Arc<RequestCounts>,
    ) -> Result<Self, ApiError> {
        let same_host = reqwest::redirect::Policy::custom(|attempt| {
            let home = attempt.previous().first().map(Url::origin);
            if home == Some(attempt.url().origin()) && attempt.previous().len() < 4 {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let mut proxy = None;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("convertalk/", env!("CARGO_PKG_VERSION")))
            .timeout(api.timeout)
            .connect_timeout(api.timeout.min(Duration::from_secs(10)))
            .default_headers(credential::fixed(&api.headers)?)
            .redirect(same_host);
        if endpoint.scheme() == "http" {
            // Loopback: no proxy and no certificate store, which a bare container does not have.
            builder = builder
                .no_proxy()
                .tls_backend_preconfigured(network::without_certificates()?);
        } else {
            builder = builder.tls_backend_preconfigured(network::tls()?);
            proxy = network::proxy(endpoint, |name| std::env::var(name).ok())?;
        }
        let client = builder.build().map_err(|error| ApiError::Setup {
            reason: reason(&error),
        })?;
        Ok(Self {
            client,
            proxy,
            limiter: ConcurrencyLimiter::new(api.concurrency, api.rate),
            bodies: Bodies::new(),
            stop,
            requests,
            secrets: Mutex::default(),
        })
    }

    /// Removes tokens from a message.
    pub(super) fn keep_secret(&self, token: &SecretString) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        *secrets = Arc::new(secrets.and(token));
    }

    fn secrets(&self) -> Arc<Scrubber> {
        Arc::clone(&self.secrets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a permit of the limiter.
    ///
    /// # Errors
    /// [`Failure::NotSent`] if nothing may be sent any more.
    pub(super) async fn wait<T>(
        &self,
        turn: impl Future<Output = Result<T, Duration>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            over = self.stop.until_over() => Err(Failure::NotSent(over.into())),
            turn = turn => turn.map_err(|pause| Failure::NotSent(NotSent::Closed(pause))),
        }
    }

    /// Sends until `decode` can read an answer, or a retry is not worthwhile. For read-only requests: a write that may have been done
    /// must be read back before it is repeated.
    pub(super) async fn send<T: Send + 'static>(
        &self,
        request: &Request,
        decode: impl Decode<T>,
    ) -> Result<(T, Reading), ApiError> {
        let delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(RETRIES_BUSY)
            .with_jitter();
        let mut tries = 0;
        let stop = self.stop.clone();
        let rest = move |pause: Duration| {
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stop.until_over() => {}
                }
            }
        };
        let mut last = None;
        let once = || async {
            let permit = self.wait(self.limiter.acquire()).await?;
            self.attempt(request, permit, decode.clone()).await
        };
        let outcome = once
            .retry(delays)
            .sleep(rest)
            .notify(|failure, pause| {
                let path = request.url.path();
                tracing::info!(
                    "{} {path}: {failure}; retrying in {} ms",
                    request.method,
                    pause.as_millis()
                );
                last = Some(failure.clone());
            })
            .when(|failure: &Failure| {
                tries += 1;
                tries <= retries(failure)
            })
            .adjust(|failure, delay| match failure.retry_after() {
                Some(pause) if pause > LONGEST_PAUSE => None,
                Some(pause) => delay.map(|delay| delay.max(pause)),
                None => delay,
            })
            .await;
        outcome.map_err(|failure| {
            // The failure of the attempts before says more than that no other was sent.
            request.error(match failure {
                Failure::NotSent(_) => last.unwrap_or(failure),
                failure => failure,
            })
        })
    }

    /// Sends once.
    pub(super) async fn attempt<T: Send + 'static>(
        &self,
        request: &Request,
        permit: Permit<'_>,
        decode: impl Decode<T>,
    ) -> Result<(T, Reading), Failure> {
        let mut builder = self
            .client
            .request(request.method.clone(), request.url.clone());
        builder = builder.header(
            request.credential.name.clone(),
            request.credential.value.clone(),
        );
        if let Some(body) = &request.body {
            builder = builder
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        // A write in progress is allowed to finish; a read is dropped, because its answer is no longer needed.
        let gives_up = async {
            if request.method == Method::GET {
                return Failure::NotSent(self.stop.until_over().await.into());
            }
            self.stop.until_ended().await;
            Failure::Broken {
                reason: "no answer before the deadline".to_owned(),
                connected: true,
            }
        };
        tokio::select! {
            answer = self.exchange(builder, permit, request, decode) => answer,
            failure = gives_up => Err(failure),
        }
    }

    async fn exchange<T: Send + 'static>(
        &self,
        builder: reqwest::RequestBuilder,
        permit: Permit<'_>,
        request: &Request,
        decode: impl Decode<T>,
    ) -> Result<(T, Reading), Failure> {
        let sent = Instant::now();
        let answer = builder.send().await;
        let code = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        self.requests.count(request.method.as_str(), code);
        let answer = answer.map_err(|error| self.no_answer(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let from = answer.url().clone();
        let body = self.bodies.read(answer).await?;
        drop(permit);
        let answered = Instant::now();
        let took = answered - sent;
        tracing::debug!(
            "{} {}: {status}, {} bytes",
            request.method,
            loggable(&request.url),
            body.bytes.len()
        );
        let secrets = self.secrets();
        let is_large = body.is_large();
        let read = move || {
            let Answer { envelope, value } = decode(status, &body.bytes);
            let verdict = if status.is_redirection() {
                Err(redirected(status, &headers, (&from, &secrets)))
            } else {
                judge(status, &envelope, &headers, &secrets)
            };
            let malformed = |words| Failure::Malformed {
                status: status.as_u16(),
                words,
            };
            let value = match &verdict {
                Ok(()) => value.map_err(malformed),
                // A page past the end may be answered with 404; the decoder decides.
                Err(refused @ Failure::Refused { .. }) if status == StatusCode::NOT_FOUND => {
                    value.map_err(|_| refused.clone())
                }
                Err(failure) => Err(failure.clone()),
            };
            (verdict, value)
        };
        let (verdict, value) = if is_large {
            tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| {
                let failure = Failure::Malformed {
                    status: status.as_u16(),
                    words: "the answer could not be decoded".to_owned(),
                };
                (Ok(()), Err(failure))
            })
        } else {
            read()
        };
        match &verdict {
            Err(Failure::Busy { retry_after, .. }) => self.limiter.back_off(sent, *retry_after),
            Ok(()) => self.limiter.record_success(took),
            Err(_) => {}
        }
        value.map(|value| (value, Reading { sent, answered }))
    }

    /// Why there is no answer. Names the proxy if no connection was made.
    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let failure = Failure::broken(error);
        let Failure::Broken {
            reason,
            connected: false,
        } = &failure
        else {
            return failure;
        };
        if let Some(why) = reason.strip_prefix("invalid peer certificate: ") {
            return Failure::Untrusted {
                reason: why.to_owned(),
            };
        }
        match &self.proxy {
            Some(proxy) => Failure::NoProxy {
                proxy: proxy.to_string(),
                reason: reason.clone(),
            },
            None => failure,
        }
    }
}

/// Tries after the first one, where they may come out differently.
pub(super) fn retries(failure: &Failure) -> usize {
    match failure {
        failure if !failure.is_passing() => 0,
        Failure::Busy { .. } => RETRIES_BUSY,
        Failure::Broken {
            connected: false, ..
        }
        | Failure::NoProxy { .. } => RETRIES_ABSENT,
        _ => RETRIES_UNWELL,
    }
}

/// The part of a URL that a log may show: the path and the page, not the ids.
fn loggable(url: &Url) -> String {
    let query = url
        .query_pairs()
        .filter(|(key, _)| key == "page" || key == "type")
        .map(|(key, value)| format!(" {key}={value}"));
    format!("{}{}", url.path(), query.collect::<String>())
}

impl Failure {
    pub(super) fn broken(error: &reqwest::Error) -> Self {
        Self::Broken {
            reason: reason(error),
            connected: !error.is_connect(),
        }
    }
}

/// The innermost cause, which says what happened; the outer ones only add the URL.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

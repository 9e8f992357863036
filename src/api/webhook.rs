//! Notifications: a document is posted to an address that is a secret.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::network;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why an address or a receiver is of no use. None contains the address: who has it can post to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages explain the variants")]
pub enum WebhookError {
    #[error("the notification address is not an address")]
    NotAnAddress,
    #[error("the notification address must be https; http is allowed for loopback only")]
    Unencrypted,
    #[error("notifications cannot be sent: {0}")]
    Setup(String),
    #[error("{host} answered with HTTP {status}")]
    Refused { host: String, status: u16 },
    #[error("{host} did not answer: {reason}")]
    NoAnswer { host: String, reason: &'static str },
}

/// A receiver of notifications.
#[derive(Debug)]
pub struct Webhook {
    client: reqwest::Client,
    address: SecretString,
    host: String,
}

impl Webhook {
    /// A receiver at an address.
    ///
    /// # Errors
    /// The address is neither https nor on loopback, or there is no usable certificate store or proxy.
    pub fn new(address: &SecretString) -> Result<Self, WebhookError> {
        let url = Url::parse(address.expose_secret().trim());
        let url = url.map_err(|_| WebhookError::NotAnAddress)?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(WebhookError::NotAnAddress),
        };
        let setup = |error: super::ApiError| WebhookError::Setup(error.to_string());
        let builder = reqwest::Client::builder()
            .user_agent(concat!("convertalk/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        let builder = match url.scheme() {
            "https" => {
                network::proxy(&url, |name| std::env::var(name).ok()).map_err(setup)?;
                builder.tls_backend_preconfigured(network::tls().map_err(setup)?)
            }
            "http" if is_loopback => builder
                .no_proxy()
                .tls_backend_preconfigured(network::without_certificates().map_err(setup)?),
            "http" => return Err(WebhookError::Unencrypted),
            _ => return Err(WebhookError::NotAnAddress),
        };
        // The error of the library may contain the address.
        let client = builder
            .build()
            .map_err(|_| WebhookError::Setup("the client could not be set up".to_owned()))?;
        Ok(Self {
            client,
            host: url.host_str().unwrap_or_default().to_owned(),
            address: SecretString::from(url.to_string()),
        })
    }

    /// Sends a JSON document once.
    ///
    /// # Errors
    /// It was not accepted.
    pub async fn post(&self, document: String) -> Result<(), WebhookError> {
        let request = self
            .client
            .post(self.address.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .body(document);
        let answer = request
            .send()
            .await
            .map_err(|error| self.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(WebhookError::Refused {
            host: self.host.clone(),
            status: answer.status().as_u16(),
        })
    }

    /// The library's own words repeat the address.
    fn no_answer(&self, error: &reqwest::Error) -> WebhookError {
        let reason = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        WebhookError::NoAnswer {
            host: self.host.clone(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(address: &str) -> Result<Webhook, WebhookError> {
        Webhook::new(&SecretString::from(address.to_owned()))
    }

    #[test]
    fn only_loopback_may_be_without_encryption() {
        assert!(made("http://127.0.0.1:1/hook").is_ok());
        assert!(made("http://[::1]:1/hook").is_ok());
        assert!(made("http://localhost/hook").is_ok());
        assert!(made("https://hooks.example.com/s3cret").is_ok());
        for (address, error) in [
            ("http://hooks.example.com/s3cret", WebhookError::Unencrypted),
            ("http://127.0.0.1.example.com/", WebhookError::Unencrypted),
            ("ftp://127.0.0.1/s3cret", WebhookError::NotAnAddress),
            ("hooks.example.com/s3cret", WebhookError::NotAnAddress),
            ("", WebhookError::NotAnAddress),
        ] {
            assert_eq!(made(address).expect_err(address), error, "{address}");
        }
    }

    #[test]
    fn the_address_is_in_no_debug_output() {
        let webhook =
            made("https://user:pass@hooks.example.com/s3cret?key=k3y").expect("a receiver");
        let shown = format!("{webhook:?}");
        for secret in ["s3cret", "k3y", "pass"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

//! Credentials: which header carries a token, and what is said about one that was refused.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::{ApiError, ApiSettings, Auth};

/// The header that newer installations want beside a bearer token.
const AUTH_TYPE: &str = "authtype";

/// A token, and the environment variable that it came from.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The token.
    pub secret: SecretString,
    /// The variable.
    pub variable: &'static str,
}

/// How a request signs in, for messages. It holds no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    auth: Auth,
    header: String,
    variable: &'static str,
}

impl fmt::Display for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            auth,
            header,
            variable,
        } = self;
        match auth {
            Auth::Token => write!(
                f,
                "the token of {variable} was sent in the header {header} (`auth: token`)"
            ),
            Auth::Bearer => write!(
                f,
                "the token of {variable} was sent as `Authorization: Bearer` (`auth: bearer`)"
            ),
        }
    }
}

impl SignIn {
    /// What to check where the platform refused the token.
    pub(super) fn hint(&self) -> String {
        format!(
            "{self}: check that it belongs to this bot, and check bot_id and customer_id: the embed script has them as \
             botId,customerId; newer installations want `auth: bearer` with `headers: {{ {AUTH_TYPE}: Key }}` under `api:`, older ones \
             `auth: token`"
        )
    }
}

/// A header and the token it carries.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    pub(super) sign_in: SignIn,
}

impl Credential {
    /// The credential of requests that `header` is for, unless tokens are sent as bearers.
    pub(super) fn new(api: &ApiSettings, header: &str, token: &ApiToken) -> Result<Self, ApiError> {
        let secret = token.secret.expose_secret().trim();
        if api.headers.values().any(|value| value.contains(secret)) {
            return Err(ApiError::TokenInHeaders {
                variable: token.variable,
            });
        }
        let (name, text) = match api.auth {
            Auth::Token => (header_name(header)?, secret.to_owned()),
            Auth::Bearer => (AUTHORIZATION, format!("Bearer {secret}")),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| ApiError::BadToken)?;
        value.set_sensitive(true);
        Ok(Self {
            name,
            value,
            sign_in: SignIn {
                auth: api.auth,
                header: header.to_owned(),
                variable: token.variable,
            },
        })
    }
}

fn header_name(name: &str) -> Result<HeaderName, ApiError> {
    name.parse().map_err(|_| ApiError::BadHeader {
        name: name.to_owned(),
    })
}

/// The headers that every request carries.
pub(super) fn fixed(headers: &BTreeMap<String, String>) -> Result<HeaderMap, ApiError> {
    let mut made = HeaderMap::new();
    for (name, value) in headers {
        let value =
            HeaderValue::from_str(value).map_err(|_| ApiError::BadHeader { name: name.clone() })?;
        made.insert(header_name(name)?, value);
    }
    Ok(made)
}

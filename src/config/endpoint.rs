//! Endpoints and ids as people paste them: which are accepted, and how the others are explained.
//!
//! Takes text from the file or the environment, and returns an [`Endpoint`] or a [`ValueProblem`] that recognizes common errors.

use url::{Host, Url};

use crate::api::Endpoint;
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;

/// What is wrong with a value, independent of its source.
#[derive(Debug)]
pub(crate) struct ValueProblem {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: String,
    pub(crate) warning: bool,
}

fn problem(code: Code, message: impl Into<String>, help: impl Into<String>) -> ValueProblem {
    ValueProblem {
        code,
        message: message.into(),
        help: help.into(),
        warning: false,
    }
}

/// Parses `sandbox` or an address.
pub(crate) fn parse(text: &str) -> Result<Endpoint, ValueProblem> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("sandbox") {
        return Ok(Endpoint::Sandbox);
    }
    let bad = |message: &str, help: &str| Err(problem(Code::BadEndpoint, message, help));
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let fixed: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_control())
            .collect();
        let help = format!("write {}", quoted(&fixed.to_lowercase()));
        return bad(
            "the endpoint contains a space (the published documentation has one, too)",
            &help,
        );
    }
    let Ok(url) = Url::parse(text) else {
        return bad(
            "the endpoint is not an address",
            "write `https://` and the host: `https://api.v7.convertalk.com`",
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad(
            "the endpoint contains a user name or a password",
            "remove everything before the `@`; tokens come from the environment",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return bad(
            "the endpoint contains a `?` or a `#`",
            "remove everything after the host, or after the path before `/inbox`",
        );
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => {
            return bad(
                "the endpoint has no host",
                "write `https://` and the host: `https://api.v7.convertalk.com`",
            );
        }
    };
    match url.scheme() {
        "https" => Ok(Endpoint::Url(trimmed(url))),
        "http" if loopback => Ok(Endpoint::Url(trimmed(url))),
        "http" => bad(
            "`http` would send the token unencrypted",
            "write `https://`; `http` is allowed for loopback only",
        ),
        _ => bad(
            "the endpoint must be https or `sandbox`",
            "write `https://` and the host, or `sandbox`",
        ),
    }
}

/// What is wrong with the id of a bot or a customer, if anything.
pub(crate) fn id_problem(text: &str, key: &str) -> Option<ValueProblem> {
    if let Some((bot, customer)) = text.split_once(',') {
        let help = format!(
            "write `bot_id: {}` and `customer_id: {}`",
            bot.trim(),
            customer.trim()
        );
        return Some(problem(
            Code::BadId,
            format!("`{key}` contains both ids of the embed script"),
            help,
        ));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let help = "write one id: 24 hex digits, as in the embed script";
        return Some(problem(
            Code::BadId,
            format!("`{key}` contains a space or a control character"),
            help,
        ));
    }
    let hex = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!hex).then(|| ValueProblem {
        warning: true,
        ..problem(
            Code::OddId,
            format!("`{key}` is not 24 hex digits"),
            "compare it with the embed script",
        )
    })
}

/// Removes the `/` at the end of a path; the path of a bare host is `/`.
fn trimmed(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    url
}

//! Endpoints and ids as people paste them: what is taken, and what is said of the rest.
//!
//! Given text from the file or the environment; hands on an [`Endpoint`], or a [`Problem`] that knows the usual slips.

use url::{Host, Url};

use crate::api::Endpoint;
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;

/// What is wrong with a value, wherever it was given.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: String,
    pub(crate) warning: bool,
}

fn problem(code: Code, message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem {
        code,
        message: message.into(),
        help: help.into(),
        warning: false,
    }
}

/// Reads `sandbox` or an address.
pub(crate) fn parse(text: &str) -> Result<Endpoint, Problem> {
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
            "the endpoint holds a blank (the published documents have one, too)",
            &help,
        );
    }
    let Ok(url) = Url::parse(text) else {
        return bad(
            "the endpoint is no address",
            "write `https://` and the host: `https://api.v7.convertalk.com`",
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad(
            "the endpoint holds a user or a password",
            "leave out what is before the `@`; tokens come from the environment",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return bad(
            "the endpoint holds a `?` or a `#`",
            "end it after the host, or after the path before `/inbox`",
        );
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => {
            return bad(
                "the endpoint names no host",
                "write `https://` and the host: `https://api.v7.convertalk.com`",
            );
        }
    };
    match url.scheme() {
        "https" => Ok(Endpoint::Url(trimmed(url))),
        "http" if loopback => Ok(Endpoint::Url(trimmed(url))),
        "http" => bad(
            "`http` would show the token to everybody on the way",
            "write `https://`; `http` is for loopback alone",
        ),
        _ => bad(
            "the endpoint is neither https nor `sandbox`",
            "write `https://` and the host, or `sandbox`",
        ),
    }
}

/// What is wrong with a bot's or customer's id, if anything.
pub(crate) fn id_problem(text: &str, key: &str) -> Option<Problem> {
    if let Some((bot, customer)) = text.split_once(',') {
        let help = format!(
            "write `bot_id: {}` and `customer_id: {}`",
            bot.trim(),
            customer.trim()
        );
        return Some(problem(
            Code::BadId,
            format!("`{key}` holds the pair of ids of the embed script"),
            help,
        ));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let help = "write the id alone: 24 hex digits, as the embed script has them";
        return Some(problem(
            Code::BadId,
            format!("`{key}` holds a blank or a control character"),
            help,
        ));
    }
    let hex = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!hex).then(|| Problem {
        warning: true,
        ..problem(
            Code::OddId,
            format!("`{key}` is not 24 hex digits"),
            "compare it with the embed script",
        )
    })
}

/// Without a `/` at the end, where there is a path; a bare host keeps the one that a URL cannot be without.
fn trimmed(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    url
}

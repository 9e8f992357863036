//! Access: how requests sign in, and the headers that they must have.

use axum::http::{HeaderMap, StatusCode};

use super::choices::{SignedBy, WrongToken};
use super::fault::FaultSide;
use super::http::{Reply, envelope};
use super::options::Options;

/// The answer to a request that does not sign in as this sandbox wants it.
pub(super) fn refused(options: &Options, side: FaultSide, headers: &HeaderMap) -> Option<Reply> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut required = options.required.iter();
    if required.any(|header| text(&header.name) != Some(&header.value)) {
        return Some(envelope(StatusCode::UNAUTHORIZED, "Unauthorized", None));
    }
    let token = match (options.auth, side) {
        (SignedBy::Token, FaultSide::Read) => text("x-bot-token"),
        (SignedBy::Token, FaultSide::Write) => text("x-bp-token"),
        (SignedBy::Bearer, _) => {
            text("authorization").and_then(|value| value.strip_prefix("Bearer "))
        }
    };
    let token = token.unwrap_or_default();
    let wanted = match side {
        FaultSide::Read => &options.read_token,
        FaultSide::Write => &options.write_token,
    };
    let right = wanted
        .as_ref()
        .map_or(!token.is_empty(), |wanted| wanted.is(token));
    let (status, words) = match options.wrong_token {
        WrongToken::BadRequest => (
            StatusCode::BAD_REQUEST,
            "Argument passed in must be a string of 12 bytes or a string of 24 hex characters or an integer",
        ),
        WrongToken::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        WrongToken::Forbidden => (StatusCode::FORBIDDEN, "Forbidden resource"),
    };
    (!right).then(|| envelope(status, words, None))
}

//! How requests sign in: `api.auth`, the names of the two token headers, and the headers that every request carries.
//!
//! The file is in git, so nothing in it may be a secret: neither a header that is there to carry one nor a value that looks like one.

use std::collections::BTreeMap;

use super::raw::RawApi;
use crate::api::Auth;
use crate::yaml::decode::{At, Decoder};
use crate::yaml::diagnostic::Code;
use crate::yaml::excerpt::quoted;

/// Parts of the names of headers that carry secrets.
const SECRET: [&str; 8] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "credential",
    "session",
    "signature",
];
/// How the names of other headers that carry secrets end: `x-api-key`.
const SECRET_END: &str = "key";
/// Headers that the connection sets.
const RESERVED: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The valid settings.
#[derive(Debug, Default)]
pub(super) struct SignInSettings {
    pub(super) auth: Auth,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) read_header: String,
    pub(super) write_header: String,
}

/// Validates the settings, each error at its place.
pub(super) fn read(reader: &mut Decoder<'_>, raw: &RawApi<'_>) -> SignInSettings {
    let auth = raw.auth.map(|word| auth(reader, word)).unwrap_or_default();
    let tokens = [
        ("read_header", raw.read_header, "x-bot-token"),
        ("write_header", raw.write_header, "x-bp-token"),
    ];
    let [read_header, write_header] = tokens.map(|(key, named, usual)| {
        let Some(named) = named else {
            return usual.to_owned();
        };
        if auth == Auth::Bearer {
            let error = reader.source.error(
                Code::AuthConflict,
                named.span,
                format!(
                    "`auth: bearer` sends no token in a header of its own, and `{key}` names one"
                ),
            );
            let error = raw.auth.map_or_else(
                || error.clone(),
                |word| error.clone().also(reader.source, word.span, "bearer"),
            );
            let help = format!("delete `{key}`, or write `auth: token`");
            reader.out.push(error.help(help));
        }
        token_header(reader, named)
    });
    let headers = headers(reader, &raw.headers, [&read_header, &write_header]);
    SignInSettings {
        auth,
        headers,
        read_header,
        write_header,
    }
}

fn auth(reader: &mut Decoder<'_>, word: At<&str>) -> Auth {
    match word.value {
        "token" => Auth::Token,
        "bearer" => Auth::Bearer,
        other => {
            reader.error(
                Code::BadValue,
                word.span,
                format!("requests cannot sign in by {}", quoted(other)),
                "write `token` (each token in a header of its own) or `bearer` (`Authorization: Bearer TOKEN`)",
            );
            Auth::Token
        }
    }
}

fn is_name(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    text.bytes().all(part)
}

fn token_header(reader: &mut Decoder<'_>, text: At<&str>) -> String {
    let name = text.value.to_ascii_lowercase();
    if !is_name(text.value) {
        reader.error(
            Code::BadHeader,
            text.span,
            "not a header name",
            "write only the name: `x-bot-token`",
        );
    } else if RESERVED.contains(&name.as_str()) {
        reader.error(
            Code::BadHeader,
            text.span,
            format!(
                "the header {} belongs to the connection",
                quoted(text.value)
            ),
            "write the name of the header that the platform reads the token from",
        );
    }
    name
}

fn headers(
    reader: &mut Decoder<'_>,
    raw: &[(At<&str>, At<&str>)],
    tokens: [&String; 2],
) -> BTreeMap<String, String> {
    let mut made = BTreeMap::new();
    for (name, value) in raw {
        let lower = name.value.to_ascii_lowercase();
        let bad = |reader: &mut Decoder<'_>, message: String, help: &str| {
            reader.error(Code::BadHeader, name.span, message, help);
        };
        if name.value.is_empty() || !is_name(name.value) {
            let message = format!("{} is not the name of a header", quoted(name.value));
            bad(
                reader,
                message,
                "write the name, a colon and the value: `authtype: Key`",
            );
        } else if carries_secret(&lower) || tokens.contains(&&lower) {
            let message = format!("the header {} carries a secret", quoted(name.value));
            let error = reader.source.error(Code::TokenInFile, name.span, message);
            reader.out.push(error.masked(true).help(
                "delete the line, and revoke the secret if it was committed; tokens come from CONVERTALK_READ_TOKEN and \
                 CONVERTALK_WRITE_TOKEN, and `auth: bearer` sends them as `Authorization: Bearer`",
            ));
        } else if RESERVED.contains(&lower.as_str()) {
            let message = format!(
                "the header {} belongs to the connection",
                quoted(name.value)
            );
            bad(
                reader,
                message,
                "delete the line: convertalk sets this header itself",
            );
        } else if !value.value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let error = reader.source.error(
                Code::BadHeader,
                value.span,
                format!(
                    "the value of {} has characters that a header cannot carry",
                    quoted(name.value)
                ),
            );
            reader
                .out
                .push(error.help("write one line of ASCII letters, digits and signs"));
        } else if looks_like_token(value.value) {
            let message = format!("the value of {} looks like a token", quoted(name.value));
            let error = reader.source.error(Code::TokenInFile, value.span, message);
            reader.out.push(error.masked(false).help(
                "tokens come from the environment only: delete the line, and revoke the token if it was committed",
            ));
        } else if made.insert(lower, value.value.trim().to_owned()).is_some() {
            let message = format!("the header {} appears twice", quoted(name.value));
            bad(
                reader,
                message,
                "keep one of the two; letter case does not count in the names of headers",
            );
        }
    }
    made
}

/// Whether a header of this name, in lower case, is there to carry a secret.
fn carries_secret(name: &str) -> bool {
    SECRET.iter().any(|part| name.contains(part)) || name.ends_with(SECRET_END)
}

/// The same as a pattern, and the names that belong to the connection, for the schema.
pub(super) fn unusable_names_pattern() -> String {
    let any_case = |text: &str| -> String {
        let letter = |c: char| match c.is_ascii_lowercase() {
            true => format!("[{c}{}]", c.to_ascii_uppercase()),
            false => c.to_string(),
        };
        text.chars().map(letter).collect()
    };
    let parts = SECRET.map(any_case).join("|");
    let reserved = RESERVED.map(any_case).join("|");
    format!("{parts}|{}$|^({reserved})$", any_case(SECRET_END))
}

/// Ways to sign in that have a name of their own, as they begin in a header.
const SCHEMES: [&str; 7] = [
    "basic ",
    "bearer ",
    "digest ",
    "token ",
    "apikey ",
    "negotiate ",
    "key ",
];
/// How well-known tokens begin.
const BEGINNINGS: [&str; 11] = [
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "sk-",
    "sk_",
    "pk_",
    "xox",
    "AKIA",
];
/// The length from which a word of letters and digits is a token.
const MIXED: usize = 16;
/// The length from which any word is one.
const LONG: usize = 32;

/// Whether a text looks like a token: it begins like one, or a word in it is long and has letters and digits, as names have not.
fn looks_like_token(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let is_part = |c: char| is_word(c) || matches!(c, '-' | '_' | '+' | '=');
    let is_mixed = |word: &str| {
        word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_alphabetic())
    };
    let long = |word: &str| word.len() >= LONG || (word.len() >= MIXED && is_mixed(word));
    let begins =
        |word: &str| word.len() > 8 && BEGINNINGS.iter().any(|start| word.starts_with(start));
    SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || text.split(|c| !is_part(c)).any(begins)
        || text.split(|c| !is_word(c)).any(long)
        || text.split(|c| !is_part(c)).any(is_uuid)
}

/// Five groups of hexadecimal digits: keys of many platforms have this form.
fn is_uuid(word: &str) -> bool {
    let groups: Vec<&str> = word.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && word
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_names() {
        for token in [
            "Bearer x",
            "bearer abc",
            "Basic YXNoYTpodW50ZXIy",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "63d9ffa77a8d152facbe2f00",
            "7e88d192-9b20-4035-9b68-d4ac3d58a34f",
            "sk_live_abc123def",
            "0123456789abcdef",
            "QWxhZGRpbjpvcGVuc2VzYW1lQWxhZGRpbg==",
        ] {
            assert!(looks_like_token(token), "{token}");
        }
        for name in [
            "Key",
            "application/json; charset=utf-8",
            "Mozilla/5.0 (X11; Linux x86_64)",
            "https://api.v7.convertalk.com/inbox",
            "2026-11-26T08:17:40Z",
            "convertalk-eu-central-1",
            "en-GB,en;q=0.9",
            "key-account",
        ] {
            assert!(!looks_like_token(name), "{name}");
        }
    }

    #[test]
    fn names_that_carry_secrets_are_known() {
        for name in [
            "authorization",
            "proxy-authorization",
            "set-cookie",
            "x-bot-token",
            "x-api-key",
        ] {
            assert!(carries_secret(name), "{name}");
        }
        assert!(!carries_secret("authtype") && !carries_secret("x-keyboard"));
    }
}

//! Removes tokens from the platform's words, also in the forms that servers on the way give them.

use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

const MASK: &str = "***";

/// Finds tokens in a text.
#[derive(Default)]
pub(super) struct Scrubber {
    secrets: Vec<SecretString>,
    forms: Option<AhoCorasick>,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    /// The same, with one more token.
    pub(super) fn and(&self, token: &SecretString) -> Self {
        let secrets: Vec<SecretString> = self.secrets.iter().chain([token]).cloned().collect();
        let texts = secrets.iter().map(|secret| secret.expose_secret().trim());
        let forms: BTreeSet<String> = texts.flat_map(forms).collect();
        let forms = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms.iter().filter(|form| !form.is_empty()));
        Self {
            secrets,
            forms: forms.ok(),
        }
    }

    /// The text with `***` in place of each token.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        match &self.forms {
            Some(forms) => {
                let mut clean = String::with_capacity(text.len());
                forms.replace_all_with(text, &mut clean, |_, _, clean| {
                    clean.push_str(MASK);
                    true
                });
                clean
            }
            None if self.secrets.is_empty() => text.to_owned(),
            None => MASK.to_owned(),
        }
    }
}

/// A token as it may come back: as it is; with UTF-8 read as Latin-1, once or twice; in Latin-1 that is read as UTF-8; escaped for a URL,
/// JSON or HTML; in base64, as a part of basic authentication, too.
fn forms(token: &str) -> Vec<String> {
    let once = latin1(token.as_bytes());
    let twice = latin1(once.as_bytes());
    let marked = token.replace(|c: char| !c.is_ascii(), "?");
    let unread = token.replace(|c: char| !c.is_ascii(), "\u{fffd}");
    let bytes: Option<Vec<u8>> = token.chars().map(|c| u8::try_from(c).ok()).collect();
    let misread = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let bytes = token.bytes();
    let percent: String = bytes
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let form: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let json = serde_json::to_string(token).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let ascii: String = json
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            Ok(_) | Err(_) => format!("\\u{unit:04x}"),
        })
        .collect();
    let html = token
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let mut all = vec![token.to_owned(), percent, form, json, ascii, html];
    if !token.is_ascii() {
        all.extend([once, twice, marked, unread]);
        all.extend(misread);
    }
    for text in [token.to_owned(), format!(":{token}"), format!("{token}:")] {
        let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        all.extend(engines.map(|engine| engine.encode(&text)));
    }
    all
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(token: &str, text: &str) -> String {
        let token = SecretString::from(token.to_owned());
        Scrubber::default().and(&token).scrubbed(text)
    }

    #[test]
    fn a_token_is_masked_in_every_form() {
        let token = "s3cr\u{e9}t/\"+key&";
        for (form, text) in [
            ("as it is", "no s3cr\u{e9}t/\"+key& here"),
            ("Latin-1 read as UTF-8", "no s3cr\u{fffd}t/\"+key& here"),
            ("UTF-8 read as Latin-1", "no s3cr\u{c3}\u{a9}t/\"+key& here"),
            ("in a URL", "no s3cr%c3%a9t%2F%22%2Bkey%26 here"),
            ("in JSON", "no s3cr\u{e9}t/\\\"+key& here"),
            ("in JSON of ASCII", "no s3cr\\u00e9t/\\\"+key& here"),
            ("in HTML", "no s3cr\u{e9}t/&quot;+key&amp; here"),
            ("in base64", "no czNjcsOpdC8iK2tleSY= here"),
            ("in another letter case", "no S3CR\u{e9}T/\"+KEY& here"),
        ] {
            assert_eq!(scrubbed(token, text), "no *** here", "{form}");
        }
        assert_eq!(scrubbed("abc", "a b c"), "a b c");
        assert_eq!(Scrubber::default().scrubbed("abc"), "abc");
        let two = Scrubber::default()
            .and(&SecretString::from("first".to_owned()))
            .and(&SecretString::from(" second ".to_owned()));
        assert_eq!(two.scrubbed("first, second"), "***, ***");
    }
}

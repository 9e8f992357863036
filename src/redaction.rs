//! Redaction: how much of people's names and contact values may be shown. Pure.
//!
//! Applied before every sink: reports, saved plans and run files. Masked values cannot be restored from them.

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::lead::{Field, Lead, LeadId, Privacy, Value};

/// How much of people's names is shown: `--names`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Redaction {
    /// Full names and contact values
    Full,
    /// Initials of names; contact values masked
    #[default]
    Initials,
    /// Neither names nor contact values
    None,
}

/// The replacement of a masked text.
pub const MASK: &str = "***";

impl Redaction {
    /// A side of a difference, redacted for output.
    pub fn value(self, field: &Field, value: &Value) -> Value {
        if self.masks(field) {
            value.map_text(|text| self.text(field.spec().privacy, text))
        } else {
            value.clone()
        }
    }

    /// The platform's message about a write, without the personal values that were sent, and those that the lead had.
    pub fn message(self, message: &str, sent: &[(Field, Value)], before: Option<&Lead>) -> String {
        let mut message = message.to_owned();
        for (field, value) in sent.iter().filter(|(field, _)| self.masks(field)) {
            if let Some(text) = value.text().filter(|text| !text.trim().is_empty()) {
                let masked = self.text(field.spec().privacy, text);
                // Messages are on one line.
                let words: Vec<&str> = text.split_whitespace().collect();
                for text in [text, &words.join(" ")] {
                    message = without_cut(&message.replace(text, &masked), text);
                }
            }
        }
        let Some(before) = before else {
            return message;
        };
        // What comes before the platform's words is ours.
        let at = message.find(STATUS).map_or(0, |at| at + STATUS.len());
        let at = at
            + message[at..]
                .find(": ")
                .filter(|_| at > 0)
                .unwrap_or_default();
        let (ours, mut words) = (message[..at].to_owned(), message[at..].to_owned());
        let values = before.values().filter(|(field, _)| self.masks(field));
        let mut values: Vec<(&Field, &String)> = values
            .filter_map(|(field, value)| Some((field, value.text()?)))
            .collect();
        // One may be a part of another.
        values.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        for (field, text) in values {
            let masked = self.text(field.spec().privacy, text);
            words = without_cut(&without_value(&words, text, &masked), text);
        }
        ours + &words
    }

    /// Whether values of this field are masked.
    pub fn masks(self, field: &Field) -> bool {
        self != Self::Full && field.is_personal()
    }

    /// A text, redacted.
    pub fn text(self, privacy: Privacy, text: &str) -> String {
        match (self, privacy) {
            (Self::Full, _) | (_, Privacy::Public | Privacy::Declared) => text.to_owned(),
            (Self::None, Privacy::Name | Privacy::Email) | (_, Privacy::Personal) => {
                MASK.to_owned()
            }
            (Self::Initials, Privacy::Name) => initials(text),
            (Self::Initials, Privacy::Email) => email(text),
        }
    }
}

/// What the platform's words follow in an error of a request.
const STATUS: &str = ": HTTP ";

/// A message without a value that it may repeat, in any letter case and with other characters between its letters and digits: a long
/// value anywhere, a short one and one of digits where they are words of their own.
fn without_value(message: &str, value: &str, masked: &str) -> String {
    let value: Vec<char> = letters(value).map(|(_, letter)| letter).collect();
    if value.len() < LEAST_OF_A_VALUE {
        return message.to_owned();
    }
    let message_letters: Vec<(usize, char)> = letters(message).collect();
    let is_number = value.iter().all(char::is_ascii_digit);
    let (mut made, mut done, mut at) = (String::new(), 0, 0);
    while at + value.len() <= message_letters.len() {
        let part = &message_letters[at..at + value.len()];
        let is_equal = part.iter().map(|(_, letter)| letter).eq(&value);
        let start = part[0].0;
        let last = part[part.len() - 1].0;
        let end = last + message[last..].chars().next().map_or(0, char::len_utf8);
        let gaps = part
            .windows(2)
            .all(|pair| pair[1].0 - pair[0].0 <= WIDEST_GAP);
        let before = message[..start].chars().next_back();
        let after = message[end..].chars().next();
        let is_free = |beside: Option<char>| match beside {
            // A number may have its country code before it.
            Some(beside) if is_number && value.len() >= LONG_VALUE => !beside.is_alphabetic(),
            Some(beside) => (value.len() >= LONG_VALUE && !is_number) || !beside.is_alphanumeric(),
            None => true,
        };
        if is_equal && gaps && is_free(before) && is_free(after) {
            made.push_str(&message[done..start]);
            made.push_str(masked);
            (done, at) = (end, at + value.len());
        } else {
            at += 1;
        }
    }
    made + &message[done..]
}

/// The letters and digits of a text, in lower case, with their places.
fn letters(text: &str) -> impl Iterator<Item = (usize, char)> {
    let letters = text
        .char_indices()
        .filter(|(_, letter)| letter.is_alphanumeric());
    letters.map(|(at, letter)| (at, letter.to_lowercase().next().unwrap_or(letter)))
}

/// A shorter value of a lead stands in a message by chance.
const LEAST_OF_A_VALUE: usize = 3;
/// A value of this length does not.
const LONG_VALUE: usize = 6;
/// The bytes from one letter of a value to the next: a letter, and what people write between two.
const WIDEST_GAP: usize = 8;

/// A message that was cut within a text, without the part of the text that is left.
fn without_cut(message: &str, text: &str) -> String {
    let cut = |(before, after): (&str, &str)| {
        // The longest first; ends of whole characters.
        let ends: Vec<usize> = text.char_indices().map(|(end, _)| end).collect();
        let ends = ends.into_iter().skip(LEAST_OF_A_TEXT).rev();
        let mut starts = ends.map(|end| &text[..end]);
        let rest = starts.find_map(|start| before.strip_suffix(start))?;
        Some(format!("{rest}{MASK}…{after}"))
    };
    let made = message.rsplit_once('…').and_then(cut);
    made.unwrap_or_else(|| message.to_owned())
}

/// This many characters of a text may stand in a message by chance.
const LEAST_OF_A_TEXT: usize = 2;

fn email(text: &str) -> String {
    match text.split_once('@') {
        Some((user, host)) => format!("{}{MASK}@{}{MASK}", first(user), first(host)),
        None => MASK.to_owned(),
    }
}

fn first(text: &str) -> String {
    text.chars().next().map(String::from).unwrap_or_default()
}

/// The first letter of each word. Of a name of which that is all there is (`李 雷`, `X`), nothing.
fn initials(name: &str) -> String {
    let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).count();
    if name.split_whitespace().all(|word| letters(word) < 2) {
        return MASK.to_owned();
    }
    let words = name.split_whitespace();
    let first = words.filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let initials: Vec<String> = first.map(|letter| format!("{letter}.")).collect();
    initials.join(" ")
}

/// The key of tags, derived from the read token: only holders of the token can check whether a masked value is a given one.
#[derive(Debug, Clone)]
pub struct RedactionKey(SecretString);

impl RedactionKey {
    /// A key from the read token.
    pub fn new(read_token: &SecretString) -> Self {
        Self(SecretString::from(
            read_token.expose_secret().trim().to_owned(),
        ))
    }

    /// The tag of a value: an HMAC over the lead, the field and the value, so that equal values of two leads have different tags.
    pub fn seal(&self, id: &LeadId, field: &Field, value: &Value) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()) else {
            return String::new();
        };
        mac.update(&serde_json::to_vec(&(id, field.to_string(), value)).unwrap_or_default());
        mac.finalize()
            .into_bytes()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_no_part_of_a_personal_value() {
        let name: Field = "contact.name".parse().expect("a field");
        let sent = [(name, Value::Text("Asha  van Rao".to_owned()))];
        for (message, shown) in [
            ("no Asha  van Rao here", "no A. v. R. here"),
            ("no Asha van Rao here", "no A. v. R. here"),
            ("no Asha van Ra…", "no ***…"),
            ("no Asha… (400)", "no ***… (400)"),
            ("no As…", "no ***…"),
            ("no A…", "no A…"),
            ("no word…", "no word…"),
        ] {
            assert_eq!(Redaction::Initials.message(message, &sent, None), shown);
            assert_eq!(Redaction::Full.message(message, &sent, None), message);
        }
    }

    #[test]
    fn a_message_shows_no_personal_value_that_the_lead_had() {
        let field = |name: &str| name.parse::<Field>().expect("a field");
        let before = Lead::new([
            (field("contact.name"), Value::Text("Zed".to_owned())),
            (field("contact.phone"), Value::Text("9876512345".to_owned())),
            (field("contact.dial_code"), Value::Text("200".to_owned())),
            (
                field("contact.email"),
                Value::Text("zed@secret.example".to_owned()),
            ),
            (field("attributes.tier"), Value::Text("gold".to_owned())),
        ]);
        for (message, shown) in [
            (
                "PUT /lead: HTTP 400: +919876512345 (ZED) is gold",
                "PUT /lead: HTTP 400: +91*** (***) is gold",
            ),
            ("98765 12345 and 987-651-2345", "*** and ***"),
            ("Zoe  Quill\nand zoe quill", "Zoe  Quill\nand zoe quill"),
            ("ZED@secret.example, a9876512345b", "***, a9876512345b"),
            (
                "PUT /lead: HTTP 200: 200 zed",
                "PUT /lead: HTTP 200: *** ***",
            ),
            ("Zeds and aZed stay", "Zeds and aZed stay"),
            ("phone 98765…", "phone ***…"),
        ] {
            assert_eq!(Redaction::None.message(message, &[], Some(&before)), shown);
            assert_eq!(
                Redaction::Full.message(message, &[], Some(&before)),
                message
            );
        }
    }

    #[test]
    fn each_privacy_is_masked_its_own_way() {
        let shown = |redaction: Redaction, privacy, text| redaction.text(privacy, text);
        assert_eq!(
            shown(Redaction::Initials, Privacy::Name, "Asha van Rao"),
            "A. v. R."
        );
        assert_eq!(
            shown(Redaction::Initials, Privacy::Email, "asha@acme.com"),
            "a***@a***"
        );
        assert_eq!(
            shown(Redaction::Initials, Privacy::Personal, "9876543210"),
            "***"
        );
        for (name, masked) in [
            ("\u{674e} \u{96f7}", "***"),
            ("\u{674e}", "***"),
            ("J. K.", "***"),
            ("\u{674e} \u{5c0f}\u{9f99}", "\u{674e}. \u{5c0f}."),
            ("J. Doe", "J. D."),
            ("- .", "***"),
        ] {
            assert_eq!(shown(Redaction::Initials, Privacy::Name, name), masked);
        }
        assert_eq!(shown(Redaction::None, Privacy::Name, "Asha"), "***");
        assert_eq!(shown(Redaction::Full, Privacy::Name, "Asha"), "Asha");
    }
}

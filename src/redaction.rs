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
        let before = before.into_iter().flat_map(Lead::values);
        for (field, value) in before.filter(|(field, _)| self.masks(field)) {
            if let Some(text) = value.text() {
                let masked = self.text(field.spec().privacy, text);
                message = without_cut(&without_value(&message, text, &masked), text);
            }
        }
        message
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

/// A message without a value that it may repeat: a long one anywhere, a short one where it is a word of its own.
fn without_value(message: &str, text: &str, masked: &str) -> String {
    let length = text.trim().chars().count();
    if length < LEAST_OF_A_VALUE {
        return message.to_owned();
    }
    let mut made = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(text) {
        let is_inside =
            before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        let is_it = length >= LONG_VALUE || !is_inside;
        made = made + before + if is_it { masked } else { text };
        rest = after;
    }
    made + rest
}

/// A shorter value of a lead stands in a message by chance.
const LEAST_OF_A_VALUE: usize = 3;
/// A value of this length does not.
const LONG_VALUE: usize = 6;

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
            (field("contact.dial_code"), Value::Text("40".to_owned())),
            (field("attributes.tier"), Value::Text("gold".to_owned())),
        ]);
        for (message, shown) in [
            (
                "HTTP 400: +919876512345 (Zed) is gold",
                "HTTP 400: +91*** (***) is gold",
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

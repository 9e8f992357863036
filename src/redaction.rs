//! Privacy: people's names and contact values, as much of them as one run may tell. Pure.
//!
//! Given to every sink: reports, saved plans and run files alike. What is masked here cannot be had back from there.

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::lead::{ContactField, Field, LeadId, Value};

/// How much of people's names is told: `--names`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Redaction {
    /// Names and contact values as they are.
    Full,
    /// Initials of names; contact values masked.
    #[default]
    Initials,
    /// Neither.
    None,
}

const MASK: &str = "***";

impl Redaction {
    /// A side of a difference as it may be told.
    pub fn told(self, field: &Field, value: &Value) -> Value {
        match (field, value) {
            (Field::Contact(contact), Value::Text(text)) if self != Self::Full => {
                Value::Text(self.contact(*contact, text))
            }
            _ => value.clone(),
        }
    }

    /// The platform's words about a write, without the contact values that were sent.
    pub fn told_words(self, words: &str, sent: &[(Field, Value)]) -> String {
        sent.iter().fold(words.to_owned(), |words, (field, value)| {
            match (field, value.as_text(), self.told(field, value).as_text()) {
                (Field::Contact(_), Some(text), Some(told)) if !text.is_empty() => {
                    words.replace(text, told)
                }
                _ => words,
            }
        })
    }

    /// A contact value as it may be told.
    pub fn contact(self, field: ContactField, text: &str) -> String {
        match (self, field) {
            (Self::Full, _) => text.to_owned(),
            (Self::None, _) => MASK.to_owned(),
            (Self::Initials, ContactField::Name) => initials(text),
            (Self::Initials, ContactField::Email) => match text.split_once('@') {
                Some((user, host)) => format!("{}{MASK}@{}{MASK}", first(user), first(host)),
                None => MASK.to_owned(),
            },
            (
                Self::Initials,
                ContactField::Phone | ContactField::DialCode | ContactField::Picture,
            ) => MASK.to_owned(),
        }
    }
}

fn first(text: &str) -> String {
    text.chars().next().map(String::from).unwrap_or_default()
}

fn initials(name: &str) -> String {
    let letters: Vec<String> = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .map(|c| format!("{c}."))
        .collect();
    if letters.is_empty() {
        MASK.to_owned()
    } else {
        letters.join(" ")
    }
}

/// The key of seals: whoever holds the read token can tell whether a masked value is a given one, and nobody else.
#[derive(Debug, Clone)]
pub struct RedactionKey(SecretString);

impl RedactionKey {
    /// A key from the read token.
    pub fn new(read_token: &SecretString) -> Self {
        Self(SecretString::from(
            read_token.expose_secret().trim().to_owned(),
        ))
    }

    /// The seal of a value: an HMAC over the lead, the field and the value, so that equal values of two leads do not show.
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
    fn masks_by_kind() {
        let told = |names: Redaction, field, text| names.contact(field, text);
        assert_eq!(
            told(Redaction::Initials, ContactField::Name, "Asha van Rao"),
            "A. v. R."
        );
        assert_eq!(
            told(Redaction::Initials, ContactField::Email, "asha@acme.com"),
            "a***@a***"
        );
        assert_eq!(
            told(Redaction::Initials, ContactField::Phone, "9876543210"),
            "***"
        );
        assert_eq!(told(Redaction::None, ContactField::Name, "Asha"), "***");
        assert_eq!(told(Redaction::Full, ContactField::Name, "Asha"), "Asha");
    }
}

//! Sheets: declared leads as CSV, for spreadsheets, out and in again.
//!
//! `cell` is what one cell says, `read` a sheet as assignments by lead, `write` the declared leads as a sheet. What `write` makes,
//! `read` takes, and assigning it changes nothing. Pure.

mod cell;
mod read;
mod write;

use std::str::FromStr;

use crate::lead::Field;

pub(crate) use cell::{exact_tag, joined, text as defused};
pub use read::{SheetError, SheetRow, read};
pub use write::write;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Uuid,
    Label,
    Hold,
    Field(Field),
    /// Values of the inbox, for readers.
    Live,
}

/// The prefix of columns that show what the inbox has.
const LIVE: &str = "live.";

impl Column {
    fn parse(name: &str) -> Option<Self> {
        let (head, key) = name.split_once('.').unzip();
        let head = head.unwrap_or(name).trim().to_lowercase();
        match (head.as_str(), key) {
            ("uuid", None) => Some(Self::Uuid),
            ("label", None) => Some(Self::Label),
            ("hold", None) => Some(Self::Hold),
            ("live", Some(_)) => Some(Self::Live),
            (head, None) => Field::from_str(head).ok().map(Self::Field),
            (head, Some(key)) => Field::from_str(&format!("{head}.{key}"))
                .ok()
                .map(Self::Field),
        }
        .filter(|column| *column != Self::Field(Field::NOTES))
    }
}

#[cfg(test)]
mod tests;

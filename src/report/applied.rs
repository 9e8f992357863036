//! The applied record as text.

use super::style::{FAINT, STRONG, paint, visible};
use crate::apply::applied::AppliedRecord;
use crate::text::count;

/// The record, one line for each lead that is behind.
pub fn applied(record: &AppliedRecord) -> String {
    let short = |commit: &str| -> String { visible(commit).chars().take(12).collect() };
    let mut text = format!(
        "{} {}, at {}, for {}; {}\n",
        paint(STRONG, "Applied:"),
        short(&record.commit),
        visible(&record.updated_at),
        visible(&record.target.endpoint),
        match record.behind.len() {
            0 => "every lead is settled".to_owned(),
            leads => format!("{} behind", count(leads, "lead")),
        }
    );
    for (id, behind) in &record.behind {
        let since = match &behind.commit {
            Some(commit) => format!("settled at {}", short(commit)),
            None => "never settled".to_owned(),
        };
        let outcome = behind.outcome.as_str();
        let line = format!(
            "  {}  {outcome}  {}\n",
            visible(id.as_str()),
            paint(FAINT, since)
        );
        text.push_str(&line);
    }
    text
}

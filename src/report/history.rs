//! The history of a lead: the commits that changed its declaration, and the runs that wrote it.

use schemars::JsonSchema;
use serde::Serialize;

use super::style::{FAINT, STRONG, paint, visible};
use crate::apply::Outcome;
use crate::git::history::DeclarationAction;
use crate::lead::LeadId;
use crate::plan::{Fields, Source};

/// A lead with its history.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LeadHistory {
    /// Which.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// As readers know it.
    pub label: Option<String>,
    /// Where it is declared; null where no file does.
    pub source: Option<Source>,
    /// The latest first.
    pub history: Vec<HistoryEntry>,
}

/// A commit or a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum HistoryEntry {
    /// A commit that changed the declaration.
    Commit {
        /// When (RFC 3339, UTC).
        at: String,
        /// Its whole hash.
        commit: String,
        /// Who wrote it.
        author: String,
        /// Its first line.
        subject: String,
        /// What it did to the declaration as a whole.
        action: DeclarationAction,
        /// The fields that it changed.
        fields: Vec<String>,
    },
    /// A run that wrote the lead.
    Run {
        /// When the write was sent (RFC 3339, UTC).
        at: String,
        /// The run's name.
        run: String,
        /// What came of it; null where the run ended before that was known.
        outcome: Option<Outcome>,
        /// What was written, with what was there.
        fields: Fields,
    },
}

impl HistoryEntry {
    /// When it was.
    pub fn at(&self) -> &str {
        match self {
            Self::Commit { at, .. } | Self::Run { at, .. } => at,
        }
    }
}

/// A history for a terminal.
pub fn lead_history(lead: &LeadHistory) -> String {
    let label = lead
        .label
        .as_deref()
        .map(|label| format!("  {}", paint(STRONG, visible(label))));
    let place = lead
        .source
        .as_ref()
        .map_or_else(|| "no file declares it".to_owned(), ToString::to_string);
    let mut out = format!(
        "{}{}  {}\n",
        visible(lead.uuid.as_str()),
        label.unwrap_or_default(),
        paint(FAINT, place)
    );
    for entry in &lead.history {
        out.push_str(&line(entry));
    }
    if lead.history.is_empty() {
        out.push_str(
            "No commit that is here declares it, and no run that is kept here wrote it.\n",
        );
    }
    out
}

fn line(entry: &HistoryEntry) -> String {
    match entry {
        HistoryEntry::Commit {
            at,
            commit,
            author,
            subject,
            action,
            fields,
        } => {
            let word = match action {
                DeclarationAction::Declared => "declared",
                DeclarationAction::Changed => "changed",
                DeclarationAction::Removed => "removed",
            };
            let short: String = commit.chars().take(12).collect();
            let fields: Vec<String> = fields.iter().map(|field| visible(field)).collect();
            format!(
                "{}  commit {}  {}: {}\n    {word}: {}\n",
                visible(at),
                paint(FAINT, visible(&short)),
                visible(author),
                visible(subject),
                fields.join(", ")
            )
        }
        HistoryEntry::Run {
            at,
            run,
            outcome,
            fields,
        } => {
            let fields: Vec<String> = fields
                .iter()
                .map(|change| visible(&change.field.to_string()))
                .collect();
            format!(
                "{}  run {}\n    {}: {}\n",
                visible(at),
                paint(FAINT, visible(run)),
                outcome.map_or("unknown", Outcome::as_str),
                fields.join(", ")
            )
        }
    }
}

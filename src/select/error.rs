//! What can be wrong with selectors.

use super::{SHORTEST_PREFIX, SelectorScope};
use crate::lead::Status;
use crate::text::count;
use crate::yaml::excerpt::quoted;

/// Selectors that are invalid or match nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SelectError {
    /// Not a selector.
    #[error("selector {}: {problem}", quoted(text))]
    Invalid {
        /// The selector as given.
        text: String,
        /// What is wrong with it.
        problem: SelectorProblem,
    },
    /// A selection of nothing is most likely a typing error.
    #[error("{} none of {}", selects(texts), side.leads(*leads))]
    Nothing {
        /// The selectors as given.
        texts: Vec<String>,
        /// The values that were searched.
        side: SelectorScope,
        /// The number of leads searched.
        leads: usize,
    },
}

/// What is wrong with a selector.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SelectorProblem {
    /// Unknown term.
    #[error(
        "expected a uuid or its first {SHORTEST_PREFIX} characters, status=, agent=, tag=, attributes.KEY=, label~, file=, held or changed"
    )]
    Unknown,
    /// Nothing before or after a comma, or an empty selector.
    #[error("empty term; write \\, for a comma in a value")]
    Empty,
    /// Nothing after the `=` or `~`.
    #[error("missing value")]
    NoValue,
    /// Not a status that can be declared.
    #[error("not a status; one of {}", Status::WRITABLE.map(|status| status.to_string()).join(" "))]
    Status,
    /// Not an agent of the workspace.
    #[error("not an agent of the workspace; one of {names}")]
    Agent {
        /// The known names.
        names: String,
    },
    /// Not a glob.
    #[error("{0}")]
    Glob(String),
    /// A prefix matches several leads.
    #[error("{leads} uuids start with it; use more characters")]
    Ambiguous {
        /// The number of leads.
        leads: usize,
    },
    /// `changed` without a base to compare with.
    #[error("requires --base REF")]
    NoBase,
    /// A term about files in a policy rule.
    #[error(
        "file=, label~, held and changed are about the files, and a rule is about the lead before and after"
    )]
    NotInRules,
    /// A term about files, but live values are matched.
    #[error(
        "file=, label~, held and changed are about the files, and live leads are selected here"
    )]
    NotLive,
}

impl SelectError {
    /// Whether the selectors are valid and no lead matches.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing { .. })
    }
}

impl SelectorScope {
    fn leads(self, leads: usize) -> String {
        match self {
            Self::DeclaredLead => count(leads, "declared lead"),
            Self::Live => format!("{} of the inbox", count(leads, "lead")),
        }
    }
}

fn selects(texts: &[String]) -> String {
    let verb = if texts.len() == 1 {
        "selects"
    } else {
        "select"
    };
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("{} {verb}", texts.join(", "))
}

pub(super) fn invalid(text: &str, problem: SelectorProblem) -> SelectError {
    SelectError::Invalid {
        text: text.to_owned(),
        problem,
    }
}

//! Diagnostics: what is wrong with a file, where, and what to do about it.
//!
//! Given a [`SourceFile`] (a file and its text) and a [`Span`] in it, makes a [`Diagnostic`] that carries its own trimmed and
//! masked source line, so that it can be shown without the text. Its values serialize to JSON;
//! `render` draws them for people.

mod code;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::code::Code;
use crate::yaml::excerpt::{Excerpt, visible};

/// Whether a diagnostic stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing goes on with it.
    Error,
    /// Reported; does not stop the run.
    Warning,
}

/// A stretch of a text: bytes from `start` to before `end`, and where it starts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// A file under its workspace-relative path, and its text.
#[derive(Debug, Clone)]
pub struct SourceFile<'a> {
    /// The path, with `/` between its parts.
    pub file: Arc<str>,
    /// The whole text.
    pub text: &'a str,
}

/// Another place that a diagnostic is about: the first of two duplicates, say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// The file.
    #[serde(serialize_with = "text")]
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    #[serde(skip)]
    pub(crate) excerpt: Option<Excerpt>,
}

/// One mistake, or one thing worth knowing, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Which rule it is about.
    #[serde(rename = "rule")]
    #[schemars(with = "String")]
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The file, relative to the workspace, or the name of an environment variable.
    #[serde(serialize_with = "text")]
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// The line of the end.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
    /// The bytes of the file that it is about.
    #[serde(skip)]
    pub span: std::ops::Range<usize>,
    /// What to write at the marked place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Other places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub related: Vec<Related>,
    /// What to do about it.
    pub help: Option<String>,
    #[serde(skip)]
    pub(crate) excerpt: Option<Excerpt>,
}

fn text<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl SourceFile<'_> {
    /// An error at `span`.
    pub fn error(&self, code: Code, span: Span, message: impl AsRef<str>) -> Diagnostic {
        let line = self.first_line(span);
        let (start, width) = (span.start as usize, line.chars().count() as u32);
        Diagnostic {
            severity: Severity::Error,
            code,
            message: visible(message.as_ref()),
            file: self.file.clone(),
            line: span.line,
            column: span.column,
            end_line: span.line,
            end_column: span.column + width,
            span: start..start + line.len(),
            label: None,
            related: Vec::new(),
            help: None,
            excerpt: Some(self.excerpt(span)),
        }
    }

    /// A warning at `span`.
    pub fn warning(&self, code: Code, span: Span, message: impl AsRef<str>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..self.error(code, span, message)
        }
    }

    /// What `span` covers of its first line: a whole mapping is not what anybody wants marked.
    fn first_line(&self, span: Span) -> &str {
        let text = self
            .text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default();
        let window = text.len().min(4096);
        let line = &text[..text.floor_char_boundary(window)];
        line.split(['\n', '\r'])
            .next()
            .unwrap_or_default()
            .trim_end()
    }

    fn related(&self, span: Span, message: &str) -> Related {
        Related {
            message: visible(message),
            file: self.file.clone(),
            line: span.line,
            column: span.column,
            excerpt: Some(self.excerpt(span)),
        }
    }

    fn excerpt(&self, span: Span) -> Excerpt {
        let start = span.start as usize;
        let end = start + self.first_line(span).len();
        Excerpt::new(self.text, start..end, span.line)
    }
}

impl Diagnostic {
    /// An error about a file as a whole, or about something that is no file.
    pub fn whole(code: Code, file: impl Into<Arc<str>>, message: impl AsRef<str>) -> Self {
        let mut made = SourceFile {
            file: file.into(),
            text: "",
        }
        .error(
            code,
            Span {
                line: 1,
                column: 1,
                ..Span::default()
            },
            message,
        );
        made.excerpt = None;
        made
    }

    /// The same, as a warning.
    pub fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Adds what to do about it.
    pub fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(visible(help.as_ref()));
        self
    }

    /// Hides a secret: what the line holds after the mark, and what is marked unless that is a `key`.
    pub fn masked(mut self, key: bool) -> Self {
        if let Some(excerpt) = &mut self.excerpt {
            excerpt.mask(key);
        }
        self
    }

    /// Adds a word or two at the marked place.
    pub fn label(mut self, label: impl AsRef<str>) -> Self {
        self.label = Some(visible(label.as_ref()));
        self
    }

    /// Adds another place.
    pub fn also(mut self, source: &SourceFile<'_>, span: Span, message: &str) -> Self {
        self.related.push(source.related(span, message));
        self
    }

    /// Whether it is about an environment variable, and so about no place in any file.
    pub fn is_about_the_environment(&self) -> bool {
        self.excerpt.is_none() && self.file.starts_with("CONVERTALK_")
    }

    /// Whether it stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Puts diagnostics into the order in which they are shown: file, line, column, rule. What is found once for each alias of a value is
/// shown once.
pub fn sort(all: &mut Vec<Diagnostic>) {
    all.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.code, &a.message)
            .cmp(&(&b.file, b.line, b.column, b.code, &b.message))
    });
    all.dedup();
}

/// The candidate that `word` was most likely meant to be, if one is near.
pub fn meant<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.chars().count() > 64 {
        return None;
    }
    let squeeze = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let word = squeeze(word);
    let score = |candidate: &str| strsim::jaro_winkler(&word, &squeeze(candidate));
    let far = |candidate: &str| {
        let other = squeeze(candidate);
        strsim::damerau_levenshtein(&word, &other)
            > (word.chars().count().max(other.chars().count()) / 3).max(1)
    };
    candidates
        .into_iter()
        .filter(|candidate| !far(candidate))
        .map(|candidate| (candidate, score(candidate)))
        .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(a.0)))
        .map(|(candidate, _)| candidate)
}

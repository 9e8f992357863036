//! Decodes a tree by type: text, lists, mappings with known keys. Reports every error and continues.
//!
//! Takes a [`Tree`], and returns values with their places. `lead_file` and `config` define the keys.

use std::borrow::Cow;
use std::collections::HashMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::text::odd_character;
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span, meant};
use crate::yaml::excerpt::quoted;
use crate::yaml::scalar::{Scalar, resolve};
use crate::yaml::{NodeId, NodeKind, Pairs, Tree};

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where. Behind an alias, that is where the value is written.
    pub span: Span,
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A tree being read, and the mistakes found so far.
#[derive(Debug)]
pub struct Decoder<'t> {
    /// The tree.
    pub tree: &'t Tree<'t>,
    /// Its file.
    pub source: &'t SourceFile<'t>,
    /// What is wrong.
    pub out: Vec<Diagnostic>,
}

/// The keys of a mapping that have been met.
#[derive(Debug, Default)]
pub struct Keys<'t> {
    few: Vec<(&'t str, NodeId)>,
    many: HashMap<&'t str, NodeId>,
}

impl<'t> Keys<'t> {
    /// Notes a key; gives the node where it stood before.
    pub fn insert(&mut self, key: &'t str, id: NodeId) -> Option<NodeId> {
        if !self.many.is_empty() {
            return self.many.insert(key, id);
        }
        let before = self
            .few
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, id)| *id);
        self.few.push((key, id));
        if self.few.len() > 16 {
            self.many.extend(self.few.drain(..));
        }
        before
    }
}

/// What is odd about a text that was most likely meant to be another one: curly quotes, or characters that one cannot see.
pub(crate) fn odd_text(text: &str) -> String {
    if text.contains(['“', '”', '„', '‘', '’']) {
        return "curly quotes are part of the text".to_owned();
    }
    odd_character(text).map_or_else(String::new, |name| format!("the text holds {name}"))
}

impl<'t> Decoder<'t> {
    /// Notes an error, with what to do about it.
    pub fn error(
        &mut self,
        code: Code,
        span: Span,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        let (message, help) = (message.as_ref(), help.as_ref());
        let error = self.source.error(code, span, message);
        // What cannot be seen at the place is named.
        let marked = self.source.text.get(span.start as usize..span.end as usize);
        let line = marked.and_then(|text| text.lines().next());
        let odd = line
            .and_then(odd_character)
            .filter(|name| !message.contains(name.as_str()) && !help.contains(name.as_str()));
        let help = match odd {
            Some(name) => format!("{help}; the text holds {name}"),
            None => help.to_owned(),
        };
        self.out.push(error.help(help));
    }

    /// Notes a warning, with what to do about it.
    pub fn warning(
        &mut self,
        code: Code,
        span: Span,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        self.out
            .push(self.source.warning(code, span, message).help(help));
    }

    /// The place of a value, behind an alias where it is written.
    pub fn span(&self, id: NodeId) -> Span {
        self.tree.span(self.tree.target(id))
    }

    /// Whether the value is empty, `~` or `null`.
    pub fn is_null(&self, id: NodeId) -> bool {
        matches!(self.tree.kind(id), NodeKind::Scalar(text, style) if resolve(text, *style) == Scalar::Null)
    }

    /// What a value is, for people.
    pub fn found(&self, id: NodeId) -> String {
        match self.tree.kind(id) {
            NodeKind::Sequence(_) => "a list".to_owned(),
            NodeKind::Mapping { .. } => "a mapping".to_owned(),
            NodeKind::Alias(_) => "an alias".to_owned(),
            NodeKind::Scalar(text, style) => match resolve(text, *style) {
                Scalar::Null => "nothing".to_owned(),
                Scalar::Bool(_) => format!("the truth value {}", quoted(text)),
                Scalar::Number(_) => format!("the number {}", quoted(text)),
                Scalar::Text => format!("the text {}", quoted(text)),
            },
        }
    }

    /// Reports that `what` expects another type.
    pub fn wrong(&mut self, id: NodeId, what: &str, takes: &str, help: &str) {
        let message = format!("{what} takes {takes}, found {}", self.found(id));
        self.error(Code::WrongType, self.span(id), message, help);
    }

    /// Any scalar as it is written; an error where there is none, or nothing in it.
    pub fn text(&mut self, id: NodeId, what: &str) -> Option<At<&'t str>> {
        match self.tree.kind(id) {
            NodeKind::Scalar(text, style) if resolve(text, *style) != Scalar::Null => Some(At {
                value: text,
                span: self.span(id),
            }),
            NodeKind::Scalar(text, _) => {
                let help = match text.as_ref() {
                    "" => format!("write a value for {what}, or leave it out"),
                    word => format!(
                        "write it in quotes, \"{word}\", if that word is meant; else leave {what} out"
                    ),
                };
                self.error(
                    Code::EmptyValue,
                    self.span(id),
                    format!("{what} is empty"),
                    help,
                );
                None
            }
            _ => {
                self.wrong(
                    id,
                    what,
                    "text",
                    &format!("write one value for {what}, in quotes if need be"),
                );
                None
            }
        }
    }

    /// Text with something in it besides blanks.
    pub fn filled(&mut self, id: NodeId, what: &str) -> Option<At<&'t str>> {
        let text = self.text(id, what)?;
        if text.value.trim().is_empty() {
            self.error(
                Code::EmptyValue,
                text.span,
                format!("{what} is empty"),
                format!("write a value for {what}, or leave it out"),
            );
            return None;
        }
        Some(text)
    }

    /// `true` or `false`.
    pub fn truth(&mut self, id: NodeId, what: &str) -> Option<At<bool>> {
        if let NodeKind::Scalar(text, style) = self.tree.kind(id)
            && let Scalar::Bool(value) = resolve(text, *style)
        {
            return Some(At {
                value,
                span: self.span(id),
            });
        }
        self.wrong(
            id,
            what,
            "`true` or `false`",
            "write `true` or `false`, without quotes",
        );
        None
    }

    /// A number.
    pub fn number(&self, id: NodeId) -> Option<f64> {
        match self.tree.kind(id) {
            NodeKind::Scalar(text, style) => match resolve(text, *style) {
                Scalar::Number(number) => Some(number),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number from `low` to `high`.
    pub fn whole(&mut self, id: NodeId, what: &str, low: u32, high: u32) -> Option<At<u32>> {
        let fits = |number: &f64| {
            number.fract() == 0.0 && *number >= f64::from(low) && *number <= f64::from(high)
        };
        if let Some(number) = self.number(id).filter(fits) {
            return Some(At {
                value: number as u32,
                span: self.span(id),
            });
        }
        let most = if high == u32::MAX {
            "or more".to_owned()
        } else {
            format!("to {high}")
        };
        self.wrong(
            id,
            what,
            &format!("a whole number, {low} {most}"),
            &format!("write a number, {low} {most}, without quotes"),
        );
        None
    }

    /// The items of a list.
    pub fn list(
        &mut self,
        id: NodeId,
        what: &str,
        help: &str,
    ) -> Option<crate::yaml::tree::Children<'t, 't>> {
        if matches!(self.tree.kind(id), NodeKind::Sequence(_)) {
            return Some(self.tree.children(id));
        }
        self.wrong(id, what, "a list", help);
        None
    }

    /// The entries of a mapping.
    pub fn mapping(&mut self, id: NodeId, what: &str, help: &str) -> Option<Pairs<'t, 't>> {
        if matches!(self.tree.kind(id), NodeKind::Mapping { .. }) {
            return Some(self.tree.pairs(id));
        }
        self.wrong(id, what, "a mapping", help);
        None
    }

    /// A key; `""` where it is empty or `null`, an error where it is no text, or there already.
    pub fn key(&mut self, id: NodeId, keys: &mut Keys<'t>) -> Option<&'t str> {
        let NodeKind::Scalar(text, style) = self.tree.kind(id) else {
            self.error(
                Code::WrongType,
                self.span(id),
                "a key is text",
                "write a plain name before the `:`",
            );
            return None;
        };
        let text = if resolve(text, *style) == Scalar::Null {
            ""
        } else {
            text.as_ref()
        };
        if let Some(before) = keys.insert(text, id) {
            let error = self.source.error(
                Code::DuplicateKey,
                self.span(id),
                format!("the key {} appears twice", quoted(text)),
            );
            let error = error
                .label("again")
                .also(self.source, self.span(before), "first here");
            self.out.push(
                error.help("keep one of the two; YAML readers differ in which one they believe"),
            );
            return None;
        }
        Some(text)
    }

    /// Reports an unknown key, and suggests a similar one.
    pub fn unknown(&mut self, id: NodeId, key: &str, what: &str, known: &[&str]) {
        let all = known
            .iter()
            .map(|key| format!("`{key}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let help = match meant(key, known.iter().copied()) {
            Some(near) if odd_character(key).is_some() => {
                format!("write `{near}`: {}", odd_text(key))
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{what} has: {all}"),
        };
        self.error(
            Code::UnknownKey,
            self.span(id),
            format!("{what} has no {}", quoted(key)),
            help,
        );
    }
}

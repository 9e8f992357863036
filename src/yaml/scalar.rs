//! What a plain scalar is to YAML 1.2: nothing, a truth, a number, or text.
//!
//! The one place that decides it, for the loader and for the JSON that a schema sees. Fields that take text take the
//! scalar as written, whatever it is here.

use crate::yaml::{Kind, NodeId, Style, Tree};

/// The type of a scalar under YAML's core schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// Empty, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; large ones lose digits here.
    Number(f64),
    /// Anything else, and whatever is in quotes.
    Text,
}

/// Resolves a scalar.
pub fn resolve(text: &str, style: Style) -> Scalar {
    if style != Style::Plain {
        return Scalar::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ => number(text).map_or(Scalar::Text, Scalar::Number),
    }
}

fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || text.len() > 400 {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16)
            .ok()
            .filter(|_| !hex.starts_with('+'))
            .map(|number| number as f64);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8)
            .ok()
            .filter(|_| !octal.starts_with('+'))
            .map(|number| number as f64);
    }
    let decimal = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse::<f64>()
        .ok()
        .filter(|number| decimal && number.is_finite())
}

/// The node as JSON, as editors and schema validators see it: aliases and `<<` followed, keys as text, the last of repeated keys.
pub fn json(tree: &Tree<'_>, id: NodeId) -> serde_json::Value {
    use serde_json::Value;
    match tree.kind(id) {
        Kind::Sequence(_) => tree.children(id).map(|child| json(tree, child)).collect(),
        Kind::Mapping { .. } => {
            let key = |id| match tree.kind(id) {
                Kind::Scalar(text, style) if resolve(text, *style) != Scalar::Null => {
                    text.to_string()
                }
                _ => String::new(),
            };
            Value::Object(
                tree.pairs(id)
                    .map(|(name, value)| (key(name), json(tree, value)))
                    .collect(),
            )
        }
        Kind::Scalar(text, style) => match resolve(text, *style) {
            Scalar::Null => Value::Null,
            Scalar::Bool(truth) => truth.into(),
            Scalar::Number(_) => match text.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => match resolve(text, *style) {
                    Scalar::Number(number) => number.into(),
                    _ => Value::Null,
                },
            },
            Scalar::Text => text.as_ref().into(),
        },
        Kind::Alias(_) => Value::Null,
    }
}

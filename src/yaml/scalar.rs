//! What a plain scalar is to YAML 1.2: nothing, a truth, a number, or text.
//!
//! The one place that decides it, for the loader and for the JSON that a schema sees. Fields that take text take the
//! scalar as written, whatever it is here.

use crate::yaml::Style;

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

//! A value to be written, and its text: on one line, or as the lines of a block.

use crate::yaml::format::{WIDTH, columns};
use crate::yaml::quote::{ScalarContext, double, literal, scalar};

/// A value as YAML has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum YamlValue {
    /// One text.
    Text(String),
    /// A word that is written as it is: `true`.
    Plain(String),
    /// A list.
    List(Vec<YamlValue>),
    /// Keys and values in order.
    Map(Vec<(String, YamlValue)>),
}

/// `key: value` in the canonical layout, without a line break at its end; lines below the first are indented by `indent` and more.
pub(crate) fn block_entry(key: &str, form: &YamlValue, indent: &str, line_break: &str) -> String {
    let name = scalar(key, ScalarContext::Flow);
    let used = indent.len() + columns(&name) + 1;
    let value = block_value(form, used, &format!("{indent}  "), line_break);
    format!("{name}:{value}")
}

/// What comes after a colon or a dash when `used` columns of its line are taken.
fn block_value(form: &YamlValue, used: usize, indent: &str, line_break: &str) -> String {
    match form {
        YamlValue::Plain(word) => format!(" {word}"),
        YamlValue::Text(text) => {
            let value = literal(text, indent, line_break)
                .unwrap_or_else(|| scalar(text, ScalarContext::Block));
            format!(" {value}")
        }
        YamlValue::Map(entries) if entries.is_empty() => " {}".to_owned(),
        YamlValue::Map(entries) => entries
            .iter()
            .map(|(key, form)| {
                let entry = block_entry(key, form, indent, line_break);
                format!("{line_break}{indent}{entry}")
            })
            .collect(),
        YamlValue::List(items) => {
            let one = flow(form, ScalarContext::Flow);
            let are_texts = items.iter().all(|item| matches!(item, YamlValue::Text(_)));
            if are_texts && used + 1 + columns(&one) <= WIDTH {
                return format!(" {one}");
            }
            items
                .iter()
                .map(|item| {
                    format!(
                        "{line_break}{indent}- {}",
                        block_item(item, indent, line_break)
                    )
                })
                .collect()
        }
    }
}

/// An item after its dash, which is at `indent`.
pub(crate) fn block_item(form: &YamlValue, indent: &str, line_break: &str) -> String {
    let deeper = format!("{indent}  ");
    match form {
        YamlValue::Map(entries) if !entries.is_empty() => entries
            .iter()
            .map(|(key, form)| block_entry(key, form, &deeper, line_break))
            .collect::<Vec<_>>()
            .join(&format!("{line_break}{deeper}")),
        YamlValue::Text(text) => scalar(text, ScalarContext::Block),
        YamlValue::Plain(_) | YamlValue::List(_) | YamlValue::Map(_) => {
            flow(form, ScalarContext::Flow)
        }
    }
}

/// A value on one line.
pub(crate) fn flow(form: &YamlValue, room: ScalarContext) -> String {
    match form {
        YamlValue::Plain(word) => word.clone(),
        YamlValue::Text(text) if room == ScalarContext::Json => double(text),
        YamlValue::Text(text) => scalar(text, ScalarContext::Flow),
        YamlValue::List(items) => format!(
            "[{}]",
            items
                .iter()
                .map(|item| flow(item, room))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        YamlValue::Map(entries) if entries.is_empty() => "{}".to_owned(),
        YamlValue::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, form)| flow_entry(key, form, room));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// `key: value` inside of `{…}`.
pub(crate) fn flow_entry(key: &str, form: &YamlValue, room: ScalarContext) -> String {
    format!("{}: {}", scalar(key, room), flow(form, room))
}

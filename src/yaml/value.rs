//! A value to be written, and its text: on one line, or as the lines of a block.

use crate::yaml::quote::{ScalarContext, double, literal, scalar};

/// A value as YAML has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum YamlValue {
    /// One text.
    Text(String),
    /// A list.
    List(Vec<YamlValue>),
    /// Keys and values in order.
    Map(Vec<(String, YamlValue)>),
}

/// `key: value`, without a line break at its end; lines below the first are indented by `indent` and more.
pub(crate) fn block_entry(key: &str, form: &YamlValue, indent: &str, line_break: &str) -> String {
    let name = scalar(key, ScalarContext::Flow);
    let deeper = format!("{indent}  ");
    match form {
        YamlValue::Text(text) => {
            let value = literal(text, &deeper, line_break)
                .unwrap_or_else(|| scalar(text, ScalarContext::Block));
            format!("{name}: {value}")
        }
        YamlValue::Map(entries) if key != "tags" && !entries.is_empty() => {
            let entries = entries.iter().map(|(key, form)| {
                format!(
                    "{line_break}{deeper}{}",
                    block_entry(key, form, &deeper, line_break)
                )
            });
            format!("{name}:{}", entries.collect::<String>())
        }
        YamlValue::List(items) if items.iter().any(|item| matches!(item, YamlValue::Map(_))) => {
            let items = items.iter().map(|item| {
                format!(
                    "{line_break}{deeper}- {}",
                    block_item(item, &deeper, line_break)
                )
            });
            format!("{name}:{}", items.collect::<String>())
        }
        form => format!("{name}: {}", flow(form, ScalarContext::Flow)),
    }
}

fn block_item(form: &YamlValue, indent: &str, line_break: &str) -> String {
    let YamlValue::Map(entries) = form else {
        return flow(form, ScalarContext::Flow);
    };
    let deeper = format!("{indent}  ");
    let entries = entries
        .iter()
        .map(|(key, form)| block_entry(key, form, &deeper, line_break));
    entries
        .collect::<Vec<_>>()
        .join(&format!("{line_break}{deeper}"))
}

/// A value on one line.
pub(crate) fn flow(form: &YamlValue, room: ScalarContext) -> String {
    match form {
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

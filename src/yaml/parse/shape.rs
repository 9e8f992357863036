//! Lines that do not fit those above them: indented like nothing, or too far, or without a colon.

use granit_parser::ErrorKind;

use super::lines::{Lines, without_comment};
use super::recover::BrokenBlock;
use crate::text::count;
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile};
use crate::yaml::excerpt::quoted;

/// What the line of an error is, where that is plain to see.
pub(super) fn known(
    source: &SourceFile<'_>,
    lines: &Lines<'_>,
    fault: &BrokenBlock,
) -> Option<Diagnostic> {
    match fault.kind {
        ErrorKind::ExpectedDocumentStart | ErrorKind::ExpectedBlockMappingKey => {
            like_nothing(source, lines, fault).or_else(|| without_colon(source, lines, fault))
        }
        ErrorKind::MappingValueNotAllowed => too_far(source, lines, fault),
        ErrorKind::SimpleKeyExpected => without_colon(source, lines, fault),
        _ => None,
    }
}

/// A line that is indented less than what is above it, and like nothing above that.
fn like_nothing(
    source: &SourceFile<'_>,
    lines: &Lines<'_>,
    fault: &BrokenBlock,
) -> Option<Diagnostic> {
    let number = fault.at.line as usize - 1;
    let indent = lines.indent(number);
    let begins_line = fault.at.column as usize == indent + 1;
    let is_like = |number| lines.has_content(number) && lines.indent(number) == indent;
    if !begins_line || (0..number).any(is_like) {
        return None;
    }
    let message = format!(
        "this line is indented by {}, which fits nothing above it",
        count(indent, "space")
    );
    let error = source.error(Code::YamlSyntax, fault.at, message);
    Some(error.help("indent it as far as the keys it belongs to"))
}

/// A key that is indented further than a key above it that has a value.
fn too_far(source: &SourceFile<'_>, lines: &Lines<'_>, fault: &BrokenBlock) -> Option<Diagnostic> {
    let number = fault.at.line as usize - 1;
    let above = (fault.block.start..number)
        .rev()
        .find(|number| lines.has_content(*number))?;
    let is_further = lines.indent(number) > lines.indent(above);
    let has_value = lines.is_key(above) && !lines.is_key_alone(above);
    if !(lines.is_key(number) && is_further && has_value) {
        return None;
    }
    let indent = lines.indent(number);
    let span = lines.span(number, indent..lines.line(number).len());
    let message = "this line is indented further than the one above it, which has a value";
    let error = source.error(Code::YamlSyntax, span, message);
    let indent = count(lines.indent(above), "space");
    Some(error.help(format!("indent it by {indent}, as the line above")))
}

/// A line that should be a key.
fn without_colon(
    source: &SourceFile<'_>,
    lines: &Lines<'_>,
    fault: &BrokenBlock,
) -> Option<Diagnostic> {
    let number = fault.at.line as usize - 1;
    let line = lines.line(number);
    let words = without_comment(line);
    let column = line.find(words)?;
    if words.is_empty() || words.contains(':') || words.starts_with('-') {
        return None;
    }
    let span = lines.span(number, column..column + words.len());
    let error = source.error(Code::YamlSyntax, span, "there is no colon on this line");
    let key = match words.split_once(' ') {
        Some((key, value)) => format!("{key}: {}", value.trim()),
        None => format!("{words}:"),
    };
    Some(error.help(format!("write {}", quoted(&key))))
}

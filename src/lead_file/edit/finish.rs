//! What every edit of a file ends with, whichever way it was made: columns, line endings and the layout are kept, and comments are
//! compared once the text says what it is to say.

use std::sync::Arc;

use crate::lead_file::emit::layout_rules;
use crate::yaml::diagnostic::SourceFile;
use crate::yaml::format::{is_laid_out, layout};
use crate::yaml::splice::{self, Splice};
use crate::yaml::{NodeId, NodeKind, Written, comments};

/// The text with its splices: aligned comments stay in their column, and a file whose lines all end with `\r\n` stays one.
pub(super) fn put(written: &Written<'_>, mut splices: Vec<Splice>) -> String {
    splices.extend(splice::keep_columns(written, &splices));
    splices.extend(without_break(written, &splices));
    // The value of a block ends with the line break of its last line, which the file may not have had.
    let ends_in_block = splices.iter().any(|splice| {
        splice.range.end == written.text.len() && splice.text.lines().any(begins_block)
    });
    let mut text = splice::into(written.text, splices);
    if ends_in_block && !text.ends_with('\n') {
        text.push('\n');
    }
    if has_only_crlf(written.text) {
        // A value or a separator may have brought a line break of its own.
        return text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    text
}

/// The splice that keeps the line break that a block gets by what follows it from becoming a part of its value.
fn without_break(written: &Written<'_>, splices: &[Splice]) -> Option<Splice> {
    let header = written.content(written.open_block()?);
    let text = written.text;
    let follows = |splice: &Splice| splice.range.start == text.len();
    let covers = |splice: &Splice| splice.range.contains(&header);
    if !splices.iter().any(follows) || splices.iter().any(covers) {
        return None;
    }
    let line = &text[header..written.line_end(header)];
    let end = header + line.find([' ', '\t']).unwrap_or(line.len());
    let kept = text[header..end].replace(['+', '-'], "");
    Some(Splice::new(header..end, format!("{kept}-")))
}

/// Checks that each comment that is gone belonged to something that is gone, and that no other is beside something new.
///
/// # Errors
/// One is not where it was.
pub(super) fn check_comments(before: &Written<'_>, after: &Written<'_>) -> Result<(), String> {
    if comments::are_kept(before, after) {
        Ok(())
    } else {
        Err("a comment would be lost, or would end up beside another value".to_owned())
    }
}

/// A text that is read for an edit.
///
/// # Errors
/// It is not YAML.
pub(super) fn written<'t>(file: &Arc<str>, text: &'t str) -> Result<Written<'t>, String> {
    let source = SourceFile {
        file: file.clone(),
        text,
    };
    Written::read(&source, &mut Vec::new()).ok_or_else(|| "this is not YAML".to_owned())
}

/// Why an edit is refused whose text could not be read again.
pub(super) fn unreadable(before: &Written<'_>) -> String {
    let mut nodes = 0..before.tree.len() as NodeId;
    if nodes.any(|id| matches!(before.tree.node(id).kind, NodeKind::Alias(_))) {
        return "the file repeats a value by an alias (`*name`), and this edit may take its anchor away: write the value out where it is \
                repeated, or edit the file by hand"
            .to_owned();
    }
    "the way it is written cannot be edited in place: lay the file out with `convertalk fmt` first, or edit it by hand".to_owned()
}

/// Whether a line ends with the indicator of a literal or folded block: `key: |`.
fn begins_block(line: &str) -> bool {
    let last = line.split_ascii_whitespace().next_back();
    let more = last.and_then(|last| last.strip_prefix(['|', '>']));
    more.is_some_and(|more| more.chars().all(|c| matches!(c, '+' | '-' | '0'..='9')))
}

/// Whether each line of a text ends with `\r\n`.
fn has_only_crlf(text: &str) -> bool {
    let pairs = text.matches("\r\n").count();
    pairs > 0 && pairs == text.matches('\n').count()
}

/// The text of a document with its edits.
pub(super) struct EditedText {
    pub(super) text: String,
    /// Whether it is known to be in the canonical layout.
    is_laid_out: bool,
}

impl EditedText {
    pub(super) fn new(file: &Arc<str>, written: &Written<'_>) -> Self {
        Self {
            text: written.text.to_owned(),
            is_laid_out: is_laid_out(file, written, &layout_rules()),
        }
    }

    /// Its text, laid out where the document was before.
    pub(super) fn in_layout_of(self, file: &Arc<str>, before: &Written<'_>) -> String {
        if self.is_laid_out {
            self.text
        } else {
            with_layout_kept(file, before, self.text)
        }
    }
}

/// The text of an edited file, laid out where the file was in the canonical layout before: a new value may be too long for its line, say.
pub(super) fn with_layout_kept(file: &Arc<str>, before: &Written<'_>, edited: String) -> String {
    if edited == before.text || !is_laid_out(file, before, &layout_rules()) {
        return edited;
    }
    // A layout says the same as what was laid out: it is compared when it is made.
    layout(file, &edited, &layout_rules()).map_or(edited, |made| made.text)
}

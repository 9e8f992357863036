//! The canonical layout of a file: two spaces for each level, keys in their order, no line longer than 80 columns where a list can be
//! divided or a text folded.
//!
//! [`layout`] takes a file's text and returns the same file laid out. Values, comments, anchors, aliases and line breaks stay. Quotes,
//! spaces and brackets become those that prettier and yamllint accept with their defaults, so that no one has to choose between them.
//! A part that cannot be laid out safely stays as it is: the result is read again and compared with the original, value by value and
//! comment by comment. Pure.

mod block;
mod entries;
mod gap;
mod inline;
mod lines;
mod list;
mod rules;
mod same;
mod value;

use std::sync::Arc;

use self::block::Printer;
pub(crate) use self::lines::{WIDTH, columns};
pub use self::rules::LayoutRules;
use crate::yaml::Written;
use crate::yaml::diagnostic::{Diagnostic, SourceFile};

/// The result for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The whole text.
    pub text: String,
    /// Whether the file is returned as it was, because it cannot be laid out safely.
    pub left_alone: bool,
}

/// Lays out a file.
///
/// # Errors
/// The text is not YAML. The errors have their places in it.
pub fn layout(file: &Arc<str>, text: &str, rules: &LayoutRules) -> Result<Layout, Vec<Diagnostic>> {
    let (bom, body) = text
        .strip_prefix('\u{feff}')
        .map_or(("", text), |body| ("\u{feff}", body));
    let breaks = line_break(body);
    let body = body.replace("\r\n", "\n");
    let mut diagnostics = Vec::new();
    let source = SourceFile {
        file: file.clone(),
        text: &body,
    };
    let Some(written) = Written::read(&source, &mut diagnostics) else {
        return Err(located(file, text));
    };
    let made = laid_out(file, &written, rules, true).or_else(|| {
        let plain = laid_out(file, &written, rules, false)?;
        // What could not be sorted as it was may be sorted as it is laid out: a last line that has its end now, say.
        let source = SourceFile {
            file: file.clone(),
            text: &plain,
        };
        let again = (plain != body).then(|| Written::read(&source, &mut Vec::new()));
        let sorted = again
            .flatten()
            .and_then(|again| laid_out(file, &again, rules, true));
        Some(sorted.unwrap_or(plain))
    });
    let left_alone = made.is_none();
    let text = made.map_or_else(
        || text.to_owned(),
        |made| format!("{bom}{}", made.replace('\n', breaks)),
    );
    Ok(Layout { text, left_alone })
}

/// Whether a document is in the canonical layout.
pub(crate) fn is_laid_out(file: &Arc<str>, written: &Written<'_>, rules: &LayoutRules) -> bool {
    let text = written.text;
    let is_plain = !text.contains('\r') && !text.starts_with('\u{feff}');
    if is_plain && !written.tree.is_empty() {
        let print = |sorts| Printer::new(written, rules, sorts).file();
        let sorted = print(true);
        if sorted.as_deref() == Some(text) {
            return true;
        }
        // Where keys cannot be sorted, the layout is one without that, which is known only once both were read again.
        let unsorted = print(false);
        if unsorted == sorted || unsorted.as_deref() != Some(text) {
            return false;
        }
    }
    layout(file, text, rules).is_ok_and(|made| !made.left_alone && made.text == text)
}

/// The errors with their places in the text as it was.
fn located(file: &Arc<str>, text: &str) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let _none = Written::read(
        &SourceFile {
            file: file.clone(),
            text,
        },
        &mut diagnostics,
    );
    diagnostics.retain(Diagnostic::is_error);
    diagnostics
}

fn line_break(text: &str) -> &'static str {
    let end = text.find('\n').unwrap_or_default();
    if text[..end].ends_with('\r') {
        "\r\n"
    } else {
        "\n"
    }
}

/// The text in the canonical layout; `None` where that would say something else, or would change with another pass.
fn laid_out(
    file: &Arc<str>,
    written: &Written<'_>,
    rules: &LayoutRules,
    sorts: bool,
) -> Option<String> {
    if written.tree.is_empty() || written.text.contains('\r') {
        return None;
    }
    let (mut made, mut odd) = once(file, written, rules, sorts)?;
    for _ in 0..PASSES {
        // What was moved as a whole can often be laid out further from its new place.
        if !odd {
            return Some(made);
        }
        let source = SourceFile {
            file: file.clone(),
            text: &made,
        };
        let (again, _) = once(
            file,
            &Written::read(&source, &mut Vec::new())?,
            rules,
            sorts,
        )?;
        odd = again != made;
        made = again;
    }
    (!odd).then_some(made)
}

/// A file with unusual parts is laid out until it no longer changes, this many times at most.
const PASSES: usize = 4;

/// The text laid out, and whether there were parts that were moved as a whole.
fn once(
    file: &Arc<str>,
    written: &Written<'_>,
    rules: &LayoutRules,
    sorts: bool,
) -> Option<(String, bool)> {
    let printer = Printer::new(written, rules, sorts);
    let made = printer.file()?;
    if made == written.text {
        return Some((made, printer.odd.get()));
    }
    let source = SourceFile {
        file: file.clone(),
        text: &made,
    };
    let again = Written::read(&source, &mut Vec::new())?;
    same::same(written, &again)
        .then(|| printer.odd.get())
        .map(|odd| (made, odd))
}

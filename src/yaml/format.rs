//! The one layout of lead files: two blanks for each level, a blank line between leads, the keys of a lead in their order.
//!
//! Given a file's text; hands on the same file laid out. What scalars say and how they are quoted, comments, anchors, aliases, the
//! order of leads and the line breaks stay as their author chose. A part that cannot be laid out safely is left as it stands: what
//! comes out is read again and held against what went in, value by value and comment by comment. Pure.

mod between;
mod block;
mod inline;
mod same;

use std::cell::Cell;
use std::sync::Arc;

use self::block::Printer;
use crate::yaml::Written;
use crate::yaml::diagnostic::{Diagnostic, Source};

/// A file that has been laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The whole text.
    pub text: String,
    /// Whether there is something in it that cannot be laid out, so that the whole is as it was.
    pub left_alone: bool,
}

/// Lays out a file.
///
/// # Errors
/// It is not YAML: why, with the places.
pub fn layout(file: &Arc<str>, text: &str) -> Result<Layout, Vec<Diagnostic>> {
    let (bom, body) = text
        .strip_prefix('\u{feff}')
        .map_or(("", text), |body| ("\u{feff}", body));
    let breaks = line_break(body);
    let body = body.replace("\r\n", "\n");
    let mut diagnostics = Vec::new();
    let source = Source {
        file: file.clone(),
        text: &body,
    };
    let Some(written) = Written::read(&source, &mut diagnostics) else {
        return Err(located(file, text));
    };
    let made = [true, false]
        .into_iter()
        .find_map(|sorts| laid_out(file, &written, sorts));
    let left_alone = made.is_none();
    let text = made.map_or_else(
        || text.to_owned(),
        |made| format!("{bom}{}", made.replace('\n', breaks)),
    );
    Ok(Layout { text, left_alone })
}

/// The mistakes with their places in the text as it was.
fn located(file: &Arc<str>, text: &str) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let _none = Written::read(
        &Source {
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

/// The text in the one layout, where it says the same as before, and is settled.
fn laid_out(file: &Arc<str>, written: &Written<'_>, sorts: bool) -> Option<String> {
    if written.tree.is_empty() || written.text.contains('\r') {
        return None;
    }
    let (mut made, mut odd) = once(file, written, sorts)?;
    for _ in 0..SETTLING {
        // What was moved as it stood may be in the one layout by now, or nearer to it.
        if !odd {
            return Some(made);
        }
        let source = Source {
            file: file.clone(),
            text: &made,
        };
        let (again, _) = once(file, &Written::read(&source, &mut Vec::new())?, sorts)?;
        odd = again != made;
        made = again;
    }
    (!odd).then_some(made)
}

/// So often a file with odd parts is laid out until it no longer changes, at the most.
const SETTLING: usize = 4;

/// The text laid out, and whether there were odd parts.
fn once(file: &Arc<str>, written: &Written<'_>, sorts: bool) -> Option<(String, bool)> {
    let printer = Printer {
        written,
        sorts,
        keeps: Cell::new(false),
        odd: Cell::new(false),
    };
    let made = printer.file()?;
    let source = Source {
        file: file.clone(),
        text: &made,
    };
    let again = Written::read(&source, &mut Vec::new())?;
    same::same(written, &again)
        .then(|| printer.odd.get())
        .map(|odd| (made, odd))
}

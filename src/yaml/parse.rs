//! From a text to a tree: the library reads events, `builder` makes a tree of them, `recover` says what is wrong where it cannot.

mod builder;
mod lines;
mod marks;
mod recover;
mod shape;
mod slips;

use granit_parser::{Options, Parser};

use crate::yaml::diagnostic::{Diagnostic, SourceFile};
use crate::yaml::{NodeId, Tree};
use builder::Builder;
use marks::Marks;

/// Reads one document. Where the text is not one, says so in `out` and gives `None`; other mistakes (tags) leave a tree.
pub fn parse<'a>(source: &SourceFile<'a>, out: &mut Vec<Diagnostic>) -> Option<Tree<'a>> {
    read(source, out, &mut None)
}

/// The same, and what else is written: comments, anchors, tags, the marks of the document.
pub(crate) fn parse_all<'a>(
    source: &SourceFile<'a>,
    out: &mut Vec<Diagnostic>,
) -> Option<(Tree<'a>, Marks)> {
    let mut marks = Some(Marks {
        tail: source.text.len() as u32,
        ..Marks::default()
    });
    let tree = read(source, out, &mut marks)?;
    Some((tree, marks.unwrap_or_default()))
}

fn read<'a>(
    source: &SourceFile<'a>,
    out: &mut Vec<Diagnostic>,
    marks: &mut Option<Marks>,
) -> Option<Tree<'a>> {
    let mut options = Options::default();
    options.set_emit_comments(marks.is_some());
    options.emit_anchor_events = marks.is_some();
    let mut builder = Builder::new(source, out);
    for event in Parser::new_from_str_with_options(source.text, options) {
        let step = match event {
            Ok((event, span)) => {
                if let Some(marks) = marks {
                    marks.note(
                        &event,
                        &span,
                        (builder.nodes.len() as NodeId).wrapping_sub(1),
                    );
                }
                builder.event(event, &span)
            }
            Err(error) => {
                builder.out.extend(recover::errors(source, &error));
                return None;
            }
        };
        if let Err(stop) = step {
            builder.out.push(*stop);
            return None;
        }
    }
    builder.finish()
}

/// What can be read of a text that is not YAML as a whole: spaces are in place of the blocks with errors. `None` where nothing is left.
pub(crate) fn readable_part(source: &SourceFile<'_>) -> Option<String> {
    let rest = recover::recover(source).rest;
    Some(rest).filter(|rest| rest != source.text && !rest.trim().is_empty())
}

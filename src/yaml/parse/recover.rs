//! More than the first syntax error: blocks that can be read by themselves, and those that cannot.
//!
//! The parser stops at its first error. The text is then divided where its indentation does, at the keys of the file, of `leads`, of a
//! lead and so on, and each block is read by itself. A block that cannot be read is divided further; what is left in the end are the
//! smallest blocks with an error, each reported once. A text without these blocks is read as usual, so that errors of another kind in
//! the rest are found in the same run.
//!
//! A block is divided only where its first line is a key without a value, so that no list, text or bracket is cut. The error of the whole
//! is dropped where a block up to its line has an error too: it is the consequence.

use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::builder::too_deep;
use super::shape;
use super::slips::{self, conflicts, without_conflicts};
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::yaml::parse::lines::Lines;

/// The blocks of a file, of `leads`, and of a lead are left out by themselves. Smaller ones are left out with the field they are in.
const LEVEL_OF_FIELDS: usize = 3;
/// No file is divided further.
const DEEPEST: usize = 6;

/// A block that cannot be read.
pub(super) struct BrokenBlock {
    /// Its lines, counted from 0.
    pub(super) block: Range<usize>,
    pub(super) at: Span,
    pub(super) kind: ErrorKind,
}

/// The errors of a text that is not YAML, and the rest of it.
pub(super) struct Recovered {
    pub(super) errors: Vec<Diagnostic>,
    /// The text with spaces in place of what could not be read: every byte is at its place.
    pub(super) rest: String,
}

/// All syntax errors of a text of which the parser found one.
pub(super) fn errors(source: &SourceFile<'_>, first: &ScanError) -> Vec<Diagnostic> {
    let errors = recover(source).errors;
    if !errors.is_empty() {
        return errors;
    }
    let lines = Lines::new(source.text);
    let fault = BrokenBlock {
        block: 0..lines.len(),
        at: lines.place(first.marker().byte_offset().unwrap_or_default()),
        kind: first.kind().clone(),
    };
    described(source, &lines, &fault)
}

/// Finds the syntax errors of a text.
pub(super) fn recover(source: &SourceFile<'_>) -> Recovered {
    let mut errors = conflicts(source);
    let mut rest = without_conflicts(source.text);
    let lines = Lines::new(&rest);
    let mut faults = Vec::new();
    Finder { lines: &lines }.find(0..lines.len(), 0, &mut faults);
    for fault in &faults {
        errors.extend(described(source, &lines, fault));
    }
    let blanked: Vec<Range<usize>> = faults
        .into_iter()
        .map(|fault| lines.bytes(fault.block))
        .collect();
    for range in blanked {
        blank(&mut rest, range);
    }
    Recovered { errors, rest }
}

/// Puts a space in place of every byte but line breaks.
pub(super) fn blank(text: &mut String, range: Range<usize>) {
    let spaces = text[range.clone()].bytes();
    let spaces = spaces.map(|byte| if byte == b'\n' { '\n' } else { ' ' });
    let spaces: String = spaces.collect();
    text.replace_range(range, &spaces);
}

fn described(source: &SourceFile<'_>, lines: &Lines<'_>, fault: &BrokenBlock) -> Vec<Diagnostic> {
    if matches!(fault.kind, ErrorKind::RecursionLimitExceeded) {
        return vec![too_deep(source, fault.at)];
    }
    let known = slips::known(source, lines, fault.at, &fault.block);
    if !known.is_empty() {
        return known;
    }
    if let Some(error) = shape::known(source, lines, fault) {
        return vec![error];
    }
    let error = source.error(
        Code::YamlSyntax,
        fault.at,
        format!("this is not YAML: {}", fault.kind),
    );
    vec![error.help("check the indentation, the quotes and the brackets here and on the line before; tabs do not indent")]
}

struct Finder<'l> {
    lines: &'l Lines<'l>,
}

impl Finder<'_> {
    /// Notes the errors of the smallest blocks in a stretch of lines that have one.
    fn find(&self, block: Range<usize>, level: usize, out: &mut Vec<BrokenBlock>) {
        let Some((whole, closed)) = self.first_error(&block) else {
            return;
        };
        let mut found = Vec::new();
        let children = self.children(&block, level, &closed);
        for child in children.iter().filter(|_| level < DEEPEST) {
            self.find(child.clone(), level + 1, &mut found);
        }
        let line = whole.at.line as usize - 1;
        if !found.iter().any(|fault| fault.block.start <= line) {
            let around = children.into_iter().find(|child| child.contains(&line));
            let block = around.unwrap_or(block.clone());
            found.insert(0, BrokenBlock { block, ..whole });
        }
        if level >= LEVEL_OF_FIELDS {
            found
                .iter_mut()
                .for_each(|fault| fault.block = block.clone());
        }
        out.append(&mut found);
    }

    /// The first error of a block that is read by itself, and the lines that are inside quotes or brackets which end before it.
    fn first_error(&self, block: &Range<usize>) -> Option<(BrokenBlock, Vec<Range<usize>>)> {
        let bytes = self.lines.bytes(block.clone());
        let text = &self.lines.text()[bytes.clone()];
        let (mut closed, mut open) = (Vec::new(), Vec::new());
        let mut inside = |from: usize, to: usize| {
            if from < to {
                closed.push(block.start + from..block.start + to);
            }
        };
        for event in Parser::new_from_str(text) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let mark = error.marker();
                    let kind = error.kind().clone();
                    // What another block defines is not known here.
                    let is_part = *block != (0..self.lines.len());
                    let is_elsewhere = matches!(
                        kind,
                        ErrorKind::UnknownAnchor | ErrorKind::UndeclaredTagHandle
                    );
                    if is_part && is_elsewhere {
                        return None;
                    }
                    // What is missing at the end is reported where the text ends, and not on a line of the next block.
                    let offset = mark.byte_offset().unwrap_or_default();
                    let at = bytes.start + offset.min(text.trim_end().len());
                    let at = self.lines.place(at);
                    let fault = BrokenBlock {
                        block: block.clone(),
                        at,
                        kind,
                    };
                    return Some((fault, closed));
                }
            };
            let is_quoted = matches!(
                event,
                Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..)
            );
            match event {
                Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => {
                    open.push((style == StructureStyle::Flow).then(|| span.start.line()));
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some(Some(start)) = open.pop() {
                        inside(start, span.end.line());
                    }
                }
                _ if is_quoted => inside(span.start.line(), span.end.line()),
                _ => {}
            }
        }
        None
    }

    /// The blocks in a block: from a key to the next in its column.
    fn children(
        &self,
        block: &Range<usize>,
        level: usize,
        closed: &[Range<usize>],
    ) -> Vec<Range<usize>> {
        let lines = self.lines;
        let is_file = level == 0;
        if !is_file && !lines.is_key_alone(block.start) {
            return Vec::new();
        }
        let mut below = block.start + usize::from(!is_file)..block.end;
        let Some(first) = below.clone().find(|number| lines.has_content(*number)) else {
            return Vec::new();
        };
        below.start = first;
        let column = lines.indent(first);
        let mut is_inside = vec![false; block.len()];
        for range in closed {
            let end = range.end.min(block.end) - block.start;
            is_inside[range.start - block.start..end].fill(true);
        }
        let mut starts: Vec<usize> = below
            .clone()
            .filter(|number| lines.indent(*number) == column && lines.is_key(*number))
            .filter(|number| !is_inside[number - block.start])
            .collect();
        if starts.first() != Some(&first) {
            return Vec::new();
        }
        starts.push(below.end);
        starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }
}

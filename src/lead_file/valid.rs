//! Validates lead files: resolves agents to ids, checks tags against the policy, merges defaults.
//!
//! Takes a file's text and the workspace's [`Vocabulary`], returns its valid leads, and [`merge()`]s those of all files into
//! [`Desired`]. Pure: the same texts give the same leads and the same diagnostics, in the same order.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::words::place;
use crate::lead::normal::is_among;
use crate::lead::{
    Desired, DesiredField, DesiredLead, DesiredValue, Field, LeadId, TagRule, Value,
};
use crate::lead_file::raw::{self, RawLead};
use crate::lead_file::value::RawValue;
use crate::policy::Agent;
use crate::yaml::decode::{At, Decoder};
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::yaml::{self, NodeId, NodeKind, Tree, Written};
pub(crate) use meaning::{Meaning, one_meaning};
pub use merge::merge;

mod meaning;
mod merge;
mod names;

/// The names that lead files may use. What is `None` could not be read, and is not checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vocabulary<'w> {
    /// Agents by name.
    pub agents: Option<&'w BTreeMap<String, Agent>>,
    /// The policy's tags.
    pub tags: Option<&'w [String]>,
}

impl Vocabulary<'_> {
    /// Whether the policy lists its tags, and not this one.
    pub(crate) fn lacks_tag(&self, tag: &str) -> bool {
        self.tags.is_some_and(|known| !is_among(known, tag))
    }
}

/// A lead of one file, before it is known whether another file has it too.
#[derive(Debug)]
pub struct Declared {
    id: LeadId,
    file: u32,
    span: Span,
    lead: DesiredLead,
}

/// What one file declares, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// The leads, in the order of the file.
    pub leads: Vec<Declared>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and validates one file, the `number`th of all.
pub fn check(file: &Arc<str>, text: &str, number: u32, vocabulary: Vocabulary<'_>) -> Checked {
    let source = SourceFile {
        file: file.clone(),
        text,
    };
    let mut diagnostics = Vec::new();
    let Some(tree) = yaml::parse(&source, &mut diagnostics) else {
        let rest = readable_part(&source, number, vocabulary);
        diagnostics.extend(rest.diagnostics);
        return Checked {
            leads: rest.leads,
            diagnostics,
        };
    };
    check_tree(&tree, &source, number, vocabulary, diagnostics)
}

fn check_tree(
    tree: &Tree<'_>,
    source: &SourceFile<'_>,
    number: u32,
    vocabulary: Vocabulary<'_>,
    mut diagnostics: Vec<Diagnostic>,
) -> Checked {
    if tree.is_empty() || (tree.len() == 1 && tree.span(0).start == tree.span(0).end) {
        let warning = Diagnostic::whole(
            Code::EmptyFile,
            source.file.clone(),
            "this file declares nothing",
        )
        .into_warning();
        diagnostics
            .push(warning.help("begin with `version: 1`, then `leads:`, or delete the file"));
        return Checked {
            leads: Vec::new(),
            diagnostics,
        };
    }
    let mut reader = Decoder {
        tree,
        source,
        out: diagnostics,
    };
    let leads = Checker { vocabulary, number }.file(&mut reader);
    Checked {
        leads,
        diagnostics: reader.out,
    }
}

/// What can be read of a file with syntax errors: its leads are compared with those of other files, and its other errors are reported
/// in the same run.
fn readable_part(source: &SourceFile<'_>, number: u32, vocabulary: Vocabulary<'_>) -> Checked {
    let mut checked = Checked {
        leads: Vec::new(),
        diagnostics: Vec::new(),
    };
    let Some(text) = yaml::readable_part(source) else {
        return checked;
    };
    let rest = SourceFile {
        file: source.file.clone(),
        text: &text,
    };
    if yaml::parse(&rest, &mut Vec::new()).is_none() {
        return checked;
    }
    checked = check(&source.file, &text, number, vocabulary);
    // What is missing may be in a part that could not be read.
    checked.diagnostics.retain(|made| {
        !matches!(
            made.code,
            Code::MissingVersion | Code::EmptyLeads | Code::EmptyFile
        )
    });
    checked
}

/// What a file declares, with its lines, or the first error in it.
pub(crate) fn declared_in(
    file: &Arc<str>,
    written: &Written<'_>,
    vocabulary: Vocabulary<'_>,
) -> Result<Desired, String> {
    let source = SourceFile {
        file: file.clone(),
        text: written.text,
    };
    let Checked {
        leads,
        mut diagnostics,
    } = check_tree(&written.tree, &source, 0, vocabulary, Vec::new());
    let at = |_| SourceFile {
        file: file.clone(),
        text: written.text,
    };
    let desired = merge(vec![leads], at, &mut diagnostics);
    match diagnostics.iter().find(|made| made.is_error()) {
        Some(error) => Err(format!("line {}: {}", error.line, error.message)),
        None => Ok(desired),
    }
}

/// What the `defaults` of a file say, with their lines; nothing where the file is not valid.
pub(crate) fn defaults(
    file: &Arc<str>,
    text: &str,
    vocabulary: Vocabulary<'_>,
) -> Vec<DesiredField> {
    let source = SourceFile {
        file: file.clone(),
        text,
    };
    let Some(tree) = yaml::parse(&source, &mut Vec::new()).filter(|tree| !tree.is_empty()) else {
        return Vec::new();
    };
    let mut reader = Decoder {
        tree: &tree,
        source: &source,
        out: Vec::new(),
    };
    let raw = raw::file(&mut reader).defaults.unwrap_or_default();
    let checker = Checker {
        vocabulary,
        number: 0,
    };
    checker.fields(&mut reader, raw)
}

/// The values of a lead that is written as one of a lead file: those it has once all that is asked for is so.
pub(crate) fn read_values(
    reader: &mut Decoder<'_>,
    id: NodeId,
    vocabulary: Vocabulary<'_>,
) -> Vec<(Field, Value)> {
    let raw = raw::lead(reader, id, false);
    let checker = Checker {
        vocabulary,
        number: 0,
    };
    let fields = checker.fields(reader, raw).into_iter();
    let values = fields.map(|desired| {
        let value = desired
            .value
            .applied_to(&Value::empty(desired.field.kind()));
        (desired.field, value)
    });
    values.collect()
}

struct Checker<'w> {
    vocabulary: Vocabulary<'w>,
    number: u32,
}

impl Checker<'_> {
    fn file(&self, reader: &mut Decoder<'_>) -> Vec<Declared> {
        let file = raw::file(reader);
        let create = file.defaults.as_ref().and_then(|defaults| defaults.create);
        let defaults = self.fields(reader, file.defaults.unwrap_or_default());
        let mut leads = Vec::with_capacity(file.leads.len());
        for (key, value) in file.leads {
            let uuid = raw::uuid(reader, key);
            let is_scalar = matches!(reader.tree.kind(value), NodeKind::Scalar(..));
            if uuid.is_none() && is_scalar {
                // Most likely a field of the lead above.
                continue;
            }
            let raw = raw::lead(reader, value, false);
            let label = raw.label.map(|label| label.value.into());
            let hold = raw.hold.map(|hold| hold.value.trim().into());
            let create = raw.create.or(create).is_some_and(|create| create.value);
            let fields = with_defaults(self.fields(reader, raw), &defaults);
            let Some(uuid) = uuid else { continue };
            let span = reader.tree.span(key);
            let place = place(reader, span);
            leads.push(Declared {
                id: LeadId::new(uuid),
                file: self.number,
                span,
                lead: DesiredLead {
                    place,
                    label,
                    hold,
                    create,
                    fields,
                },
            });
        }
        leads
    }

    fn fields(&self, reader: &mut Decoder<'_>, raw: RawLead<'_>) -> Vec<DesiredField> {
        let mut fields = Vec::with_capacity(raw.fields.len());
        for (field, raw) in raw.fields {
            let line = raw.span.line;
            if let Some(value) = self.value(reader, raw) {
                fields.push(DesiredField { field, value, line });
            }
        }
        fields
    }

    /// `None` where it is not valid.
    fn value(&self, reader: &mut Decoder<'_>, raw: At<RawValue<'_>>) -> Option<DesiredValue> {
        let span = raw.span;
        match raw.value {
            RawValue::Ready(value) => Some(value),
            RawValue::Reference(value) => {
                let agent = self.agent(reader, At { value, span })?;
                Some(DesiredValue::Reference(agent))
            }
            RawValue::Exact(tags) => Some(DesiredValue::Set(TagRule::Exact(
                self.tag_set(reader, &tags),
            ))),
            RawValue::Patch(present, absent) => {
                let rule = self.patch(reader, span, &present, &absent);
                Some(DesiredValue::Set(rule))
            }
        }
    }
}

/// A lead's own fields before the defaults, in the order of the fields. An own empty list keeps the default away and asks for nothing.
fn with_defaults(mut own: Vec<DesiredField>, defaults: &[DesiredField]) -> Vec<DesiredField> {
    let is_own =
        |field: &Field, own: &[DesiredField]| own.iter().any(|desired| desired.field == *field);
    let given: Vec<DesiredField> = defaults
        .iter()
        .filter(|desired| !is_own(&desired.field, &own))
        .cloned()
        .collect();
    own.extend(given);
    own.retain(|desired| !desired.value.is_empty());
    own.sort_by(|one, other| one.field.cmp(&other.field));
    own
}

//! Validates lead files: resolves agents to ids, checks tags against the policy, merges defaults.
//!
//! Takes a file's text and the workspace's [`Vocabulary`], returns its valid leads, and [`merge`]s those of all files into
//! [`Desired`]. Pure: the same texts give the same leads and the same diagnostics, in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::config::words::place;
use crate::lead::{
    AgentId, Desired, DesiredField, DesiredLead, DesiredValue, Field, LeadId, TagRule, Value, tag,
};
use crate::lead_file::raw::{self, RawLead};
use crate::lead_file::value::RawValue;
use crate::policy::Agent;
use crate::yaml::decode::{At, Decoder, odd_text};
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span, meant};
use crate::yaml::excerpt::quoted;
use crate::yaml::{self, NodeId, NodeKind, Tree, Written};

/// The names that lead files may use. What is `None` could not be read, and is not checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vocabulary<'w> {
    /// Agents by name.
    pub agents: Option<&'w BTreeMap<String, Agent>>,
    /// The policy's tags.
    pub tags: Option<&'w [String]>,
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

/// What a file says of a lead, wherever in the file it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) label: Option<Box<str>>,
    pub(crate) hold: Option<Box<str>>,
    pub(crate) create: bool,
    pub(crate) fields: BTreeMap<Field, DesiredValue>,
}

impl Meaning {
    /// Makes it say this of a field.
    pub(crate) fn say(&mut self, field: Field, value: DesiredValue) {
        self.fields.insert(field, value);
    }
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

/// Declarations without their lines.
pub(crate) fn meaning_of(desired: Desired) -> BTreeMap<LeadId, Meaning> {
    let lead = |(id, lead): (LeadId, DesiredLead)| (id, one_meaning(&lead));
    desired.into_iter().map(lead).collect()
}

/// A declaration without its lines.
pub(crate) fn one_meaning(lead: &DesiredLead) -> Meaning {
    Meaning {
        label: lead.label.clone(),
        hold: lead.hold.clone(),
        create: lead.create,
        fields: lead
            .fields
            .iter()
            .map(|desired| (desired.field.clone(), desired.value.clone()))
            .collect(),
    }
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

    /// `None` where the name is wrong; `Some(None)` for no agent.
    fn agent(&self, reader: &mut Decoder<'_>, text: At<&str>) -> Option<Option<AgentId>> {
        let name = text.value.trim();
        if name == "none" {
            return Some(None);
        }
        let agents = self.vocabulary.agents?;
        if let Some(agent) = agents.get(name) {
            return Some(Some(agent.id.clone()));
        }
        if let Some(id) = AgentId::parse(name) {
            return Some(Some(id));
        }
        let odd = odd_text(name);
        let help = match meant(name, agents.keys().map(String::as_str).chain(["none"])) {
            Some(near) if !odd.is_empty() => format!("write `{near}`: {odd}"),
            Some(near) => format!("did you mean `{near}`?"),
            None if agents.is_empty() => {
                "name the agent in convertalk.yaml under `agents:`, or write the 24-hex id"
                    .to_owned()
            }
            None => {
                let known = agents
                    .keys()
                    .take(8)
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("convertalk.yaml names {known}; a 24-hex id or `none` will do, too")
            }
        };
        reader.error(
            Code::UnknownAgent,
            text.span,
            format!("no agent is called {}", quoted(name)),
            help,
        );
        None
    }

    fn patch(
        &self,
        reader: &mut Decoder<'_>,
        span: Span,
        present: &[At<&str>],
        absent: &[At<&str>],
    ) -> TagRule {
        if present.is_empty() && absent.is_empty() {
            let help = "name a tag in `present` or `absent`; `tags: []` clears; leave `tags` out to not manage them";
            reader.error(Code::TagsSayNothing, span, "`tags` names no tag", help);
        }
        for text in absent {
            let same = |other: &&At<&str>| tag(other.value) == tag(text.value);
            if let Some(both) = present.iter().find(same) {
                let message = format!("the tag {} is to be present and absent", quoted(text.value));
                let error = reader.source.error(Code::TagOverlap, text.span, message);
                reader.out.push(
                    error
                        .also(reader.source, both.span, "present here")
                        .help("keep it in one of the two lists"),
                );
            }
        }
        TagRule::Patch {
            present: self.tag_set(reader, present),
            absent: self.tag_set(reader, absent),
        }
    }

    fn tag_set(&self, reader: &mut Decoder<'_>, list: &[At<&str>]) -> BTreeSet<String> {
        let mut set = BTreeSet::new();
        for text in list {
            let Some(name) = tag(text.value) else {
                continue;
            };
            if name.contains(',') {
                let help = "some platforms keep tags as one text with commas, and would read this as several: split it";
                reader.warning(
                    Code::TagWithComma,
                    text.span,
                    format!("the tag {} holds a comma", quoted(&name)),
                    help,
                );
            }
            if let Some(known) = self.vocabulary.tags.filter(|known| !known.contains(&name)) {
                let odd = odd_text(&name);
                let help = match meant(&name, known.iter().map(String::as_str)) {
                    Some(near) if !odd.is_empty() => format!("write `{near}`: {odd}"),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        "use a tag of `policy.tags` in convertalk.yaml, or add it there".to_owned()
                    }
                };
                reader.error(
                    Code::UnknownTag,
                    text.span,
                    format!("the policy knows no tag {}", quoted(&name)),
                    help,
                );
            }
            if set.contains(&name) {
                let message = format!("the tag {} is here twice", quoted(&name));
                reader.warning(
                    Code::DuplicateTag,
                    text.span,
                    message,
                    "remove one of the two",
                );
            } else {
                set.insert(name);
            }
        }
        set
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

/// Puts the leads of all files together, given in the files' order; `text_of` gives a file's name and text by its number, for the
/// places of duplicates.
pub fn merge<'a>(
    files: Vec<Vec<Declared>>,
    text_of: impl Fn(u32) -> SourceFile<'a>,
    out: &mut Vec<Diagnostic>,
) -> Desired {
    // Places are sorted, and not the leads, which are much to move about.
    let places = |(file, leads): (usize, &Vec<Declared>)| -> Vec<(u64, usize, usize)> {
        leads
            .iter()
            .enumerate()
            .map(|(at, lead)| (lead.id.beginning(), file, at))
            .collect()
    };
    let mut order: Vec<(u64, usize, usize)> =
        files.par_iter().enumerate().flat_map_iter(places).collect();
    let of = |place: &(u64, usize, usize)| &files[place.1][place.2];
    let by_id = |a: &(u64, usize, usize), b: &(u64, usize, usize)| {
        a.0.cmp(&b.0).then_with(|| of(a).id.cmp(&of(b).id))
    };
    order.par_sort_unstable_by(|a, b| by_id(a, b).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    for pair in order
        .windows(2)
        .filter(|pair| by_id(&pair[0], &pair[1]).is_eq())
    {
        let (first, again) = (of(&pair[0]), of(&pair[1]));
        let message = format!("the lead {} is declared twice", quoted(again.id.as_str()));
        let error = text_of(again.file)
            .error(Code::DuplicateLead, again.span, message)
            .label("again");
        let error = error.also(&text_of(first.file), first.span, "also here");
        out.push(error.help("keep one of the two; one lead is declared in one place"));
    }
    let mut files: Vec<Vec<Option<Declared>>> = files
        .into_par_iter()
        .map(|leads| leads.into_iter().map(Some).collect())
        .collect();
    let taken = order
        .into_iter()
        .filter_map(|(_, file, at)| files[file][at].take());
    taken.map(|declared| (declared.id, declared.lead)).collect()
}

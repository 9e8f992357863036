//! One field of a change in one line: what every format for people shows, before styling.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::FieldChange;
use crate::lead::{Field, Kind, LeadId, Note, Shown, Value};
use crate::plan::{Change, Class, Plan, Source};
use crate::text::{distinct, distinct_from, look_alike};

/// Names for what a plan identifies by id.
pub(super) struct PlanNames<'a> {
    agents: BTreeMap<&'a str, &'a str>,
    /// The number of characters of a uuid that distinguishes all leads of the plan.
    shortest: usize,
    /// In the order of their uuids.
    changes: &'a [Change],
    /// Whether identical changes stay apart.
    pub(super) all_leads: bool,
}

/// The minimum number of characters shown of a uuid.
const SHORTEST: usize = 8;

impl<'a> PlanNames<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let agents = plan
            .agents
            .iter()
            .filter_map(|agent| Some((agent.id.as_str(), agent.name.as_deref()?)))
            .collect();
        let changes = plan.changes.iter().map(|change| &change.uuid);
        let others = plan
            .missing
            .iter()
            .map(|missing| &missing.uuid)
            .chain(plan.held.iter().map(|held| &held.uuid))
            .chain(plan.released.iter().map(|released| &released.uuid));
        let refused = plan
            .refusals
            .iter()
            .chain(&plan.warnings)
            .flat_map(|refusal| &refusal.leads);
        let ids: BTreeSet<&str> = changes
            .chain(others)
            .chain(refused)
            .map(LeadId::as_str)
            .collect();
        Self {
            agents,
            shortest: shortest(&ids),
            changes: &plan.changes,
            all_leads: false,
        }
    }

    /// Agents alone: no lead is shortened.
    pub(super) fn of_agents(agents: &'a BTreeMap<String, String>) -> Self {
        Self {
            agents: agents
                .iter()
                .map(|(id, name)| (id.as_str(), name.as_str()))
                .collect(),
            shortest: usize::MAX,
            changes: &[],
            all_leads: false,
        }
    }

    pub(super) fn agent(&self, id: &str) -> String {
        self.agents
            .get(id)
            .map_or_else(|| id.to_owned(), |name| (*name).to_owned())
    }

    /// Where a lead that would be written is declared.
    pub(super) fn source(&self, id: &LeadId) -> Option<&'a Source> {
        let found = self.changes.binary_search_by(|change| change.uuid.cmp(id));
        found.ok().map(|at| &self.changes[at].source)
    }

    pub(super) fn lead<'b>(&self, id: &'b LeadId) -> &'b str {
        let text = id.as_str();
        text.char_indices()
            .nth(self.shortest)
            .map_or(text, |(at, _)| &text[..at])
    }
}

/// The length that distinguishes sorted texts: one more than the longest prefix that two neighbors share.
pub(super) fn shortest(sorted: &BTreeSet<&str>) -> usize {
    let shared = |(one, other): (&&str, &&str)| {
        one.chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .map(shared)
        .max()
        .map_or(SHORTEST, |shared| (shared + 1).max(SHORTEST))
}

/// The summary of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FieldSummary {
    /// One value replaces another.
    Replaced { before: String, after: String },
    /// A long text replaces another: compared word by word.
    Reworded { before: String, after: String },
    /// Items added and removed.
    Set {
        added: Vec<String>,
        removed: Vec<String>,
    },
    /// Notes that are added.
    Notes(Vec<String>),
}

/// Texts longer than this are compared word by word.
const LONG: usize = 60;

/// Splits a field of which only a part is intended in two: the intended part and the drift.
pub(super) fn parts(change: &FieldChange) -> Vec<FieldChange> {
    let Some(intended) = &change.intended else {
        return vec![change.clone()];
    };
    let part = |before: &Value, after: &Value, class, taken| FieldChange {
        before: before.clone(),
        after: after.clone(),
        class: Some(class),
        intended: None,
        taken,
        ..change.clone()
    };
    vec![
        part(&change.before, intended, Class::Intended, None),
        part(intended, &change.after, Class::Drift, change.taken),
    ]
}

pub(super) fn field_summary(change: &FieldChange, names: &PlanNames<'_>) -> FieldSummary {
    let (before, after) = (change.before.shown(), change.after.shown());
    match (before, after) {
        (Shown::Tags(before), Shown::Tags(after)) => {
            // A tag that would look like another one of the lead is set apart from it, whether that one stays or not.
            let all = || before.union(after).map(String::as_str);
            let shown = |tag: &String| distinct_from(tag, all());
            let added = after.difference(before).map(shown).collect();
            let removed = before.difference(after).map(shown).collect();
            FieldSummary::Set { added, removed }
        }
        (Shown::Notes(before), Shown::Notes(after)) => {
            let added = after.iter().filter(|note| !before.contains(note));
            FieldSummary::Notes(added.map(note_words).collect())
        }
        (before, after) => {
            let is_reference = change.field.kind() == Kind::Reference;
            let absent = if is_reference { "none" } else { "(none)" };
            replaced(words(before, absent, names), words(after, absent, names))
        }
    }
}

/// What the inbox has and keeps, and beside it what the file asks for.
pub(super) fn kept(field_summary: &FieldSummary, shown: impl Fn(&str) -> String) -> String {
    match field_summary {
        FieldSummary::Replaced { before, after } | FieldSummary::Reworded { before, after } => {
            format!("inbox {}, file {}", shown(before), shown(after))
        }
        FieldSummary::Set { added, removed } => {
            let more = removed.iter().map(|tag| shown(&format!("+{tag}")));
            let fewer = added.iter().map(|tag| shown(&format!("-{tag}")));
            let beside: Vec<String> = more.chain(fewer).collect();
            format!("inbox {}", beside.join(" "))
        }
        FieldSummary::Notes(notes) => {
            let notes: Vec<String> = notes.iter().map(|note| shown(note)).collect();
            format!("inbox without {}", notes.join("; "))
        }
    }
}

fn words(side: Shown<'_>, absent: &str, names: &PlanNames<'_>) -> String {
    match side {
        Shown::One(None) | Shown::Tags(_) | Shown::Notes(_) => absent.to_owned(),
        Shown::One(Some("")) => "\"\"".to_owned(),
        Shown::One(Some(text)) => text.to_owned(),
        Shown::Agent(id) => names.agent(id.as_str()),
    }
}

pub(super) fn note_words(note: &Note) -> String {
    if note.description.is_empty() {
        note.title.clone()
    } else {
        format!("{}: {}", note.title, note.description)
    }
}

fn replaced(mut before: String, mut after: String) -> FieldSummary {
    if look_alike(&before, &after) {
        (before, after) = distinct(&before, &after);
    }
    if before == after {
        after.push_str(" (another)");
    }
    if before.chars().count() > LONG && after.chars().count() > LONG {
        FieldSummary::Reworded { before, after }
    } else {
        FieldSummary::Replaced { before, after }
    }
}

/// From this many leads on, identical changes are shown once.
pub(super) const ROLL_UP: usize = 3;

/// Who made a difference, and whether it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// The class, where it is another than the lead's.
    pub(super) class: Option<Class>,
    /// Nothing of it is written: what the inbox has stays.
    pub(super) stays: bool,
}

/// Leads with identical changes, under one heading.
pub(super) struct Group<'a> {
    /// Each field with the place that declares it, if it is the same for all leads of the group.
    pub(super) fields: Vec<(&'a Field, FieldSummary, Origin, Option<Source>)>,
    pub(super) changes: Vec<&'a Change>,
}

impl Group<'_> {
    /// Whether nothing of it is written.
    pub(super) fn stays(&self) -> bool {
        self.changes.iter().all(|change| change.stays())
    }

    /// Whether each field has the same place for all leads of the group.
    pub(super) fn has_one_place(&self) -> bool {
        self.fields.iter().all(|(.., place)| place.is_some())
    }
}

/// The line that declares a change: the field's own for a single field, else the lead's.
pub(super) fn line_of(change: &Change) -> Source {
    match change
        .fields
        .first()
        .filter(|field| change.fields.len() == 1 && field.line > 0)
    {
        Some(field) => Source {
            line: field.line,
            ..change.source.clone()
        },
        None => change.source.clone(),
    }
}

/// Groups identical changes, each group at the position of its first lead.
pub(super) fn groups<'a>(plan: &'a Plan, names: &PlanNames<'_>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut by_change: BTreeMap<_, usize> = BTreeMap::new();
    for change in &plan.changes {
        let parts: Vec<(&Field, FieldChange)> = change
            .fields
            .iter()
            .flat_map(|field| {
                parts(field)
                    .into_iter()
                    .map(move |part| (&field.field, part))
            })
            .collect();
        let lines: Vec<u32> = parts.iter().map(|(_, part)| part.line).collect();
        let summarize = |(field, part): (&'a Field, FieldChange)| {
            (
                field,
                field_summary(&part, names),
                Origin {
                    class: own_class(change, &part),
                    stays: part.stays(),
                },
            )
        };
        let fields: Vec<(&Field, FieldSummary, Origin)> =
            parts.into_iter().map(summarize).collect();
        let at = *by_change
            .entry((change.action, change.class, change.taken, fields.clone()))
            .or_insert(groups.len());
        match groups.get_mut(at).filter(|_| !names.all_leads) {
            Some(group) => {
                for ((.., place), line) in group.fields.iter_mut().zip(lines) {
                    *place = place.take().filter(|place| *place == asked(change, line));
                }
                group.changes.push(change);
            }
            None => {
                let places = lines.into_iter().map(|line| Some(asked(change, line)));
                let fields = fields
                    .into_iter()
                    .zip(places)
                    .map(|((field, field_summary, origin), place)| {
                        (field, field_summary, origin, place)
                    })
                    .collect();
                groups.push(Group {
                    fields,
                    changes: vec![change],
                });
            }
        }
    }
    groups
}

/// A field's class where it differs from its lead's.
fn own_class(change: &Change, field: &FieldChange) -> Option<Class> {
    field.class.filter(|class| *class != change.class)
}

fn asked(change: &Change, line: u32) -> Source {
    Source {
        file: change.source.file.clone(),
        line,
    }
}

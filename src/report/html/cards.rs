//! The leads of a plan as cards: one for each lead, and one for all leads with identical changes.

use std::collections::{BTreeMap, BTreeSet};

use similar::{ChangeTag, TextDiff};

use super::super::field_summary::{FieldSummary, Group, PlanNames, ROLL_UP, groups};
use super::super::style::some;
use super::choices::{ChoiceCounts, Choices, action, agents, classes, word};
use super::lead_link::{LeadLink, named};
use crate::lead::LeadId;
use crate::plan::{Action, Change, Class, Plan};

/// The maximum number of leads with identical changes that are named at once.
const NAMED: usize = 4;

/// Leads with identical changes; usually one.
pub(super) struct Card {
    pub(super) class: Option<&'static str>,
    pub(super) creates: bool,
    pub(super) rows: Vec<FieldRow>,
    pub(super) leads: Vec<LeadLink>,
    /// The values for the filters: words, and indices into [`Choices`].
    pub(super) classes: String,
    pub(super) actions: &'static str,
    pub(super) fields: String,
    pub(super) agents: String,
    pub(super) files: Vec<usize>,
}

impl Card {
    /// The first leads of several, by name.
    pub(super) fn preview(&self) -> String {
        let names = self
            .leads
            .iter()
            .map(|lead| lead.label.as_ref().unwrap_or(&lead.short));
        some(names, NAMED)
    }
}

/// One field of a card.
pub(super) struct FieldRow {
    pub(super) field: String,
    /// The class, if it differs from the card's.
    pub(super) class: Option<&'static str>,
    /// Whether to show the inbox and the file side by side, because neither value replaces the other.
    pub(super) apart: bool,
    pub(super) view: FieldView,
    pub(super) place: String,
}

/// The change of a field.
pub(super) enum FieldView {
    Replaced {
        before: String,
        after: String,
    },
    Reworded {
        before: Vec<Words>,
        after: Vec<Words>,
    },
    Set {
        added: Vec<String>,
        removed: Vec<String>,
    },
    Notes(Vec<String>),
}

/// A run of words of a long text.
pub(super) struct Words {
    pub(super) differ: bool,
    pub(super) text: String,
}

/// The cards in the order of the plan, each at the position of its first lead.
pub(super) fn cards(plan: &Plan, names: &PlanNames<'_>) -> (Vec<Card>, Choices) {
    let groups = groups(plan, names);
    let tally = ChoiceCounts::new(plan, &groups);
    let numbers: BTreeMap<&LeadId, usize> = plan
        .changes
        .iter()
        .enumerate()
        .map(|(number, change)| (&change.uuid, number))
        .collect();
    let cards = groups
        .iter()
        .flat_map(|group| match group.changes.as_slice() {
            several if several.len() >= ROLL_UP => {
                vec![card(group, several, names, &numbers, &tally)]
            }
            few => few
                .iter()
                .map(|change| card(group, &[*change], names, &numbers, &tally))
                .collect(),
        });
    (cards.collect(), tally.choices())
}

fn card(
    group: &Group<'_>,
    changes: &[&Change],
    names: &PlanNames<'_>,
    numbers: &BTreeMap<&LeadId, usize>,
    tally: &ChoiceCounts,
) -> Card {
    let rolled_up = changes.len() > 1;
    let class = changes.first().map_or(Class::Change, |change| change.class);
    let place = |at: usize| match (group.fields.get(at), changes.first()) {
        (Some((.., place)), _) if rolled_up => place
            .as_ref()
            .map(|place| place.to_string())
            .unwrap_or_default(),
        (Some((field, ..)), Some(change)) => {
            let asked = change.fields.iter().find(|other| other.field == **field);
            asked
                .filter(|asked| asked.line > 0)
                .map(|asked| format!(":{}", asked.line))
                .unwrap_or_default()
        }
        _ => String::new(),
    };
    let rows = group
        .fields
        .iter()
        .enumerate()
        .map(|(at, (field, field_summary, origin, _))| FieldRow {
            field: field.to_string(),
            class: origin.class.and_then(word),
            apart: origin.stays || origin.class.unwrap_or(class) == Class::Conflict,
            view: field_view(field_summary),
            place: place(at),
        });
    let lead_link = |change: &&Change| {
        let number = numbers.get(&change.uuid).copied();
        named(
            names,
            &change.uuid,
            change.label.clone(),
            number,
            Some(change.source.to_string()),
        )
    };
    let classes: BTreeSet<Class> = changes.iter().flat_map(|change| classes(change)).collect();
    let act = changes
        .first()
        .map_or(Action::Update, |change| change.action);
    let fields: BTreeSet<usize> = group
        .fields
        .iter()
        .filter_map(|(field, ..)| tally.field(field))
        .collect();
    let agents: BTreeSet<usize> = agents(group)
        .into_iter()
        .filter_map(|agent| tally.agent(agent))
        .collect();
    Card {
        class: word(class),
        creates: act == Action::Create,
        rows: rows.collect(),
        leads: changes.iter().map(lead_link).collect(),
        classes: classes
            .into_iter()
            .filter_map(word)
            .collect::<Vec<_>>()
            .join(" "),
        actions: action(act),
        fields: spaced(&fields),
        agents: spaced(&agents),
        files: changes
            .iter()
            .map(|change| tally.file(&change.source.file))
            .collect(),
    }
}

fn spaced(numbers: &BTreeSet<usize>) -> String {
    numbers
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

fn field_view(field_summary: &FieldSummary) -> FieldView {
    match field_summary {
        FieldSummary::Replaced { before, after } => FieldView::Replaced {
            before: before.clone(),
            after: after.clone(),
        },
        FieldSummary::Set { added, removed } => FieldView::Set {
            added: added.clone(),
            removed: removed.clone(),
        },
        FieldSummary::Notes(notes) => FieldView::Notes(notes.clone()),
        FieldSummary::Reworded { before, after } => {
            let diff = TextDiff::from_words(before.as_str(), after.as_str());
            let side = |tag| {
                let mut runs: Vec<Words> = Vec::new();
                for word in diff
                    .iter_all_changes()
                    .filter(|word| word.tag() == ChangeTag::Equal || word.tag() == tag)
                {
                    let differ = word.tag() == tag;
                    match runs.last_mut().filter(|run| run.differ == differ) {
                        Some(run) => run.text.push_str(word.value()),
                        None => runs.push(Words {
                            differ,
                            text: word.value().to_owned(),
                        }),
                    }
                }
                runs
            };
            FieldView::Reworded {
                before: side(ChangeTag::Delete),
                after: side(ChangeTag::Insert),
            }
        }
    }
}

//! The filters of the page: classes, actions, fields, agents and files, each with its number of leads. A card refers to the last three by
//! index, because their names may be any text.

use std::collections::{BTreeMap, BTreeSet};

use super::super::field_summary::{FieldSummary, Group};
use crate::lead::Field;
use crate::plan::{Action, Change, Class, Plan};

/// The name of a class; `None` for a change without a base.
pub(super) fn word(class: Class) -> Option<&'static str> {
    (class != Class::Change).then(|| class.as_str())
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Update => "update",
        Action::Create => "create",
    }
}

/// All classes of a lead: some fields may have drifted while others are intended.
pub(super) fn classes(change: &Change) -> BTreeSet<Class> {
    let beside = change
        .fields
        .iter()
        .any(|field| field.intended.is_some())
        .then_some(Class::Drift);
    let classes = change
        .fields
        .iter()
        .filter_map(|field| field.class)
        .chain([change.class])
        .chain(beside);
    classes.filter(|class| *class != Class::Change).collect()
}

/// The filters, each with its choices and their numbers of leads.
#[derive(Default)]
pub(super) struct Choices {
    pub(super) classes: Vec<(&'static str, usize)>,
    pub(super) actions: Vec<(&'static str, usize)>,
    pub(super) fields: Vec<(String, usize)>,
    pub(super) agents: Vec<(String, usize)>,
    pub(super) files: Vec<(String, usize)>,
}

/// The agents that leads of a group are moved from and to.
pub(super) fn agents<'a>(group: &'a Group<'_>) -> Vec<&'a str> {
    let of = |(field, field_summary): (&Field, &'a FieldSummary)| match (field, field_summary) {
        (field, FieldSummary::Replaced { before, after }) if *field == Field::AGENT => {
            vec![before.as_str(), after.as_str()]
        }
        _ => Vec::new(),
    };
    group
        .fields
        .iter()
        .flat_map(|(field, field_summary, ..)| of((*field, field_summary)))
        .collect()
}

/// Counts leads by choice.
#[derive(Default)]
pub(super) struct ChoiceCounts {
    classes: BTreeMap<Class, usize>,
    actions: BTreeMap<Action, usize>,
    fields: BTreeMap<Field, usize>,
    agents: BTreeMap<String, usize>,
    files: BTreeMap<String, usize>,
}

impl ChoiceCounts {
    pub(super) fn new(plan: &Plan, groups: &[Group<'_>]) -> Self {
        let mut tally = Self::default();
        plan.changes.iter().for_each(|change| tally.count(change));
        groups.iter().for_each(|group| tally.count_agents(group));
        tally
    }

    fn count(&mut self, change: &Change) {
        classes(change)
            .into_iter()
            .for_each(|class| *self.classes.entry(class).or_default() += 1);
        *self.actions.entry(change.action).or_default() += 1;
        change
            .fields
            .iter()
            .for_each(|field| *self.fields.entry(field.field.clone()).or_default() += 1);
        *self.files.entry(change.source.file.clone()).or_default() += 1;
    }

    fn count_agents(&mut self, group: &Group<'_>) {
        let distinct: BTreeSet<&str> = agents(group).into_iter().collect();
        distinct.into_iter().for_each(|agent| {
            *self.agents.entry(agent.to_owned()).or_default() += group.changes.len()
        });
    }

    pub(super) fn field(&self, field: &Field) -> Option<usize> {
        self.fields.keys().position(|other| other == field)
    }

    pub(super) fn agent(&self, agent: &str) -> Option<usize> {
        self.agents.keys().position(|other| other == agent)
    }

    pub(super) fn file(&self, file: &str) -> usize {
        self.files
            .keys()
            .position(|other| other == file)
            .unwrap_or_default()
    }

    pub(super) fn choices(self) -> Choices {
        Choices {
            classes: self
                .classes
                .into_iter()
                .filter_map(|(class, number)| Some((word(class)?, number)))
                .collect(),
            actions: self
                .actions
                .into_iter()
                .map(|(act, number)| (action(act), number))
                .collect(),
            fields: self
                .fields
                .into_iter()
                .map(|(field, number)| (field.to_string(), number))
                .collect(),
            agents: self.agents.into_iter().collect(),
            files: self.files.into_iter().collect(),
        }
    }
}

//! Goals and the `defaults` of a file: what cannot be unset because of them, and defaults that all their leads change alike.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{LeadGoals, Refused, Rewriter};
use crate::lead::{Desired, DesiredField, DesiredValue, Field, LeadId};
use crate::lead_file::edit::{finish, place};
use crate::lead_file::emit;
use crate::lead_file::valid::{declared_in, defaults};
use crate::yaml::Written;

impl Rewriter<'_> {
    /// The text with the defaults that are to say something else, and what its leads say then; `None` where there are none.
    pub(super) fn defaults(
        &self,
        written: &Written<'_>,
        goals: &LeadGoals<'_>,
    ) -> Result<Option<(String, Desired)>, Vec<Refused>> {
        let Some(lines) = place::defaults_lines(written) else {
            return Ok(None);
        };
        let whole = |why: String| vec![(None, why)];
        let desired = declared_in(self.file, written, self.vocabulary).map_err(whole)?;
        self.check_unset(written.text, goals, &desired)?;
        self.change_defaults(written, &lines, goals, &desired)
            .map_err(whole)
    }

    /// Refuses to unset what `defaults` would manage still.
    fn check_unset(
        &self,
        text: &str,
        goals: &LeadGoals<'_>,
        desired: &Desired,
    ) -> Result<(), Vec<Refused>> {
        let unset: Vec<(&LeadId, &Field)> = goals
            .iter()
            .filter_map(|(id, goal)| Some((*id, goal, desired.get(*id)?)))
            .flat_map(|(id, goal, lead)| {
                let fields = lead.fields.iter().map(|desired| &desired.field);
                let gone = fields.filter(|field| !goal.fields.contains(field));
                gone.map(move |field| (id, field))
            })
            .collect();
        if unset.is_empty() {
            return Ok(());
        }
        let file = self.file;
        let defaults = defaults(file, text, self.vocabulary);
        let refuse = |(id, field): (&LeadId, &Field)| {
            let default = defaults.iter().find(|default| default.field == *field)?;
            let why = format!(
                "{field} comes from `defaults` ({file}:{}); change it there, or give the lead a value of its own",
                default.line
            );
            Some((Some(id.clone()), why))
        };
        let refused: Vec<Refused> = unset.into_iter().filter_map(refuse).collect();
        if refused.is_empty() {
            Ok(())
        } else {
            Err(refused)
        }
    }

    /// Changes the defaults that all their leads are to change in the same way.
    fn change_defaults(
        &self,
        written: &Written<'_>,
        lines: &RangeInclusive<u32>,
        goals: &LeadGoals<'_>,
        desired: &Desired,
    ) -> Result<Option<(String, Desired)>, String> {
        // By field, the value that its leads are to have; `None` where they are to have several, or what they have.
        let mut common: BTreeMap<&Field, Option<&DesiredValue>> = BTreeMap::new();
        for (id, lead) in desired {
            for DesiredField { field, value, line } in &lead.fields {
                if !lines.contains(line) {
                    continue;
                }
                let goal = goals.get(id).and_then(|goal| goal.fields.get(field));
                let goal = goal.filter(|goal| *goal != value);
                let agrees = common.entry(field).or_insert(goal);
                if *agrees != goal {
                    *agrees = None;
                }
            }
        }
        let new: Vec<(Field, DesiredValue)> = common
            .into_iter()
            .filter_map(|(field, value)| Some((field.clone(), value?.clone())))
            .collect();
        if new.is_empty() {
            return Ok(None);
        }
        let splices = place::defaults(written, &emit::entries(&new, &self.names))?;
        let made = finish::put(written, splices);
        // What shares the default in some other way keeps it from being changed.
        let Ok(after) = finish::written(self.file, &made) else {
            return Ok(None);
        };
        let Ok(now) = self.says(&after) else {
            return Ok(None);
        };
        let fits = now.iter().all(|(id, now)| {
            let (was, goal) = (desired.get(id), goals.get(id));
            now.fields.iter().all(|DesiredField { field, value, .. }| {
                let was = was.and_then(|was| was.get(field)).map(|was| &was.value);
                let goal = goal.and_then(|goal| goal.fields.get(field));
                was == Some(value) || goal == Some(value)
            })
        });
        // Otherwise the leads get values of their own.
        let fits = fits && finish::check_comments(written, &after).is_ok();
        Ok(fits.then_some((made, now)))
    }
}

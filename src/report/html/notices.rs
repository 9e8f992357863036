//! Refusals and warnings, and what the classes mean.

use super::super::field_summary::PlanNames;
use super::choices;
use super::lead_link::{LeadLink, lead_link};
use crate::plan::{Class, Plan, Refusal};
use crate::text::count;

/// A refusal or a warning.
pub(super) struct Notice {
    /// Its color: `bad` or `warn`.
    pub(super) tone: &'static str,
    pub(super) title: &'static str,
    pub(super) message: String,
    /// The place of the rule.
    pub(super) place: Option<String>,
    /// What to do about it.
    pub(super) help: String,
    pub(super) leads: Vec<LeadLink>,
}

/// The maximum number of leads of a notice that are named at once; the others on demand.
const NAMED: usize = 6;

impl Notice {
    pub(super) fn named(&self) -> &[LeadLink] {
        &self.leads[..self.leads.len().min(NAMED)]
    }

    pub(super) fn others(&self) -> &[LeadLink] {
        &self.leads[self.leads.len().min(NAMED)..]
    }
}

/// Refusals, then missing leads, then warnings.
pub(super) fn notices(plan: &Plan, names: &PlanNames<'_>) -> Vec<Notice> {
    let mut all = Vec::new();
    for refusal in &plan.refusals {
        all.push(notice("bad", "Refused", refusal, plan, names));
    }
    if !plan.missing.is_empty() {
        all.push(missing(plan, names));
    }
    for warning in &plan.warnings {
        all.push(notice("warn", "Warning", warning, plan, names));
    }
    all
}

fn notice(
    tone: &'static str,
    title: &'static str,
    refusal: &Refusal,
    plan: &Plan,
    names: &PlanNames<'_>,
) -> Notice {
    Notice {
        tone,
        title,
        message: refusal.message.clone(),
        place: refusal.source.as_ref().map(|place| place.to_string()),
        help: refusal.lift.clone(),
        leads: refusal
            .leads
            .iter()
            .map(|id| lead_link(plan, names, id))
            .collect(),
    }
}

fn missing(plan: &Plan, names: &PlanNames<'_>) -> Notice {
    let remarks = plan.missing.iter().filter_map(|missing| {
        let remark = missing.remark()?;
        Some(format!("; {} is {remark}", missing.uuid))
    });
    let remarks: String = remarks.collect();
    Notice {
        tone: if plan.is_stuck() { "bad" } else { "warn" },
        title: if plan.is_stuck() { "Missing" } else { "Skipped" },
        message: format!(
            "{} not found in the inbox (searched twice){remarks}",
            count(plan.missing.len(), "declared lead")
        ),
        place: None,
        help: "check the uuids, remove the leads from the files, or add `create: true` to those to create".to_owned(),
        leads: plan.missing.iter().map(|missing| lead_link(plan, names, &missing.uuid)).collect(),
    }
}

/// A class with its number of leads and its meaning.
pub(super) struct ClassCount {
    pub(super) word: &'static str,
    pub(super) count: usize,
    pub(super) words: &'static str,
}

/// The classes, if there is a base to distinguish them by.
pub(super) fn classes(plan: &Plan) -> Vec<ClassCount> {
    if plan.base.is_none() {
        return Vec::new();
    }
    let of = |class: Class| {
        plan.changes
            .iter()
            .filter(|change| choices::classes(change).contains(&class))
            .count()
    };
    let meanings = [
        (
            Class::Intended,
            "The files changed since the base. This is the change under review.",
        ),
        (
            Class::Drift,
            "The inbox changed, the files did not. The drift policy decides which value is kept.",
        ),
        (
            Class::Conflict,
            "Both changed, to different values. Nothing is written until you choose a side.",
        ),
    ];
    let counted = meanings.map(|(class, words)| ClassCount {
        word: choices::word(class).unwrap_or_default(),
        count: of(class),
        words,
    });
    let released = ClassCount {
        word: "released",
        count: plan.released.len(),
        words: "No longer declared. The inbox keeps its value, which is no longer managed.",
    };
    counted.into_iter().chain([released]).collect()
}

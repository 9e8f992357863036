//! What wants a look before anything else, and what the classes mean: whose doing each difference is, in plain words.

use super::super::field_summary::PlanNames;
use super::choices;
use super::lead_link::{LeadLink, lead_link};
use crate::plan::{Class, Plan, Refusal};
use crate::text::count;

/// Something that stands in the way, or nearly so.
pub(super) struct Notice {
    /// Its colour: `bad` or `warn`.
    pub(super) tone: &'static str,
    pub(super) title: &'static str,
    pub(super) message: String,
    /// Where the rule stands.
    pub(super) place: Option<String>,
    /// What to do about it.
    pub(super) help: String,
    pub(super) leads: Vec<LeadLink>,
}

/// So many leads of a notice are named at once; the others on demand.
const NAMED: usize = 6;

impl Notice {
    pub(super) fn named(&self) -> &[LeadLink] {
        &self.leads[..self.leads.len().min(NAMED)]
    }

    pub(super) fn others(&self) -> &[LeadLink] {
        &self.leads[self.leads.len().min(NAMED)..]
    }
}

/// Refusals, then what is missing, then warnings.
pub(super) fn of(plan: &Plan, names: &PlanNames<'_>) -> Vec<Notice> {
    let told = |tone, title, refusal: &Refusal| Notice {
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
    };
    let missing = || {
        Notice {
        tone: "bad",
        title: "Missing",
        message: format!(
            "{} in the files and not in the inbox, after looking twice",
            if plan.missing.len() == 1 { "1 lead is".to_owned() } else { count(plan.missing.len(), "lead") + " are" }
        ),
        place: None,
        help: "check the uuids, take the leads out of the files, or say `create: true` of those that are to be made".to_owned(),
        leads: plan.missing.iter().map(|missing| lead_link(plan, names, &missing.uuid)).collect(),
    }
    };
    let refusals = plan
        .refusals
        .iter()
        .map(|refusal| told("bad", "Refused", refusal));
    let missing = (!plan.missing.is_empty()).then(missing);
    refusals
        .chain(missing)
        .chain(
            plan.warnings
                .iter()
                .map(|warning| told("warn", "Warning", warning)),
        )
        .collect()
}

/// A class with its leads counted, told in words.
pub(super) struct Told {
    pub(super) word: &'static str,
    pub(super) count: usize,
    pub(super) words: &'static str,
}

/// The classes, where there is a base to tell them by.
pub(super) fn classes(plan: &Plan) -> Vec<Told> {
    if plan.base.is_none() {
        return Vec::new();
    }
    let of = |class: Class| {
        plan.changes
            .iter()
            .filter(|change| choices::classes(change).contains(&class))
            .count()
    };
    let told = [
        (
            Class::Intended,
            "The files changed since the base. This is what the change under review does.",
        ),
        (
            Class::Drift,
            "The files did not change, the inbox did. The policy on drift says which side is kept.",
        ),
        (
            Class::Conflict,
            "Both changed, to different values. Nothing is written until somebody says which side holds.",
        ),
    ];
    let told = told.map(|(class, words)| Told {
        word: choices::word(class).unwrap_or_default(),
        count: of(class),
        words,
    });
    let released = Told {
        word: "released",
        count: plan.released.len(),
        words: "No longer in the files. The inbox keeps what it has, and nobody watches over it from here on.",
    };
    told.into_iter().chain([released]).collect()
}

//! A plan for a comment on a pull request or a job summary: most important first, so that cuts remove the least important.
//!
//! `inline` escapes text from strangers; `blocks` keeps the document within a size and well-formed.

use super::Audience;
use super::field_summary::{Group, PlanNames, groups};
use super::headline::{Outlook, PlanHeadline};
use crate::lead::LeadId;
use crate::plan::{Class, Plan, Refusal};
use blocks::{Block, TableRow, fitted};
use changes::changes;
use inline::{at, code, prose};

mod blocks;
mod changes;
mod inline;
mod run;
mod tables;

pub(super) use run::{outcomes, run, run_headline, word};

/// The maximum number of leads of a group or refusal that are named.
const NAMED: usize = 6;

/// The smallest size that a plan can be cut to, in bytes.
pub const SMALLEST: usize = 500;

pub(super) fn plan(plan: &Plan, audience: Audience<'_>) -> String {
    let most = audience.max_bytes;
    let mut names = PlanNames::new(plan);
    names.all_leads = audience.all_leads;
    // Hidden in the rendered comment; lets a pipeline find the comment that it keeps up to date.
    let bot: String = plan
        .target
        .bot_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(24)
        .collect();
    let headline = PlanHeadline::new(plan);
    let head = format!(
        "### {} <!-- convertalk plan {bot} -->\n",
        prose(&headline.plain())
    );
    let mut all: Vec<Block> = (headline.outlook != Outlook::Idle)
        .then(|| about(plan))
        .into_iter()
        .collect();
    all.extend(
        plan.refusals
            .iter()
            .enumerate()
            .map(|(at, refusal)| refusal_block(refusal, "Refused", at == 0, &names)),
    );
    all.extend(missing(plan));
    all.extend(
        plan.warnings
            .iter()
            .enumerate()
            .map(|(at, warning)| refusal_block(warning, "Warnings", at == 0, &names)),
    );
    let groups = groups(plan, &names);
    all.extend(changes(&groups, Class::Conflict, &names));
    all.extend(tables::transitions(plan));
    all.extend(tables::workload(plan));
    all.extend(
        [Class::Change, Class::Intended]
            .into_iter()
            .filter_map(|class| changes(&groups, class, &names)),
    );
    let (kept_drift, reverted): (Vec<Group<'_>>, Vec<Group<'_>>) =
        groups.into_iter().partition(Group::stays);
    all.extend(changes(&reverted, Class::Drift, &names));
    all.extend(changes(&kept_drift, Class::Drift, &names));
    all.extend(held(plan, &names));
    all.extend(released(plan, &names));
    fitted(head, &all, most)
}

/// What the plan was made from.
fn about(plan: &Plan) -> Block {
    let base = plan.base.as_ref().map(|base| {
        let commit: String = base
            .commit
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        format!(
            "compared with {} ({}), ",
            code(&base.reference),
            code(&commit)
        )
    });
    let extent = if plan.listing.complete {
        "whole inbox read"
    } else {
        "read until every declared lead was found"
    };
    let endpoint = plan
        .target
        .endpoint
        .split_once("://")
        .map_or(plan.target.endpoint.as_str(), |(_, host)| host);
    let row = format!(
        "For {}: {}{extent}, {}.\n",
        code(endpoint),
        base.unwrap_or_default(),
        prose(&plan.created_at)
    );
    Block {
        open: "\n".to_owned(),
        rows: vec![TableRow::one(row)],
        close: "",
        noun: "line about the plan",
    }
}

/// One rule: its message, its place, its leads, and what to do about it.
fn refusal_block(refusal: &Refusal, title: &str, is_first: bool, names: &PlanNames<'_>) -> Block {
    let place = refusal
        .source
        .as_ref()
        .map(|source| format!(" {}", at(source)))
        .unwrap_or_default();
    let leads = if refusal.leads.is_empty() {
        String::new()
    } else {
        format!("  \n  {}", some(refusal.leads.iter(), names))
    };
    let row = format!(
        "- **{}**{place}{leads}  \n  Help: {}\n",
        prose(&refusal.message),
        prose(&refusal.lift)
    );
    let open = if is_first {
        format!("\n#### {title}\n\n")
    } else {
        String::new()
    };
    Block {
        open,
        rows: vec![TableRow::one(row)],
        close: "",
        noun: if title == "Refused" {
            "refusal"
        } else {
            "warning"
        },
    }
}

fn some<'a>(leads: impl ExactSizeIterator<Item = &'a LeadId>, names: &PlanNames<'_>) -> String {
    let left_out = leads.len().saturating_sub(NAMED);
    let named = |id: &LeadId| match names.source(id) {
        Some(source) => format!("{} {}", code(names.lead(id)), at(source)),
        None => code(names.lead(id)),
    };
    let mut list: Vec<String> = leads.take(NAMED).map(named).collect();
    if left_out > 0 {
        list.push(format!("and {left_out} more"));
    }
    list.join(", ")
}

fn missing(plan: &Plan) -> Option<Block> {
    let row = |missing: &crate::plan::Missing| {
        let label = missing.label.as_deref().map(prose).unwrap_or_default();
        let remark = missing
            .remark()
            .map(|remark| format!(", {}", prose(&remark)));
        format!(
            "| {} | {label} | {}{} |\n",
            code(missing.uuid.as_str()),
            at(&missing.source),
            remark.unwrap_or_default()
        )
    };
    let skipped = if plan.is_stuck() { "" } else { ", skipped" };
    let open = format!(
        "\n#### Not found in the inbox (searched twice){skipped}\n\n| Lead | Label | Declared at |\n|:--|:--|:--|\n"
    );
    let rows: Vec<TableRow> = plan.missing.iter().map(row).map(TableRow::one).collect();
    (!rows.is_empty()).then_some(Block {
        open,
        rows,
        close: "",
        noun: "missing lead",
    })
}

fn held(plan: &Plan, names: &PlanNames<'_>) -> Option<Block> {
    let row = |held: &crate::plan::Held| {
        let label = held
            .label
            .as_deref()
            .map(|label| format!(" {}", prose(label)))
            .unwrap_or_default();
        format!(
            "| {}{label} | {} | {} |\n",
            code(names.lead(&held.uuid)),
            prose(&held.reason),
            at(&held.source)
        )
    };
    let open = "\n<details><summary>Held, not written</summary>\n\n| Lead | Reason | Declared at |\n|:--|:--|:--|\n";
    let rows: Vec<TableRow> = plan.held.iter().map(row).map(TableRow::one).collect();
    (!rows.is_empty()).then(|| Block {
        open: open.to_owned(),
        rows,
        close: "\n</details>\n",
        noun: "held lead",
    })
}

fn released(plan: &Plan, names: &PlanNames<'_>) -> Option<Block> {
    let row = |released: &crate::plan::Released| {
        let label = released
            .label
            .as_deref()
            .map(|label| format!(" {}", prose(label)))
            .unwrap_or_default();
        let fields: Vec<String> = released.fields.iter().map(|field| code(field)).collect();
        format!(
            "| {}{label} | {} |\n",
            code(names.lead(&released.uuid)),
            fields.join(", ")
        )
    };
    let open = "\n<details><summary>No longer declared, left unchanged</summary>\n\n| Lead | Fields |\n|:--|:--|\n";
    let rows: Vec<TableRow> = plan.released.iter().map(row).map(TableRow::one).collect();
    (!rows.is_empty()).then(|| Block {
        open: open.to_owned(),
        rows,
        close: "\n</details>\n",
        noun: "released lead",
    })
}

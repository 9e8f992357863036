//! A plan for a comment on a pull request or a job summary: most important first, so that cuts remove the least important.
//!
//! `inline` escapes text from strangers; `blocks` keeps the document within a size and well-formed.

use similar::{ChangeTag, TextDiff};

use super::Audience;
use super::field_summary::{
    FieldSummary, Group, Origin, PlanNames, ROLL_UP, groups, kept, line_of,
};
use super::headline::{Outlook, PlanHeadline};
use crate::lead::LeadId;
use crate::plan::{Action, Change, Class, Plan, Refusal, Source};
use crate::text::{shortened, visible};
use blocks::{Block, TableRow, fitted};
use inline::{code, encoded, prose};

mod blocks;
mod inline;
mod run;
mod tables;

pub(super) use run::run;

/// The maximum number of leads of a group or refusal that are named.
const NAMED: usize = 6;
/// The maximum number of characters of a long text that are compared.
const LONGEST: usize = 400;

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

/// The changes of one class.
fn changes(groups: &[Group<'_>], class: Class, names: &PlanNames<'_>) -> Option<Block> {
    let (title, noun, close) = match class {
        Class::Conflict => (
            "#### Conflicts: the file and the inbox both changed, to different values\n",
            "lead in conflict",
            "",
        ),
        Class::Change => ("#### Changes\n", "change", ""),
        Class::Intended => (
            "#### Intended: changed in the files since the base\n",
            "intended change",
            "",
        ),
        Class::Drift if groups.iter().all(Group::stays) => (
            "<details><summary>Drift, kept: changed in the inbox, and not by these files</summary>\n",
            "drifted lead",
            "\n</details>\n",
        ),
        Class::Drift => (
            "#### Drift: changed in the inbox, and not by these files\n",
            "drifted lead",
            "",
        ),
    };
    let of_class = |group: &&Group<'_>| {
        group
            .changes
            .first()
            .is_some_and(|change| change.class == class)
    };
    let rows: Vec<TableRow> = groups
        .iter()
        .filter(of_class)
        .flat_map(|group| rows(group, names))
        .collect();
    let open = format!("\n{title}\n| Lead | Change | Declared at |\n|:--|:--|:--|\n");
    (!rows.is_empty()).then_some(Block {
        open,
        rows,
        close,
        noun,
    })
}

fn rows(group: &Group<'_>, names: &PlanNames<'_>) -> Vec<TableRow> {
    let fields: Vec<String> = group
        .fields
        .iter()
        .map(|(field, field_summary, origin, _)| {
            told_field(&field.to_string(), field_summary, *origin)
        })
        .collect();
    let fields = fields.join("<br>");
    let row = |lead: String, place: &Source| {
        TableRow::one(format!("| {lead} | {fields} | {} |\n", at(place)))
    };
    let [first, ..] = group.changes.as_slice() else {
        return Vec::new();
    };
    if group.changes.len() < ROLL_UP {
        return group
            .changes
            .iter()
            .map(|change| {
                row(
                    format!("{}{}", new(change), lead(change, names)),
                    &line_of(change),
                )
            })
            .collect();
    }
    let left_out = group.changes.len().saturating_sub(NAMED);
    let place = |change| {
        if group.has_one_place() {
            String::new()
        } else {
            format!(" {}", at(&line_of(change)))
        }
    };
    let named = group.changes.iter().take(NAMED);
    let mut leads: Vec<String> = named
        .map(|change| lead(change, names) + &place(change))
        .collect();
    if left_out > 0 {
        leads.push(format!("and {left_out} more"));
    }
    let lead = format!(
        "{}**{} leads:** {}",
        new(first),
        group.changes.len(),
        leads.join(", ")
    );
    let places = group
        .fields
        .iter()
        .find_map(|(.., place)| place.as_ref().filter(|_| group.has_one_place()));
    let text = format!(
        "| {lead} | {fields} | {} |\n",
        places.map(at).unwrap_or_default()
    );
    vec![TableRow {
        text,
        stands_for: group.changes.len(),
    }]
}

fn new(change: &Change) -> &'static str {
    match change.action {
        Action::Update => "",
        Action::Create => "**create** ",
    }
}

fn lead(change: &Change, names: &PlanNames<'_>) -> String {
    let id = code(names.lead(&change.uuid));
    change.label.as_deref().map_or_else(
        || id.clone(),
        |label| format!("{id} {}", prose(&shortened(label, 80))),
    )
}

fn told_field(name: &str, field_summary: &FieldSummary, origin: Origin) -> String {
    let class = match origin.class {
        None | Some(Class::Change) => String::new(),
        Some(class) => format!(" _({})_", class.as_str()),
    };
    if origin.stays {
        return format!(
            "{} {}{class}",
            prose(name),
            kept(field_summary, |text| code(&shortened(text, LONGEST)))
        );
    }
    let change = match field_summary {
        FieldSummary::Replaced { before, after } => format!("{} → {}", code(before), code(after)),
        FieldSummary::Set { added, removed } => {
            let added = added.iter().map(|tag| code(&format!("+{tag}")));
            added
                .chain(removed.iter().map(|tag| code(&format!("-{tag}"))))
                .collect::<Vec<_>>()
                .join(" ")
        }
        FieldSummary::Notes(notes) => notes
            .iter()
            .map(|note| code(&format!("+ {note}")))
            .collect::<Vec<_>>()
            .join("<br>"),
        FieldSummary::Reworded { before, after } => {
            reworded(&shortened(before, LONGEST), &shortened(after, LONGEST))
        }
    };
    format!("{} {change}{class}", prose(name))
}

/// Two long texts as one, compared word by word; adjacent insertions and deletions are marked together.
fn reworded(before: &str, after: &str) -> String {
    let diff = TextDiff::from_words(before, after);
    let words: Vec<_> = diff.iter_all_changes().collect();
    let run = |words: &[similar::Change<&str>]| {
        let text: String = words.iter().map(|word| visible(word.value())).collect();
        let text = encoded(&text);
        match words.first().map(similar::Change::tag) {
            Some(ChangeTag::Delete) => format!("<del>{text}</del>"),
            Some(ChangeTag::Insert) => format!("<ins>{text}</ins>"),
            Some(ChangeTag::Equal) | None => text,
        }
    };
    words
        .chunk_by(|one, other| one.tag() == other.tag())
        .map(run)
        .collect()
}

fn at(source: &Source) -> String {
    code(&source.to_string())
}

//! Tables of numbers: status transitions, and leads per agent.

use super::blocks::{Block, TableRow};
use super::inline::code;
use crate::plan::Plan;
use crate::report::tables::{Matrix, notable_agents};

/// Rows are statuses before, columns statuses after.
pub(super) fn transitions(plan: &Plan) -> Option<Block> {
    let Matrix { columns, rows } = Matrix::new(&plan.transitions);
    let head: String = columns
        .iter()
        .map(|word| format!(" {} |", code(word)))
        .collect();
    let open = format!(
        "\n#### Status transitions\n\n| from ↓ to → |{head}\n|:--|{}\n",
        "--:|".repeat(columns.len())
    );
    let cell =
        |count: &Option<usize>| count.map_or(" · |".to_owned(), |count| format!(" {count} |"));
    let row = |(from, counts): &(Option<&str>, Vec<Option<usize>>)| {
        format!(
            "| {} |{}\n",
            from.map_or("new".to_owned(), code),
            counts.iter().map(cell).collect::<String>()
        )
    };
    let rows: Vec<TableRow> = rows.iter().map(row).map(TableRow::one).collect();
    (!rows.is_empty()).then_some(Block {
        open,
        rows,
        close: "",
        noun: "status",
    })
}

/// Agents whose number of leads changes, or that have a cap.
pub(super) fn workload(plan: &Plan) -> Option<Block> {
    let scope = if plan.listing.complete {
        "Agents"
    } else {
        "Agents (declared leads only)"
    };
    let open = format!(
        "\n#### {scope}\n\n| Agent | Before | After | Change | Cap |\n|:--|--:|--:|--:|--:|\n"
    );
    let dot = || "·".to_owned();
    let rows = notable_agents(&plan.agents).map(|agent| {
        let change = i128::from(agent.after) - i128::from(agent.before);
        let change = if change == 0 {
            dot()
        } else {
            format!("{change:+}")
        };
        let cap = agent.max_leads.map_or_else(dot, |cap| cap.to_string());
        let name = code(agent.name.as_deref().unwrap_or(&agent.id));
        format!(
            "| {name} | {} | {} | {change} | {cap} |\n",
            agent.before, agent.after
        )
    });
    let rows: Vec<TableRow> = rows.map(TableRow::one).collect();
    (!rows.is_empty() && !plan.is_empty()).then_some(Block {
        open,
        rows,
        close: "",
        noun: "agent",
    })
}

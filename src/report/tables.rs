//! Tables for a terminal: how statuses move, and how much each agent carries.

use comfy_table::presets;
use comfy_table::{CellAlignment, Table};

use super::style::visible;
use crate::plan::{AgentLoad, TransitionCount};

/// Statuses before, downwards, against statuses after.
pub(super) fn transitions(counts: &[TransitionCount]) -> String {
    let mut columns: Vec<&str> = counts.iter().map(|count| count.to.as_str()).collect();
    columns.sort_by_key(|word| order(word));
    columns.dedup();
    let mut rows: Vec<Option<&str>> = counts.iter().map(|count| count.from.as_deref()).collect();
    rows.sort_by_key(|word| word.map_or((0, ""), order));
    rows.dedup();
    let mut table = plain();
    table.set_header(std::iter::once("from \\ to".to_owned()).chain(columns.iter().map(|word| visible(word))));
    for row in rows {
        let cell = |column: &&str| {
            let found = counts.iter().find(|count| count.from.as_deref() == row && count.to == *column);
            found.map_or("·".to_owned(), |count| count.count.to_string())
        };
        table.add_row(std::iter::once(row.map_or("(new)".to_owned(), visible)).chain(columns.iter().map(cell)));
    }
    numbers_right(&mut table);
    table.to_string()
}

/// Agents whose number of leads changes, or that have a cap.
pub(super) fn workload(agents: &[AgentLoad]) -> Option<String> {
    let told: Vec<&AgentLoad> = agents.iter().filter(|agent| agent.before != agent.after || agent.max_leads.is_some()).collect();
    if told.is_empty() {
        return None;
    }
    let mut table = plain();
    table.set_header(["agent", "before", "after", "change", "cap"]);
    for agent in told {
        let change = i128::from(agent.after) - i128::from(agent.before);
        table.add_row([
            visible(agent.name.as_deref().unwrap_or(&agent.id)),
            agent.before.to_string(),
            agent.after.to_string(),
            if change == 0 { "·".to_owned() } else { format!("{change:+}") },
            agent.max_leads.map_or("·".to_owned(), |cap| cap.to_string()),
        ]);
    }
    numbers_right(&mut table);
    Some(table.to_string())
}

/// The platform's order, then any other word by itself.
fn order(word: &str) -> (usize, &str) {
    let known = crate::lead::Status::WRITABLE.iter().position(|status| status.as_str() == word);
    (known.map_or(usize::MAX, |at| at + 1), word)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn numbers_right(table: &mut Table) {
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
}

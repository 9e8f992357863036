//! The numbers of the tables in every format: status transitions and leads per agent; and both tables for a terminal.

use comfy_table::presets;
use comfy_table::{CellAlignment, Table};

use super::style::visible;
use crate::plan::{AgentLoad, TransitionCount};

/// Status transitions: rows are statuses before, columns statuses after.
pub(super) struct Matrix<'a> {
    pub(super) columns: Vec<&'a str>,
    /// A row has a number or `None` for each column; a `None` status before is a new lead, or one without a status.
    pub(super) rows: Vec<(Option<&'a str>, Vec<Option<usize>>)>,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(counts: &'a [TransitionCount]) -> Self {
        let mut columns: Vec<&str> = counts.iter().map(|count| count.to.as_str()).collect();
        columns.sort_by_key(|word| order(word));
        columns.dedup();
        let mut rows: Vec<Option<&str>> =
            counts.iter().map(|count| count.from.as_deref()).collect();
        rows.sort_by_key(|word| word.map_or((0, ""), order));
        rows.dedup();
        let found = |from: Option<&str>, to: &str| {
            counts
                .iter()
                .find(|count| count.from.as_deref() == from && count.to == to)
        };
        let row = |from| {
            (
                from,
                columns
                    .iter()
                    .map(|to| found(from, to).map(|count| count.count))
                    .collect(),
            )
        };
        let rows = rows.into_iter().map(row).collect();
        Self { columns, rows }
    }
}

/// Agents whose number of leads changes, and those that have reached their cap.
pub(super) fn notable_agents(agents: &[AgentLoad]) -> impl Iterator<Item = &AgentLoad> {
    agents.iter().filter(|agent| {
        let full = agent
            .max_leads
            .is_some_and(|cap| agent.after >= u64::from(cap));
        agent.before != agent.after || full
    })
}

pub(super) fn transitions(counts: &[TransitionCount]) -> String {
    let Matrix { columns, rows } = Matrix::new(counts);
    let mut table = plain();
    table.set_header(
        std::iter::once("from \\ to".to_owned()).chain(columns.iter().map(|word| visible(word))),
    );
    for (from, counts) in rows {
        let cells = counts
            .into_iter()
            .map(|count| count.map_or("·".to_owned(), |count| count.to_string()));
        table.add_row(std::iter::once(from.map_or("(new)".to_owned(), visible)).chain(cells));
    }
    numbers_right(&mut table);
    table.to_string()
}

pub(super) fn workload(agents: &[AgentLoad]) -> Option<String> {
    let mut agents = notable_agents(agents).peekable();
    agents.peek()?;
    let mut table = plain();
    table.set_header(["agent", "before", "after", "change", "cap"]);
    for agent in agents {
        let change = i128::from(agent.after) - i128::from(agent.before);
        table.add_row([
            visible(agent.name.as_deref().unwrap_or(&agent.id)),
            agent.before.to_string(),
            agent.after.to_string(),
            if change == 0 {
                "·".to_owned()
            } else {
                format!("{change:+}")
            },
            agent
                .max_leads
                .map_or("·".to_owned(), |cap| cap.to_string()),
        ]);
    }
    numbers_right(&mut table);
    Some(table.to_string())
}

/// Orders statuses as the platform does, then others by name.
fn order(word: &str) -> (usize, &str) {
    let known = crate::lead::Status::WRITABLE
        .iter()
        .position(|status| status.as_str() == word);
    (known.map_or(usize::MAX, |at| at + 1), word)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn numbers_right(table: &mut Table) {
    table
        .column_iter_mut()
        .skip(1)
        .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
}

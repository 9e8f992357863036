//! A document of blocks, cut to a size from its end, where the least important blocks are, and well-formed at any size.

use std::collections::BTreeMap;

use crate::text::count;

/// A block that is left out unless at least one of its rows fits.
pub(super) struct Block {
    /// The text before the rows.
    pub(super) open: String,
    pub(super) rows: Vec<TableRow>,
    /// The text after the rows.
    pub(super) close: &'static str,
    /// What a row stands for, in the singular.
    pub(super) noun: &'static str,
}

/// One line, or several that belong together.
pub(super) struct TableRow {
    pub(super) text: String,
    /// How many items the row stands for.
    pub(super) stands_for: usize,
}

impl TableRow {
    pub(super) fn one(text: String) -> Self {
        Self {
            text,
            stands_for: 1,
        }
    }
}

/// Renders the head, as many rows as fit, and a note about the rows left out. Without a size, everything.
pub(super) fn fitted(head: String, blocks: &[Block], most: Option<usize>) -> String {
    let size = |block: &Block| {
        block.open.len()
            + block.close.len()
            + block.rows.iter().map(|row| row.text.len()).sum::<usize>()
    };
    let whole = head.len() + blocks.iter().map(size).sum::<usize>();
    let most = most.unwrap_or(usize::MAX);
    // The note is longest if all rows are left out.
    let room = if whole <= most {
        most
    } else {
        most.saturating_sub(left_out(&vec![0; blocks.len()], blocks, most).len())
    };
    let mut out = head;
    let mut shown = vec![0; blocks.len()];
    for (block, shown) in blocks.iter().zip(&mut shown) {
        let mut end = out.len() + block.open.len() + block.close.len();
        let fits = |row: &&TableRow| {
            end += row.text.len();
            end <= room
        };
        *shown = block.rows.iter().take_while(fits).count();
        if *shown > 0 {
            out.push_str(&block.open);
            block
                .rows
                .iter()
                .take(*shown)
                .for_each(|row| out.push_str(&row.text));
            out.push_str(block.close);
        }
        if *shown < block.rows.len() {
            break;
        }
    }
    if whole > most {
        out.push_str(&left_out(&shown, blocks, most));
    }
    out
}

fn left_out(shown: &[usize], blocks: &[Block], most: usize) -> String {
    let mut hidden: BTreeMap<&str, usize> = BTreeMap::new();
    for (block, shown) in blocks.iter().zip(shown) {
        let left: usize = block
            .rows
            .iter()
            .skip(*shown)
            .map(|row| row.stands_for)
            .sum();
        *hidden.entry(block.noun).or_default() += left;
    }
    let parts: Vec<String> = hidden
        .into_iter()
        .filter(|(_, left)| *left > 0)
        .map(|(noun, left)| count(left, noun))
        .collect();
    format!(
        "\n**Cut to {most} bytes.** Left out: {}. Other formats show everything.\n",
        parts.join(", ")
    )
}

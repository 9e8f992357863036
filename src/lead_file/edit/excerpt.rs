//! A few leads of a large file as a small lead file of their own, which is edited in place of the whole.
//!
//! Reading a file takes longer than all else that an edit does, and an edit reads it several times. Where leads depend on nothing but
//! their own lines, the lines of the others need not be read at all.
//!
//! # Flow
//! [`LeadExcerpt::new`] finds the lines of the leads by their text, [`LeadExcerpt::put_back`] puts the edited ones in their place.
//!
//! # Assumptions
//! The excerpt is used only where it says of the leads what the whole file was read to say, so that a line that only looks like a lead's
//! is noticed. What ties leads together, anchors, aliases, `defaults`, comments beside others, is left to an edit of the whole file.

use std::collections::HashMap;
use std::ops::Range;

use crate::lead::LeadId;

/// What a file has that may tie its leads together, or that makes their lines hard to know: the whole file is edited then.
const TIES: [&str; 10] = [
    "&", "*", "<<", "defaults", "\t", "\r", "|+", ">+", "\n---", "\n...",
];

/// Leads of a file, as a file.
#[derive(Debug)]
pub(super) struct LeadExcerpt<'t> {
    file: &'t str,
    /// The lines before the first lead, which the excerpt begins with.
    head: &'t str,
    /// The blanks before the key of a lead.
    indent: &'t str,
    /// Each lead with its lines in the file, in the order of the file.
    blocks: Vec<(&'t LeadId, Range<usize>)>,
}

impl<'t> LeadExcerpt<'t> {
    /// The lines of some leads; `None` where they are not easily known, or are most of the file.
    pub(super) fn new(file: &'t str, leads: impl Iterator<Item = &'t LeadId>) -> Option<Self> {
        if !file.ends_with('\n') || TIES.iter().any(|tie| file.contains(tie)) {
            return None;
        }
        let head_end = file.find("\nleads:\n")? + "\nleads:\n".len();
        let first = file[head_end..].lines().find(|line| !is_gap(line))?;
        let indent = &first[..first.len() - first.trim_start_matches(' ').len()];
        if indent.is_empty() {
            return None;
        }
        let all = all_lines(file, head_end, indent);
        let mut blocks = Vec::new();
        for id in leads {
            // A comment among the lines may be in a column with those of the lead above or below.
            let lines = all.get(id.as_str())?.clone()?;
            if file[lines.clone()].contains('#') {
                return None;
            }
            blocks.push((id, lines));
        }
        blocks.sort_by_key(|(_, lines)| lines.start);
        let size: usize = blocks.iter().map(|(_, lines)| lines.len()).sum();
        let is_small = 2 * (head_end + size) < file.len();
        is_small.then_some(Self {
            file,
            head: &file[..head_end],
            indent,
            blocks,
        })
    }

    /// The text of the excerpt.
    pub(super) fn text(&self) -> String {
        let mut text = self.head.to_owned();
        for (number, (_, lines)) in self.blocks.iter().enumerate() {
            if number > 0 && is_set_apart(&self.file[..lines.start]) {
                text.push('\n');
            }
            text.push_str(&self.file[lines.clone()]);
        }
        text
    }

    /// The file with the leads as they are in the edited excerpt; `None` where that has other leads, or other lines before them.
    pub(super) fn put_back(&self, edited: &str) -> Option<String> {
        let mut rest = edited.strip_prefix(self.head)?;
        let mut made = String::with_capacity(self.file.len() + edited.len());
        let mut at = 0;
        for (number, (id, lines)) in self.blocks.iter().enumerate() {
            rest.strip_prefix(&key_of(self.indent, id))?;
            let end = match self.blocks.get(number + 1) {
                Some((next, _)) => rest.find(&format!("\n{}", key_of(self.indent, next)))? + 1,
                None => rest.len(),
            };
            let (block, after) = rest.split_at(end);
            rest = after;
            made.push_str(&self.file[at..lines.start]);
            made.push_str(block.trim_end_matches('\n'));
            made.push('\n');
            at = lines.end;
        }
        made.push_str(&self.file[at..]);
        rest.is_empty().then_some(made)
    }
}

fn key_of(indent: &str, id: &LeadId) -> String {
    format!("{indent}{id}:")
}

/// The lines of each lead by its key, without the blank lines and comments after them; `None` for a key that is there twice.
fn all_lines<'t>(
    file: &'t str,
    from: usize,
    indent: &str,
) -> HashMap<&'t str, Option<Range<usize>>> {
    let mut all: HashMap<&str, Option<Range<usize>>> = HashMap::new();
    let mut current: Option<&str> = None;
    let mut next = from;
    for line in file[from..].split_inclusive('\n') {
        let start = next;
        next += line.len();
        if is_gap(line) {
            continue;
        }
        let text = line.trim_start_matches(' ');
        let depth = line.len() - text.len();
        if depth < indent.len() {
            current = None;
        } else if depth == indent.len() {
            current = text.split_once(':').map(|(key, _)| key);
            if let Some(key) = current {
                let lines = all.entry(key);
                lines
                    .and_modify(|lines| *lines = None)
                    .or_insert(Some(start..next));
            }
        } else if let Some(Some(lines)) = current.and_then(|key| all.get_mut(key)) {
            lines.end = next;
        }
    }
    all
}

/// Whether there is a blank line above a lead and its comments.
fn is_set_apart(mut above: &str) -> bool {
    while let Some(line) = above.split_inclusive('\n').next_back() {
        if !line.trim_start().starts_with('#') {
            break;
        }
        above = &above[..above.len() - line.len()];
    }
    above.ends_with("\n\n")
}

fn is_gap(line: &str) -> bool {
    let text = line.trim();
    text.is_empty() || text.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# head
version: 1
leads:
  aaaa1111:
    status: OPEN

  # of b
  bbbb2222: { status: OPEN }
  cccc3333:
    notes:
      - title: |
          long

          text

  dddd4444: {}
  eeee5555:
    label: some more text, so that three of the leads are less than half of what is in this file
    tags: [vip, renewal, trial, cold]
    hold: a reason that is as long as the label above, and that nobody will ever read to its end
";

    fn ids(names: &[&str]) -> Vec<LeadId> {
        names.iter().copied().map(LeadId::new).collect()
    }

    #[test]
    fn leads_are_taken_with_their_lines_and_put_back() {
        let ids = ids(&["cccc3333", "aaaa1111"]);
        let excerpt = LeadExcerpt::new(FILE, ids.iter()).expect("an excerpt");
        let text = excerpt.text();
        assert_eq!(
            text,
            "# head\nversion: 1\nleads:\n  aaaa1111:\n    status: OPEN\n  cccc3333:\n    notes:\n      - title: |\n          long\n\n          text\n"
        );
        assert_eq!(excerpt.put_back(&text).as_deref(), Some(FILE));
        let edited = text.replace("OPEN\n", "CLOSED\n    tags: [a]\n");
        let expected = FILE.replacen("OPEN\n", "CLOSED\n    tags: [a]\n", 1);
        assert_eq!(excerpt.put_back(&edited), Some(expected));
        assert_eq!(excerpt.put_back(&text.replace("head", "tail")), None);
        assert_eq!(excerpt.put_back(&text.replace("cccc", "bbbb")), None);
    }

    #[test]
    fn what_is_not_easily_known_is_left_to_the_whole_file() {
        let ids = ids(&["aaaa1111"]);
        let takes = |file: &str| LeadExcerpt::new(file, ids.iter()).is_some();
        assert!(takes(FILE));
        assert!(!takes(&FILE.replace("[vip", "[&vip vip")));
        assert!(!takes(&FILE.replace("OPEN\n\n", "OPEN # beside\n\n")));
        assert!(!takes(&FILE.replace("          text", "  aaaa1111: {}")));
        assert!(!takes(&FILE.replace('\n', "\r\n")));
        assert!(!takes(FILE.trim_end()));
    }
}

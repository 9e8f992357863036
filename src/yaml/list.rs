//! Lists edited in place: items that are removed with their comments, and new items at the end. No other byte changes.

use std::borrow::Cow;

use crate::yaml::quote::ScalarContext;
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, block_item, flow};
use crate::yaml::{NodeId, Written};

/// A list to be edited.
pub(crate) struct ListEdit<'e, 'a> {
    pub(crate) written: &'e Written<'a>,
    pub(crate) line_break: &'static str,
    pub(crate) key: NodeId,
    pub(crate) list: NodeId,
    pub(crate) room: ScalarContext,
    /// The value of an item, to be compared with the wanted ones.
    pub(crate) item_value: fn(&Written<'_>, NodeId) -> Option<YamlValue>,
}

/// Which items are there, and whether they stay; and what is new.
struct Sorted {
    items: Vec<(NodeId, bool)>,
    /// Each with the number of the item that it comes after.
    new: Vec<(Option<usize>, YamlValue)>,
}

/// An item in `[…]`, and what stands around it.
struct Item<'a> {
    /// From the item before, or the bracket: blanks, line breaks, comments.
    lead: Cow<'a, str>,
    text: &'a str,
    comma: bool,
    /// After the comma, to the end of the line where the line ends there: blanks and a comment.
    rest: Cow<'a, str>,
    keep: bool,
}

impl ListEdit<'_, '_> {
    /// Which items stay, and what is new and where.
    ///
    /// New texts come last. The order of mappings counts: `None` where those that stay would change places.
    fn sort(&self, wanted: &[YamlValue]) -> Option<Sorted> {
        let mut places: Vec<Option<usize>> = vec![None; wanted.len()];
        let mut items = Vec::new();
        for (number, item) in self.written.tree.children(self.list).enumerate() {
            let form = (self.item_value)(self.written, item);
            let place = wanted
                .iter()
                .position(|wanted| Some(wanted) == form.as_ref());
            if let Some(place) = place {
                places[place].get_or_insert(number);
            }
            items.push((item, place.is_some()));
        }
        let is_ordered = wanted.iter().any(|form| matches!(form, YamlValue::Map(_)));
        let last = items.len().checked_sub(1);
        let (mut new, mut before) = (Vec::new(), None);
        for (form, place) in wanted.iter().zip(places) {
            match place {
                Some(place) if is_ordered && before > Some(place) => return None,
                Some(place) => before = Some(place),
                None if is_ordered => new.push((before, form.clone())),
                None => new.push((last, form.clone())),
            }
        }
        Some(Sorted { items, new })
    }

    /// A list in `[…]`. `None` where it has a part that is not understood.
    pub(crate) fn flow(&self, wanted: &[YamlValue]) -> Option<Vec<Splice>> {
        let written = self.written;
        let (from, end) = (written.content(self.list), written.end(self.list));
        let Sorted { items: sorted, new } = self.sort(wanted)?;
        let inside = from + 1..end - 1;
        let last = sorted.len().checked_sub(1);
        if new.iter().any(|(place, _)| *place != last) {
            return None;
        }
        let new: Vec<String> = new.iter().map(|(_, form)| flow(form, self.room)).collect();
        if sorted.is_empty() {
            return Some(vec![Splice::new(inside, new.join(", "))]);
        }
        let mut items: Vec<Item<'_>> = Vec::with_capacity(sorted.len());
        let mut at = inside.start;
        for (item, keep) in sorted {
            let lead = written.text.get(at..written.start(item))?;
            let after = &written.text[written.end(item)..inside.end];
            let comma = after.trim_start().starts_with(',');
            let skipped = if comma { after.find(',')? + 1 } else { 0 };
            if !after[..skipped].trim_end_matches(',').trim().is_empty() {
                return None;
            }
            let line = after[skipped..].split('\n').next().unwrap_or_default();
            let ends_line = after.len() > skipped + line.len()
                && (line.trim().is_empty() || line.trim_start().starts_with('#'));
            let rest = if ends_line {
                line.trim_end_matches('\r')
            } else {
                ""
            };
            at = written.end(item) + skipped + rest.len();
            items.push(Item {
                lead: lead.into(),
                text: written.slice(item),
                comma,
                rest: rest.into(),
                keep,
            });
        }
        let close = written.text.get(at..inside.end)?;
        // A comment behind the bracket is about the whole list.
        let first = items[0]
            .lead
            .split('\n')
            .next()
            .filter(|line| line.contains('#'))
            .unwrap_or_default()
            .to_owned();
        items[0].lead = items[0].lead[first.len()..].to_owned().into();
        let made = joined(items, &new, close);
        if !made.is_empty() || first.is_empty() {
            return Some(vec![Splice::new(inside, first + &made)]);
        }
        // The bracket cannot come after a comment on its line.
        let line = &written.text[written.line_start(written.start(self.key))..];
        let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
        let comment = first.trim_end_matches('\r');
        let made = format!("{comment}{}{indent}", self.line_break);
        Some(vec![Splice::new(inside, made)])
    }

    /// A list of `- ` lines. `None` where it is written in another way.
    pub(crate) fn block(&self, wanted: &[YamlValue]) -> Option<Vec<Splice>> {
        let written = self.written;
        let Sorted { items, new } = self.sort(wanted)?;
        let mut splices = Vec::new();
        let mut at = self.after_key()?;
        let mut ends = vec![written.line_end(at)];
        let mut indent = "";
        let mut prefix = String::new();
        for (item, keep) in &items {
            let dash = written.dash(at, written.start(*item).max(at + 1))?;
            let before = at;
            at = written.end(*item).max(dash + 1);
            ends.push(written.line_end(at));
            let line = written.line_start(dash);
            indent = &written.text[line..dash];
            if !indent.trim().is_empty() {
                return None;
            }
            let gap = written
                .text
                .get(dash + 1..written.start(*item))
                .unwrap_or(" ");
            let gap = if gap.contains('\n') || gap.is_empty() {
                " "
            } else {
                gap
            };
            prefix = format!("{indent}-{gap}");
            if !keep {
                let from = written.comments_above(line, before).checked_sub(1)?;
                let from = from - usize::from(written.text[..from].ends_with('\r'));
                splices.push(Splice::new(from..written.line_end(at), ""));
            }
        }
        if splices.len() == items.len() && new.is_empty() {
            splices.push(Splice::insert(self.after_key()?, " []"));
        }
        for (place, form) in &new {
            let item = block_item(form, indent, self.line_break);
            let end = ends[place.map_or(0, |place| place + 1)];
            splices.push(Splice::insert(
                end,
                format!("{}{prefix}{item}", self.line_break),
            ));
        }
        Some(splices)
    }

    /// Behind the colon of the key, and the anchor and tag that follow it.
    fn after_key(&self) -> Option<usize> {
        let written = self.written;
        let (start, content) = (written.start(self.list), written.content(self.list));
        if start < content {
            return Some(start + written.text[start..content].trim_end().len());
        }
        let end = written.end(self.key);
        Some(end + written.text[end..].find(':')? + 1)
    }
}

/// The items that stay and the new ones, with what is around them. Comments right above or beside a removed item are removed with it.
fn joined(items: Vec<Item<'_>>, new: &[String], close: &str) -> String {
    let separator = separator(&items);
    let (total, last_comma) = (items.len(), items.last().is_some_and(|item| item.comma));
    let mut kept: Vec<Item<'_>> = Vec::with_capacity(total);
    let (mut inherited, mut comments) = (None, String::new());
    for (number, mut item) in items.into_iter().enumerate() {
        let own_line = item.lead.contains('\n');
        if let Some(lead) = inherited.take().filter(|_| !own_line) {
            item.lead = lead;
        }
        if item.keep {
            item.lead = (std::mem::take(&mut comments) + &item.lead).into();
            kept.push(item);
            continue;
        }
        comments.push_str(&comments_of_others(&item.lead));
        if let Some(before) = kept.last_mut().filter(|_| !item.lead.contains('\n')) {
            before.rest.to_mut().push_str(&item.rest);
            before.comma = if number + 1 == total {
                last_comma
            } else {
                before.comma
            };
        }
        inherited = Some(item.lead);
    }
    let mut made = String::new();
    let count = kept.len() + new.len();
    let mut after_new = "";
    for (number, item) in kept.iter().enumerate() {
        made.push_str(&item.lead);
        made.push_str(item.text);
        if item.comma || number + 1 < count {
            made.push(',');
        }
        if number + 1 == kept.len() && !new.is_empty() && !separator.contains('\n') {
            after_new = &item.rest;
        } else {
            made.push_str(&item.rest);
        }
    }
    made.push_str(&comments);
    for (number, text) in new.iter().enumerate() {
        match kept.is_empty() && number == 0 {
            true => made.push_str(
                inherited
                    .as_deref()
                    .map_or("", |lead| &lead[lead.rfind('\n').unwrap_or_default()..]),
            ),
            false => made.push_str(&separator),
        }
        made.push_str(text);
        if number + 1 < new.len() || last_comma {
            made.push(',');
        }
    }
    if count == 0 && !(made.contains('#') || close.contains('#')) {
        String::new()
    } else {
        made + after_new + close
    }
}

/// The comments above an item that a blank line separates from it, each with its line break before it.
fn comments_of_others(lead: &str) -> String {
    let lines: Vec<&str> = lead.split('\n').collect();
    let above = &lines[..lines.len() - 1];
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    let own = above
        .iter()
        .rev()
        .take_while(|line| is_comment(line))
        .count();
    let others = &above[..above.len() - own];
    if others.iter().any(is_comment) {
        others.join("\n")
    } else {
        String::new()
    }
}

/// What stands between the items of a list: that before its last item, a line of its own where items have lines of their own.
fn separator(items: &[Item<'_>]) -> String {
    let Some(last) = items.last() else {
        return String::new();
    };
    match last.lead.rfind('\n') {
        Some(at) => {
            let from = if last.lead[..at].ends_with('\r') {
                at - 1
            } else {
                at
            };
            last.lead[from..].to_owned()
        }
        None if items.len() > 1 => last.lead.to_string(),
        None => " ".to_owned(),
    }
}

//! Lists: the items that are to go and to come, and no other byte.

use std::borrow::Cow;

use crate::yaml::quote::ScalarContext;
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, flow};
use crate::yaml::{Kind, NodeId, Written};

/// A list to be edited.
pub(crate) struct Edit<'e, 'a> {
    pub(crate) written: &'e Written<'a>,
    pub(crate) line_break: &'static str,
    pub(crate) key: NodeId,
    pub(crate) list: NodeId,
    pub(crate) room: ScalarContext,
}

/// Which items are there, and whether they stay; and what is new.
struct Sorted {
    items: Vec<(NodeId, bool)>,
    new: Vec<YamlValue>,
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

impl Edit<'_, '_> {
    /// Which items stay, and what is new.
    ///
    /// Of notes the order counts: `None` where one is new, which may have to stand between others.
    fn sort(&self, wanted: &[YamlValue]) -> Option<Sorted> {
        let mut new: Vec<YamlValue> = wanted.to_vec();
        let mut items = Vec::new();
        for item in self.written.tree.children(self.list) {
            let form = self.form(item);
            let keep = form.as_ref().is_some_and(|form| wanted.contains(form));
            if let Some(at) = new.iter().position(|new| Some(new) == form.as_ref()) {
                new.remove(at);
            }
            items.push((item, keep));
        }
        let ordered = new.iter().any(|form| matches!(form, YamlValue::Map(_)));
        (!ordered).then_some(Sorted { items, new })
    }

    /// What an item says, in the form in which it would be wanted.
    fn form(&self, item: NodeId) -> Option<YamlValue> {
        let tree = &self.written.tree;
        match tree.kind(item) {
            Kind::Scalar(text, _) => Some(YamlValue::Text(text.trim().to_owned())),
            Kind::Mapping { .. } => {
                let text = |name: &str| {
                    tree.pairs(item).find_map(|(key, value)| {
                        match (tree.kind(key), tree.kind(value)) {
                            (Kind::Scalar(key, _), Kind::Scalar(text, _)) if key == name => {
                                Some((name.to_owned(), YamlValue::Text(text.to_string())))
                            }
                            _ => None,
                        }
                    })
                };
                let description =
                    text("description").filter(|(_, form)| *form != YamlValue::Text(String::new()));
                Some(YamlValue::Map(
                    [text("title")?].into_iter().chain(description).collect(),
                ))
            }
            _ => None,
        }
    }

    /// A list in `[…]`. `None` where it has a part that is not understood.
    pub(crate) fn flow(&self, wanted: &[YamlValue]) -> Option<Vec<Splice>> {
        let written = self.written;
        let (from, end) = (written.content(self.list), written.end(self.list));
        let Sorted { items: sorted, new } = self.sort(wanted)?;
        let inside = from + 1..end - 1;
        let new: Vec<String> = new.iter().map(|form| flow(form, self.room)).collect();
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
        Some(vec![Splice::new(
            inside,
            first + &joined(items, &new, close),
        )])
    }

    /// A list of `- ` lines. `None` where it is written in another way.
    pub(crate) fn block(&self, wanted: &[YamlValue]) -> Option<Vec<Splice>> {
        let written = self.written;
        let Sorted { items, mut new } = self.sort(wanted)?;
        let (last, last_stays) = *items.last()?;
        let dash = |item: NodeId| {
            let start = written.start(item);
            let line = written.line_start(start);
            let before = &written.text[line..start];
            let is_dash = before.trim() == "-" && before.ends_with([' ', '\t']);
            is_dash.then_some((line, before))
        };
        let (_, prefix) = dash(last)?;
        let gone = items.iter().filter(|(_, keep)| !keep).count();
        let mut splices = Vec::new();
        if gone == items.len() && new.is_empty() {
            let after = &written.text[written.end(self.key)..];
            let colon = written.end(self.key) + after.find(':')?;
            splices.push(Splice::insert(colon + 1, " []"));
        }
        let mut replaced = None;
        if !last_stays
            && !new.is_empty()
            && matches!(written.tree.node(last).kind, Kind::Scalar(..))
        {
            replaced = Some(last);
            let text = self.item(&new.remove(0));
            splices.push(Splice::new(written.content(last)..written.end(last), text));
        }
        for (item, _) in items
            .iter()
            .filter(|(item, keep)| !keep && Some(*item) != replaced)
        {
            let (line, _) = dash(*item)?;
            let end = written.line_end(written.end(*item));
            splices.push(Splice::new(
                line.checked_sub(if written.text[..line].ends_with("\r\n") {
                    2
                } else {
                    1
                })?..end,
                "",
            ));
        }
        let lines: String = new
            .iter()
            .map(|form| format!("{}{prefix}{}", self.line_break, self.item(form)))
            .collect();
        if !lines.is_empty() {
            splices.push(Splice::insert(written.line_end(written.end(last)), lines));
        }
        Some(splices)
    }

    fn item(&self, form: &YamlValue) -> String {
        match form {
            YamlValue::Text(text) => crate::yaml::quote::scalar(text, self.room),
            form => flow(form, ScalarContext::Flow),
        }
    }
}

/// The items that stay and the new ones, with what stands around them. Comments above an item that goes stay, one beside it goes too.
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
        if let Some(at) = item.lead.rfind('\n').filter(|_| item.lead.contains('#')) {
            comments.push_str(&item.lead[..at]);
        }
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

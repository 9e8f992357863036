//! Drafts: what a new lead file says of a lead that is in the inbox.
//!
//! Takes a live lead and the requested fields, and returns what a file can declare, and what it cannot with the
//! reason. A plan of such a file finds nothing to do. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::lead::normal::is_among;
use crate::lead::{
    DesiredField, DesiredValue, Field, FieldId, Kind, Lead, LeadId, Note, Privacy, TagRule, TagSet,
    Value,
};
use crate::lead_file::adopt::LONGEST_KEY;
use crate::lead_file::emit::NewLead;
use crate::lead_file::raw::uuid_problem;
use crate::lead_file::value::{unwritable, unwritable_tag};
use crate::redaction::{MASK, Redaction};
use crate::yaml::quote::double;

/// Fields of a lead that are asked for besides those that are public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct With {
    /// The keys of lead files that hold them.
    pub groups: Vec<&'static str>,
    /// How much of the person's name is the label; `None`: there is no label.
    pub label: Option<Redaction>,
}

/// What of live leads no file can say: how often, by the reason.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Values, by why.
    pub reasons: BTreeMap<&'static str, usize>,
    /// Tags that the policy does not know.
    pub tags: BTreeSet<String>,
}

impl LeftOut {
    fn note(&mut self, why: &'static str) {
        *self.reasons.entry(why).or_default() += 1;
    }
}

/// What a file is to say of a lead; `None` where its uuid can be no key. `known`: the only tags that files may name.
pub fn draft(
    id: &LeadId,
    live: &Lead,
    with: &With,
    known: Option<&[String]>,
    out: &mut LeftOut,
) -> Option<NewLead> {
    if uuid_problem(id.as_str()).is_some() || double(id.as_str()).len() > LONGEST_KEY {
        out.note("a uuid that can be no key of a lead file");
        return None;
    }
    let mut fields: Vec<(Field, DesiredValue)> = Vec::new();
    for id in FieldId::all() {
        if id.spec().privacy != Privacy::Public && !with.groups.contains(&id.group()) {
            continue;
        }
        match Field::single(id) {
            Some(field) => {
                let value = field_draft(&field, &live.value(&field), known, out);
                fields.extend(value.map(|value| (field, value)));
            }
            None => fields.extend(keyed(id, live)),
        }
    }
    fields.retain(|(field, value)| match unwritable(field, value) {
        None => true,
        Some(why) => {
            out.note(why);
            false
        }
    });
    let name = live.get(&Field::NAME).and_then(Value::text);
    let label = name.zip(with.label).map(|(name, redaction)| {
        let privacy = Field::NAME.spec().privacy;
        redaction.text(privacy, name)
    });
    Some(NewLead {
        label: label.filter(|label| label != MASK),
        fields,
    })
}

/// Makes a draft say the same in a file with these defaults: what they would add is kept away, and the `shared` field is left to them.
///
/// # Errors
/// The default that the lead would take over, because no own value of the draft's fields keeps it away.
pub fn fit<'d>(
    lead: &mut NewLead,
    live: &Lead,
    defaults: &'d [DesiredField],
    shared: Option<&Field>,
) -> Result<(), &'d DesiredField> {
    for default in defaults {
        let DesiredField { field, value, .. } = default;
        let own = lead.fields.iter().position(|(own, _)| own == field);
        match own {
            Some(at) if lead.fields[at].1 == *value && shared == Some(field) => {
                drop(lead.fields.remove(at));
            }
            Some(_) => {}
            None if is_true(value, live, field) => {}
            None if field.kind() == Kind::Notes => {
                let none = DesiredValue::Notes(Vec::new());
                lead.fields.push((field.clone(), none));
            }
            None => return Err(default),
        }
    }
    Ok(())
}

fn is_true(value: &DesiredValue, live: &Lead, field: &Field) -> bool {
    let live = live.value(field);
    value.is_met(&live, field.spec().compare) || value.difference(&live).is_none()
}

fn keyed(id: FieldId, live: &Lead) -> impl Iterator<Item = (Field, DesiredValue)> {
    live.values()
        .filter(move |(field, _)| field.id() == id)
        .filter_map(|(field, value)| {
            Some((field.clone(), DesiredValue::Text(value.text()?.clone())))
        })
}

fn field_draft(
    field: &Field,
    live: &Value,
    known: Option<&[String]>,
    out: &mut LeftOut,
) -> Option<DesiredValue> {
    if field.kind() == Kind::Set {
        return tag_rule(live.set(), known, out).map(DesiredValue::Set);
    }
    if field.kind() == Kind::Reference {
        return Some(DesiredValue::Reference(live.reference().cloned()));
    }
    if field.kind() == Kind::Notes {
        return notes(field, live.notes(), out);
    }
    let value = DesiredValue::exactly(live);
    if value.is_none() && *field == Field::STATUS {
        out.note(if live.is_empty() {
            "no status"
        } else {
            "a status that cannot be written"
        });
    }
    value
}

/// Each note that a file can hold, once.
fn notes(field: &Field, live: &[Note], out: &mut LeftOut) -> Option<DesiredValue> {
    let mut distinct: Vec<Note> = Vec::new();
    for note in live {
        match unwritable(field, &DesiredValue::Notes(vec![note.clone()])) {
            Some(why) => out.note(why),
            None if distinct.contains(note) => {}
            None => distinct.push(note.clone()),
        }
    }
    (!distinct.is_empty()).then_some(DesiredValue::Notes(distinct))
}

/// Exactly the live tags; where a file cannot name all of them, those that it can among others: an exact list without the rest would
/// take them off the lead.
fn tag_rule(live: &TagSet, known: Option<&[String]>, out: &mut LeftOut) -> Option<TagRule> {
    let mut present = Vec::new();
    for tag in live {
        if let Some(why) = unwritable_tag(tag) {
            out.note(why);
        } else if known.is_none_or(|known| is_among(known, tag)) {
            present.push(tag.clone());
        } else {
            out.tags.insert(tag.clone());
        }
    }
    if present.len() == live.len() {
        return Some(TagRule::Exact(present.into()));
    }
    (!present.is_empty()).then(|| TagRule::Patch {
        present: present.into(),
        absent: TagSet::new(),
    })
}

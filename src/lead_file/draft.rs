//! Drafts: what a new lead file says of a lead that is in the inbox.
//!
//! Given a live lead and which of its fields are asked for; hands on what a file can say of it, and what it cannot say with the
//! reason. A plan of such a file finds nothing to do. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::lead::{ContactField, Lead, LeadId, Status, TagRule, Wanted};
use crate::lead_file::adopt::{LONGEST_KEY, sayable};
use crate::lead_file::emit::NewLead;
use crate::lead_file::raw::uuid_problem;
use crate::redaction::Redaction;
use crate::yaml::quote::double;

/// Fields of a lead that are asked for besides its status, agent and tags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct With {
    /// All attributes.
    pub attributes: bool,
    /// Contact values.
    pub contact: bool,
    /// Notes.
    pub notes: bool,
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
    with: With,
    known: Option<&[String]>,
    out: &mut LeftOut,
) -> Option<NewLead> {
    if uuid_problem(id.as_str()).is_some() || double(id.as_str()).len() > LONGEST_KEY {
        out.note("a uuid that can be no key of a lead file");
        return None;
    }
    let Lead {
        status,
        agent,
        tags,
        attributes,
        contact,
        notes,
    } = live;
    let mut all: Vec<Wanted> = Vec::new();
    match status {
        Some(Status::Other(_)) => out.note("a status that cannot be written"),
        None => out.note("no status"),
        Some(status) => all.push(Wanted::Status(status.clone())),
    }
    all.push(Wanted::Agent(agent.clone()));
    all.extend(tag_rule(tags, known, out).map(Wanted::Tags));
    if with.attributes {
        all.extend(
            attributes
                .iter()
                .map(|(key, text)| Wanted::Attribute(key.clone(), text.clone())),
        );
    }
    if with.contact {
        all.extend(
            contact
                .iter()
                .map(|(field, text)| Wanted::Contact(*field, text.clone())),
        );
    }
    all.retain(|wanted| sayable(wanted).map_err(|why| out.note(why)).is_ok());
    if with.notes {
        let mut distinct = Vec::new();
        for note in notes {
            match sayable(&Wanted::Notes(vec![note.clone()])) {
                Ok(()) if !distinct.contains(note) => distinct.push(note.clone()),
                Ok(()) => {}
                Err(why) => out.note(why),
            }
        }
        all.extend((!distinct.is_empty()).then_some(Wanted::Notes(distinct)));
    }
    let name = contact.get(&ContactField::Name).zip(with.label);
    let label = name
        .map(|(name, names)| names.contact(ContactField::Name, name))
        .filter(|label| label != "***");
    Some(NewLead { label, wanted: all })
}

/// Exactly the live tags; where the policy does not know all of them, those that it knows among others.
fn tag_rule(
    live: &BTreeSet<String>,
    known: Option<&[String]>,
    out: &mut LeftOut,
) -> Option<TagRule> {
    let fits = |tag: &&String| known.is_none_or(|known| known.contains(tag));
    let present: BTreeSet<String> = live.iter().filter(fits).cloned().collect();
    if present.len() == live.len() {
        return Some(TagRule::Exact(present));
    }
    out.tags.extend(live.difference(&present).cloned());
    (!present.is_empty()).then(|| TagRule::Patch {
        present,
        absent: BTreeSet::new(),
    })
}

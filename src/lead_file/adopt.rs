//! From what the inbox shows to what a file can say of it.

use std::collections::BTreeSet;

use crate::lead::{AgentId, ContactField, Note, Status, TagRule, Value, Wanted, tag};
use crate::lead_file::raw::contact_problem;

/// What a file's demand becomes when the live value goes home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    /// The file says it already.
    Same,
    /// The file is to say this.
    Say(Wanted),
    /// No file can say it.
    Cannot(&'static str),
}

/// The demand that `live` satisfies, as near to `wanted` as can be.
///
/// A rule on tags keeps the tags that it names: one that is to be there and is not is from now on to be away, and the other way round.
/// Of notes those stay that are there.
pub fn adopt(wanted: &Wanted, live: &Value) -> Adopted {
    let said = match (wanted, live) {
        (Wanted::Status(_), Value::Text(word)) => match Status::writable(word) {
            Some(status) => Wanted::Status(status),
            None => return Adopted::Cannot("the inbox shows a status that cannot be written"),
        },
        (Wanted::Status(_), _) => return Adopted::Cannot("the inbox shows no status"),
        (Wanted::Agent(_), live) => match live.as_text().map(AgentId::parse) {
            None => Wanted::Agent(None),
            Some(Some(agent)) => Wanted::Agent(Some(agent)),
            Some(None) => return Adopted::Cannot("the inbox shows no agent's id"),
        },
        (Wanted::Tags(TagRule::Exact(_)), Value::Tags(live)) => {
            Wanted::Tags(TagRule::Exact(live.clone()))
        }
        (Wanted::Tags(TagRule::Patch { present, absent }), Value::Tags(live)) => {
            let named: BTreeSet<&String> = present.union(absent).collect();
            let (present, absent) = named
                .into_iter()
                .cloned()
                .partition(|tag| live.contains(tag));
            Wanted::Tags(TagRule::Patch { present, absent })
        }
        (Wanted::Attribute(key, _), Value::Text(text)) => {
            Wanted::Attribute(key.clone(), text.clone())
        }
        (Wanted::Attribute(..), _) => {
            return Adopted::Cannot(
                "the inbox no longer has it; take the line out to leave it alone",
            );
        }
        (Wanted::Contact(field, _), Value::Text(text)) => Wanted::Contact(*field, text.clone()),
        (Wanted::Contact(..), _) => {
            return Adopted::Cannot(
                "the inbox no longer has it, and contact values cannot be cleared",
            );
        }
        (Wanted::Notes(wanted), Value::Notes(live)) => Wanted::Notes(
            wanted
                .iter()
                .filter(|note| live.contains(note))
                .cloned()
                .collect(),
        ),
        (Wanted::Tags(_) | Wanted::Notes(_), _) => {
            return Adopted::Cannot("the inbox shows something of another kind");
        }
    };
    match sayable(&said) {
        _ if said == *wanted => Adopted::Same,
        Ok(()) => Adopted::Say(said),
        Err(why) => Adopted::Cannot(why),
    }
}

/// The longest key, in quotes, that YAML takes before a `:`.
pub(crate) const LONGEST_KEY: usize = 1000;

/// Whether a file can say this, or why not.
///
/// # Errors
/// The reason, for people.
pub fn sayable(wanted: &Wanted) -> Result<(), &'static str> {
    let unless = |fine: bool, why| if fine { Ok(()) } else { Err(why) };
    match wanted {
        Wanted::Status(status) => unless(
            Status::writable(status.as_str()).is_some(),
            "a status that cannot be written",
        ),
        Wanted::Agent(_) => Ok(()),
        Wanted::Tags(TagRule::Exact(tags)) => tags_fit(tags),
        Wanted::Tags(TagRule::Patch { present, absent }) => tags_fit(present).and(tags_fit(absent)),
        Wanted::Attribute(key, _) => {
            unless(!key.trim().is_empty(), "an attribute without a name")?;
            unless(
                crate::yaml::quote::double(key).len() < LONGEST_KEY,
                "an attribute's name that is too long for a key",
            )
        }
        Wanted::Contact(field, text) => contact_fits(*field, text),
        Wanted::Notes(notes) => unless(
            notes
                .iter()
                .all(|Note { title, .. }| !title.trim().is_empty()),
            "a note without a title",
        ),
    }
}

fn tags_fit(tags: &BTreeSet<String>) -> Result<(), &'static str> {
    if tags.iter().all(|name| tag(name).as_ref() == Some(name)) {
        Ok(())
    } else {
        Err("a tag with blanks around it")
    }
}

fn contact_fits(field: ContactField, text: &str) -> Result<(), &'static str> {
    if field.normal(text) != text || text.is_empty() || contact_problem(field, text).is_some() {
        return Err("a contact value that lead files do not take");
    }
    Ok(())
}

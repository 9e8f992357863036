//! A file's leads made to say what they are to say from now on: labels, holds, values, and leads that are new to the file.
//!
//! All or nothing. Entries are put in and taken out in place, what comes of it is read, and the two steps repeat until the file says the
//! goal and, of every other lead, what it said. A value that all leads with the default are to have goes into `defaults`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::excerpt::LeadExcerpt;
use super::finish::EditedText;
use super::{append, finish, place, remove};
use crate::lead::{Desired, DesiredLead, DesiredValue, Field, Kind, LeadId};
use crate::lead_file::emit::{self, AgentNames};
use crate::lead_file::valid::{Meaning, Vocabulary, declared_in, one_meaning};
use crate::yaml::Written;
use crate::yaml::format::is_laid_out;
use crate::yaml::splice::Splice;
use crate::yaml::value::YamlValue;

/// Why a file cannot be made to say something: the lead, where it is about one, and the reason.
pub(crate) type Refused = (Option<LeadId>, String);

/// Rounds of putting in and reading back; each mends what the one before did to leads that share a value.
const ROUNDS: usize = 8;
/// Attempts at finding the leads that cannot be edited; each reads the whole file.
const ATTEMPTS: usize = 64;

/// A file and the names that it may use.
pub(super) struct Rewriter<'r> {
    file: &'r Arc<str>,
    vocabulary: Vocabulary<'r>,
    names: AgentNames<'r>,
    /// Whether a lead that is to have no notes any more says so, because `defaults` may say some; else the key is taken out.
    says_no_notes: bool,
}

mod defaults;

/// What leads are to say.
type LeadGoals<'g> = BTreeMap<&'g LeadId, &'g Meaning>;

/// What a file was read to declare.
pub(crate) type Known<'d> = BTreeMap<&'d LeadId, &'d DesiredLead>;

pub(super) fn known_of(desired: &Desired) -> Known<'_> {
    desired.iter().collect()
}

/// The text of a file in which these leads say what they are to say. `known` is what the file declares now, where it was read already.
///
/// # Errors
/// Each lead that cannot be edited, or what is wrong with the file.
pub(crate) fn rewrite(
    file: &Arc<str>,
    text: &str,
    known: Option<&Known<'_>>,
    goals: &BTreeMap<LeadId, Meaning>,
    vocabulary: Vocabulary<'_>,
) -> Result<String, Vec<Refused>> {
    if let Some(made) = known.and_then(|known| by_excerpt(file, text, known, goals, vocabulary)) {
        return Ok(made);
    }
    let whole = |why| vec![(None, why)];
    let before = finish::written(file, text).map_err(whole)?;
    let made = match known {
        Some(known) => rewritten(file, &before, known, goals, vocabulary)?,
        None => {
            let desired = declared_in(file, &before, vocabulary).map_err(whole)?;
            rewritten(file, &before, &known_of(&desired), goals, vocabulary)?
        }
    };
    Ok(made.in_layout_of(file, &before))
}

/// The same by an edit of the leads alone; `None` where their lines cannot be known from those of others, or not be edited so.
fn by_excerpt(
    file: &Arc<str>,
    text: &str,
    known: &Known<'_>,
    goals: &BTreeMap<LeadId, Meaning>,
    vocabulary: Vocabulary<'_>,
) -> Option<String> {
    let is_small = 2 * goals.len() < known.len();
    let excerpt = is_small.then(|| LeadExcerpt::new(text, goals.keys()))??;
    let small = excerpt.text();
    let before = finish::written(file, &small).ok()?;
    let says = declared_in(file, &before, vocabulary).ok()?;
    let is_as_known = goals.keys().all(|id| match (known.get(id), says.get(id)) {
        (Some(lead), Some(says)) => lead.says_the_same(says),
        (lead, says) => lead.is_none() && says.is_none(),
    });
    if !is_as_known || says.len() != goals.len() {
        return None;
    }
    let made = rewritten(file, &before, &known_of(&says), goals, vocabulary).ok()?;
    let plain = made.text.clone();
    let laid_out = made.in_layout_of(file, &before);
    // The leads may be in the canonical layout by chance, in a file that is not.
    let is_canonical = || {
        let written = finish::written(file, text);
        written.is_ok_and(|written| is_laid_out(file, &written, &emit::layout_rules()))
    };
    let keeps_layout = laid_out == plain || is_canonical();
    excerpt.put_back(if keeps_layout { &laid_out } else { &plain })
}

/// The text of a document, whose leads say `says`, with those that are to say something else.
fn rewritten(
    file: &Arc<str>,
    before: &Written<'_>,
    says: &Known<'_>,
    goals: &BTreeMap<LeadId, Meaning>,
    vocabulary: Vocabulary<'_>,
) -> Result<EditedText, Vec<Refused>> {
    let rewriter = Rewriter::new(file, vocabulary);
    let whole = |why: String| vec![(None, why)];
    let (old, new): (LeadGoals<'_>, LeadGoals<'_>) =
        goals.iter().partition(|(id, _)| says.contains_key(*id));
    let made = match rewriter.defaults(before, &old)? {
        Some((made, desired)) => {
            let written = finish::written(file, &made).map_err(whole)?;
            rewriter.leads(&written, &known_of(&desired), &old)?
        }
        None => rewriter.leads(before, says, &old)?,
    };
    if new.is_empty() {
        return Ok(made);
    }
    rewriter.append(&made.text, &new).map_err(whole)
}

/// What the leads of a file are to say in the end: their goals, or what they said at the start.
struct WholeGoal<'t> {
    says: &'t Known<'t>,
    goals: LeadGoals<'t>,
}

impl WholeGoal<'_> {
    fn is_reached(&self, says: &Known<'_>) -> bool {
        says.len() == self.says.len() && says.iter().all(|(id, now)| self.is_said_by(id, now))
    }

    fn is_said_by(&self, id: &LeadId, now: &DesiredLead) -> bool {
        match self.goals.get(id) {
            Some(goal) => goal.is_said_by(now),
            None => self
                .says
                .get(id)
                .is_some_and(|said| said.says_the_same(now)),
        }
    }

    /// What a lead is to say.
    fn goal(&self, id: &LeadId) -> Option<Cow<'_, Meaning>> {
        match self.goals.get(id) {
            Some(goal) => Some(Cow::Borrowed(goal)),
            None => self.says.get(id).map(|said| Cow::Owned(one_meaning(said))),
        }
    }
}

/// What a lead has yet to say, and what no longer.
#[derive(Debug, Default)]
struct Entries {
    put: Vec<(String, YamlValue)>,
    gone: remove::Gone,
}

impl<'r> Rewriter<'r> {
    pub(super) fn new(file: &'r Arc<str>, vocabulary: Vocabulary<'r>) -> Self {
        Self {
            file,
            vocabulary,
            names: vocabulary.agents.map(AgentNames::new).unwrap_or_default(),
            says_no_notes: false,
        }
    }

    /// Says of leads that are to have no notes any more that they have none.
    pub(super) fn saying_no_notes(self) -> Self {
        Self {
            says_no_notes: true,
            ..self
        }
    }

    pub(super) fn written<'t>(&self, text: &'t str) -> Result<Written<'t>, String> {
        finish::written(self.file, text)
    }

    pub(super) fn says(&self, written: &Written<'_>) -> Result<Desired, String> {
        declared_in(self.file, written, self.vocabulary)
    }

    /// All leads at once; where that does not come out, each half by itself, to name those that cannot be edited.
    fn leads(
        &self,
        before: &Written<'_>,
        says: &Known<'_>,
        goals: &LeadGoals<'_>,
    ) -> Result<EditedText, Vec<Refused>> {
        let is_open = |(id, goal): &(&LeadId, &Meaning)| {
            says.get(id).is_none_or(|lead| !goal.is_said_by(lead))
        };
        let differing = goals.iter().map(|(id, goal)| (*id, *goal));
        let differing: Vec<(&LeadId, &Meaning)> = differing.filter(is_open).collect();
        match self.reach(before, says, &differing) {
            Ok(made) => Ok(made),
            Err(why) => {
                let (mut refused, mut attempts) = (Vec::new(), ATTEMPTS);
                self.find(before, says, &differing, &mut attempts, &mut refused);
                if refused.is_empty() {
                    refused.push((None, why));
                }
                Err(refused)
            }
        }
    }

    fn find(
        &self,
        before: &Written<'_>,
        says: &Known<'_>,
        goals: &[(&LeadId, &Meaning)],
        attempts: &mut usize,
        refused: &mut Vec<Refused>,
    ) {
        if *attempts == 0 {
            return;
        }
        *attempts -= 1;
        if let Err(why) = self.reach(before, says, goals) {
            match goals {
                [(id, _)] => refused.push((Some((*id).clone()), why)),
                goals => {
                    let (one, other) = goals.split_at(goals.len() / 2);
                    self.find(before, says, one, attempts, refused);
                    self.find(before, says, other, attempts, refused);
                }
            }
        }
    }

    /// The text in which these leads say their goals, and all others what they said.
    pub(super) fn reach(
        &self,
        before: &Written<'_>,
        says: &Known<'_>,
        goals: &[(&LeadId, &Meaning)],
    ) -> Result<EditedText, String> {
        if goals.is_empty() {
            return Ok(EditedText::new(self.file, before));
        }
        let whole = WholeGoal {
            says,
            goals: goals.iter().copied().collect(),
        };
        let mut text = self.round(before, says, &whole)?;
        for _ in 1..ROUNDS {
            let unreadable = |_| finish::unreadable(before);
            let written = finish::written(self.file, &text).map_err(unreadable)?;
            let desired = self.says(&written).map_err(unreadable)?;
            let says = known_of(&desired);
            if whole.is_reached(&says) {
                finish::check_comments(before, &written)?;
                return Ok(EditedText::new(self.file, &written));
            }
            text = self.round(&written, &says, &whole)?;
        }
        Err("its line cannot be changed by itself".to_owned())
    }

    /// The text with what its leads have yet to say and no longer.
    fn round(
        &self,
        written: &Written<'_>,
        says: &Known<'_>,
        whole: &WholeGoal<'_>,
    ) -> Result<String, String> {
        let index = place::Index::new(written)?;
        let mut splices = Vec::new();
        for (id, now) in says {
            if whole.is_said_by(id, now) {
                continue;
            }
            let Some(goal) = whole.goal(id) else { continue };
            let made = self.splices(written, &index, id, &self.entries(Some(now), &goal));
            splices.extend(made.map_err(|why| {
                if whole.goals.contains_key(id) {
                    return why;
                }
                format!("{id} would change, too, by an alias or `<<`; write its values out, or select it as well")
            })?);
        }
        Ok(finish::put(written, splices))
    }

    fn splices(
        &self,
        written: &Written<'_>,
        index: &place::Index<'_, '_>,
        id: &LeadId,
        entries: &Entries,
    ) -> Result<Vec<Splice>, String> {
        let lead = index.lead(id)?;
        let mut splices = index.set(lead, &entries.put)?;
        // A group that gets something new loses the rest in the next round: it is never empty then.
        let mut gone = entries.gone.clone();
        gone.retain(|group, _| entries.put.iter().all(|(key, _)| key != group));
        splices.extend(remove::entries(written, lead.1, &gone)?);
        Ok(splices)
    }

    /// What a lead has yet to say of its goal; one that is not declared says nothing.
    fn entries(&self, now: Option<&DesiredLead>, goal: &Meaning) -> Entries {
        let mut entries = Entries::default();
        let texts = [
            ("label", now.and_then(|now| now.label.as_ref()), &goal.label),
            ("hold", now.and_then(|now| now.hold.as_ref()), &goal.hold),
        ];
        for (key, now, goal) in texts {
            match goal {
                Some(text) if now != Some(text) => {
                    entries
                        .put
                        .push((key.to_owned(), YamlValue::Text(text.to_string())));
                }
                None if now.is_some() => drop(entries.gone.insert(key, Vec::new())),
                Some(_) | None => {}
            }
        }
        let said = |field: &Field| now.and_then(|now| now.get(field)).map(|said| &said.value);
        let differs = |(field, value): &(&Field, &DesiredValue)| said(field) != Some(*value);
        let mut new: Vec<(Field, DesiredValue)> = goal
            .fields
            .iter()
            .filter(differs)
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        let fields = now.into_iter().flat_map(|now| &now.fields);
        let gone = fields
            .map(|said| &said.field)
            .filter(|field| !goal.fields.contains(field));
        let (no_notes, gone): (Vec<&Field>, Vec<&Field>) =
            gone.partition(|field| self.says_no_notes && field.kind() == Kind::Notes);
        let no_notes = no_notes.into_iter();
        new.extend(no_notes.map(|field| (field.clone(), DesiredValue::Notes(Vec::new()))));
        entries.put.extend(emit::entries(&new, &self.names));
        for field in gone {
            let (group, member) = field.path();
            let members = entries.gone.entry(group).or_default();
            members.extend(member.map(str::to_owned));
        }
        entries
    }

    fn append(&self, text: &str, new: &LeadGoals<'_>) -> Result<EditedText, String> {
        let written = finish::written(self.file, text)?;
        let blocks: Vec<(&LeadId, Vec<(String, YamlValue)>)> = new
            .iter()
            .map(|(id, goal)| (*id, self.entries(None, goal).put))
            .collect();
        let made = finish::put(&written, vec![append::leads(&written, &blocks)?]);
        let unreadable = |_| finish::unreadable(&written);
        let after = finish::written(self.file, &made).map_err(unreadable)?;
        finish::check_comments(&written, &after)?;
        let old = self.says(&written)?;
        let says = self.says(&after).map_err(unreadable)?;
        for (id, goal) in new {
            // Defaults of the file apply to a new lead.
            let fits = says.get(*id).is_some_and(|says| {
                let is_said = |(field, value): (&Field, &DesiredValue)| {
                    value.is_empty() || says.get(field).is_some_and(|said| said.value == *value)
                };
                says.label == goal.label
                    && says.hold == goal.hold
                    && goal.fields.iter().all(is_said)
            });
            if !fits {
                return Err(format!("{id} does not read back as it is to be"));
            }
        }
        let is_kept = |(id, says): (&LeadId, &DesiredLead)| match old.get(id) {
            Some(old) => old.says_the_same(says),
            None => new.contains_key(id),
        };
        if says.len() == old.len() + new.len() && says.iter().all(is_kept) {
            Ok(EditedText::new(self.file, &after))
        } else {
            Err("a new lead would change what the file says of others".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;

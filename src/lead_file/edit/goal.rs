//! A file's leads made to say what they are to say from now on: labels, holds, values, and leads that are new to the file.
//!
//! All or nothing. Entries are put in and taken out in place, what comes of it is read, and the two steps repeat until the file says the
//! goal and, of every other lead, what it said. A value that all leads with the default are to have goes into `defaults`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::excerpt::LeadExcerpt;
use super::{append, finish, place, remove};
use crate::lead::{DesiredLead, DesiredValue, Field, LeadId};
use crate::lead_file::emit::{self, AgentNames};
use crate::lead_file::valid::{Meaning, Vocabulary, declared_in, meaning_of, one_meaning};
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
struct Rewriter<'r> {
    file: &'r Arc<str>,
    vocabulary: Vocabulary<'r>,
    names: AgentNames<'r>,
}

mod defaults;

type Meanings = BTreeMap<LeadId, Meaning>;

/// The text of a document with its edits.
struct EditedText {
    text: String,
    /// Whether it is known to be in the canonical layout.
    is_laid_out: bool,
}

impl EditedText {
    fn new(file: &Arc<str>, written: &Written<'_>) -> Self {
        Self {
            text: written.text.to_owned(),
            is_laid_out: is_laid_out(file, written, &emit::layout_rules()),
        }
    }

    /// Its text, laid out where the document was before: a new value may be too long for its line, say.
    fn in_layout_of(self, file: &Arc<str>, before: &Written<'_>) -> String {
        if self.is_laid_out {
            self.text
        } else {
            super::with_layout_kept(file, before, self.text)
        }
    }
}

/// What a file was read to declare.
pub(crate) type Known<'d> = BTreeMap<&'d LeadId, &'d DesiredLead>;

/// The text of a file in which these leads say what they are to say. `known` is what the file declares now, where it was read already.
///
/// # Errors
/// Each lead that cannot be edited, or what is wrong with the file.
pub(crate) fn rewrite(
    file: &Arc<str>,
    text: &str,
    known: Option<&Known<'_>>,
    goals: &Meanings,
    vocabulary: Vocabulary<'_>,
) -> Result<String, Vec<Refused>> {
    if let Some(made) = known.and_then(|known| by_excerpt(file, text, known, goals, vocabulary)) {
        return Ok(made);
    }
    let whole = |why| vec![(None, why)];
    let before = finish::written(file, text).map_err(whole)?;
    let says = match known {
        Some(known) => {
            let meaning =
                |(id, lead): (&&LeadId, &&DesiredLead)| ((*id).clone(), one_meaning(lead));
            known.iter().map(meaning).collect()
        }
        None => meaning_of(declared_in(file, &before, vocabulary).map_err(whole)?),
    };
    let made = rewritten(file, &before, says, goals, vocabulary)?;
    Ok(made.in_layout_of(file, &before))
}

/// The same by an edit of the leads alone; `None` where their lines cannot be known from those of others, or not be edited so.
fn by_excerpt(
    file: &Arc<str>,
    text: &str,
    known: &Known<'_>,
    goals: &Meanings,
    vocabulary: Vocabulary<'_>,
) -> Option<String> {
    let excerpt = LeadExcerpt::new(text, goals.keys())?;
    let small = excerpt.text();
    let before = finish::written(file, &small).ok()?;
    let says = meaning_of(declared_in(file, &before, vocabulary).ok()?);
    let is_as_known = goals.keys().all(|id| match (known.get(id), says.get(id)) {
        (Some(lead), Some(says)) => says.is_said_by(lead),
        (lead, says) => lead.is_none() && says.is_none(),
    });
    if !is_as_known || says.len() != goals.len() {
        return None;
    }
    let made = rewritten(file, &before, says, goals, vocabulary).ok()?;
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
    says: Meanings,
    goals: &Meanings,
    vocabulary: Vocabulary<'_>,
) -> Result<EditedText, Vec<Refused>> {
    let rewriter = Rewriter {
        file,
        vocabulary,
        names: vocabulary.agents.map(AgentNames::new).unwrap_or_default(),
    };
    let whole = |why: String| vec![(None, why)];
    let (known, new): (Vec<_>, Vec<_>) = goals.iter().partition(|(id, _)| says.contains_key(*id));
    let known: Meanings = owned(known);
    let made = match rewriter.defaults(before, &known)? {
        Some((made, says)) => {
            let written = finish::written(file, &made).map_err(whole)?;
            rewriter.leads(&written, &says, &known)?
        }
        None => rewriter.leads(before, &says, &known)?,
    };
    if new.is_empty() {
        return Ok(made);
    }
    rewriter.append(&made.text, &owned(new)).map_err(whole)
}

fn owned(goals: Vec<(&LeadId, &Meaning)>) -> Meanings {
    let clone = |(id, goal): (&LeadId, &Meaning)| (id.clone(), goal.clone());
    goals.into_iter().map(clone).collect()
}

/// What the leads of a file are to say in the end: their goals, or what they said at the start.
struct WholeGoal<'t> {
    says: &'t Meanings,
    goals: BTreeMap<&'t LeadId, &'t Meaning>,
}

impl WholeGoal<'_> {
    fn leads(&self) -> impl Iterator<Item = (&LeadId, &Meaning)> {
        let goal = |(id, said)| (id, self.goals.get(id).copied().unwrap_or(said));
        self.says.iter().map(goal)
    }

    fn is_reached(&self, says: &Meanings) -> bool {
        self.leads().eq(says)
    }
}

/// What a lead has yet to say, and what no longer.
#[derive(Debug, Default)]
struct Entries {
    put: Vec<(String, YamlValue)>,
    gone: remove::Gone,
}

impl Rewriter<'_> {
    fn says(&self, written: &Written<'_>) -> Result<Meanings, String> {
        declared_in(self.file, written, self.vocabulary).map(meaning_of)
    }

    /// All leads at once; where that does not come out, each half by itself, to name those that cannot be edited.
    fn leads(
        &self,
        before: &Written<'_>,
        says: &Meanings,
        goals: &Meanings,
    ) -> Result<EditedText, Vec<Refused>> {
        let differing: Vec<(&LeadId, &Meaning)> = goals
            .iter()
            .filter(|(id, goal)| says.get(*id) != Some(goal))
            .collect();
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
        says: &Meanings,
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

    fn reach(
        &self,
        before: &Written<'_>,
        says: &Meanings,
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
            let unreadable = |_| finish::unreadable();
            let written = finish::written(self.file, &text).map_err(unreadable)?;
            let says = self.says(&written).map_err(unreadable)?;
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
        says: &Meanings,
        whole: &WholeGoal<'_>,
    ) -> Result<String, String> {
        let index = place::Index::new(written)?;
        let mut splices = Vec::new();
        for (id, goal) in whole.leads() {
            let Some(now) = says.get(id).filter(|now| *now != goal) else {
                continue;
            };
            let made = self.splices(written, &index, id, &self.entries(now, goal));
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

    fn entries(&self, now: &Meaning, goal: &Meaning) -> Entries {
        let mut entries = Entries::default();
        let texts = [
            ("label", &now.label, &goal.label),
            ("hold", &now.hold, &goal.hold),
        ];
        for (key, now, goal) in texts {
            match goal {
                Some(text) if now != goal => {
                    entries
                        .put
                        .push((key.to_owned(), YamlValue::Text(text.to_string())));
                }
                None if now.is_some() => drop(entries.gone.insert(key, Vec::new())),
                Some(_) | None => {}
            }
        }
        let differs =
            |(field, value): &(&Field, &DesiredValue)| now.fields.get(*field) != Some(*value);
        let new: Vec<(Field, DesiredValue)> = goal
            .fields
            .iter()
            .filter(differs)
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        entries.put.extend(emit::entries(&new, &self.names));
        let gone = now
            .fields
            .keys()
            .filter(|field| !goal.fields.contains_key(*field));
        for field in gone {
            let (group, member) = field.path();
            let members = entries.gone.entry(group).or_default();
            members.extend(member.map(str::to_owned));
        }
        entries
    }

    fn append(&self, text: &str, new: &Meanings) -> Result<EditedText, String> {
        let written = finish::written(self.file, text)?;
        let blocks: Vec<(&LeadId, Vec<(String, YamlValue)>)> = new
            .iter()
            .map(|(id, goal)| (id, self.entries(&Meaning::default(), goal).put))
            .collect();
        let made = finish::put(&written, vec![append::leads(&written, &blocks)?]);
        let unreadable = |_| finish::unreadable();
        let after = finish::written(self.file, &made).map_err(unreadable)?;
        finish::check_comments(&written, &after)?;
        let mut target = self.says(&written)?;
        let says = self.says(&after).map_err(unreadable)?;
        for (id, goal) in new {
            // Defaults of the file apply to a new lead.
            let fits = says.get(id).is_some_and(|says| {
                says.label == goal.label
                    && says.hold == goal.hold
                    && goal
                        .fields
                        .iter()
                        .filter(|(_, value)| !value.is_empty())
                        .all(|(field, value)| says.fields.get(field) == Some(value))
            });
            if !fits {
                return Err(format!("{id} does not read back as it is to be"));
            }
            target.extend(
                says.get_key_value(id)
                    .map(|(id, says)| (id.clone(), says.clone())),
            );
        }
        if says == target {
            Ok(EditedText::new(self.file, &after))
        } else {
            Err("a new lead would change what the file says of others".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;

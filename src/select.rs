//! Selectors: choose leads by desired or by live values.
//!
//! A lead is selected if any selector matches it. A selector consists of one or more terms, and all of
//! them must match. [`Selection::of_desired`] matches desired values, [`Selection::of_live`] live ones. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;

use crate::lead::{AgentId, Desired, Field, Lead, LeadId, Status, TagRule};
use crate::policy::Agent;

mod error;
mod grammar;
mod matching;

use error::invalid;
pub use error::{SelectError, SelectorProblem};
use matching::{DeclaredLead, is_about_files, shows};

/// The leads that any of these selectors matches; every lead without selectors.
#[derive(Debug, Clone, Default)]
pub struct Selection(Vec<Selector>);

/// Terms that must all match.
#[derive(Debug, Clone)]
struct Selector {
    /// The selector as given.
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    /// `!=`: the lead must not match, and one without the field does not.
    negated: bool,
    test: SelectorTest,
}

#[derive(Debug, Clone)]
enum SelectorTest {
    /// The whole uuid, or its first characters.
    Uuid(String),
    Status(Status),
    Agent(Option<AgentId>),
    Tag(String),
    File(GlobMatcher),
    /// A part of the label, in lower case.
    Label(String),
    Attribute(String, String),
    Held,
    Changed,
}

/// The values that a selection matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectorScope {
    /// What the files declare.
    DeclaredLead,
    /// What the inbox shows.
    Live,
}

/// The minimum length of the start of a uuid.
const SHORTEST_PREFIX: usize = 4;

/// The result of a selection.
#[derive(Debug)]
pub struct Selected<T> {
    /// The leads.
    pub leads: T,
    /// The selectors that match nothing while others do, as given.
    pub unmatched: Vec<String>,
}

impl Selection {
    /// Parses selectors; agents by name or id.
    ///
    /// # Errors
    /// The first invalid selector.
    pub fn parse(texts: &[String], agents: &BTreeMap<String, Agent>) -> Result<Self, SelectError> {
        let mut selectors = Vec::with_capacity(texts.len());
        for text in texts {
            selectors
                .push(Selector::parse(text, agents).map_err(|problem| invalid(text, problem))?);
        }
        Ok(Self(selectors))
    }

    /// With leads by their uuids, or the first characters of them.
    ///
    /// # Errors
    /// A text that is too short for the start of a uuid.
    pub fn with_uuids(mut self, texts: &[String]) -> Result<Self, SelectError> {
        for text in texts {
            self.0.push(Selector {
                text: text.clone(),
                terms: vec![Term {
                    negated: false,
                    test: grammar::uuid(text).map_err(|problem| invalid(text, problem))?,
                }],
            });
        }
        Ok(self)
    }

    /// A selector for rules, which are about the values of leads and not about files.
    ///
    /// # Errors
    /// It is not a selector, or is about the files.
    pub fn for_rules(
        text: &str,
        agents: &BTreeMap<String, Agent>,
    ) -> Result<Self, SelectorProblem> {
        let selector = Selector::parse(text, agents)?;
        let is_about_files = |term: &Term| is_about_files(&term.test);
        if selector.terms.iter().any(is_about_files) {
            return Err(SelectorProblem::NotInRules);
        }
        Ok(Self(vec![selector]))
    }

    /// These selectors and those of another selection.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether a lead matches all selectors. Of a lead that is not there, only `!=` holds.
    pub fn is_met(&self, id: &LeadId, lead: Option<&Lead>) -> bool {
        self.terms().all(|(_, term)| {
            lead.is_some_and(|lead| shows(id, lead, &term.test, &[])) != term.negated
        })
    }

    /// The fields that its terms look at.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.terms().filter_map(|(_, term)| match &term.test {
            SelectorTest::Status(_) => Some(Field::STATUS),
            SelectorTest::Agent(_) => Some(Field::AGENT),
            SelectorTest::Tag(_) => Some(Field::TAGS),
            SelectorTest::Attribute(key, _) => Some(Field::attribute(key.as_str())),
            SelectorTest::Uuid(_)
            | SelectorTest::File(_)
            | SelectorTest::Label(_)
            | SelectorTest::Held
            | SelectorTest::Changed => None,
        })
    }

    /// Whether there are no selectors.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a selector matches changes since the base.
    pub fn needs_base(&self) -> bool {
        self.terms()
            .any(|(_, term)| matches!(term.test, SelectorTest::Changed))
    }

    /// The declared leads that match. `base` is the desired state at the base, for `changed`.
    ///
    /// # Errors
    /// Nothing matches, the start of a uuid matches several leads, or `changed` has no base.
    pub fn of_desired<'d>(
        &self,
        desired: &'d Desired,
        base: Option<&Desired>,
    ) -> Result<Selected<Cow<'d, Desired>>, SelectError> {
        if self.0.is_empty() {
            return Ok(Selected {
                leads: Cow::Borrowed(desired),
                unmatched: Vec::new(),
            });
        }
        if base.is_none() {
            self.refuse(
                |test| matches!(test, SelectorTest::Changed),
                &SelectorProblem::NoBase,
            )?;
        }
        let exact = self.exact(|uuid| desired.contains_key(uuid), || desired.keys())?;
        let mut hits = vec![false; self.0.len()];
        let mut leads = Desired::new();
        for (id, lead) in desired {
            let declared = DeclaredLead { id, lead, base };
            if self.any(&mut hits, |test| declared.matches(test, &exact)) {
                leads.insert(id.clone(), lead.clone());
            }
        }
        let unmatched = self.unmatched(&hits, SelectorScope::DeclaredLead, desired.len())?;
        Ok(Selected {
            leads: Cow::Owned(leads),
            unmatched,
        })
    }

    /// The live leads that match by their live values.
    ///
    /// # Errors
    /// Nothing matches, the start of a uuid matches several leads, or a selector is about the files.
    pub fn of_live<'l>(
        &self,
        live: Vec<(&'l LeadId, &'l Lead)>,
    ) -> Result<Selected<Vec<(&'l LeadId, &'l Lead)>>, SelectError> {
        if self.0.is_empty() {
            return Ok(Selected {
                leads: live,
                unmatched: Vec::new(),
            });
        }
        self.refuse(is_about_files, &SelectorProblem::NotLive)?;
        let is_listed = |uuid: &str| live.iter().any(|(id, _)| id.as_str() == uuid);
        let exact = self.exact(is_listed, || live.iter().map(|(id, _)| *id))?;
        let mut hits = vec![false; self.0.len()];
        let mut leads = Vec::new();
        for (id, lead) in &live {
            if self.any(&mut hits, |test| shows(id, lead, test, &exact)) {
                leads.push((*id, *lead));
            }
        }
        let unmatched = self.unmatched(&hits, SelectorScope::Live, live.len())?;
        Ok(Selected { leads, unmatched })
    }

    fn terms(&self) -> impl Iterator<Item = (&Selector, &Term)> {
        self.0
            .iter()
            .flat_map(|selector| selector.terms.iter().map(move |term| (selector, term)))
    }

    /// Rejects the first selector with such a term.
    fn refuse(
        &self,
        is: impl Fn(&SelectorTest) -> bool,
        problem: &SelectorProblem,
    ) -> Result<(), SelectError> {
        match self.terms().find(|(_, term)| is(&term.test)) {
            Some((selector, _)) => Err(invalid(&selector.text, problem.clone())),
            None => Ok(()),
        }
    }

    /// The uuids given in full, which are not taken for the start of longer ones.
    fn exact<'i, I: Iterator<Item = &'i LeadId>>(
        &self,
        is_whole: impl Fn(&str) -> bool,
        ids: impl Fn() -> I,
    ) -> Result<Vec<&str>, SelectError> {
        let mut exact = Vec::new();
        for (selector, term) in self.terms() {
            let SelectorTest::Uuid(uuid) = &term.test else {
                continue;
            };
            if is_whole(uuid) {
                exact.push(uuid.as_str());
                continue;
            }
            let leads = ids()
                .filter(|id| id.as_str().starts_with(uuid.as_str()))
                .count();
            if leads > 1 {
                return Err(invalid(
                    &selector.text,
                    SelectorProblem::Ambiguous { leads },
                ));
            }
        }
        Ok(exact)
    }

    /// Whether any selector matches; records every one that does.
    fn any(&self, hits: &mut [bool], matches: impl Fn(&SelectorTest) -> bool) -> bool {
        let mut any = false;
        for (selector, hit) in self.0.iter().zip(hits) {
            let all = selector
                .terms
                .iter()
                .all(|term| matches(&term.test) != term.negated);
            *hit |= all;
            any |= all;
        }
        any
    }

    /// The selectors without a match; an error if that is all of them.
    fn unmatched(
        &self,
        hits: &[bool],
        side: SelectorScope,
        leads: usize,
    ) -> Result<Vec<String>, SelectError> {
        let texts: Vec<String> = self
            .0
            .iter()
            .zip(hits)
            .filter(|(_, hit)| !**hit)
            .map(|(selector, _)| selector.text.clone())
            .collect();
        if texts.len() == self.0.len() {
            Err(SelectError::Nothing { texts, side, leads })
        } else {
            Ok(texts)
        }
    }
}

/// A value with its commas escaped.
pub fn escaped(value: &str) -> String {
    value.replace(',', "\\,")
}

/// Every tag that the files ask for, sorted.
pub fn tags_of(desired: &Desired) -> Vec<String> {
    let rules = desired
        .values()
        .filter_map(|lead| lead.get(&Field::TAGS)?.value.tag_rule());
    let tags: BTreeSet<&String> = rules.flat_map(TagRule::required).collect();
    tags.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests;

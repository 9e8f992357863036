//! Selectors: choose leads by desired or by live values.
//!
//! A lead is selected if any selector matches it. A selector consists of one or more terms, and all of
//! them must match. [`Selection::of_desired`] matches desired values, [`Selection::of_live`] live ones. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;

use crate::lead::{
    AgentId, Desired, DesiredLead, DesiredValue, Field, Lead, LeadId, Status, TagRule, Value,
};
use crate::policy::Agent;
use crate::text::count;
use crate::yaml::excerpt::quoted;

mod grammar;

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

/// Selectors that are invalid or match nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SelectError {
    /// Not a selector.
    #[error("selector {}: {problem}", quoted(text))]
    Invalid {
        /// The selector as given.
        text: String,
        /// What is wrong with it.
        problem: SelectorProblem,
    },
    /// A selection of nothing is most likely a typing error.
    #[error("{} none of {}", selects(texts), side.leads(*leads))]
    Nothing {
        /// The selectors as given.
        texts: Vec<String>,
        /// The values that were searched.
        side: SelectorScope,
        /// The number of leads searched.
        leads: usize,
    },
}

/// What is wrong with a selector.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SelectorProblem {
    /// Unknown term.
    #[error(
        "expected a uuid or its first {SHORTEST_PREFIX} characters, status=, agent=, tag=, attributes.KEY=, label~, file=, held or changed"
    )]
    Unknown,
    /// Nothing before or after a comma, or an empty selector.
    #[error("empty term; write \\, for a comma in a value")]
    Empty,
    /// Nothing after the `=` or `~`.
    #[error("missing value")]
    NoValue,
    /// Not a status that can be declared.
    #[error("not a status; one of {}", Status::WRITABLE.map(|status| status.to_string()).join(" "))]
    Status,
    /// Not an agent of the workspace.
    #[error("not an agent of the workspace; one of {names}")]
    Agent {
        /// The known names.
        names: String,
    },
    /// Not a glob.
    #[error("{0}")]
    Glob(String),
    /// A prefix matches several leads.
    #[error("{leads} uuids start with it; use more characters")]
    Ambiguous {
        /// The number of leads.
        leads: usize,
    },
    /// `changed` without a base to compare with.
    #[error("`changed` requires --base REF")]
    NoBase,
    /// A term about files in a policy rule.
    #[error(
        "file=, label~, held and changed are about the files, and a rule is about the lead before and after"
    )]
    NotInRules,
    /// A term about files, but live values are matched.
    #[error(
        "file=, label~, held and changed are about the files, and live leads are selected here"
    )]
    NotLive,
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

impl SelectError {
    /// Whether the selectors are valid and no lead matches.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing { .. })
    }
}

impl SelectorScope {
    fn leads(self, leads: usize) -> String {
        match self {
            Self::DeclaredLead => count(leads, "declared lead"),
            Self::Live => format!("{} of the inbox", count(leads, "lead")),
        }
    }
}

fn selects(texts: &[String]) -> String {
    let verb = if texts.len() == 1 {
        "selects"
    } else {
        "select"
    };
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("{} {verb}", texts.join(", "))
}

fn invalid(text: &str, problem: SelectorProblem) -> SelectError {
    SelectError::Invalid {
        text: text.to_owned(),
        problem,
    }
}

/// A declared lead with what it is compared with.
struct DeclaredLead<'d> {
    id: &'d LeadId,
    lead: &'d DesiredLead,
    base: Option<&'d Desired>,
}

impl DeclaredLead<'_> {
    fn matches(&self, test: &SelectorTest, exact: &[&str]) -> bool {
        match test {
            SelectorTest::Uuid(uuid) => is_uuid(self.id, uuid, exact),
            SelectorTest::Status(status) => {
                self.asks(&Field::STATUS, &DesiredValue::Choice(status.clone()))
            }
            SelectorTest::Agent(agent) => {
                self.asks(&Field::AGENT, &DesiredValue::Reference(agent.clone()))
            }
            SelectorTest::Tag(tag) => {
                let tags = self.value(&Field::TAGS).and_then(DesiredValue::tag_rule);
                tags.is_some_and(|rule| rule.required().contains(tag))
            }
            SelectorTest::Attribute(key, value) => {
                let field = Field::attribute(key.as_str());
                self.asks(&field, &DesiredValue::Text(value.clone()))
            }
            SelectorTest::File(glob) => glob.is_match(&*self.lead.place.file),
            SelectorTest::Label(part) => self
                .lead
                .label
                .as_ref()
                .is_some_and(|label| label.to_lowercase().contains(part)),
            SelectorTest::Held => self.lead.hold.is_some(),
            SelectorTest::Changed => self.has_changed(),
        }
    }

    /// Whether the declaration differs from the base in anything that has an effect.
    fn has_changed(&self) -> bool {
        let Some(was) = self.base.and_then(|base| base.get(self.id)) else {
            return true;
        };
        let values = |lead: &'_ DesiredLead| -> Vec<(Field, DesiredValue)> {
            let fields = lead.fields.iter();
            fields
                .map(|desired| (desired.field.clone(), desired.value.clone()))
                .collect()
        };
        was.create != self.lead.create
            || was.hold != self.lead.hold
            || values(was) != values(self.lead)
    }

    fn value(&self, field: &Field) -> Option<&DesiredValue> {
        self.lead.get(field).map(|desired| &desired.value)
    }

    fn asks(&self, field: &Field, value: &DesiredValue) -> bool {
        self.value(field) == Some(value)
    }
}

/// Whether a live lead matches.
fn shows(id: &LeadId, lead: &Lead, test: &SelectorTest, exact: &[&str]) -> bool {
    match test {
        SelectorTest::Uuid(uuid) => is_uuid(id, uuid, exact),
        SelectorTest::Status(status) => lead.status() == Some(status),
        SelectorTest::Agent(agent) => lead.agent() == agent.as_ref(),
        SelectorTest::Tag(tag) => lead.tags().contains(tag),
        SelectorTest::Attribute(key, value) => {
            let live = lead.get(&Field::attribute(key.as_str()));
            live.and_then(Value::text) == Some(value)
        }
        SelectorTest::File(_)
        | SelectorTest::Label(_)
        | SelectorTest::Held
        | SelectorTest::Changed => false,
    }
}

fn is_about_files(test: &SelectorTest) -> bool {
    match test {
        SelectorTest::File(_)
        | SelectorTest::Label(_)
        | SelectorTest::Held
        | SelectorTest::Changed => true,
        SelectorTest::Uuid(_)
        | SelectorTest::Status(_)
        | SelectorTest::Agent(_)
        | SelectorTest::Tag(_)
        | SelectorTest::Attribute(..) => false,
    }
}

fn is_uuid(id: &LeadId, uuid: &str, exact: &[&str]) -> bool {
    id.as_str() == uuid || !exact.contains(&uuid) && id.as_str().starts_with(uuid)
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

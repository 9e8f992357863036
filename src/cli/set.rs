//! `convertalk set`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::compared::select;
use super::complete;
use super::session::{Files, files_to_edit, free};
use super::ui::Ui;
use crate::error::{Error, Exit};
use crate::lead::{AgentId, Desired, DesiredLead, DesiredValue, Field, LeadId};
use crate::lead_file::assign::{Assignment, agent};
use crate::lead_file::share::{Taker, share};
use crate::lead_file::{Meaning, one_meaning};
use crate::report::Problem;
use crate::select::Selection;
use crate::yaml::excerpt::quoted;

pub(super) mod files;
mod result;
mod sheet;

use sheet::SheetFile;

/// Edit lead files in bulk; never changes the inbox
///
/// Arguments that contain `=` are assignments: status=CLOSED, agent=rahul, agent=none, tags=a,b (exactly these), tags+=a, tags-=b,
/// attributes.KEY=VALUE, contact.KEY=VALUE, label=TEXT, hold=REASON. An empty value clears the field; `\,` is a comma in a tag. Other
/// arguments are uuids, or their first characters; select other leads with --only.
///
/// All or nothing: an error anywhere changes no file.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Leads to edit, by uuid, and the values to set
    #[arg(value_name = "UUID|ASSIGNMENT", add = ArgValueCompleter::new(complete::assignments))]
    words: Vec<String>,
    /// These declared leads (repeatable: any of them)
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    only: Vec<String>,
    /// All declared leads, held ones too
    #[arg(long, conflicts_with_all = ["only", "from"])]
    all: bool,
    /// Stop managing a field (repeatable)
    #[arg(long, value_name = "FIELD", add = ArgValueCompleter::new(complete::managed))]
    unset: Vec<String>,
    /// Spread the leads evenly over these agents, within their max_leads
    #[arg(long, value_name = "AGENT,…", value_delimiter = ',', add = ArgValueCompleter::new(complete::agents))]
    share: Vec<String>,
    /// Read leads and values from a CSV file with the columns of `list --format csv`; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["words", "only", "unset", "share"])]
    from: Option<PathBuf>,
    /// Add leads that are in the CSV file but in no lead file to this lead file
    #[arg(
        long,
        value_name = "FILE",
        requires = "from",
        add = ArgValueCompleter::new(complete::lead_files)
    )]
    add_to: Option<PathBuf>,
    /// Print what would change, as a diff that `git apply` takes, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: SetFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SetFormat {
    /// For people
    Text,
    /// For programs; the schema is schema/set.schema.json
    Json,
}

/// The assignments of leads. Many leads have the same.
type Assignments = BTreeMap<LeadId, Arc<[Assignment]>>;

/// What leads are to say that they do not say, by the file that declares them.
#[derive(Debug, Default)]
struct Goals {
    by_file: BTreeMap<String, Assignments>,
    /// How many leads were asked for.
    leads: usize,
}

impl Goals {
    /// Notes what a lead is to say, where that is not what it says.
    fn assign(&mut self, id: &LeadId, lead: &DesiredLead, assignments: &Arc<[Assignment]>) {
        self.leads += 1;
        if !goal(Some(lead), assignments).is_said_by(lead) {
            let file = self.by_file.entry(lead.place.file.to_string());
            let leads = file.or_default();
            leads.insert(id.clone(), Arc::clone(assignments));
        }
    }
}

/// What a lead says after its assignments; one that is not declared says nothing before.
fn goal(declared: Option<&DesiredLead>, assignments: &[Assignment]) -> Meaning {
    let mut goal = declared.map_or_else(Meaning::default, one_meaning);
    assignments.iter().for_each(|one| one.apply(&mut goal));
    goal
}

/// Why no file is changed.
enum Problems {
    /// Errors, all of them.
    Errors(Vec<Problem>),
    /// A guard refuses.
    Refused(Problem),
}

impl From<Vec<Problem>> for Problems {
    fn from(errors: Vec<Problem>) -> Self {
        Self::Errors(errors)
    }
}

impl Set {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        // The sheet may be long in coming: the files are read after it.
        let sheet = self.from.as_deref().map(SheetFile::read).transpose()?;
        let (files, texts) = files_to_edit(directory, ui)?;
        let goals = match &sheet {
            Some(sheet) => sheet.goals(self.add_to.as_deref(), &files)?,
            None => self.goals(&files, ui)?,
        };
        let edits = goals.and_then(|goals| {
            let edits = files::edit(&files, &texts, &goals.by_file)?;
            Ok((goals, edits))
        });
        let (goals, edits) = match edits {
            Ok(made) => made,
            Err(problems) => return Err(Self::refuse(problems, ui)),
        };
        if !self.dry_run {
            files::write(&files.workspace, edits.iter())?;
        }
        match self.format {
            SetFormat::Json => ui.json(&result::set_report(&goals, &files, self.dry_run))?,
            SetFormat::Text if self.dry_run => {
                ui.exact(&result::patch(&edits, &files.workspace))?
            }
            SetFormat::Text => {
                ui.result(&result::text(&goals))?;
                if !edits.is_empty() {
                    ui.note("next: `convertalk plan` shows what this changes in the inbox");
                }
            }
        }
        free((files, texts, goals, edits));
        Ok(Exit::Done)
    }

    fn refuse(problems: Problems, ui: &Ui) -> Error {
        let (errors, exit) = match problems {
            Problems::Errors(errors) => (errors, Exit::Error),
            Problems::Refused(error) => (vec![error], Exit::Refused),
        };
        ui.reported(&errors);
        Error::Unchanged {
            errors: errors.len(),
            exit,
        }
    }

    /// What the selected leads are to say.
    fn goals(&self, files: &Files, ui: &Ui) -> Result<Result<Goals, Problems>, Error> {
        let (assignments, uuids): (Vec<String>, Vec<String>) = self
            .words
            .iter()
            .cloned()
            .partition(|word| word.contains('='));
        if assignments.is_empty() && self.unset.is_empty() && self.share.is_empty() {
            return Err(Error::Usage(
                "nothing to set: name an assignment such as status=CLOSED, --unset, --share or --from",
            ));
        }
        let selection =
            Selection::parse(&self.only, &files.workspace.agents)?.with_uuids(&uuids)?;
        if selection.is_empty() && !self.all {
            return Err(Error::Usage(
                "no lead is selected: name uuids, select leads with --only, or use --all",
            ));
        }
        if !selection.is_empty() && self.all {
            return Err(Error::Usage("--all takes every lead, and uuids only some"));
        }
        let assignments = match self.assignments(&assignments, files) {
            Ok(assignments) => assignments,
            Err(errors) => return Ok(Err(errors.into())),
        };
        let selected = select(&selection, &files.desired, None, ui)?;
        let agents = match self.shared(&selected, files) {
            Ok(agents) => agents,
            Err(problems) => return Ok(Err(problems)),
        };
        let mut goals = Goals::default();
        let same_for_all: Arc<[Assignment]> = assignments.clone().into();
        for (at, (id, lead)) in selected.iter().enumerate() {
            let Some(agent) = agents.get(at) else {
                goals.assign(id, lead, &same_for_all);
                continue;
            };
            let agent = DesiredValue::Reference(Some(agent.clone()));
            let mut all = assignments.clone();
            all.push(Assignment::Say(Field::AGENT, agent));
            goals.assign(id, lead, &all.into());
        }
        Ok(Ok(goals))
    }

    fn assignments(
        &self,
        texts: &[String],
        files: &Files,
    ) -> Result<Vec<Assignment>, Vec<Problem>> {
        let vocabulary = files.workspace.vocabulary();
        let (mut made, mut errors) = (Vec::new(), Vec::new());
        let set = texts
            .iter()
            .map(|text| (text, Assignment::parse(text, vocabulary)));
        let unset = self
            .unset
            .iter()
            .map(|name| (name, Assignment::unset(name)));
        // What is set or unset already, and whether it is unset.
        let mut subjects: Vec<(String, bool)> = Vec::new();
        if !self.share.is_empty() {
            subjects.push(("agent".to_owned(), false));
        }
        for (text, read) in set.chain(unset) {
            let error = |message: String| {
                Problem::new("assignment", format!("{}: {message}", quoted(text)))
            };
            match read {
                Ok(one) => {
                    let subject = one.subject();
                    let adds = matches!(one, Assignment::AddTags(_) | Assignment::RemoveTags(_));
                    let mut others = subjects
                        .iter()
                        .filter(|(other, _)| overlap(other, &subject));
                    if let Some((other, was_unset)) = others.next().filter(|_| !adds) {
                        let how = match (was_unset, one.is_unset()) {
                            (true, _) => "unset twice",
                            (false, true) => "set and unset",
                            (false, false) => "set twice",
                        };
                        errors.push(error(format!("{other} is {how}")));
                    }
                    if let Some(tag) = made.iter().find_map(|other| one.contradicts(other)) {
                        let tag = quoted(tag);
                        errors.push(error(format!("{tag} is to be added and taken away")));
                    }
                    subjects.push((subject, one.is_unset()));
                    made.push(one);
                }
                Err(problem) => errors.push(error(problem.to_string())),
            }
        }
        if errors.is_empty() {
            Ok(made)
        } else {
            Err(errors)
        }
    }

    /// The agent that each selected lead gets; none where nothing is shared out.
    fn shared(&self, selected: &Desired, files: &Files) -> Result<Vec<AgentId>, Problems> {
        if self.share.is_empty() {
            return Ok(Vec::new());
        }
        let mut agents: Vec<AgentId> = Vec::new();
        let mut errors = Vec::new();
        for name in &self.share {
            let problem = match agent(name, files.workspace.vocabulary()) {
                Ok(Some(id)) if agents.contains(&id) => "the agent is listed twice".to_owned(),
                Ok(Some(id)) => {
                    agents.push(id);
                    continue;
                }
                Ok(None) => "leads are shared out over agents".to_owned(),
                Err(problem) => problem.to_string(),
            };
            let message = format!("--share {}: {problem}", quoted(name));
            errors.push(Problem::new("share", message));
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        let others = files
            .desired
            .iter()
            .filter(|(id, _)| !selected.contains_key(*id));
        let mut counts: BTreeMap<&AgentId, usize> = BTreeMap::new();
        for agent in others.filter_map(|(_, lead)| agent_of(lead)) {
            *counts.entry(agent).or_default() += 1;
        }
        let cap = |id: &AgentId| {
            let named = files
                .workspace
                .agents
                .values()
                .filter(|agent| agent.id == *id);
            named.filter_map(|agent| agent.max_leads).min()
        };
        let takers: Vec<Taker> = agents
            .iter()
            .map(|id| Taker {
                others: counts.get(id).copied().unwrap_or_default(),
                max_leads: cap(id).map(|cap| cap as usize),
            })
            .collect();
        let now: Vec<Option<usize>> = selected
            .values()
            .map(|lead| {
                let agent = agent_of(lead)?;
                agents.iter().position(|other| other == agent)
            })
            .collect();
        match share(&now, &takers) {
            Ok(given) => Ok(given.into_iter().map(|at| agents[at].clone()).collect()),
            Err(problem) => {
                let error = Problem::new("max-leads", problem.to_string());
                Err(Problems::Refused(error.help(
                    "name more agents, select fewer leads, or raise `max_leads` in convertalk.yaml",
                )))
            }
        }
    }
}

/// Whether two assignments are about one value: `attributes` and `attributes.tier`, say.
fn overlap(one: &str, other: &str) -> bool {
    let group = |subject: &str| subject.split('.').next().map(str::to_owned);
    let is_group = !one.contains('.') || !other.contains('.');
    one == other || is_group && group(one) == group(other)
}

fn agent_of(lead: &DesiredLead) -> Option<&AgentId> {
    match &lead.get(&Field::AGENT)?.value {
        DesiredValue::Reference(agent) => agent.as_ref(),
        DesiredValue::Choice(_)
        | DesiredValue::Set(_)
        | DesiredValue::Text(_)
        | DesiredValue::Boolean(_)
        | DesiredValue::Notes(_) => None,
    }
}

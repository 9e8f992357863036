//! `convertalk explain`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::complete;
use super::options::OutputFormat;
use super::recording::Recording;
use super::session::{Files, Session, files, now, target};
use super::signals::block_on;
use super::ui::Ui;
use crate::apply::history::writes;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::git::base::BaseError;
use crate::git::blame::blame;
use crate::git::history::{History, history};
use crate::git::runner::GitError;
use crate::hints::with_hints;
use crate::lead::desired::{Desired, DesiredLead};
use crate::lead::{FieldMask, LeadId};
use crate::observe::{ObserveError, Reader, observe};
use crate::plan::explain::{Decision, Explanation, explain};
use crate::plan::{DifferencePolicy, Input, Limits, make};
use crate::redaction::Redaction;
use crate::report::{HistoryEntry, LeadHistory, explanation, lead_history};
use crate::snapshot::Snapshot;

/// Explain one lead, field by field
///
/// Shows the base, desired and live values, which of them decides, the line that declares it, and the commit that last changed it.
///
/// With --history: the commits that changed its declaration and the runs that wrote it, from git and .convertalk/runs/ alone.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The lead: its uuid, the first characters of it, or a part of its label, that no other declared lead has
    #[arg(value_name = "LEAD", add = ArgValueCompleter::new(complete::leads))]
    lead: String,
    /// Show the commits that changed its declaration and the runs that wrote it
    #[arg(long, conflicts_with_all = ["base", "live"])]
    history: bool,
    /// Also compare with the files at a commit; `applied` uses each lead's commit in the applied record; `auto` in GitHub and GitLab pull
    /// requests
    #[arg(long, value_name = "REF", add = ArgValueCompleter::new(complete::bases))]
    base: Option<String>,
    /// Path of the applied record, for --base applied [default: .convertalk/applied.json]
    #[arg(long, value_name = "FILE")]
    applied: Option<PathBuf>,
    /// Read live values from a snapshot: no credentials, no network
    #[arg(long, value_name = "FILE")]
    live: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    /// How much of people's names and contact values to show
    #[arg(long, value_name = "HOW", default_value = "initials")]
    names: Redaction,
}

impl Explain {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let files = files(directory, ui)?;
        if self.history {
            return self.show_history(&files, ui);
        }
        let stop = Cancellation::default();
        let mut explained = block_on(&stop, async {
            match &self.live {
                Some(path) => {
                    self.explain(&Snapshot::open(path, &target(&files.workspace))?, &files)
                        .await
                }
                None => {
                    Session::with(&files.workspace, &stop, async |session| {
                        let _reading = ui.reading(&session.requests);
                        self.explain(&session.reader(&files.workspace)?, &files)
                            .await
                    })
                    .await
                }
            }
        })?;
        if let Err(error) = name_commits(&mut explained, &files.workspace.root) {
            ui.git(&error, "the commits of some lines are not shown");
        }
        match self.format {
            OutputFormat::Text => ui.result(&explanation(&explained))?,
            OutputFormat::Json => ui.json(&explained)?,
        }
        let is_missing = explained.fields.is_empty()
            || explained
                .fields
                .iter()
                .any(|field| field.rule == Decision::Missing);
        if explained.fields.is_empty() && !explained.found {
            ui.note("no declared lead starts with this; an undeclared lead needs its whole uuid");
        }
        Ok(if is_missing && !explained.found {
            Exit::Error
        } else {
            Exit::Done
        })
    }

    fn show_history(&self, files: &Files, ui: &Ui) -> Result<Exit, Error> {
        let Files {
            workspace, desired, ..
        } = files;
        let id = self.lead(desired, None)?;
        let commits = match history(workspace, &id) {
            Ok(History { changes, is_whole }) => {
                if !is_whole {
                    ui.git(&BaseError::CutOff, "older commits are not shown");
                }
                changes
            }
            Err(BaseError::Git(GitError::NoRepository) | BaseError::NoCommits) => {
                ui.note("the workspace is in no git repository, so there are no commits to show");
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        let writes = writes(&workspace.root, &id, self.names).map_err(|source| Error::Io {
            what: "read .convertalk/runs/".to_owned(),
            source,
        })?;
        let mut entries: Vec<HistoryEntry> = Vec::new();
        entries.extend(commits.into_iter().map(|change| HistoryEntry::Commit {
            at: change.commit.at,
            commit: change.commit.id,
            author: change.commit.author,
            subject: change.commit.subject,
            action: change.action,
            fields: change.fields,
        }));
        entries.extend(writes.into_iter().map(|write| HistoryEntry::Run {
            at: write.at,
            run: write.run,
            outcome: write.outcome,
            fields: write.fields,
        }));
        // Runs note milliseconds and commits seconds: the texts do not sort.
        entries.sort_by_key(|entry| {
            std::cmp::Reverse(entry.at().parse::<jiff::Timestamp>().unwrap_or_default())
        });
        let lead = desired.get(&id);
        let lead_record = LeadHistory {
            label: lead
                .and_then(|lead| lead.label.as_deref())
                .map(str::to_owned),
            source: lead.map(|lead| (&lead.place).into()),
            uuid: id,
            history: entries,
        };
        match self.format {
            OutputFormat::Text => ui.result(&lead_history(&lead_record))?,
            OutputFormat::Json => ui.json(&lead_record)?,
        }
        let is_known = lead_record.source.is_some() || !lead_record.history.is_empty();
        Ok(if is_known { Exit::Done } else { Exit::Error })
    }

    async fn explain<R: Reader>(&self, reader: &R, files: &Files) -> Result<Explanation, Error>
    where
        Error: From<ObserveError<R::Error>>,
    {
        let Files {
            workspace, desired, ..
        } = files;
        let base = self
            .base
            .as_deref()
            .map(|reference| Recording::base_at(self.applied.as_deref(), reference, files))
            .transpose()?;
        let id = self.lead(desired, base.as_ref().map(|(_, said)| said))?;
        let (root, target) = (&workspace.root, target(workspace));
        let wanted = BTreeSet::from([id.clone()]);
        let live = with_hints(reader, root, &target, Some(desired), async |hints| {
            let live = observe(reader, &wanted, false, hints).await?;
            let fields = desired.get(&id).map(|lead| lead.fields.iter());
            let fields = fields.map(|fields| fields.map(|desired| &desired.field));
            Ok(live.with_fields_read(|_| FieldMask::exactly(fields.clone().into_iter().flatten())))
        })
        .await?;
        let only = |all: &Desired| -> Desired {
            all.get_key_value(&id)
                .map(|(id, lead)| (id.clone(), lead.clone()))
                .into_iter()
                .collect()
        };
        let (chosen, was) = (only(desired), base.as_ref().map(|(_, said)| only(said)));
        let limits = Limits::new(&workspace.policy, &workspace.agents);
        let plan = make(Input {
            desired: &chosen,
            all: desired,
            live: &live,
            agents: &workspace.agents,
            limits: &limits,
            target,
            base: base
                .as_ref()
                .map(|(base, _)| base.clone())
                .zip(was.as_ref()),
            left_alone: &BTreeSet::new(),
            whose: DifferencePolicy {
                drift: workspace
                    .policy
                    .drift
                    .as_ref()
                    .map(|rule| rule.value)
                    .unwrap_or_default(),
                ..DifferencePolicy::default()
            },
            created_at: now(),
        });
        let was = was.as_ref().and_then(|was| was.get(&id));
        Ok(explain(
            &id,
            chosen.get(&id),
            was,
            live.get(&id).map(AsRef::as_ref),
            &plan,
            self.names,
        ))
    }

    /// The lead that is meant: of those declared now or at the base, by uuid, its first characters or a part of its label; or any other by
    /// its whole uuid.
    fn lead(&self, desired: &Desired, base: Option<&Desired>) -> Result<LeadId, Error> {
        let known = || desired.iter().chain(base.into_iter().flatten());
        let given = &self.lead;
        if let Some((id, _)) = known().find(|(id, _)| id.as_str() == given) {
            return Ok(id.clone());
        }
        let prefixed: BTreeSet<&LeadId> = known()
            .map(|(id, _)| id)
            .filter(|id| id.as_str().starts_with(given.as_str()))
            .collect();
        let part = given.to_lowercase();
        let is_labelled = |lead: &DesiredLead| {
            let label = lead.label.as_ref().map(|label| label.to_lowercase());
            label.is_some_and(|label| label.contains(&part))
        };
        let fitting = if prefixed.is_empty() {
            known()
                .filter(|(_, lead)| is_labelled(lead))
                .map(|(id, _)| id)
                .collect()
        } else {
            prefixed
        };
        let mut fitting = fitting.into_iter();
        match (fitting.next(), fitting.len()) {
            (Some(id), 0) => Ok(id.clone()),
            (Some(_), others) => Err(Error::Ambiguous {
                uuid: given.clone(),
                leads: others + 1,
            }),
            (None, _) => Ok(LeadId::new(given.as_str())),
        }
    }
}

/// The commit that last changed the line of each field, where the clone has it.
fn name_commits(explained: &mut Explanation, root: &Path) -> Result<(), BaseError> {
    let mut is_whole = true;
    for field in &mut explained.fields {
        if let Some(place) = &field.source {
            field.commit = match blame(root, &place.file, place.line) {
                Err(BaseError::CutOff) => {
                    is_whole = false;
                    None
                }
                commit => commit?,
            };
        }
    }
    is_whole.then_some(()).ok_or(BaseError::CutOff)
}

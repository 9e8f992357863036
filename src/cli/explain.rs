//! `convertalk explain`

use std::path::{Path, PathBuf};

use clap::Args;

use super::ledger::{APPLIED, Recording};
use super::options::Form;
use super::session::{Files, Session, base, block_on, files, now, target};
use super::ui::Ui;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::git::blame::blame;
use crate::lead::LeadId;
use crate::lead::desired::Desired;
use crate::observe::{ObserveError, Reader, observe};
use crate::plan::explain::{Explanation, Rule, explain};
use crate::plan::{Base, DifferencePolicy, Input, Limits, make};
use crate::redaction::Redaction;
use crate::report::explanation;
use crate::snapshot::Snapshot;

/// For one lead, field by field: base, desired, live, what decides, the line that asks, and the commit that last changed it
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The lead, or a beginning of its uuid that no other declared lead has
    uuid: String,
    /// Explain by what the files said at a commit, too; `applied`: by each lead's own, of the applied record; `auto` in GitHub and GitLab pull requests
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Where the applied record is, for --base applied [default: .convertalk/applied.json]
    #[arg(long, value_name = "FILE")]
    applied: Option<PathBuf>,
    /// Take the live values from a snapshot: no credentials, no network
    #[arg(long, value_name = "FILE")]
    live: Option<PathBuf>,
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Form,
    /// How much of people's names and contact values to tell
    #[arg(long, value_name = "HOW", default_value = "initials")]
    names: Redaction,
}

impl Explain {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let files = files(directory, ui)?;
        let stop = Cancellation::default();
        let mut told = block_on(&stop, async {
            match &self.live {
                Some(path) => {
                    self.explain(&Snapshot::open(path, &target(&files.workspace))?, &files)
                        .await
                }
                None => {
                    Session::with(&files.workspace, &stop, async |session| {
                        self.explain(&session.reader(&files.workspace)?, &files)
                            .await
                    })
                    .await
                }
            }
        })?;
        for field in &mut told.fields {
            let place = field.source.as_ref();
            field.commit =
                place.and_then(|place| blame(&files.workspace.root, &place.file, place.line));
        }
        match self.format {
            Form::Text => ui.result(&explanation(&told))?,
            Form::Json => ui.json(&told)?,
        }
        let is_missing =
            told.fields.is_empty() || told.fields.iter().any(|field| field.rule == Rule::Missing);
        if told.fields.is_empty() && !told.found {
            ui.note("no declared lead begins with this, and of one that no file declares the whole uuid is needed");
        }
        Ok(if is_missing && !told.found {
            Exit::Error
        } else {
            Exit::Done
        })
    }

    async fn explain<R: Reader>(&self, reader: &R, files: &Files) -> Result<Explanation, Error>
    where
        Error: From<ObserveError<R::Error>>,
    {
        let Files { workspace, desired } = files;
        let base = self
            .base
            .as_deref()
            .map(|reference| match reference {
                APPLIED => self.applied(files),
                reference => base(workspace, reference),
            })
            .transpose()?;
        let id = self.lead(desired, base.as_ref().map(|(_, said)| said))?;
        let live = observe(reader, [id.clone()].into(), false)
            .await?
            .readable()?;
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
            target: target(workspace),
            base: base
                .as_ref()
                .map(|(base, _)| base.clone())
                .zip(was.as_ref()),
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
            live.get(&id),
            &plan,
            self.names,
        ))
    }

    /// The base of each lead by the applied record.
    fn applied(&self, files: &Files) -> Result<(Base, Desired), Error> {
        let recording = Recording {
            applied: self.applied.clone(),
            begin: None,
        };
        recording.base_of(files, &target(&files.workspace))
    }

    /// The lead that is meant: of those declared now or at the base, or any other by its whole uuid.
    fn lead(&self, desired: &Desired, base: Option<&Desired>) -> Result<LeadId, Error> {
        let known = || {
            desired
                .keys()
                .chain(base.into_iter().flat_map(|base| base.keys()))
        };
        if let Some(id) = known().find(|id| id.as_str() == self.uuid) {
            return Ok(id.clone());
        }
        let fitting: std::collections::BTreeSet<&LeadId> = known()
            .filter(|id| id.as_str().starts_with(&self.uuid))
            .collect();
        match fitting.len() {
            0 => Ok(LeadId::new(self.uuid.as_str())),
            1 => Ok(fitting
                .into_iter()
                .next()
                .cloned()
                .unwrap_or_else(|| LeadId::new(self.uuid.as_str()))),
            leads => Err(Error::Ambiguous {
                uuid: self.uuid.clone(),
                leads,
            }),
        }
    }
}

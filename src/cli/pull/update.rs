//! Writes live values into the files that declare the leads, in place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::super::compared::{Compared, plan};
use super::super::options::{OnMissing, OutputFormat, Scope};
use super::super::recording::Recording;
use super::super::session::{Files, Session};
use super::super::signals::block_on;
use super::super::ui::Ui;
use super::Pull;
use crate::atomic_file;
use crate::cancel::Cancellation;
use crate::config::Workspace;
use crate::diff::{Class, FieldChange, value};
use crate::error::{Error, Exit};
use crate::lead::desired::Desired;
use crate::lead::{DesiredValue, Lead, LeadId, Value};
use crate::lead_file::FileTexts;
use crate::lead_file::edit::{Adopted, Edit, Edited, adopt, apply};
use crate::observe::Live;
use crate::plan::{Action, Change, Plan, Source};
use crate::redaction::Redaction;
use crate::report::style::{BAD, GOOD, paint};
use crate::report::{Problem, PullReport, PulledFile, Skipped, Spot};
use crate::text::{count, visible};

/// The values to write, by file, and those that cannot be written.
#[derive(Default)]
struct Work {
    edits: BTreeMap<String, Vec<Edit>>,
    cannot: Vec<Skipped>,
}

/// The result for one file.
struct UpdatedFile {
    file: String,
    values: usize,
    leads: usize,
    refused: Vec<(Edit, String)>,
    error: Option<Error>,
}

impl Pull {
    pub(super) fn update(&self, files: &Files, texts: &FileTexts, ui: &Ui) -> Result<Exit, Error> {
        let (plan, live) = self.compare(files, ui)?;
        let Work { edits, cannot } = self.work(&plan, &live, &files.desired);
        let done: Vec<UpdatedFile> = edits
            .into_par_iter()
            .filter_map(|(file, edits)| {
                let text = texts.get(file.as_str())?;
                Some(write(&files.workspace, file, text, &edits))
            })
            .collect();
        match self.format {
            OutputFormat::Text => ui.result(&render_done(&done, plan.summary.declared))?,
            OutputFormat::Json => ui.json(&self.report(&done, &cannot, &plan, ui))?,
        }
        for skipped in &cannot {
            ui.note(&format!(
                "skipped, because a lead file cannot express it: {}",
                render_skipped(skipped)
            ));
        }
        let mut exit = Exit::Done;
        for UpdatedFile {
            file,
            refused,
            error,
            ..
        } in &done
        {
            for (Edit { id, field, .. }, why) in refused {
                let lead = visible(id.as_str());
                let (file, field) = (visible(file), visible(&field.to_string()));
                ui.stderr(&format!(
                    "{} {file}: {lead}: {field} not written: {why}",
                    paint(BAD, "error:")
                ));
                exit = Exit::Error;
            }
            if let Some(error) = error {
                ui.error(error);
                exit = Exit::Error;
            }
        }
        if self.only_drift && plan.summary.conflicts > 0 {
            ui.note(&format!(
                "{} unchanged: the files and the inbox both changed",
                count(conflicts(&plan), "conflict")
            ));
        }
        for missing in &plan.missing {
            ui.stderr(&format!(
                "{}: {} is not in the inbox",
                missing.source,
                visible(missing.uuid.as_str())
            ));
        }
        Ok(
            if plan.missing.is_empty() || self.missing == OnMissing::Skip {
                exit
            } else {
                Exit::Error
            },
        )
    }

    fn report(&self, done: &[UpdatedFile], cannot: &[Skipped], plan: &Plan, ui: &Ui) -> PullReport {
        let mut report = PullReport {
            skipped: cannot.to_vec(),
            missing: plan.missing.clone(),
            conflicts: if self.only_drift { conflicts(plan) } else { 0 },
            ..PullReport::default()
        };
        for done in done {
            if done.values > 0 {
                report.files.push(PulledFile {
                    file: done.file.clone(),
                    leads: done.leads,
                    values: Some(done.values),
                });
            }
            let refused = done.refused.iter().map(|(Edit { id, field, .. }, why)| {
                Problem::new("edit", format!("{id}: {field} not written: {why}")).at(Spot {
                    file: done.file.clone(),
                    line: 1,
                    column: None,
                })
            });
            report.errors.extend(refused);
            let error = done.error.as_ref();
            report.errors.extend(error.map(|error| ui.problem(error)));
        }
        report
    }

    fn compare(&self, files: &Files, ui: &Ui) -> Result<(Plan, Live), Error> {
        let scope = Scope {
            only: self.only.clone(),
            base: self.base.clone(),
            full: false,
            names: Redaction::default(),
            max_changes: None,
            allow: Vec::new(),
            missing: self.missing,
        };
        let stop = Cancellation::default();
        block_on(&stop, async {
            Session::with(&files.workspace, &stop, async |session| {
                let reader = session.reader(&files.workspace)?;
                let reference = self.base.as_deref();
                let compared = Compared {
                    base: reference
                        .map(|reference| {
                            Recording::base_at(self.applied.as_deref(), reference, files)
                        })
                        .transpose()?,
                    ..Compared::default()
                };
                let reading = ui.reading(&session.requests);
                let planned = plan(files, &scope, &compared, session.target(), &reader, ui).await;
                drop(reading);
                planned
            })
            .await
        })
    }

    fn work(&self, plan: &Plan, live: &Live, desired: &Desired) -> Work {
        let mut work = Work::default();
        for change in plan
            .changes
            .iter()
            .filter(|change| change.action == Action::Update)
        {
            let (Some(seen), Some(lead)) = (live.get(&change.uuid), desired.get(&change.uuid))
            else {
                continue;
            };
            for field in change.fields.iter() {
                let desired = lead.get(&field.field).map(|desired| &desired.value);
                if let Some((desired, target)) = desired.zip(self.target(field, &seen.lead)) {
                    work.note(change, field, desired, &target);
                }
            }
        }
        work
    }

    /// The value to write: the live value or, for drift alone, the live value with the intended changes of the files.
    fn target(&self, field: &FieldChange, live: &Lead) -> Option<Value> {
        match field.class {
            Some(Class::Intended) if self.only_drift => field.intended.clone(),
            Some(Class::Conflict) if self.only_drift => None,
            _ => Some(value(live, &field.field)),
        }
    }
}

impl Work {
    fn note(
        &mut self,
        change: &Change,
        field: &FieldChange,
        desired: &DesiredValue,
        target: &Value,
    ) {
        match adopt(&field.field, desired, target) {
            Adopted::Same => {}
            Adopted::Say(value) => {
                self.edits
                    .entry(change.source.file.clone())
                    .or_default()
                    .push(Edit {
                        id: change.uuid.clone(),
                        field: field.field.clone(),
                        value,
                    });
            }
            Adopted::Cannot(why) => {
                self.cannot.push(Skipped {
                    uuid: Some(change.uuid.clone()),
                    source: Some(Source {
                        file: change.source.file.clone(),
                        line: field.line,
                    }),
                    field: Some(field.field.to_string()),
                    ..Skipped::several(why, 1)
                });
            }
        }
    }
}

/// Edits a file, unless it is no longer what was read.
fn write(workspace: &Workspace, file: String, text: &str, edits: &[Edit]) -> UpdatedFile {
    let name: Arc<str> = file.as_str().into();
    let Edited { text: new, refused } = apply(&name, text, edits, workspace.vocabulary());
    if new != text
        && let Err(error) =
            atomic_file::replace(&workspace.root.join(&file), text.as_bytes(), new.as_bytes())
    {
        return UpdatedFile {
            file,
            values: 0,
            leads: 0,
            refused: Vec::new(),
            error: Some(error.into()),
        };
    }
    let refusing = |edit: &&Edit| !refused.iter().any(|(other, _)| other == *edit);
    let made: Vec<&LeadId> = edits.iter().filter(refusing).map(|edit| &edit.id).collect();
    let leads = made.iter().collect::<BTreeSet<_>>().len();
    UpdatedFile {
        file,
        values: made.len(),
        leads,
        refused,
        error: None,
    }
}

/// The number of fields that the files and the inbox both changed.
fn conflicts(plan: &Plan) -> usize {
    let fields = plan.changes.iter().flat_map(|change| change.fields.iter());
    fields
        .filter(|field| field.class == Some(Class::Conflict))
        .count()
}

fn render_skipped(skipped: &Skipped) -> String {
    let place = skipped.source.as_ref().map(Source::to_string);
    let lead = skipped.uuid.as_ref().map(|id| visible(id.as_str()));
    let field = skipped.field.as_deref().map(visible);
    let parts = [place, lead, field, Some(visible(&skipped.reason))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn render_done(done: &[UpdatedFile], declared: usize) -> String {
    let written: Vec<&UpdatedFile> = done.iter().filter(|done| done.values > 0).collect();
    let line = |done: &&UpdatedFile| {
        format!(
            "{}  {} of {}\n",
            visible(&done.file),
            count(done.values, "value"),
            count(done.leads, "lead")
        )
    };
    let lines: String = written.iter().map(line).collect();
    let (values, leads) = (
        written.iter().map(|done| done.values).sum(),
        written.iter().map(|done| done.leads).sum(),
    );
    let sum = match values {
        0 if done
            .iter()
            .any(|done| done.error.is_some() || !done.refused.is_empty()) =>
        {
            "Nothing updated.\n".to_owned()
        }
        0 => format!("Nothing to update: {}.\n", count(declared, "declared lead")),
        values => {
            let files = count(written.len(), "file");
            format!(
                "{} {} of {} in {files}.\n",
                paint(GOOD, "Updated:"),
                count(values, "value"),
                count(leads, "lead")
            )
        }
    };
    lines + &sum
}

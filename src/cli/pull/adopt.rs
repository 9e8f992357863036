//! Writes undeclared leads to new files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Component;
use std::sync::Arc;

use super::super::options::OutputFormat;
use super::super::session::{Files, Session, block_on};
use super::super::ui::Ui;
use super::Pull;
use crate::atomic_file;
use crate::cancel::Cancellation;
use crate::config::Workspace;
use crate::error::{Error, Exit};
use crate::lead::{AgentId, DesiredValue, Field, Lead, LeadId};
use crate::lead_file::draft::{LeftOut, draft};
use crate::lead_file::emit::{self, AgentNames, NewLead};
use crate::lead_file::{desired_of, split};
use crate::observe::{ChatType, Live, observe_all};
use crate::report::style::{GOOD, paint};
use crate::report::{PullReport, PulledFile, Skipped};
use crate::select::Selection;
use crate::text::{count, visible};

/// New files by their path in the workspace.
type Drafts = BTreeMap<String, BTreeMap<LeadId, NewLead>>;

impl Pull {
    pub(super) fn adopt(&self, files: &Files, ui: &Ui) -> Result<Exit, Error> {
        let Files { workspace, desired } = files;
        let selection = Selection::parse(&self.only, &workspace.agents)?;
        let folder = self.folder(workspace)?;
        let live = read(workspace, ui)?;
        let wanted = self.r#type.map(ChatType::from);
        let listed = live
            .leads
            .iter()
            .filter(|(_, seen)| wanted.is_none() || seen.seen.map(|seen| seen.list) == wanted);
        let selected = selection.of_live(listed.map(|(id, seen)| (id, &seen.lead)).collect())?;
        ui.unmatched(&selected.unmatched);
        let leads = selected.leads;

        let names = AgentNames::new(&workspace.agents);
        let stems = split::stems(&leads, self.split_by, &names);
        let path_of = |id: &LeadId| {
            stems
                .get(id)
                .map(|stem| format!("{folder}{stem}.yaml"))
                .unwrap_or_default()
        };
        let declared: BTreeMap<&LeadId, &str> = desired
            .iter()
            .map(|(id, lead)| (id, &*lead.place.file))
            .collect();
        let chosen = self.chosen(&leads, &declared, &path_of)?;
        let mut left_out = LeftOut::default();
        let known = workspace
            .policy
            .tags
            .as_ref()
            .map(|rule| rule.value.as_slice());
        let mut drafts = Drafts::new();
        let with = self.with();
        for (id, lead) in &chosen {
            if let Some(lead) = draft(id, lead, &with, known, &mut left_out) {
                drafts
                    .entry(path_of(id))
                    .or_default()
                    .insert((*id).clone(), lead);
            }
        }
        let texts = self.texts(workspace, &drafts, &names)?;
        write(workspace, &texts, self.force)?;
        match self.format {
            OutputFormat::Text => ui.result(&render_drafts(&drafts))?,
            OutputFormat::Json => ui.json(&report(&drafts, &left_out, &live))?,
        }
        let taken: BTreeSet<&LeadId> = chosen.iter().map(|(id, _)| *id).collect();
        let there = leads
            .iter()
            .filter(|(id, _)| declared.contains_key(id) && !taken.contains(id))
            .count();
        advise(workspace, &drafts, there, &left_out, &names, ui);
        Ok(Exit::Done)
    }

    /// The folder of the new files, with a `/` at its end.
    fn folder(&self, workspace: &Workspace) -> Result<String, Error> {
        let Some(out) = &self.out else {
            return Ok(with_slash(&workspace.leads_folder()));
        };
        let below = out.strip_prefix(&workspace.root).unwrap_or(out);
        let mut parts = Vec::new();
        for part in below.components() {
            match part {
                Component::CurDir => {}
                Component::Normal(part) => {
                    parts.push(part.to_str().ok_or(Error::Usage("--out is not UTF-8"))?)
                }
                _ => return Err(Error::Usage("--out is outside the workspace")),
            }
        }
        Ok(with_slash(&parts.join("/")))
    }

    /// The leads to write: undeclared ones, and those declared only by files that are overwritten.
    fn chosen<'l>(
        &self,
        leads: &[(&'l LeadId, &'l Lead)],
        declared: &BTreeMap<&LeadId, &str>,
        path_of: &impl Fn(&LeadId) -> String,
    ) -> Result<Vec<(&'l LeadId, &'l Lead)>, Error> {
        let mut chosen: Vec<_> = leads
            .iter()
            .copied()
            .filter(|(id, _)| self.force || !declared.contains_key(id))
            .collect();
        loop {
            let files: BTreeSet<String> = chosen.iter().map(|(id, _)| path_of(id)).collect();
            let before = chosen.len();
            chosen.retain(|(id, _)| declared.get(id).is_none_or(|file| files.contains(*file)));
            if chosen.len() == before {
                let taken: BTreeSet<&LeadId> = chosen.iter().map(|(id, _)| *id).collect();
                let lost = declared
                    .iter()
                    .filter(|(id, file)| files.contains(**file) && !taken.contains(*id))
                    .count();
                return if self.force && lost > 0 {
                    Err(Error::WouldLose { leads: lost })
                } else {
                    Ok(chosen)
                };
            }
        }
    }

    /// The text of each file, read back and compared with the leads that it must declare.
    fn texts(
        &self,
        workspace: &Workspace,
        drafts: &Drafts,
        names: &AgentNames<'_>,
    ) -> Result<Vec<(Arc<str>, String)>, Error> {
        let text = |(path, leads): (&String, &BTreeMap<LeadId, NewLead>)| {
            (
                Arc::from(path.as_str()),
                emit::file(leads, names, schema(workspace, path).as_deref()),
            )
        };
        let texts: Vec<(Arc<str>, String)> = drafts.iter().map(text).collect();
        let (desired, diagnostics) = desired_of(texts.clone(), workspace);
        let all = || drafts.values().flatten();
        let reads_back = |(id, lead): (&LeadId, &NewLead)| {
            let is_new = |(field, value): &(Field, DesiredValue)| {
                let read = desired.get(id).and_then(|lead| lead.get(field));
                read.is_some_and(|read| read.value == *value)
            };
            desired
                .get(id)
                .is_some_and(|read| read.fields.len() == lead.fields.len())
                && lead.fields.iter().all(is_new)
        };
        if diagnostics.iter().any(|made| made.is_error())
            || desired.len() != all().count()
            || !all().all(reads_back)
        {
            return Err(Error::Internal(
                "a new lead file does not read back as it was written; nothing was written",
            ));
        }
        Ok(texts)
    }
}

fn with_slash(folder: &str) -> String {
    if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    }
}

fn note_unreadable(live: &Live, ui: &Ui) {
    for (id, reason) in &live.unreadable {
        ui.note(&format!(
            "skipped: {} cannot be read: {}",
            visible(id.as_str()),
            visible(reason)
        ));
    }
}

fn read(workspace: &Workspace, ui: &Ui) -> Result<Live, Error> {
    let stop = Cancellation::default();
    block_on(&stop, async {
        Session::with(workspace, &stop, async |session| {
            let reader = session.reader(workspace)?;
            let spinner = ui.progress(0, "reading the inbox");
            let live = observe_all(&reader).await;
            spinner.finish_and_clear();
            let live = live?;
            note_unreadable(&live, ui);
            Ok(live)
        })
        .await
    })
}

/// The path of the lead file schema, relative to a lead file.
fn schema(workspace: &Workspace, path: &str) -> Option<String> {
    let places = ["schema/leads.schema.json", "leads.schema.json"];
    let found = places
        .into_iter()
        .find(|place| workspace.root.join(place).is_file())?;
    Some(format!(
        "{}{found}",
        "../".repeat(path.matches('/').count())
    ))
}

/// Writes all files, or none if one of them exists.
fn write(workspace: &Workspace, texts: &[(Arc<str>, String)], force: bool) -> Result<(), Error> {
    let path = |file: &str| workspace.root.join(file);
    let is_there = |file: &str| std::fs::symlink_metadata(path(file)).is_ok();
    let there: Vec<String> = texts
        .iter()
        .filter(|(file, _)| is_there(file))
        .map(|(file, _)| visible(file))
        .collect();
    if !there.is_empty() && !force {
        return Err(Error::Exists { files: there });
    }
    for (file, text) in texts {
        let path = path(file);
        match std::fs::read(&path) {
            Ok(old) => atomic_file::replace(&path, &old, text.as_bytes())?,
            Err(_) => atomic_file::create(&path, text.as_bytes())?,
        }
    }
    Ok(())
}

fn render_drafts(drafts: &Drafts) -> String {
    let lines = drafts
        .iter()
        .map(|(path, leads)| format!("{}  {}\n", visible(path), count(leads.len(), "lead")));
    let (leads, files) = (drafts.values().map(BTreeMap::len).sum(), drafts.len());
    let sum = match leads {
        0 => "Nothing to pull: all leads are declared.\n".to_owned(),
        leads => format!(
            "{} {} into {}.\n",
            paint(GOOD, "Pulled:"),
            count(leads, "lead"),
            count(files, "file")
        ),
    };
    lines.collect::<String>() + &sum
}

fn report(drafts: &Drafts, left_out: &LeftOut, live: &Live) -> PullReport {
    let files = drafts.iter().map(|(file, leads)| PulledFile {
        file: file.clone(),
        leads: leads.len(),
        values: None,
    });
    let reasons = left_out.reasons.iter();
    let mut skipped: Vec<Skipped> = reasons
        .map(|(why, times)| Skipped::several(why.to_string(), *times))
        .collect();
    let tags = left_out.tags.iter();
    skipped.extend(
        tags.map(|tag| Skipped::several(format!("`policy.tags` does not list the tag `{tag}`"), 1)),
    );
    let unreadable = live.unreadable.iter();
    skipped.extend(unreadable.map(|(id, why)| Skipped {
        uuid: Some(id.clone()),
        ..Skipped::several(format!("cannot be read: {why}"), 1)
    }));
    PullReport {
        files: files.collect(),
        skipped,
        ..PullReport::default()
    }
}

/// Prints the next steps to stderr.
fn advise(
    workspace: &Workspace,
    drafts: &Drafts,
    declared: usize,
    left_out: &LeftOut,
    names: &AgentNames<'_>,
    ui: &Ui,
) {
    if declared > 0 {
        ui.note(&format!(
            "{} already declared: unchanged (`pull --update` writes live values into them)",
            count(declared, "lead")
        ));
    }
    for (why, times) in &left_out.reasons {
        ui.note(&format!(
            "skipped, because a lead file cannot express it: {why} ({})",
            count(*times, "time")
        ));
    }
    if !left_out.tags.is_empty() {
        let tags: Vec<String> = left_out.tags.iter().map(|tag| visible(tag)).collect();
        ui.note(&format!(
            "skipped, because `policy.tags` does not list them; their leads declare the other tags as present:\n  {}",
            tags.join("\n  ")
        ));
    }
    let mut unnamed: BTreeMap<&AgentId, usize> = BTreeMap::new();
    for (_, value) in drafts.values().flatten().flat_map(|(_, lead)| &lead.fields) {
        if let DesiredValue::Reference(Some(id)) = value
            && names.name(id).is_none()
        {
            *unnamed.entry(id).or_default() += 1;
        }
    }
    if !unnamed.is_empty() {
        let line = |(id, leads): (&&AgentId, &usize)| {
            format!(
                "  agent-{}: \"{id}\"  # {}\n",
                &id.as_str()[18..],
                count(*leads, "lead")
            )
        };
        let lines: String = unnamed.iter().map(line).collect();
        ui.note(&format!(
            "agents without a name; add them to convertalk.yaml:\nagents:\n{}",
            lines.trim_end()
        ));
    }
    if let Some(path) = drafts.keys().find(|path| !workspace.takes(path)) {
        ui.note(&format!(
            "no glob under `leads` in convertalk.yaml matches {}: add one, or the files are ignored",
            visible(path)
        ));
    }
    if !drafts.is_empty() {
        ui.note("next: review the files, run `convertalk validate` and `convertalk plan` (no changes expected), and commit");
    }
}

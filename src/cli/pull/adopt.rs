//! Declares the leads that no file declares: in new files, or at the end of files that are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::options::OutputFormat;
use super::super::session::{Files, Session};
use super::super::set::files::{FileEdit, write};
use super::super::signals::block_on;
use super::super::ui::Ui;
use super::Pull;
use super::destination::Destination;
use crate::cancel::Cancellation;
use crate::config::Workspace;
use crate::error::{Error, Exit};
use crate::lead::{AgentId, DesiredValue, Field, FieldMask, Lead, LeadId};
use crate::lead_file::draft::{LeftOut, draft, fit};
use crate::lead_file::edit::rewrite;
use crate::lead_file::emit::{self, AgentNames, NewLead};
use crate::lead_file::valid::defaults;
use crate::lead_file::{Meaning, desired_of, read_text};
use crate::observe::{ChatType, Live, observe_all};
use crate::report::style::{GOOD, paint};
use crate::report::{PullReport, PulledFile, Skipped, unnamed_agents};
use crate::select::Selection;
use crate::text::{count, visible};

/// The leads of one file, with their live values.
type Drafts<'l> = BTreeMap<LeadId, (NewLead, &'l Lead)>;

/// A file and how many leads it declares from now on.
struct Pulled {
    edit: FileEdit,
    leads: usize,
}

/// What the new leads are written with.
struct Adoption<'a> {
    workspace: &'a Workspace,
    names: AgentNames<'a>,
    /// The field whose value the leads of each file share.
    shared: Option<Field>,
}

impl Pull {
    pub(super) fn adopt(&self, files: &Files, ui: &Ui) -> Result<Exit, Error> {
        let Files {
            workspace, desired, ..
        } = files;
        let selection = Selection::parse(&self.only, &workspace.agents)?;
        let destination = Destination::new(self.out.as_deref(), self.split_by, workspace)?;
        let live = read(workspace, ui)?;
        let wanted = self.r#type.map(ChatType::from);
        let listed = live
            .leads
            .iter()
            .filter(|(_, seen)| wanted.is_none() || seen.seen.map(|seen| seen.list) == wanted);
        let selected = selection.of_live(listed.map(|(id, seen)| (id, &seen.lead)).collect())?;
        ui.unmatched(&selected.unmatched);
        let (declared, new): (Vec<_>, Vec<_>) = selected
            .leads
            .into_iter()
            .partition(|(id, _)| desired.contains_key(*id));

        let adoption = Adoption {
            workspace,
            names: AgentNames::new(&workspace.agents),
            shared: destination.shared(),
        };
        let paths = destination.files(&new, &adoption.names, workspace)?;
        let mut left_out = LeftOut::default();
        let by_file = self.drafts((&new, &live), &paths, workspace, &mut left_out);
        let pulled = by_file
            .iter()
            .map(|(path, leads)| adoption.file(path, leads))
            .collect::<Result<Vec<Pulled>, Error>>()?;
        write(workspace, pulled.iter().map(|pulled| &pulled.edit))?;
        match self.format {
            OutputFormat::Text => ui.result(&render(&pulled))?,
            OutputFormat::Json => ui.json(&report(&pulled, &left_out, &live))?,
        }
        advise(&by_file, declared.len(), &left_out, &adoption.names, ui);
        Ok(Exit::Done)
    }

    fn drafts<'l>(
        &self,
        (new, inbox): (&[(&'l LeadId, &'l Lead)], &Live),
        paths: &BTreeMap<&LeadId, String>,
        workspace: &Workspace,
        left_out: &mut LeftOut,
    ) -> BTreeMap<String, Drafts<'l>> {
        let known = workspace.policy.tags.as_ref();
        let known = known.map(|rule| rule.value.as_slice());
        let with = self.with();
        let mut by_file: BTreeMap<String, Drafts<'l>> = BTreeMap::new();
        for (id, live) in new {
            let unreadable = inbox.get(id).map(|seen| seen.unreadable);
            let unreadable = unreadable.unwrap_or_default();
            let drafted = draft(id, live, &with, known, left_out).map(|mut lead| {
                lead.fields.retain(|(field, _)| !unreadable.has(field.id()));
                lead
            });
            if let Some((path, lead)) = paths.get(id).zip(drafted) {
                let drafts = by_file.entry(path.clone()).or_default();
                drafts.insert((*id).clone(), (lead, live));
            }
        }
        by_file
    }
}

impl Adoption<'_> {
    /// The text of a file with these leads, read back and compared with what it must declare.
    fn file(&self, path: &str, leads: &Drafts<'_>) -> Result<Pulled, Error> {
        let name: Arc<str> = path.into();
        let is_there = std::fs::symlink_metadata(self.workspace.root.join(path)).is_ok();
        let (old, new) = if is_there {
            let old = read_text(&self.workspace.root, &name).map_err(|error| Error::Io {
                what: format!("read {name}"),
                source: std::io::Error::other(error.message),
            })?;
            let new = self.append(&name, &old, leads)?;
            (Some(old), new)
        } else {
            (None, self.new_file(path, leads))
        };
        self.check(&name, old.as_deref(), &new, leads)?;
        let edit = FileEdit {
            file: path.to_owned(),
            old,
            new,
        };
        Ok(Pulled {
            edit,
            leads: leads.len(),
        })
    }

    /// A new file; the value that its leads share is its default.
    fn new_file(&self, path: &str, leads: &Drafts<'_>) -> String {
        let value = |lead: &NewLead| {
            let shared = self.shared.as_ref()?;
            let (_, value) = lead.fields.iter().find(|(field, _)| field == shared)?;
            Some((shared.clone(), value.clone()))
        };
        let mut values = leads.values().map(|(lead, _)| value(lead));
        let first = values.next().flatten();
        let default = first.filter(|first| values.all(|other| other.as_ref() == Some(first)));
        let own = |lead: &NewLead| NewLead {
            label: lead.label.clone(),
            fields: lead
                .fields
                .iter()
                .filter(|field| Some(*field) != default.as_ref())
                .cloned()
                .collect(),
        };
        let leads = leads
            .iter()
            .map(|(id, (lead, _))| (id.clone(), own(lead)))
            .collect();
        let schema = schema(self.workspace, path);
        emit::file(&leads, default.as_slice(), &self.names, schema.as_deref())
    }

    /// A file that is there, with these leads at its end.
    fn append(&self, name: &Arc<str>, old: &str, leads: &Drafts<'_>) -> Result<String, Error> {
        let vocabulary = self.workspace.vocabulary();
        let defaults = defaults(name, old, vocabulary);
        let mut goals: BTreeMap<LeadId, Meaning> = BTreeMap::new();
        for (id, (lead, live)) in leads {
            let mut lead = lead.clone();
            fit(&mut lead, live, &defaults, self.shared.as_ref()).map_err(|default| {
                Error::NotAdded {
                    file: format!("{}:{}", visible(name), default.line),
                    why: format!(
                        "`defaults` would change {} of {}",
                        visible(&default.field.to_string()),
                        visible(id.as_str())
                    ),
                }
            })?;
            let goal = Meaning {
                label: lead.label.map(String::into_boxed_str),
                fields: lead.fields.into_iter().collect(),
                ..Meaning::default()
            };
            goals.insert(id.clone(), goal);
        }
        rewrite(name, old, None, &goals, vocabulary).map_err(|refused| Error::NotAdded {
            file: visible(name),
            why: refused
                .into_iter()
                .next()
                .map_or_else(String::new, |(_, why)| visible(&why)),
        })
    }

    /// A plan of what the file declares now must be as empty as the pull means it to be.
    fn check(
        &self,
        name: &Arc<str>,
        old: Option<&str>,
        new: &str,
        leads: &Drafts<'_>,
    ) -> Result<(), Error> {
        let read = |text: &str| desired_of(vec![(name.clone(), text.to_owned())], self.workspace);
        let (desired, diagnostics) = read(new);
        let before = old.map_or(0, |old| read(old).0.len());
        let is_new = |(id, (lead, _)): (&LeadId, &(NewLead, &Lead))| {
            let says = |(field, value): &(Field, DesiredValue)| {
                let read = desired.get(id).and_then(|lead| lead.get(field));
                read.is_some_and(|read| read.value == *value)
            };
            lead.fields.iter().all(says)
        };
        if diagnostics.iter().any(|made| made.is_error())
            || desired.len() != before + leads.len()
            || !leads.iter().all(is_new)
        {
            return Err(Error::Internal(
                "a lead file does not read back as it was written; nothing was written",
            ));
        }
        Ok(())
    }
}

fn read(workspace: &Workspace, ui: &Ui) -> Result<Live, Error> {
    let stop = Cancellation::default();
    block_on(&stop, async {
        Session::with(workspace, &stop, async |session| {
            let reader = session.reader(workspace)?;
            let reading = ui.reading(&session.requests);
            let live = observe_all(&reader).await;
            drop(reading);
            let live = live?;
            ui.unreadable(&live);
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

fn render(pulled: &[Pulled]) -> String {
    let line = |pulled: &Pulled| {
        format!(
            "{}  {}\n",
            visible(&pulled.edit.file),
            count(pulled.leads, "lead")
        )
    };
    let lines: String = pulled.iter().map(line).collect();
    let sum = match pulled.iter().map(|pulled| pulled.leads).sum() {
        0 => "Nothing to pull: all leads are declared.\n".to_owned(),
        leads => format!(
            "{} {} into {}.\n",
            paint(GOOD, "Pulled:"),
            count(leads, "lead"),
            count(pulled.len(), "file")
        ),
    };
    lines + &sum
}

fn report(pulled: &[Pulled], left_out: &LeftOut, live: &Live) -> PullReport {
    let files = pulled.iter().map(|pulled| PulledFile {
        file: pulled.edit.file.clone(),
        leads: pulled.leads,
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
    let in_part = live.leads.iter().filter_map(|(id, seen)| {
        let reason = seen.cannot_read(FieldMask::ALL)?;
        Some(Skipped {
            uuid: Some(id.clone()),
            ..Skipped::several(reason, 1)
        })
    });
    skipped.extend(in_part);
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
    drafts: &BTreeMap<String, Drafts<'_>>,
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
    let leads = drafts.values().flat_map(BTreeMap::values);
    for (_, value) in leads.flat_map(|(lead, _)| &lead.fields) {
        if let DesiredValue::Reference(Some(id)) = value
            && names.name(id).is_none()
        {
            *unnamed.entry(id).or_default() += 1;
        }
    }
    if !unnamed.is_empty() {
        ui.note(&format!(
            "agents without a name; add them to convertalk.yaml:\n{}",
            unnamed_agents(&unnamed)
        ));
    }
    if !drafts.is_empty() {
        ui.note(
            "next: review the files, then run `convertalk plan`: it finds nothing to do for these leads",
        );
    }
}

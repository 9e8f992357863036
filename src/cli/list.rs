//! `convertalk list`

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::compared::select;
use super::complete;
use super::recording::Recording;
use super::session::{Files, Session, files, free};
use super::signals::block_on;
use super::ui::Ui;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::lead::Desired;
use crate::lead::LeadId;
use crate::lead_file::emit::AgentNames;
use crate::lead_file::sheet;
use crate::observe::{Live, Observed, observe_all};
use crate::report::{ListedLeads, lead_list};
use crate::select::Selection;

/// List the declared leads: uuid, label, status, agent, tags and place
///
/// `set --from` reads the output of `--format csv`, so that you can edit leads in a spreadsheet.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only these declared leads (repeatable: any of them)
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    only: Vec<String>,
    /// The commit that `--only changed` compares with; `auto` in GitHub and GitLab pull requests, `applied` for the applied record
    #[arg(long, value_name = "REF", requires = "only", add = ArgValueCompleter::new(complete::bases))]
    base: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: ListFormat,
    /// Read the inbox, and show its values beside those declared, and the leads that no file declares
    #[arg(long)]
    live: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// For people
    Table,
    /// For spreadsheets, and for `set --from`
    Csv,
    /// For programs; the schema is schema/list.schema.json
    Json,
}

impl List {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let files = files(directory, ui)?;
        self.write(&files, ui)?;
        free(files);
        Ok(Exit::Done)
    }

    fn write(&self, files: &Files, ui: &Ui) -> Result<(), Error> {
        let selection = Selection::parse(&self.only, &files.workspace.agents)?;
        let base = self.base.as_deref();
        let base = base
            .map(|reference| Recording::base_at(None, reference, files))
            .transpose()?;
        let said = base.as_ref().map(|(_, said)| said);
        let selected = select(&selection, &files.desired, said, ui)?;
        let live = if self.live {
            Some(read(files, ui)?)
        } else {
            None
        };
        if let Some(live) = &live {
            ui.unreadable(live);
        }
        let none = BTreeMap::new();
        let unreadable = live.as_ref().map_or(&none, |live| &live.unreadable);
        // Leads that no file declares match no selector.
        let undeclared = match &live {
            Some(live) if selection.is_empty() => undeclared(live, &files.desired),
            Some(_) | None => Vec::new(),
        };
        let names = AgentNames::new(&files.workspace.agents);
        let live = live.as_ref().map(|live| &live.leads);
        if self.format == ListFormat::Csv {
            let made = sheet::write(&selected, &names, live, &undeclared);
            let made = made.map_err(|source| Error::Io {
                what: "write CSV".to_owned(),
                source: std::io::Error::other(source),
            })?;
            return ui.exact(&String::from_utf8_lossy(&made));
        }
        let leads = ListedLeads {
            desired: &selected,
            names: &names,
            live,
            unreadable,
            undeclared: &undeclared,
        };
        match self.format {
            ListFormat::Json => ui.json(&leads),
            ListFormat::Table | ListFormat::Csv => ui.result(&lead_list(leads)),
        }
    }
}

fn undeclared<'l>(live: &'l Live, desired: &Desired) -> Vec<(&'l LeadId, &'l Observed)> {
    let leads = live.leads.iter().map(|(id, seen)| (id, seen.as_ref()));
    leads.filter(|(id, _)| !desired.contains_key(*id)).collect()
}

fn read(files: &Files, ui: &Ui) -> Result<Live, Error> {
    let stop = Cancellation::default();
    block_on(&stop, async {
        Session::with(&files.workspace, &stop, async |session| {
            let reader = session.reader(&files.workspace)?;
            let reading = ui.reading(&session.requests);
            let live = observe_all(&reader).await;
            drop(reading);
            Ok(live?)
        })
        .await
    })
}

//! Where `pull` declares leads: one lead file, or a folder with a file for each agent or status.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::lead_path::lead_path;
use crate::config::Workspace;
use crate::error::Error;
use crate::lead::{Field, Lead, LeadId};
use crate::lead_file::emit::AgentNames;
use crate::lead_file::split::{self, By};

/// The file of a pull that names no other.
const INBOX: &str = "leads/inbox.yaml";

/// Where new leads are declared, as paths in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// All in this file.
    File(String),
    /// In this folder, in a file for each agent or status.
    Folder(String, By),
}

impl Destination {
    pub(super) fn new(
        out: Option<&Path>,
        split_by: Option<By>,
        workspace: &Workspace,
    ) -> Result<Self, Error> {
        let out = out
            .map(|out| lead_path(out, workspace, "--out"))
            .transpose()?;
        let is_file = |path: &&String| path.ends_with(".yaml") || path.ends_with(".yml");
        let named = out.as_ref().filter(is_file);
        match (named, split_by) {
            (Some(_), Some(_)) => Err(Error::Usage(
                "--split-by writes several files: name a folder with --out",
            )),
            (None, Some(by)) => Ok(Self::Folder(out.unwrap_or_else(|| "leads".to_owned()), by)),
            (Some(file), None) => Self::taken(file.clone(), workspace),
            (None, None) => {
                let file = out.map_or_else(|| INBOX.to_owned(), |out| within(&out, "inbox"));
                Self::taken(file, workspace)
            }
        }
    }

    fn taken(file: String, workspace: &Workspace) -> Result<Self, Error> {
        check_taken(&file, workspace)?;
        Ok(Self::File(file))
    }

    /// The field whose value the leads of each file share.
    pub(super) fn shared(&self) -> Option<Field> {
        match self {
            Self::File(_) => None,
            Self::Folder(_, by) => Some(by.field()),
        }
    }

    /// The file of each lead.
    ///
    /// # Errors
    /// No glob of the workspace takes one of them.
    pub(super) fn files<'l>(
        &self,
        leads: &[(&'l LeadId, &Lead)],
        names: &AgentNames<'_>,
        workspace: &Workspace,
    ) -> Result<BTreeMap<&'l LeadId, String>, Error> {
        let (folder, by) = match self {
            Self::File(file) => {
                return Ok(leads.iter().map(|(id, _)| (*id, file.clone())).collect());
            }
            Self::Folder(folder, by) => (folder, *by),
        };
        let stems = split::stems(leads, by, names).into_iter();
        let files: BTreeMap<&LeadId, String> = stems
            .map(|(id, stem)| (id, within(folder, &stem)))
            .collect();
        let distinct: BTreeSet<&String> = files.values().collect();
        for file in distinct {
            check_taken(file, workspace)?;
        }
        Ok(files)
    }
}

fn within(folder: &str, stem: &str) -> String {
    if folder.is_empty() {
        format!("{stem}.yaml")
    } else {
        format!("{folder}/{stem}.yaml")
    }
}

/// A lead file that no glob takes would be ignored, and the next pull would declare its leads again.
fn check_taken(file: &str, workspace: &Workspace) -> Result<(), Error> {
    if workspace.owns(file) {
        Ok(())
    } else {
        Err(Error::NotLeadFile {
            file: file.to_owned(),
        })
    }
}

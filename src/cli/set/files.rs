//! Lead files with their goals: read, edited, written; all of them or none.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Assignments, Problems, goal};
use crate::atomic_file::{self, WriteError};
use crate::cli::session::Files;
use crate::config::Workspace;
use crate::error::Error;
use crate::lead::{DesiredLead, LeadId};
use crate::lead_file::edit::{Known, rewrite};
use crate::lead_file::emit::{self, AgentNames};
use crate::lead_file::{FileTexts, read_text};
use crate::report::{Problem, Spot};

/// A file and its new text.
#[derive(Debug)]
pub(in crate::cli) struct FileEdit {
    pub(in crate::cli) file: String,
    /// `None` where there is no such file yet.
    pub(in crate::cli) old: Option<String>,
    pub(in crate::cli) new: String,
}

/// The new texts of the files that are to say something else. They are made from the texts that `files` were read from, and a file
/// that somebody changed since is not written.
pub(super) fn edit(
    files: &Files,
    texts: &FileTexts,
    by_file: &BTreeMap<String, Assignments>,
) -> Result<Vec<FileEdit>, Problems> {
    let mut known: HashMap<&str, Vec<(&LeadId, &DesiredLead)>> = HashMap::new();
    for (id, lead) in &files.desired {
        known.entry(&lead.place.file).or_default().push((id, lead));
    }
    let made: Vec<Result<FileEdit, Vec<Problem>>> = by_file
        .par_iter()
        .map(|(file, assignments)| {
            let known = known.get(file.as_str()).into_iter().flatten();
            one(
                &files.workspace,
                (file, texts.get(file.as_str())),
                &known.copied().collect(),
                assignments,
            )
        })
        .collect();
    let (mut edits, mut errors) = (Vec::new(), Vec::new());
    for one in made {
        match one {
            Ok(edit) => edits.push(edit),
            Err(problems) => errors.extend(problems),
        }
    }
    if errors.is_empty() {
        Ok(edits)
    } else {
        Err(errors.into())
    }
}

fn one(
    workspace: &Workspace,
    (file, old): (&str, Option<&String>),
    known: &Known<'_>,
    assignments: &Assignments,
) -> Result<FileEdit, Vec<Problem>> {
    let name: Arc<str> = file.into();
    // One that is there under another name was read under that one.
    let is_there = || std::fs::symlink_metadata(workspace.root.join(file)).is_ok();
    let again = match old {
        None if is_there() => {
            let text = read_text(&workspace.root, &name);
            Some(text.map_err(|error| vec![Problem::new("read", error.message)])?)
        }
        Some(_) | None => None,
    };
    let known = again.is_none().then_some(known);
    let old = old.or(again.as_ref());
    let start = old.cloned().unwrap_or_else(|| {
        let names = AgentNames::new(&workspace.agents);
        emit::file(&BTreeMap::new(), &[], &names, None)
    });
    let goals = assignments
        .iter()
        .map(|(id, assignments)| {
            let declared = known.and_then(|known| known.get(id).copied());
            (id.clone(), goal(declared, assignments))
        })
        .collect();
    match rewrite(&name, &start, known, &goals, workspace.vocabulary()) {
        Ok(new) => Ok(FileEdit {
            file: file.to_owned(),
            old: old.cloned(),
            new,
        }),
        Err(refused) => Err(refused
            .into_iter()
            .map(|(id, why)| {
                let lead = id.map_or_else(String::new, |id| format!("{id}: "));
                let place = Spot {
                    file: file.to_owned(),
                    line: 1,
                    column: None,
                };
                Problem::new("edit", format!("{file}: {lead}{why}")).at(place)
            })
            .collect()),
    }
}

/// Writes all files; where one cannot be written, the others get their old text back.
pub(in crate::cli) fn write<'e>(
    workspace: &Workspace,
    edits: impl Iterator<Item = &'e FileEdit>,
) -> Result<(), Error> {
    let edits: Vec<&FileEdit> = edits.collect();
    let written: Vec<Result<&FileEdit, WriteError>> = edits
        .into_par_iter()
        .map(|edit| {
            let path = workspace.root.join(&edit.file);
            match &edit.old {
                Some(old) => atomic_file::replace(&path, old.as_bytes(), edit.new.as_bytes())?,
                None => atomic_file::create(&path, edit.new.as_bytes())?,
            }
            Ok(edit)
        })
        .collect();
    let (done, failed): (Vec<_>, Vec<_>) = written.into_iter().partition(Result::is_ok);
    let Some(Err(error)) = failed.into_iter().next() else {
        return Ok(());
    };
    let taken_back = done
        .into_iter()
        .flatten()
        .map(|edit| take_back(workspace, edit));
    // Each is tried before an error of one of them is reported.
    let taken_back: Vec<Result<(), Error>> = taken_back.collect();
    taken_back.into_iter().collect::<Result<(), Error>>()?;
    Err(error.into())
}

fn take_back(workspace: &Workspace, edit: &FileEdit) -> Result<(), Error> {
    let path = workspace.root.join(&edit.file);
    match &edit.old {
        Some(old) => Ok(atomic_file::replace(
            &path,
            edit.new.as_bytes(),
            old.as_bytes(),
        )?),
        None => std::fs::remove_file(&path).map_err(|source| Error::Io {
            what: format!("remove {}", path.display()),
            source,
        }),
    }
}

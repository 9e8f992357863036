//! History: the commits that changed the declaration of a lead.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::base::{BaseError, prefix};
use super::batch::Batch;
use super::blame::Commit;
use super::commits::cut_off;
use super::runner::git;
use crate::config::Workspace;
use crate::lead::{Field, LeadId};
use crate::lead_file::{Meaning, desired_of, one_meaning};

/// A commit that changed a lead's declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationChange {
    /// The commit.
    pub commit: Commit,
    /// What it did to the declaration as a whole.
    pub action: DeclarationAction,
    /// The fields that it changed, `label`, `hold` and `create` among them.
    pub fields: Vec<String>,
}

/// What a commit did to a declaration as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "a doc comment on a variant turns the schema's enum into a oneOf"
)]
pub enum DeclarationAction {
    Declared,
    Changed,
    Removed,
}

/// The commits that changed a lead's declaration.
#[derive(Debug, Default)]
pub struct History {
    /// The latest first.
    pub changes: Vec<DeclarationChange>,
    /// Whether older ones are in the clone, too. One without parents here may have changed anything, or nothing.
    pub is_whole: bool,
}

/// A commit with the lead files that it changed: the blobs before and after.
#[derive(Default)]
struct Touched {
    commit: Option<Commit>,
    before: Vec<TouchedBlob>,
    after: Vec<TouchedBlob>,
}

/// A lead file as one side of a commit has it.
struct TouchedBlob {
    path: String,
    id: String,
    /// The commit that has it as a link to another file.
    link_of: Option<String>,
}

/// The mode of a link.
const LINK: &str = "120000";

/// The commits that changed what the files say of a lead, the latest first. Agents and files are read by the workspace file as it is now.
///
/// # Errors
/// No repository, or git fails.
pub fn history(workspace: &Workspace, id: &LeadId) -> Result<History, BaseError> {
    let root = &workspace.root;
    let format = "--format=%x1e%H%x1f%an%x1f%at%x1f%s";
    let words = [
        "-c",
        "core.quotePath=false",
        "log",
        format,
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--relative",
        "--",
        ".",
    ];
    let log = git(root, &words)?;
    let cut_off = cut_off(root);
    let (mut changes, mut is_whole) = (Vec::new(), true);
    for record in log.split('\x1e').filter(|record| !record.trim().is_empty()) {
        let touched = touched(record, workspace);
        let Some(commit) = touched.commit else {
            continue;
        };
        if cut_off.contains(&commit.id) {
            is_whole = false;
            continue;
        }
        let before = said(root, &touched.before, workspace, id)?;
        let after = said(root, &touched.after, workspace, id)?;
        let action = match (&before, &after) {
            (None, Some(_)) => DeclarationAction::Declared,
            (Some(_), None) => DeclarationAction::Removed,
            (Some(before), Some(after)) if before != after => DeclarationAction::Changed,
            (Some(_), Some(_)) | (None, None) => continue,
        };
        let fields = differing(&before.unwrap_or_default(), &after.unwrap_or_default());
        changes.push(DeclarationChange {
            commit,
            action,
            fields,
        });
    }
    Ok(History { changes, is_whole })
}

fn touched(record: &str, workspace: &Workspace) -> Touched {
    let mut touched = Touched::default();
    let mut lines = record.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\x1f').collect();
    if let [id, author, at, subject] = head[..] {
        let at = at
            .parse()
            .ok()
            .and_then(|at| jiff::Timestamp::from_second(at).ok());
        touched.commit = at.map(|at| Commit {
            id: id.to_owned(),
            author: author.to_owned(),
            at: at.to_string(),
            subject: subject.to_owned(),
        });
    }
    // `:MODE MODE BEFORE AFTER STATUS<tab>PATH`
    for line in lines {
        let Some((head, path)) = line
            .strip_prefix(':')
            .and_then(|line| line.split_once('\t'))
        else {
            continue;
        };
        let words: Vec<&str> = head.split(' ').collect();
        if let [was_mode, mode, before, after, _] = words[..]
            && workspace.takes(path)
        {
            let commit = touched.commit.as_ref().map(|commit| commit.id.as_str());
            let commit = commit.unwrap_or_default();
            let blob = |mode: &str, id: &str, commit: String| TouchedBlob {
                path: path.to_owned(),
                id: id.to_owned(),
                link_of: (mode == LINK).then_some(commit),
            };
            let is_blob = |id: &str| id.bytes().any(|byte| byte != b'0');
            let was = is_blob(before).then(|| {
                blob(
                    was_mode.trim_start_matches(':'),
                    before,
                    format!("{commit}^"),
                )
            });
            let is = is_blob(after).then(|| blob(mode, after, commit.to_owned()));
            touched.before.extend(was);
            touched.after.extend(is);
        }
    }
    touched
}

/// What the first of these files that declares the lead says of it.
fn said(
    root: &Path,
    blobs: &[TouchedBlob],
    workspace: &Workspace,
    id: &LeadId,
) -> Result<Option<Meaning>, BaseError> {
    if blobs.is_empty() {
        return Ok(None);
    }
    let (mut batch, prefix) = (Batch::start(root)?, prefix(root)?);
    for TouchedBlob {
        path,
        id: blob,
        link_of,
    } in blobs
    {
        let file = match link_of {
            Some(commit) => batch.behind(commit, &format!("{prefix}{path}"))?,
            None => Some(blob.clone()),
        };
        let Some(file) = file else { continue };
        let bytes = batch.content(&file)?;
        let text = String::from_utf8_lossy(&bytes);
        if !text.contains(id.as_str()) {
            continue;
        }
        // Errors of an old file do not matter: what could be read is shown.
        let (desired, _) = desired_of(
            vec![(Arc::from(path.as_str()), text.into_owned())],
            workspace,
        );
        if let Some(lead) = desired.get(id) {
            return Ok(Some(one_meaning(lead)));
        }
    }
    Ok(None)
}

fn differing(before: &Meaning, after: &Meaning) -> Vec<String> {
    let mut fields = Vec::new();
    let own = [
        ("label", before.label != after.label),
        ("hold", before.hold != after.hold),
        ("create", before.create != after.create),
    ];
    let own = own.into_iter().filter(|(_, differs)| *differs);
    fields.extend(own.map(|(name, _)| name.to_owned()));
    let all: BTreeSet<&Field> = before
        .fields
        .fields()
        .chain(after.fields.fields())
        .collect();
    let differ = all
        .into_iter()
        .filter(|field| before.fields.get(field) != after.fields.get(field));
    fields.extend(differ.map(ToString::to_string));
    fields
}

//! What was set, for people and for programs.

use std::path::Path;

use super::super::session::Files;
use super::files::FileEdit;
use super::{Goals, goal};
use crate::config::Workspace;
use crate::git::repository::prefix;
use crate::lead_file::emit::AgentNames;
use crate::lead_file::{Meaning, one_meaning};
use crate::report::style::{GOOD, paint};
use crate::report::{SetFile, SetLead, SetReport, changed_fields};
use crate::text::{count, visible};

/// A unified diff of all files.
pub(super) fn patch(edits: &[FileEdit], workspace: &Workspace) -> String {
    let prefix = prefix(&workspace.root).unwrap_or_default();
    let one = |edit: &FileEdit| {
        let path = format!("{prefix}{}", linked_file(&workspace.root, &edit.file));
        crate::report::patch(&path, edit.old.as_deref(), &edit.new)
    };
    edits.iter().map(one).collect()
}

/// The file of the workspace that a path leads to, which is not the path where that is a link: git has nothing to apply to a link.
fn linked_file(root: &Path, file: &str) -> String {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let linked = real(&root.join(file))
        .zip(real(root))
        .and_then(|(path, root)| {
            let within = path.strip_prefix(root).ok()?;
            within.to_str().map(str::to_owned)
        });
    linked.unwrap_or_else(|| file.to_owned())
}

/// A line for each file, and the sum.
pub(super) fn text(goals: &Goals) -> String {
    let mut out = String::new();
    for (file, leads) in &goals.by_file {
        out.push_str(&format!(
            "{}  {}\n",
            visible(file),
            count(leads.len(), "lead")
        ));
    }
    let changed = goals.by_file.values().map(|leads| leads.len()).sum();
    out.push_str(&match changed {
        0 => format!("Nothing to set: {} already set.\n", are(goals.leads)),
        changed => format!(
            "{} {} in {}.\n",
            paint(GOOD, "Set:"),
            count(changed, "lead"),
            count(goals.by_file.len(), "file")
        ),
    });
    out
}

fn are(leads: usize) -> String {
    let verb = if leads == 1 { "is" } else { "are" };
    format!("{} {verb}", count(leads, "lead"))
}

/// Every lead that changes, with the fields as they were and as they are.
pub(super) fn set_report(goals: &Goals, files: &Files, dry_run: bool) -> SetReport {
    let names = AgentNames::new(&files.workspace.agents);
    let mut report = SetReport {
        dry_run,
        leads: Vec::new(),
        files: Vec::new(),
    };
    for (file, leads) in &goals.by_file {
        report.files.push(SetFile {
            file: file.clone(),
            leads: leads.len(),
        });
        for (id, assignments) in leads {
            let declared = files.desired.get(id);
            let before = declared.map_or_else(Meaning::default, one_meaning);
            let goal = goal(declared, assignments);
            report.leads.push(SetLead {
                uuid: id.clone(),
                label: goal.label.as_deref().map(str::to_owned),
                source: declared.map(|lead| crate::plan::Source::from(&lead.place)),
                fields: changed_fields(&before, &goal, &names),
            });
        }
    }
    report.leads.sort_by(|one, other| one.uuid.cmp(&other.uuid));
    report
}

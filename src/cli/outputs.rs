//! Files that a command is asked to write: `--out`, `--report`, `--run-file`.
//!
//! They are checked before anything is read or written. None is a file of the workspace or of the program, and one that is there
//! already is of the kind that replaces it, so that a slip in a name overwrites nobody's work.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::config::{self, Workspace};
use crate::error::Error;

/// What a file is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputKind {
    /// A saved plan.
    SavedPlan,
    /// A plan, a run or tests in any format.
    Report,
    /// The live listing.
    Snapshot,
    /// A run file, which is appended to and has checks of its own.
    Run,
}

/// Checks the files that a command will write, each of which may be named once.
pub(super) fn check_outputs<'a>(
    workspace: &Workspace,
    outputs: impl IntoIterator<Item = (OutputKind, &'a Path)>,
) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for (kind, path) in outputs {
        let wrong = |why| {
            Err(Error::Output {
                path: path.to_owned(),
                why,
            })
        };
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        // A folder that does not exist is reported when the file is written; that of the program is made before.
        let folder = std::fs::canonicalize(folder).or_else(|_| std::path::absolute(folder));
        let (Ok(folder), Some(name)) = (folder, path.file_name()) else {
            continue;
        };
        let whole = folder.join(name);
        let within = whole
            .strip_prefix(&workspace.root)
            .ok()
            .and_then(Path::to_str);
        if within.is_some_and(|within| within == config::FILE || workspace.takes(within)) {
            return wrong("is a file of the workspace");
        }
        if within.is_some_and(|within| crate::state::FILES.contains(&within)) {
            return wrong("is a file of the program");
        }
        let seed = workspace.api.seed.as_ref();
        let seed = seed.and_then(|seed| std::fs::canonicalize(workspace.root.join(seed)).ok());
        if seed.is_some_and(|seed| seed == whole) {
            return wrong("is the seed of the sandbox");
        }
        if !kind.may_replace(&whole) {
            return wrong(kind.is_another());
        }
        let is_file = !whole.exists() || whole.is_file();
        if !seen.insert(whole) && is_file {
            return wrong("is named twice");
        }
    }
    Ok(())
}

/// How much of a file is looked at, in bytes.
const HEAD: u64 = 4_096;

impl OutputKind {
    /// Whether a path has no file, or one that is empty or of this kind, as far as its beginning shows. One that cannot be read is reported
    /// when it is written.
    pub(super) fn may_replace(self, path: &Path) -> bool {
        if !path.is_file() {
            return true;
        }
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        if read.is_err() {
            return true;
        }
        let head = String::from_utf8_lossy(&head);
        let head = head.trim_start();
        head.is_empty() || self.begins(head)
    }

    /// Whether a path may be written while the workspace cannot be read: by its name it is no file of any workspace or of the program.
    pub(super) fn is_free(self, path: &Path) -> bool {
        let Ok(whole) = std::path::absolute(path) else {
            return false;
        };
        // Some file systems take either case.
        let name = whole.to_string_lossy().to_lowercase();
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        let mut of_program = crate::state::FILES.iter();
        let is_of_program = of_program.any(|file| Path::new(&name).ends_with(file));
        !is_yaml && !is_of_program && self.may_replace(path)
    }

    /// A report replaces one in any format.
    fn begins(self, head: &str) -> bool {
        let starts = |words: &[&str]| words.iter().any(|word| head.starts_with(word));
        let is_json_with = |key: &str| starts(&["{"]) && head.contains(key);
        let is_plan = is_json_with("\"plan_id\"");
        match self {
            Self::SavedPlan => is_plan,
            Self::Report => {
                let is_junit = starts(&["<?xml"]) && head.contains("<testsuite");
                is_plan || is_junit || is_json_with("sarif") || starts(REPORTS)
            }
            Self::Snapshot => is_json_with("\"snapshot\""),
            Self::Run => true,
        }
    }

    fn is_another(self) -> &'static str {
        match self {
            Self::SavedPlan => "already exists and is not a saved plan",
            Self::Report => "already exists and is not a report",
            Self::Snapshot => "already exists and is not a snapshot",
            Self::Run => "already exists and is not a run file",
        }
    }
}

/// How reports begin, but those in JSON.
const REPORTS: &[&str] = &[
    // Text, and annotations where there are none.
    "For bot ",
    "Nothing to ",
    "Plan: ",
    "Cannot apply: ",
    "Refused: ",
    // Annotations.
    "::",
    // Markdown.
    "### Nothing to ",
    "### Plan: ",
    "### Cannot apply: ",
    "### Refused: ",
    // HTML, CSV and OpenMetrics.
    "<!doctype html>",
    "uuid,label,action,",
    "# HELP convertalk_",
];

//! The desired state of a loop: from a commit that is fetched, or from the files as they stand. The last valid one stays in force.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cli::session::{Files, FilesHead, overrides};
use crate::cli::ui::Ui;
use crate::config;
use crate::error::Error;
use crate::git::base::{BaseError, CommitState, commit, workspace_at};
use crate::git::fetch::RemoteBranch;
use crate::git::head::head;
use crate::lead_file::{self, discover};
use crate::plan::Head;
use crate::report::{Problem, problems};
use crate::text::count;
use crate::watch::reconcile::LookEnd;
use crate::yaml::Diagnostic;

/// What was last looked at, to be compared with what is there now.
#[derive(Debug, PartialEq, Eq)]
enum LastSeen {
    Commit(String),
    Files {
        commit: Option<String>,
        hashes: FileHashes,
    },
}

/// The hashes of the workspace file and the lead files, by path.
type FileHashes = BTreeMap<String, Option<String>>;

/// A desired state in force, and the files that it was read from.
struct InForce {
    files: Files,
    hashes: FileHashes,
}

/// Where the desired state comes from, and the state in force.
pub(super) struct DesiredSource {
    root: PathBuf,
    /// `--ref`
    reference: Option<String>,
    remote: Option<RemoteBranch>,
    seen: Option<LastSeen>,
    /// Why what was last seen is not in force.
    problem: Option<Problem>,
    in_force: Option<InForce>,
}

impl DesiredSource {
    /// A source for the workspace in `root`.
    ///
    /// # Errors
    /// A reference outside of a repository.
    pub(super) fn new(root: PathBuf, reference: Option<String>) -> Result<Self, Error> {
        let remote = match &reference {
            Some(reference) => RemoteBranch::find(&root, reference)?,
            None => None,
        };
        Ok(Self {
            root,
            reference,
            remote,
            seen: None,
            problem: None,
            in_force: None,
        })
    }

    /// The state in force.
    pub(super) fn files(&self) -> Option<&Files> {
        self.in_force.as_ref().map(|state| &state.files)
    }

    /// The folder of the workspace.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The commit in force.
    pub(super) fn commit(&self) -> Option<String> {
        match &self.files()?.head {
            FilesHead::Known(head) => head.as_ref().map(|head| head.commit.clone()),
            FilesHead::WorkTree => None,
        }
    }

    /// Puts the files of a commit in force where none are: those that were applied last, after a restart.
    pub(super) fn fall_back(&mut self, commit: Option<String>) {
        let (None, Some(commit)) = (&self.in_force, commit) else {
            return;
        };
        if let Ok(state) = workspace_at(&self.root, &commit, &overrides()) {
            self.in_force = Some(of_commit(commit, state));
        }
    }

    /// Looks whether there is a newer state, and puts it in force where it is valid.
    pub(super) async fn look(&mut self, ui: &Ui) -> LookEnd {
        let (changed, error) = match self.reference.clone() {
            Some(reference) => self.look_at(&reference, ui).await,
            None => self.look_at_files(ui),
        };
        let attempted = match &self.seen {
            Some(LastSeen::Commit(commit)) => Some(commit.clone()),
            Some(LastSeen::Files { commit, .. }) => commit.clone(),
            None => None,
        };
        let valid = self.commit();
        LookEnd {
            changed,
            error,
            attempted,
            valid,
        }
    }

    async fn look_at(&mut self, reference: &str, ui: &Ui) -> (bool, Option<Problem>) {
        let fetched = match &self.remote {
            Some(remote) => remote.fetch(&self.root).await.map_err(Error::from),
            None => Ok(()),
        };
        let failed = fetched.err().map(|error| report(&error, ui));
        match self.read_reference(reference, ui) {
            Ok(changed) => (changed, failed.or_else(|| self.problem.clone())),
            Err(error) => (false, failed.or_else(|| Some(report(&error.into(), ui)))),
        }
    }

    fn read_reference(&mut self, reference: &str, ui: &Ui) -> Result<bool, BaseError> {
        let commit = commit(&self.root, reference)?;
        let seen = Some(LastSeen::Commit(commit.clone()));
        if self.seen == seen {
            return Ok(false);
        }
        match workspace_at(&self.root, &commit, &overrides()) {
            Ok(state) => {
                let changed = self.put_in_force(of_commit(commit, state));
                (self.seen, self.problem) = (seen, None);
                Ok(changed)
            }
            Err(BaseError::Broken { errors, .. }) => {
                self.seen = seen;
                self.note_errors(&errors, ui);
                Ok(false)
            }
            Err(error) if error.is_about_files() => {
                self.seen = seen;
                ui.warning(&format!("{error}; {STAY}"));
                self.problem = Some(unusable(error.to_string()));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn look_at_files(&mut self, ui: &Ui) -> (bool, Option<Problem>) {
        match self.read_files(ui) {
            Ok(changed) => (changed, self.problem.clone()),
            Err(error) => (false, Some(report(&error, ui))),
        }
    }

    fn read_files(&mut self, ui: &Ui) -> Result<bool, Error> {
        let seen = self.files_now();
        if self.seen.as_ref() == Some(&seen) {
            return Ok(false);
        }
        let loaded = lead_file::load(&self.root, &overrides());
        let (Some(workspace), Some(desired)) = (loaded.workspace, loaded.desired) else {
            self.seen = Some(seen);
            self.note_errors(&loaded.diagnostics, ui);
            return Ok(false);
        };
        ui.diagnostics(&loaded.diagnostics);
        let head = match head(&self.root, &workspace.leads) {
            Ok(head) => Some(head),
            Err(error) if error.is_without_history() => None,
            Err(error) => return Err(error.into()),
        };
        let globs = workspace.leads.clone();
        // What changes while it is read is read again at the next look: the commit must be that of the files.
        let hashes = hashes(&self.root, &globs);
        let commit = head.as_ref().map(|head| head.commit.clone());
        let now = LastSeen::Files {
            commit,
            hashes: hashes.clone(),
        };
        if self.in_force.is_some() && now != seen && now != self.files_now() {
            return Ok(false);
        }
        let files = Files {
            workspace,
            desired,
            head: FilesHead::Known(head),
        };
        (self.seen, self.problem) = (Some(now), None);
        Ok(self.put_in_force(InForce { files, hashes }))
    }

    /// Keeps what is wrong with the files, and shows it unless it is what was shown last.
    fn note_errors(&mut self, diagnostics: &[Diagnostic], ui: &Ui) {
        let found = Some(invalid(&problems(diagnostics)));
        if self.problem != found {
            let errors = ui.diagnostics(diagnostics);
            ui.warning(&format!(
                "the files contain {}; {STAY}",
                count(errors, "error")
            ));
        }
        self.problem = found;
    }

    fn files_now(&self) -> LastSeen {
        let globs = self.files().map(|files| files.workspace.leads.clone());
        let globs = globs.unwrap_or_default();
        LastSeen::Files {
            commit: commit(&self.root, "HEAD").ok(),
            hashes: hashes(&self.root, &globs),
        }
    }

    /// Whether it says something else than the one before. A commit that leaves the files alone does not.
    fn put_in_force(&mut self, state: InForce) -> bool {
        let is_dirty = |files: &Files| match &files.head {
            FilesHead::Known(head) => head.as_ref().is_some_and(|head| head.dirty),
            FilesHead::WorkTree => false,
        };
        let changed = self.in_force.as_ref().is_none_or(|before| {
            before.hashes != state.hashes || is_dirty(&before.files) != is_dirty(&state.files)
        });
        self.in_force = Some(state);
        changed
    }
}

fn of_commit(commit: String, state: CommitState) -> InForce {
    let head = Head {
        commit,
        dirty: false,
    };
    let hashes = state.files.into_iter();
    InForce {
        files: Files {
            workspace: state.workspace,
            desired: state.desired,
            head: FilesHead::Known(Some(head)),
        },
        hashes: hashes.map(|(path, id)| (path, Some(id))).collect(),
    }
}

/// How many errors of files the status names.
const NAMED_ERRORS: usize = 100;

const STAY: &str = "the last valid files stay in force";

/// Files with errors: all of them, a line each, with their places.
fn invalid(errors: &[Problem]) -> Problem {
    let number = count(errors.len(), "error");
    let named = errors.iter().take(NAMED_ERRORS);
    let lines: Vec<String> = named.clone().map(with_place).collect();
    let message = format!(
        "the files contain {number}: {}{}",
        lines.join("; "),
        if errors.len() > NAMED_ERRORS {
            "; …"
        } else {
            ""
        }
    );
    Problem {
        places: named.flat_map(|error| error.places.clone()).collect(),
        ..unusable(message)
    }
}

fn with_place(error: &Problem) -> String {
    match error.places.first() {
        Some(place) => format!("{}:{}: {}", place.file, place.line, error.message),
        None => error.message.clone(),
    }
}

/// Files that cannot be put in force.
fn unusable(message: String) -> Problem {
    Problem {
        code: "invalid-files".to_owned(),
        message,
        help: Some(format!("correct them; until then {STAY}")),
        places: Vec::new(),
    }
}

fn report(error: &Error, ui: &Ui) -> Problem {
    let problem = ui.problem(error);
    ui.warning(&problem.message);
    problem
}

fn hashes(root: &Path, globs: &[String]) -> FileHashes {
    let mut paths = discover::find(root, globs).files;
    paths.push(config::FILE.to_owned());
    let hash = |path: &str| {
        let bytes = std::fs::read(root.join(path)).ok()?;
        let digest = Sha256::digest(bytes);
        Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    paths
        .into_iter()
        .map(|path| {
            let hash = hash(&path);
            (path, hash)
        })
        .collect()
}

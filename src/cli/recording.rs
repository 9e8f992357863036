//! The applied record before a run: where it is, how it is started, and the base that it gives each lead.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::compared::{Compared, base};
use super::ledger::Ledger;
use super::session::{Files, overrides, target};
use super::show::read_run;
use super::ui::Ui;
use crate::apply::applied::{self, AppliedRecord, RecordError};
use crate::error::Error;
use crate::git::base::{descends, read_all};
use crate::lead::Desired;
use crate::plan::{Base, Head, Plan, Refusal, Target};
use crate::policy::Guard;
use crate::state::refuse_links;

/// The word for the record in `--base`.
pub(super) const APPLIED: &str = "applied";

/// Where the record is, and how it is started.
#[derive(Debug, Args)]
pub(super) struct Recording {
    /// Path of the applied record [default: .convertalk/applied.json]
    #[arg(long, value_name = "FILE")]
    pub(super) applied: Option<PathBuf>,
    /// With --base applied and no record yet: `files` takes every difference as intended, `live` takes today's differences as drift and
    /// writes nothing but the record
    #[arg(long, value_name = "SIDE")]
    pub(super) begin: Option<Begin>,
}

/// What differences are where there is no record yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Begin {
    /// Every difference is intended
    Files,
    /// Today's differences are drift; nothing is written
    Live,
}

/// What the record makes of a plan.
pub(super) struct Applied {
    /// The base of each lead.
    pub(super) base: (Base, Desired),
    /// Whether nothing may be written, because the record only begins.
    pub(super) begins_live: bool,
    /// Why the record refuses the plan.
    pub(super) refusal: Option<Refusal>,
}

/// What a run applies.
struct Applying<'f> {
    head: Option<Head>,
    declared: Cow<'f, Desired>,
    own: Option<Cow<'f, Desired>>,
    begins_live: bool,
}

impl Recording {
    /// Refuses `--begin` where nothing begins.
    pub(super) fn check(&self, base: Option<&str>) -> Result<(), Error> {
        if self.begin.is_some() && base != Some(APPLIED) {
            return Err(Error::Usage("--begin requires --base applied"));
        }
        Ok(())
    }

    /// The file of the record.
    fn path(&self, root: &Path) -> PathBuf {
        self.applied
            .clone()
            .unwrap_or_else(|| root.join(".convertalk/applied.json"))
    }

    /// The commit last applied, of whatever inbox; `None` where there is no record that can be read.
    pub(super) fn commit(&self, root: &Path) -> Option<String> {
        let path = self.path(root);
        refuse_links(root, &path).ok()?;
        Some(applied::read(&path).ok()??.commit)
    }

    /// Whether there is a record, of whatever kind.
    pub(super) fn exists(&self, root: &Path) -> bool {
        self.path(root).exists()
    }

    /// The error that there is none.
    pub(super) fn missing(&self, root: &Path) -> Error {
        Error::Applied {
            path: self.path(root),
            source: RecordError::None,
        }
    }

    /// The record, with what a run did that was killed.
    pub(super) fn read(
        &self,
        root: &Path,
        target: &Target,
    ) -> Result<Option<AppliedRecord>, Error> {
        let path = self.path(root);
        let failed = |source| Error::Applied {
            path: path.clone(),
            source,
        };
        let read = refuse_links(root, &path).map_err(RecordError::Io);
        let read = read.and_then(|()| applied::read(&path));
        let Some(record) = read.map_err(failed)? else {
            return Ok(None);
        };
        if record.target != *target {
            return Err(failed(RecordError::Foreign));
        }
        let Some(run) = &record.run else {
            return Ok(Some(record));
        };
        let file = record
            .run_file
            .clone()
            .unwrap_or_else(|| root.join(format!(".convertalk/runs/{run}.jsonl")));
        refuse_links(root, &file).map_err(|source| failed(RecordError::Io(source)))?;
        // A run file that is gone says nothing of a kill: the leads that were to be written stay behind.
        if !file.exists() {
            return Ok(Some(record));
        }
        Ok(Some(record.after_kill(&read_run(&file)?)))
    }

    /// What the files said at a commit, or, for `applied`, at each lead's own, to look at.
    pub(super) fn base_at(
        applied: Option<&Path>,
        reference: &str,
        files: &Files,
    ) -> Result<(Base, Desired), Error> {
        if reference != APPLIED {
            return base(&files.workspace, reference);
        }
        let recording = Self {
            applied: applied.map(Path::to_owned),
            begin: None,
        };
        recording.base_of(files, &target(&files.workspace))
    }

    /// The base of each lead by a record that must be there.
    fn base_of(&self, files: &Files, target: &Target) -> Result<(Base, Desired), Error> {
        let root = &files.workspace.root;
        let record = self.read(root, target)?.ok_or_else(|| Error::Applied {
            path: self.path(root),
            source: RecordError::None,
        })?;
        let own = record.base(read_all(root, record.commits(), &overrides())?);
        let base = Base {
            reference: APPLIED.to_owned(),
            commit: record.commit,
        };
        Ok((base, own))
    }

    /// The base of each lead, for `--base applied`.
    pub(super) fn base(
        &self,
        files: &Files,
        target: &Target,
        head: &Head,
        allow: &[Guard],
        ui: &Ui,
    ) -> Result<Applied, Error> {
        let root = &files.workspace.root;
        let base = |commit: &str| Base {
            reference: APPLIED.to_owned(),
            commit: commit.to_owned(),
        };
        let Some(record) = self.read(root, target)? else {
            let base = base(&head.commit);
            return match self.begin {
                None => Err(Error::Applied {
                    path: self.path(root),
                    source: RecordError::None,
                }),
                Some(Begin::Files) => Ok(Applied {
                    base: (base, Desired::new()),
                    begins_live: false,
                    refusal: None,
                }),
                Some(Begin::Live) => Ok(Applied {
                    base: (base, files.desired.clone()),
                    begins_live: true,
                    refusal: None,
                }),
            };
        };
        if self.begin.is_some() {
            ui.note("there is an applied record already: --begin is ignored");
        }
        let own = record.base(read_all(root, record.commits(), &overrides())?);
        let refusal = rewind(root, &head.commit, &record.commit, allow)?;
        Ok(Applied {
            base: (base(&record.commit), own),
            begins_live: false,
            refusal,
        })
    }

    /// The ledger of a run of these files. `None`, with a note, where no record can be kept.
    pub(super) fn open<'f>(
        &self,
        files: &'f Files,
        compared: &'f Compared,
        target: &Target,
        ui: &Ui,
    ) -> Result<Option<Ledger<'f>>, Error> {
        let Files {
            workspace, desired, ..
        } = files;
        let mut head = compared.head.clone();
        // A record that only begins notes the commit, whatever has been edited since.
        if let Some(head) = head
            .as_mut()
            .filter(|head| compared.begins_live && head.dirty)
        {
            ui.note(
                "the files are not as committed: the applied record begins with what is committed, and other declarations count as changed since",
            );
            head.dirty = false;
        }
        let own = compared.base.as_ref();
        let own = own.filter(|(base, _)| base.reference == APPLIED);
        let applying = Applying {
            head,
            declared: Cow::Borrowed(desired),
            own: own.map(|(_, own)| Cow::Borrowed(own)),
            begins_live: compared.begins_live,
        };
        self.ledger(&workspace.root, target, applying, ui)
    }

    /// The ledger of a run of a saved plan, which is about the files of its own commit.
    pub(super) fn open_saved<'f>(
        &self,
        files: &'f Files,
        saved: &Plan,
        ui: &Ui,
    ) -> Result<Option<Ledger<'f>>, Error> {
        let root = &files.workspace.root;
        let declared = match &saved.head {
            Some(head) if !head.dirty => {
                let read = read_all(root, [head.commit.as_str()], &overrides());
                match read {
                    Ok(mut all) => all.remove(&head.commit).unwrap_or_default(),
                    Err(error) => {
                        ui.warning(&format!("the applied record is not updated: {error}"));
                        return Ok(None);
                    }
                }
            }
            Some(_) | None => Desired::new(),
        };
        let applying = Applying {
            head: saved.head.clone(),
            declared: Cow::Owned(declared),
            own: None,
            begins_live: false,
        };
        self.ledger(root, &saved.target, applying, ui)
    }

    fn ledger<'f>(
        &self,
        root: &'f Path,
        target: &Target,
        applying: Applying<'f>,
        ui: &Ui,
    ) -> Result<Option<Ledger<'f>>, Error> {
        let Applying {
            head,
            declared,
            own,
            begins_live,
        } = applying;
        let record = self.read(root, target)?;
        let Some(head) = head else {
            ui.note("no applied record is kept: the files belong to no commit");
            return Ok(None);
        };
        let own = own.or_else(|| {
            let record = record.as_ref()?;
            let all = read_all(root, record.commits(), &overrides()).ok()?;
            Some(Cow::Owned(record.base(all)))
        });
        if head.dirty {
            ui.note(&match &record {
                Some(record) => {
                    let short: String = record.commit.chars().take(12).collect();
                    format!("the files are not as committed: the applied record stays at {short}")
                }
                None => "the files are not as committed: no applied record is started".to_owned(),
            });
        }
        Ok(Some(Ledger {
            path: self.path(root),
            root,
            target: target.clone(),
            head,
            declared,
            record,
            own,
            begins_live,
        }))
    }
}

/// Refuses files that do not descend from the commit last applied.
pub(super) fn rewind(
    root: &Path,
    head: &str,
    applied: &str,
    allow: &[Guard],
) -> Result<Option<Refusal>, Error> {
    if descends(root, head, applied)? || allow.contains(&Guard::Rewind) {
        return Ok(None);
    }
    let short = |commit: &str| -> String { commit.chars().take(12).collect() };
    Ok(Some(Refusal {
        rule: Guard::Rewind,
        message: format!(
            "{} does not descend from {}, the commit last applied",
            short(head),
            short(applied)
        ),
        source: None,
        lift: "check the branch; if the history was rewound on purpose, add --allow rewind once"
            .to_owned(),
        leads: Vec::new(),
    }))
}

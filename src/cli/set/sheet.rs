//! Goals from a sheet.

use std::io::Read;
use std::path::Path;

use super::super::lead_path::lead_path;
use super::super::session::Files;
use super::{Goals, Problems};
use crate::config::Workspace;
use crate::error::Error;
use crate::lead_file::sheet::{SheetError, SheetRow, read};
use crate::report::{Problem, Spot};
use crate::yaml::excerpt::quoted;

/// The largest sheet that is read, in bytes.
const LARGEST: u64 = 1 << 28;

/// A sheet, as it was read.
pub(super) struct SheetFile<'p> {
    path: &'p Path,
    bytes: Vec<u8>,
}

impl<'p> SheetFile<'p> {
    /// Reads a file, or stdin for `-`.
    pub(super) fn read(path: &'p Path) -> Result<Self, Error> {
        bytes(path).map(|bytes| Self { path, bytes })
    }

    /// What the leads of the sheet are to say; those that no file declares are declared in `add_to`, where there is one.
    pub(super) fn goals(
        &self,
        add_to: Option<&Path>,
        files: &Files,
    ) -> Result<Result<Goals, Problems>, Error> {
        let add_to = add_to
            .map(|file| lead_file(&files.workspace, file))
            .transpose()?;
        let (rows, mut errors) = read(&self.bytes, files.workspace.vocabulary());
        let mut goals = Goals::default();
        for row in &rows {
            match (files.desired.get(&row.id), &add_to) {
                (Some(lead), _) => goals.assign(&row.id, lead, &row.assignments.as_slice().into()),
                (None, Some(file)) => {
                    goals.leads += 1;
                    let file = goals.by_file.entry(file.clone()).or_default();
                    file.insert(row.id.clone(), row.assignments.as_slice().into());
                }
                (None, None) => errors.push(undeclared(row)),
            }
        }
        if errors.is_empty() {
            return Ok(Ok(goals));
        }
        errors.sort_by_key(|error| (error.row, error.number));
        let errors = errors.into_iter().map(|error| reported(self.path, error));
        Ok(Err(Problems::Errors(errors.collect())))
    }
}

fn reported(path: &Path, error: SheetError) -> Problem {
    let file = if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    };
    let message = format!("{file}: {error}");
    let place = Spot {
        file,
        line: error.row,
        column: u64::try_from(error.number)
            .ok()
            .filter(|number| *number > 0),
    };
    Problem::new("sheet", message).at(place)
}

fn undeclared(row: &SheetRow) -> SheetError {
    let id = quoted(row.id.as_str());
    SheetError {
        row: row.number,
        column: Some("uuid".to_owned()),
        number: 1,
        message: format!("no file declares {id}; check the uuid, or declare it: --add-to FILE"),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io {
        what: format!("read {}", path.display()),
        source,
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    }
    .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        let large = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        return Err(failed(large));
    }
    Ok(bytes)
}

/// A lead file by its path in the workspace.
fn lead_file(workspace: &Workspace, file: &Path) -> Result<String, Error> {
    let path = lead_path(file, workspace, "--add-to")?;
    if workspace.owns(&path) {
        Ok(path)
    } else {
        Err(Error::NotLeadFile { file: path })
    }
}

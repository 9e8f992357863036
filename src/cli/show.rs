//! `convertalk show`

use std::path::PathBuf;

use clap::Args;

use super::screen::Screen;
use crate::error::{Error, Exit};
use crate::plan::file;
use crate::privacy::Names;
use crate::report::{self, Format};

/// Show a saved plan again, in any format
///
/// Example: convertalk show plan.json
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The saved plan
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// How much of people's names and contact values to tell, of what the plan holds
    #[arg(long, value_name = "HOW", default_value = "initials")]
    names: Names,
}

impl Show {
    pub(super) fn run(self, screen: &Screen) -> Result<Exit, Error> {
        let plan = read_plan(&self.file)?;
        screen.result(&report::plan(&plan, self.format, self.names).map_err(Error::Json)?)?;
        Ok(Exit::Done)
    }
}

/// Reads a saved plan and holds it against its digest.
pub(super) fn read_plan(path: &std::path::Path) -> Result<crate::plan::Plan, Error> {
    let failed = |source| Error::Io { what: format!("read {}", path.display()), source };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > file::LARGEST {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::FileTooLarge)));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    file::from_bytes(&bytes).map_err(|source| Error::PlanFile { path: path.to_owned(), source })
}

//! `convertalk runs`

use std::path::Path;

use clap::Args;

use super::options::OutputFormat;
use super::ui::Ui;
use crate::apply::history::{RunList, runs};
use crate::config;
use crate::error::{Error, Exit};
use crate::report::run_list;
use crate::text::visible;

/// List the runs kept in .convertalk/runs/, the latest first
///
/// `show` shows one of them, and `undo` reverts it, by its id, the first characters of it, or `last`.
#[derive(Debug, Args)]
pub(super) struct Runs {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

impl Runs {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let root = config::find(directory)?;
        let (runs, odd) = runs(&root).map_err(|source| Error::Io {
            what: "read .convertalk/runs/".to_owned(),
            source,
        })?;
        for path in odd {
            let path = visible(&path.display().to_string());
            ui.warning(&format!("{path} is not a run file"));
        }
        match self.format {
            OutputFormat::Json => ui.json(&RunList { runs })?,
            OutputFormat::Text => ui.result(&run_list(&runs))?,
        }
        Ok(Exit::Done)
    }
}

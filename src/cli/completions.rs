//! `convertalk completions`

use clap::Args;
use clap_complete::env::Shells;

use super::complete::VARIABLE;
use super::ui::Ui;
use crate::error::{Error, Exit};

/// Print a shell completion script
///
/// The script runs convertalk for each completion, and completes commands, flags and their values, and the selectors, agents, tags,
/// statuses and leads of the workspace that the shell is in.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let name = self.shell.to_string();
        let shells = Shells::builtins();
        let shell = shells
            .completer(&name)
            .ok_or(Error::Internal("a shell has no completions"))?;
        let mut script = Vec::new();
        shell
            .write_registration(
                VARIABLE,
                "convertalk",
                "convertalk",
                "convertalk",
                &mut script,
            )
            .map_err(|source| Error::Io {
                what: "make a completion script".to_owned(),
                source,
            })?;
        ui.result(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}

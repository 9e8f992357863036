//! `convertalk completions`

use clap::Args;

use super::ui::Ui;
use crate::error::{Error, Exit};

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut super::examples::command(),
            "convertalk",
            &mut script,
        );
        ui.result(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}

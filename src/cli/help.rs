//! `convertalk help`

use clap::Args;

use super::examples;
use super::ui::Ui;
use crate::error::{Error, Exit};

/// Show the help of a command, or explain the code of a diagnostic or a guard
#[derive(Debug, Args)]
pub(super) struct Help {
    /// A command, or a code such as unknown-status or max-changes
    #[arg(value_name = "COMMAND|CODE")]
    topic: Option<String>,
}

/// The pages of the codes: a heading of the second level for each.
const CODES: &str = include_str!("../../docs/codes.md");

impl Help {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let mut program = examples::command();
        program.build();
        let Some(topic) = self.topic else {
            ui.result(&program.render_long_help().ansi().to_string())?;
            return Ok(Exit::Done);
        };
        if let Some(command) = program.find_subcommand_mut(&topic) {
            ui.result(&command.render_long_help().ansi().to_string())?;
            return Ok(Exit::Done);
        }
        let Some(page) = page(&topic) else {
            return Err(Error::UnknownTopic(topic));
        };
        ui.result(page)?;
        Ok(Exit::Done)
    }
}

/// The page of a code: from its heading to the next one.
fn page(code: &str) -> Option<&'static str> {
    let code = code.trim_matches('`');
    let heading = format!("\n## `{code}`\n");
    let start = CODES.find(&heading)? + 1;
    let rest = &CODES[start..];
    let end = ["\n## ", "\n# "].map(|next| rest.find(next).map_or(rest.len(), |at| at + 1));
    Some(&rest[..end[0].min(end[1])])
}

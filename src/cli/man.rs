//! `convertalk man`

use clap::{Args, CommandFactory};

use super::ui::Ui;
use crate::error::{Error, Exit};

/// Print a manual page: the program's, or a command's
///
/// Example: convertalk man plan | man -l -
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Of this command; of the whole program unless said
    #[arg(value_name = "COMMAND", value_parser = command)]
    of: Option<Box<clap::Command>>,
}

/// A command by its name, with what it takes from the program.
fn command(name: &str) -> Result<Box<clap::Command>, String> {
    let mut program = super::Cli::command();
    program.build();
    let found = program.find_subcommand(name).cloned();
    found
        .map(Box::new)
        .ok_or_else(|| "not a command of convertalk; see `convertalk --help`".to_owned())
}

impl Man {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let page = match self.of {
            Some(command) => {
                let name = format!("convertalk-{}", command.get_name());
                clap_mangen::Man::new(command.name(name.clone()).display_name(name))
            }
            None => clap_mangen::Man::new(super::Cli::command()),
        };
        let mut text = Vec::new();
        page.render(&mut text).map_err(|source| Error::Io {
            what: "write the manual page".to_owned(),
            source,
        })?;
        ui.result(&String::from_utf8_lossy(&text))?;
        Ok(Exit::Done)
    }
}

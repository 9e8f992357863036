//! `convertalk man`

use clap::{Args, CommandFactory};

use super::screen::Screen;
use crate::error::{Error, Exit};

/// Print the manual page
///
/// Example: convertalk man | man -l -
#[derive(Debug, Args)]
pub(super) struct Man;

impl Man {
    pub(super) fn run(self, screen: &Screen) -> Result<Exit, Error> {
        let mut page = Vec::new();
        let written = clap_mangen::Man::new(super::Cli::command()).render(&mut page);
        written.map_err(|source| Error::Io { what: "write the manual page".to_owned(), source })?;
        screen.result(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Done)
    }
}

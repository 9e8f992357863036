//! `convertalk man`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::examples::{self, ENVIRONMENT, EXIT_STATUS, Example};
use super::ui::Ui;
use crate::atomic_file;
use crate::error::{Error, Exit};

/// Print the manual page of the program or of a command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The command; the whole program by default
    #[arg(value_name = "COMMAND", value_parser = is_command)]
    command: Option<String>,
    /// Write the pages of the program and of every command to this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

fn is_command(name: &str) -> Result<String, String> {
    match examples::command().find_subcommand(name) {
        Some(_) => Ok(name.to_owned()),
        None => Err("not a command; see `convertalk --help`".to_owned()),
    }
}

impl Man {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let failed = |source| Error::Io {
            what: "write the manual page".to_owned(),
            source,
        };
        let program = built();
        match (&self.out, &self.command) {
            (Some(folder), _) => write_all(&program, folder)?,
            (None, Some(name)) => {
                let command = program.find_subcommand(name).unwrap_or(&program);
                ui.result(&page(command, name).map_err(failed)?)?;
            }
            (None, None) => ui.result(&page(&program, "convertalk").map_err(failed)?)?,
        }
        Ok(Exit::Done)
    }
}

/// The command line, each command with the flags that it takes from the program.
fn built() -> clap::Command {
    let mut program = examples::command();
    program.build();
    program
}

fn write_all(program: &clap::Command, folder: &Path) -> Result<(), Error> {
    let failed = |what: &str, path: &Path, source| Error::Io {
        what: format!("{what} {}", path.display()),
        source,
    };
    fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, error))?;
    let commands = program
        .get_subcommands()
        .map(|command| (command, command.get_name()));
    for (command, name) in commands.chain([(program, "convertalk")]) {
        let path = folder.join(format!("{}.1", page_name(name)));
        let page = page(command, name).map_err(|error| failed("write", &path, error))?;
        atomic_file::write(&path, |out| out.write_all(page.as_bytes()))?;
    }
    Ok(())
}

fn page_name(name: &str) -> String {
    if name == "convertalk" {
        name.to_owned()
    } else {
        format!("convertalk-{name}")
    }
}

fn page(command: &clap::Command, name: &str) -> io::Result<String> {
    let title = page_name(name);
    let man = clap_mangen::Man::new(command.clone().name(title.clone()).display_name(title));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page.push_str(&examples_section(examples::examples(name)));
    page.push_str(&table_section("\"EXIT STATUS\"", EXIT_STATUS));
    page.push_str(&table_section("ENVIRONMENT", ENVIRONMENT));
    Ok(page)
}

fn examples_section(examples: &[Example]) -> String {
    let mut section = ".SH EXAMPLES\n".to_owned();
    for (what, line) in examples {
        section.push_str(&format!(
            ".TP\n{}:\n\\fB{}\\fR\n",
            escaped(what),
            escaped(line)
        ));
    }
    section
}

fn table_section(title: &str, table: &[(&str, &str)]) -> String {
    let rows = table
        .iter()
        .map(|(name, meaning)| format!(".TP\n\\fB{}\\fR\n{}\n", escaped(name), escaped(meaning)));
    format!(".SH {title}\n{}", rows.collect::<String>())
}

/// Text as roff: no escape, and no request at the start of a line.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.chars().next() {
        Some('.' | '\'') => format!("\\&{text}"),
        _ => text,
    }
}

//! The command line: parses arguments, runs the command and maps its outcome to an exit code.
//!
//! Only this module depends on every stage. Results go to stdout, everything else to stderr.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, FromArgMatches, Parser, Subcommand};

mod apply;
mod compared;
mod complete;
mod completions;
mod doctor;
mod examples;
mod execution;
mod explain;
mod fmt;
mod help;
mod init;
mod job;
mod lead_path;
mod learned;
mod ledger;
mod list;
mod man;
mod options;
mod outputs;
mod plan;
mod pull;
mod pull_request;
mod recording;
mod reports;
mod run_metrics;
mod runs;
mod sandbox;
mod scaffold;
mod schema;
mod session;
mod set;
mod show;
mod signals;
mod snapshot;
mod test;
mod ui;
mod undo;
mod usage;
mod validate;
mod watch;
mod workspaces;

use ui::Ui;

const GLOBAL_OPTIONS: &str = "Global options";

/// Lead state as code: declare each lead's status, tags and agent in YAML files
#[derive(Debug, Parser)]
#[command(
    name = "convertalk",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Global {
    /// Run in this folder: a workspace, or a folder inside one
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, default_value = ".", hide_default_value = true, help_heading = GLOBAL_OPTIONS)]
    directory: PathBuf,
    /// When to use colors
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", help_heading = GLOBAL_OPTIONS)]
    color: clap::ColorChoice,
    /// Print only results and errors
    #[arg(short, long, global = true, help_heading = GLOBAL_OPTIONS)]
    quiet: bool,
    /// Log to stderr: -v logs repeated requests, -vv every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL_OPTIONS)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Doctor(doctor::Doctor),
    Validate(validate::Validate),
    Fmt(fmt::Fmt),
    List(list::List),
    Plan(plan::PlanArgs),
    Test(test::TestCommand),
    Show(show::Show),
    Apply(Box<apply::Apply>),
    Watch(Box<watch::WatchArgs>),
    Explain(explain::Explain),
    Snapshot(snapshot::SnapshotArgs),
    Runs(runs::Runs),
    Undo(undo::Undo),
    Pull(pull::Pull),
    Workspaces(workspaces::WorkspacesArgs),
    Set(set::Set),
    Schema(schema::Schema),
    Sandbox(Box<sandbox::SandboxArgs>),
    Completions(completions::Completions),
    Man(man::Man),
    Help(help::Help),
}

impl Command {
    /// The name of the command as typed.
    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Doctor(_) => "doctor",
            Self::Validate(_) => "validate",
            Self::Fmt(_) => "fmt",
            Self::List(_) => "list",
            Self::Plan(_) => "plan",
            Self::Test(_) => "test",
            Self::Show(_) => "show",
            Self::Apply(_) => "apply",
            Self::Watch(_) => "watch",
            Self::Explain(_) => "explain",
            Self::Snapshot(_) => "snapshot",
            Self::Runs(_) => "runs",
            Self::Undo(_) => "undo",
            Self::Pull(_) => "pull",
            Self::Workspaces(_) => "workspaces",
            Self::Set(_) => "set",
            Self::Schema(_) => "schema",
            Self::Sandbox(_) => "sandbox",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Help(_) => "help",
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    complete::answer();
    let arguments = examples::command().try_get_matches();
    let cli = arguments.and_then(|matches| {
        let json = wants_json(&matches);
        Ok((Cli::from_arg_matches(&matches)?, json))
    });
    let (cli, json) = match cli {
        Ok(cli) => cli,
        Err(error) => return usage::usage(&error),
    };
    let Cli { global, command } = cli;
    let ui = Ui::new(
        command.name(),
        global.color,
        global.quiet,
        global.verbose,
        json,
    );
    let outcome = match command {
        Command::Init(command) => command.run(&global.directory, &ui),
        Command::Doctor(command) => command.run(&global.directory, &ui),
        Command::Validate(command) => command.run(&global.directory, &ui),
        Command::Fmt(command) => command.run(&global.directory, &ui),
        Command::List(command) => command.run(&global.directory, &ui),
        Command::Plan(command) => command.run(&global.directory, &ui),
        Command::Test(command) => command.run(&global.directory, &ui),
        Command::Show(command) => command.run(&global.directory, &ui),
        Command::Apply(command) => command.run(&global.directory, &ui),
        Command::Watch(command) => command.run(&global.directory, &ui),
        Command::Explain(command) => command.run(&global.directory, &ui),
        Command::Snapshot(command) => command.run(&global.directory, &ui),
        Command::Runs(command) => command.run(&global.directory, &ui),
        Command::Undo(command) => command.run(&global.directory, &ui),
        Command::Pull(command) => command.run(&global.directory, &ui),
        Command::Workspaces(command) => command.run(&global.directory, &ui),
        Command::Set(command) => command.run(&global.directory, &ui),
        Command::Schema(command) => command.run(&global.directory, &ui),
        Command::Sandbox(command) => command.run(&ui),
        Command::Completions(command) => command.run(&ui),
        Command::Man(command) => command.run(&ui),
        Command::Help(command) => command.run(&ui),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            ui.error(&error);
            ui.error_document(&error);
            error.exit().into()
        }
    }
}

/// Whether a command was asked for JSON.
fn wants_json(matches: &clap::ArgMatches) -> bool {
    let command = matches.subcommand().map(|(_, command)| command);
    let has = |flag: &str, word: &str| {
        let words = command.and_then(|command| command.try_get_raw(flag).ok().flatten());
        words.is_some_and(|mut words| words.any(|other| other == word))
    };
    has("format", "json") || has("report", "json=-")
}

//! Errors in the command line itself, which clap finds before any command runs.

use std::ffi::OsStr;
use std::io::Write;
use std::process::ExitCode;

use crate::error::Exit;
use crate::report::{ErrorDocument, Problem};

/// The code of these errors, for programs.
const CODE: &str = "usage";

/// Exits with 1 for clap's own errors: exit code 2 means that a plan has changes.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let _nothing_left_to_say_it_on = error.print();
    if !error.use_stderr() {
        return Exit::Done.into();
    }
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if asks_for_json(words.iter().map(|word| word.as_os_str())) {
        let document = ErrorDocument::one(problem(&error.render().to_string()));
        if let Ok(text) = crate::json::pretty(&document) {
            let _also_on_stderr = write!(anstream::stdout(), "{text}");
        }
    }
    Exit::Error.into()
}

/// Whether a command line that could not be parsed asks for JSON on stdout.
fn asks_for_json<'w>(words: impl Iterator<Item = &'w OsStr>) -> bool {
    let words: Vec<&OsStr> = words.take_while(|word| *word != "--").collect();
    let value = |flag: &str, value: &str| {
        let joined = format!("{flag}={value}");
        words.iter().any(|word| *word == joined.as_str())
            || words.windows(2).any(|pair| *pair == [flag, value])
    };
    value("--format", "json") || value("--report", "json=-")
}

/// clap's text: the first paragraph is the error, the rest is help.
fn problem(text: &str) -> Problem {
    let text = text.trim();
    let (message, help) = text.split_once("\n\n").unwrap_or((text, ""));
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let problem = Problem::new(CODE, one_line(message));
    if help.is_empty() {
        problem
    } else {
        problem.help(one_line(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_asked_for_by_either_spelling_and_before_the_end_of_options() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(OsStr::new));
        assert!(asks("plan --format json --nope"));
        assert!(asks("plan --nope --format=json"));
        assert!(asks("plan --report json=- --nope"));
        assert!(!asks("plan --nope"));
        assert!(!asks("set -- --format json"));
        assert!(!asks("plan --format text json"));
    }
}

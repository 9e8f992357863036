//! The two output streams: results, and everything else.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tracing_subscriber::filter::LevelFilter;

use crate::api::RequestCounts;
use crate::error::Error;
use crate::git::base::BaseError;
use crate::lead::FieldMask;
use crate::observe::Live;
use crate::report::style::{BAD, CHANGE, FAINT, paint};
use crate::report::{self, ErrorDocument, FirstDiagnostics, Problem, Spot, shown};
use crate::text::{chain, count, visible, visible_lines};
use crate::yaml::Diagnostic;
use crate::yaml::excerpt::quoted;
use crate::yaml::render::render;

/// The bytes of a result that are written at once.
const AT_A_TIME: usize = 64 << 10;

/// The notes of a pass, and of the one before.
#[derive(Default)]
struct Said {
    before: BTreeSet<String>,
    now: BTreeSet<String>,
}

pub(super) struct Ui {
    /// The command that runs, for the hints of its errors.
    command: &'static str,
    color: ColorChoice,
    quiet: bool,
    /// Whether stdout is for a program that reads JSON.
    json: bool,
    /// Whether stdout has a result.
    has_result: AtomicBool,
    /// The errors in files that were shown.
    problems: Mutex<Vec<Problem>>,
    /// Of `watch`: the notes of late.
    said: Mutex<Option<Said>>,
}

/// A spinner that is shown until it is dropped.
pub(super) struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Ui {
    pub(super) fn new(
        command: &'static str,
        color: clap::ColorChoice,
        quiet: bool,
        verbose: u8,
        json: bool,
    ) -> Self {
        let color = match color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        let level = [LevelFilter::OFF, LevelFilter::INFO, LevelFilter::DEBUG];
        let level = level
            .get(usize::from(verbose))
            .copied()
            .unwrap_or(LevelFilter::DEBUG);
        if level != LevelFilter::OFF {
            let ours = tracing_subscriber::filter::Targets::new().with_target("convertalk", level);
            let layer = tracing_subscriber::fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(false)
                .with_target(false)
                .without_time();
            use tracing_subscriber::layer::SubscriberExt;
            let subscriber = tracing_subscriber::registry().with(ours).with(layer);
            let _only_one_is_ever_set = tracing::subscriber::set_global_default(subscriber);
        }
        Self {
            command,
            color,
            quiet,
            json,
            has_result: AtomicBool::new(false),
            problems: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// Writes a result to stdout. A closed pipe is not an error: the command still does its work.
    pub(super) fn result(&self, text: &str) -> Result<(), Error> {
        self.write_result(|out| out.write_all(text.as_bytes()))
    }

    /// Writes a result for other programs to stdout, unchanged. People see it as they see all else.
    pub(super) fn exact(&self, text: &str) -> Result<(), Error> {
        if io::stdout().is_terminal() {
            return self.result(&visible_lines(text));
        }
        // Not through the stream that takes escape sequences out: here they are a part of values.
        self.has_result.store(true, Ordering::Relaxed);
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        wrote(written)
    }

    /// Writes a result to stdout as it is made.
    pub(super) fn write_result(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.has_result.store(true, Ordering::Relaxed);
        let out = AutoStream::new(io::stdout().lock(), self.color_of(&io::stdout()));
        let mut out = BufWriter::with_capacity(AT_A_TIME, out);
        wrote(write(&mut out).and_then(|()| out.flush()))
    }

    /// Writes a result as JSON to stdout.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<(), Error> {
        self.write_result(|out| crate::json::write(out, value))
    }

    /// Writes a result as JSON to stdout, in one line.
    pub(super) fn json_line(&self, value: &impl serde::Serialize) -> Result<(), Error> {
        self.result(&(crate::json::line(value).map_err(Error::Json)? + "\n"))
    }

    /// From now on, notes and warnings that the last pass had are not repeated in the next.
    pub(super) fn start_pass(&self) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let now = said.take().map(|said| said.now).unwrap_or_default();
        *said = Some(Said {
            before: now,
            now: BTreeSet::new(),
        });
    }

    /// Whether a note is one of the last pass, or was made in this one.
    fn was_said(&self, text: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(said) = said.as_mut() else {
            return false;
        };
        !said.now.insert(text.to_owned()) || said.before.contains(text)
    }

    /// Writes a note about progress to stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet && !self.was_said(text) {
            self.stderr(text);
        }
    }

    /// Writes an error with its causes and its hint to stderr.
    pub(super) fn error(&self, error: &Error) {
        let message = error.message();
        if !message.is_empty() {
            self.stderr(&format!("{} {message}", paint(BAD, "error:")));
        }
        if let Some(hint) = self.hint(error) {
            self.stderr(&format!("  {} {hint}", paint(FAINT, "help:")));
        }
    }

    /// An error as JSON to stdout, where a program reads that: one document, in place of the result.
    pub(super) fn error_document(&self, error: &Error) {
        if !self.json || self.has_result.load(Ordering::Relaxed) {
            return;
        }
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let document = match error {
            Error::Invalid { .. } | Error::Unchanged { .. } if !problems.is_empty() => {
                ErrorDocument::of_files(std::mem::take(&mut *problems))
            }
            error => ErrorDocument::one(self.problem(error)),
        };
        // The error is on stderr too, so that nothing is lost where stdout cannot be written.
        let _also_on_stderr = self.json(&document);
    }

    /// An error for programs.
    pub(super) fn problem(&self, error: &Error) -> Problem {
        let place = error.fault().map(|(path, fault)| Spot {
            file: path.display().to_string(),
            line: fault.line,
            column: None,
        });
        Problem {
            code: error.code().to_owned(),
            message: error.message(),
            help: self.hint(error),
            places: place.into_iter().collect(),
        }
    }

    /// The hint for an error.
    pub(super) fn hint(&self, error: &Error) -> Option<String> {
        error.hint(self.command)
    }

    /// Writes errors of a bulk edit to stderr.
    pub(super) fn reported(&self, errors: &[Problem]) {
        for error in errors {
            let message = visible(&error.message);
            self.stderr(&format!("{} {message}", paint(BAD, "error:")));
            if let Some(help) = &error.help {
                self.stderr(&format!("  {} {}", paint(FAINT, "help:"), visible(help)));
            }
        }
        if self.json {
            self.keep_problems(errors.to_vec());
        }
    }

    /// Keeps errors for the document that takes the place of the result.
    fn keep_problems(&self, more: Vec<Problem>) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.extend(more);
    }

    /// Writes a warning to stderr.
    pub(super) fn warning(&self, text: &str) {
        if self.was_said(text) {
            return;
        }
        self.stderr(&format!("{} {text}", paint(CHANGE, "warning:")));
    }

    /// Warns that git did not answer where the command does without it, and says what is left out.
    pub(super) fn git(&self, error: &BaseError, without: &str) {
        self.warning(&format!("{without}: {}", visible(&chain(error))));
        self.stderr(&format!(
            "  {} {}",
            paint(FAINT, "help:"),
            visible(&error.hint())
        ));
    }

    /// Notes what of the inbox could not be read.
    pub(super) fn unreadable(&self, live: &Live) {
        for (id, reason) in &live.unreadable {
            let (id, reason) = (visible(id.as_str()), visible(reason));
            self.note(&format!("skipped: {id} cannot be read: {reason}"));
        }
        for (id, seen) in &live.leads {
            if let Some(reason) = seen.cannot_read(FieldMask::ALL) {
                let (id, reason) = (visible(id.as_str()), visible(&reason));
                self.note(&format!("left out of {id}: {reason}"));
            }
        }
    }

    /// Warns about selectors that match nothing while others do.
    pub(super) fn unmatched(&self, selectors: &[String]) {
        for selector in selectors {
            self.warning(&format!("{} matches nothing", quoted(selector)));
        }
    }

    /// Writes a line to stderr.
    pub(super) fn stderr(&self, text: &str) {
        let mut out = AutoStream::new(io::stderr().lock(), self.color_of(&io::stderr()));
        let _nowhere_to_complain = writeln!(out, "{text}");
    }

    /// Writes the first diagnostics and their total to stderr; returns the number of errors.
    pub(super) fn diagnostics(&self, diagnostics: &[Diagnostic]) -> usize {
        if self.json {
            self.keep_problems(report::problems(diagnostics));
        }
        let colored = self.color_of(&io::stderr()) != ColorChoice::Never;
        let FirstDiagnostics { first, more } = shown(diagnostics);
        for diagnostic in first {
            self.stderr(&format!("{}\n", render(diagnostic, colored).trim_end()));
        }
        if let Some(more) = more {
            self.stderr(&format!("{more}\n"));
        }
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error());
        errors.count()
    }

    fn color_of<S: anstream::stream::RawStream>(&self, stream: &S) -> ColorChoice {
        match self.color {
            ColorChoice::Auto => AutoStream::choice(stream),
            chosen => chosen,
        }
    }

    /// Shows that the inbox is being read, and how far, until it is dropped.
    pub(super) fn reading(&self, requests: &Arc<RequestCounts>) -> Spinner {
        let requests = Arc::clone(requests);
        let before = requests.read_so_far();
        let so_far = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let (pages, chats) = requests.read_so_far();
            let since = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
            let pages = count(since(pages, before.0), "page");
            let leads = count(since(chats, before.1), "lead");
            // Writing to a line in memory cannot fail.
            let _infallible = write!(out, "{pages}, {leads}");
        };
        let template = "{spinner} reading the inbox: {so_far} {elapsed}";
        let style = ProgressStyle::with_template(template);
        let style = style.map(|style| style.with_key("so_far", so_far));
        Spinner(self.bar(ProgressBar::new_spinner, style, ""))
    }

    /// Shows that something is being waited for, until it is dropped.
    pub(super) fn spinner(&self, message: &'static str) -> Spinner {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        Spinner(self.bar(ProgressBar::new_spinner, style, message))
    }

    /// A bar of `steps` steps.
    pub(super) fn progress(&self, steps: usize, message: &'static str) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        self.bar(|| ProgressBar::new(steps as u64), style, message)
    }

    /// Hidden unless stderr is a terminal.
    fn bar(
        &self,
        make: impl FnOnce() -> ProgressBar,
        style: Result<ProgressStyle, TemplateError>,
        message: &'static str,
    ) -> ProgressBar {
        if self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        }
        let bar = make();
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}
/// A closed pipe is not an error.
fn wrote(result: io::Result<()>) -> Result<(), Error> {
    result.or_else(|source| match source.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Error::Io {
            what: "write to stdout".to_owned(),
            source,
        }),
    })
}

//! `--report FORMAT=FILE`: a plan in other forms, to files or to stdout.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::adapter::StripBytes;
use clap::{Args, ValueEnum};

use super::options::is_stdout;
use super::outputs::OutputKind;
use super::pull_request::prefix_of_places;
use super::run_metrics::RunMeter;
use super::session::Access;
use super::ui::Ui;
use crate::atomic_file;
use crate::error::{Error, Exit};
use crate::plan::Plan;
use crate::redaction::Redaction;
use crate::report::{self, Audience, Format};

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportFormat {
    /// One that `--format` has, too.
    Plan(Format),
    /// A row for each field that differs.
    Csv,
    /// The figures of this run, for a textfile collector or a push gateway.
    OpenMetrics,
}

const CSV: &str = "csv";
const OPENMETRICS: &str = "openmetrics";

/// The reports that are asked for.
#[derive(Debug, Args)]
pub(super) struct Reports {
    /// Also write the plan to a file in another format; `-` writes it to stdout in place of the result (repeatable): text, json, markdown,
    /// html, github, sarif, csv, or openmetrics
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_to)]
    report: Vec<(ReportFormat, PathBuf)>,
    /// Whether the figures of this run were written.
    #[arg(skip)]
    has_figures: AtomicBool,
}

/// A plan as reports show it.
pub(super) struct ReportedPlan<'a> {
    pub(super) plan: &'a Plan,
    pub(super) names: Redaction,
    pub(super) max_bytes: Option<usize>,
    pub(super) all_leads: bool,
    /// Of the workspace: annotations name files from the top of the repository.
    pub(super) root: Option<&'a Path>,
    /// The figures of the run in the OpenMetrics format.
    pub(super) metrics: &'a dyn Fn() -> String,
}

impl<'a> ReportedPlan<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        names: Redaction,
        root: Option<&'a Path>,
        metrics: &'a dyn Fn() -> String,
    ) -> Self {
        Self {
            plan,
            names,
            max_bytes: None,
            all_leads: false,
            root,
            metrics,
        }
    }
}

impl ReportedPlan<'_> {
    pub(super) fn render(&self, format: ReportFormat) -> Rendering<'_> {
        match format {
            ReportFormat::Plan(format) => {
                let from_top = matches!(format, Format::Github | Format::Sarif);
                let prefix = self.root.filter(|_| from_top).and_then(prefix_of_places);
                Box::new(move |out| {
                    let audience = Audience {
                        names: self.names,
                        max_bytes: self.max_bytes,
                        all_leads: self.all_leads,
                        prefix: prefix.as_deref().unwrap_or_default(),
                    };
                    report::write_plan(out, self.plan, format, audience)
                })
            }
            ReportFormat::Csv => Box::new(|out| {
                let text = report::plan_as_csv(self.plan, self.names).map_err(io::Error::other)?;
                out.write_all(text.as_bytes())
            }),
            ReportFormat::OpenMetrics => text((self.metrics)()),
        }
    }
}

/// A report that writes itself, as it is made if it is large.
pub(super) type Rendering<'a> = Box<dyn FnOnce(&mut dyn io::Write) -> io::Result<()> + 'a>;

/// A report that is made already.
pub(super) fn text(text: String) -> Rendering<'static> {
    Box::new(move |out| out.write_all(text.as_bytes()))
}

impl ReportFormat {
    /// Whether it is of a run, and not of its plan: it can be written only when the run has ended.
    pub(super) fn is_of_run(self) -> bool {
        match self {
            Self::OpenMetrics => true,
            Self::Plan(_) | Self::Csv => false,
        }
    }

    /// The format where it is one that `--format` has.
    pub(super) fn of_plan(self, otherwise: &'static str) -> Result<Format, Error> {
        match self {
            Self::Plan(format) => Ok(format),
            Self::Csv | Self::OpenMetrics => Err(Error::Usage(otherwise)),
        }
    }
}

impl Reports {
    /// The files that are written.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.report.iter().map(|(_, file)| file.as_path())
    }

    /// The files and what they are to hold, without stdout.
    pub(super) fn outputs(&self) -> impl Iterator<Item = (OutputKind, &Path)> {
        let files = self.files().filter(|file| !is_stdout(file));
        files.map(|file| (OutputKind::Report, file))
    }

    /// Whether all may be written while the workspace cannot be read.
    pub(super) fn are_free(&self) -> bool {
        self.outputs().all(|(kind, file)| kind.is_free(file))
    }

    /// Whether one of them takes the place of the result on stdout.
    pub(super) fn takes_stdout(&self) -> bool {
        self.files().any(is_stdout)
    }

    /// Runs `work`, which writes the reports of a run that gets as far as a plan. Where it fails before, the figures are written here.
    pub(super) fn measured(
        &self,
        ui: &Ui,
        work: impl FnOnce(&Access, &RunMeter) -> Result<Exit, Error>,
    ) -> Result<Exit, Error> {
        let access = Access::default();
        let meter = RunMeter::start(&access.requests);
        work(&access, &meter).inspect_err(|error| self.write_failure(&meter, error, ui))
    }

    /// Writes the figures of a run that ended before it had any, so that monitoring sees that it failed, and with which answers. Files that
    /// are refused are not written.
    fn write_failure(&self, meter: &RunMeter, error: &Error, ui: &Ui) {
        let is_refused = matches!(error, Error::Usage(_) | Error::Output { .. });
        if is_refused || !self.are_free() || self.has_figures.load(Ordering::Relaxed) {
            return;
        }
        let figures = |_| Ok(text(meter.of_failure(error.exit())));
        let written = self
            .write(ReportFormat::is_of_run, figures)
            .and_then(|printed| printed.map_or(Ok(()), |printed| ui.write_result(printed)));
        if let Err(error) = written {
            ui.error(&error);
        }
    }

    /// Writes those that are `wanted` to their files. Returns what stdout is to show in place of the result, if one of them goes there.
    pub(super) fn write<'a>(
        &self,
        wanted: impl Fn(ReportFormat) -> bool,
        render: impl Fn(ReportFormat) -> Result<Rendering<'a>, Error>,
    ) -> Result<Option<Rendering<'a>>, Error> {
        let mut printed = None;
        for (format, file) in self.report.iter().filter(|(format, _)| wanted(*format)) {
            if format.is_of_run() {
                self.has_figures.store(true, Ordering::Relaxed);
            }
            let rendering = render(*format)?;
            if is_stdout(file) {
                printed = Some(rendering);
                continue;
            }
            atomic_file::write(file, |out| {
                let mut out = io::BufWriter::new(out);
                if *format == ReportFormat::Plan(Format::Text) {
                    rendering(&mut Plain(&mut out, StripBytes::new()))?;
                } else {
                    rendering(&mut out)?;
                }
                out.flush()
            })?;
        }
        Ok(printed)
    }
}

/// Leaves out the colors.
struct Plain<W>(W, StripBytes);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self(out, strip) = self;
        strip
            .strip_next(bytes)
            .try_for_each(|shown| out.write_all(shown))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn report_to(text: &str) -> Result<(ReportFormat, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .ok_or("expected FORMAT=FILE, such as markdown=plan.md")?;
    let format = match format {
        CSV => ReportFormat::Csv,
        OPENMETRICS => ReportFormat::OpenMetrics,
        other => Format::from_str(other, false)
            .map(ReportFormat::Plan)
            .map_err(|_| unknown(other))?,
    };
    if file.is_empty() {
        Err("the file name is missing".to_owned())
    } else {
        Ok((format, PathBuf::from(file)))
    }
}

fn unknown(format: &str) -> String {
    let known = Format::value_variants().iter().filter_map(|format| {
        let value = format.to_possible_value()?;
        Some(value.get_name().to_owned())
    });
    let known: Vec<String> = known.chain([CSV, OPENMETRICS].map(str::to_owned)).collect();
    format!(
        "unknown format `{format}`; expected one of {}",
        known.join(" ")
    )
}

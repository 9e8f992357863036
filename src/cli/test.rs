//! `convertalk test`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::compared::base;
use super::options::{OutputFormat, is_stdout, one_document};
use super::outputs::{OutputKind, check_outputs};
use super::session::{Files, files, target};
use super::signals::block_on;
use super::ui::Ui;
use crate::atomic_file;
use crate::cancel::Cancellation;
use crate::config_test::{Case, LiveSource, Results, Tested, differences, inbox, read};
use crate::error::{Error, Exit};
use crate::lead::FieldMask;
use crate::lead_file::discover;
use crate::observe::{ListingHints, Live, observe_declared};
use crate::plan::{DifferencePolicy, Input, Limits, make, to_write};
use crate::report::Problem;
use crate::report::style::{BAD, GOOD, count, paint, visible};
use crate::snapshot::Snapshot;
use crate::yaml::file::text;

/// Run the tests of this workspace, offline
///
/// Each test in tests/*.yaml gives an inbox and the expected plan. Uses no network and no token, and writes nothing but the report.
#[derive(Debug, Args)]
pub(super) struct TestCommand {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    /// Also write a JUnit report to a file; `-` writes it to stdout in place of the result
    #[arg(long, value_name = "junit=FILE", value_parser = junit_file)]
    report: Option<PathBuf>,
}

fn junit_file(text: &str) -> Result<PathBuf, String> {
    match text.split_once('=') {
        Some(("junit", file)) if !file.is_empty() => Ok(PathBuf::from(file)),
        _ => Err("junit=FILE, such as junit=tests.xml".to_owned()),
    }
}

impl TestCommand {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let report = self.report.as_deref();
        one_document(self.format == OutputFormat::Json, report)?;
        let to_stdout = report.is_some_and(is_stdout);
        let files = files(directory, ui)?;
        let out = report.filter(|_| !to_stdout);
        check_outputs(&files.workspace, out.map(|out| (OutputKind::Report, out)))?;
        let cases = cases(&files, ui)?;
        if cases.is_empty() {
            ui.note("no tests: there is no test in tests/*.yaml");
        }
        let mut tests = Vec::with_capacity(cases.len());
        for case in cases {
            let diff = tried(&case, &files).unwrap_or_else(|error| not_run(&ui.problem(&error)));
            tests.push(Tested {
                name: case.name,
                file: case.place.file.to_string(),
                line: case.place.line,
                passed: diff.is_empty(),
                diff,
            });
        }
        let passed = tests.iter().filter(|test| test.passed).count();
        let results = Results {
            passed,
            failed: tests.len() - passed,
            tests,
        };
        match &self.report {
            Some(file) if !to_stdout => {
                let report = junit(&results);
                atomic_file::write(file, |out| out.write_all(report.as_bytes()))?;
            }
            Some(_) | None => {}
        }
        match self.format {
            OutputFormat::Json => ui.json(&results)?,
            OutputFormat::Text if to_stdout => ui.result(&junit(&results))?,
            OutputFormat::Text => ui.result(&shown(&results))?,
        }
        Ok(if results.failed == 0 {
            Exit::Done
        } else {
            Exit::Error
        })
    }
}

/// Why a test could not be run: it fails, and the others are run.
fn not_run(problem: &Problem) -> Vec<String> {
    let help = problem.help.iter().map(|help| format!("  help: {help}"));
    let error = format!("  error: {}", problem.message);
    [error].into_iter().chain(help).collect()
}

/// The tests of all files; every error in them is shown.
fn cases(files: &Files, ui: &Ui) -> Result<Vec<Case>, Error> {
    let root = &files.workspace.root;
    let found = discover::find(root, &["tests/*.yaml".to_owned()]);
    for other in discover::find(root, &["tests/*.yml".to_owned()]).files {
        let other = visible(&other);
        ui.note(&format!(
            "{other} is not read: the name of a file of tests ends in .yaml"
        ));
    }
    let (mut cases, mut diagnostics) = (Vec::new(), found.diagnostics);
    for path in &found.files {
        let file: Arc<str> = path.as_str().into();
        match text(root, &file) {
            Ok(text) => {
                let (read, problems) = read(&file, &text, files.workspace.vocabulary());
                cases.extend(read);
                diagnostics.extend(problems);
            }
            Err(error) => diagnostics.push(*error),
        }
    }
    match ui.diagnostics(&diagnostics) {
        0 => Ok(cases),
        errors => Err(Error::Invalid { errors }),
    }
}

/// What differs from what a test expects. The inbox is the test's, and a run would write: a freeze refuses.
fn tried(case: &Case, files: &Files) -> Result<Vec<String>, Error> {
    let Files {
        workspace, desired, ..
    } = files;
    let live = match &case.live {
        LiveSource::Inline(leads) => inbox(leads),
        LiveSource::Snapshot(path) => snapshot(&workspace.root.join(path), files)?,
    };
    let base = case
        .base
        .as_deref()
        .map(|reference| base(workspace, reference))
        .transpose()?;
    let limits = Limits {
        now: case.now,
        writes: true,
        ..Limits::new(&workspace.policy, &workspace.agents)
    };
    let drift = workspace.policy.drift.as_ref();
    let policy = DifferencePolicy {
        drift: drift.map(|rule| rule.value).unwrap_or_default(),
        ..DifferencePolicy::default()
    };
    let plan = make(Input {
        desired,
        all: desired,
        live: &live,
        agents: &workspace.agents,
        limits: &limits,
        target: target(workspace),
        base: base.as_ref().map(|(base, said)| (base.clone(), said)),
        whose: policy,
        left_alone: &BTreeSet::new(),
        created_at: String::new(),
    });
    let written = to_write(&plan.changes, policy);
    Ok(differences(&case.expect, &plan, &written, &live))
}

fn snapshot(path: &Path, files: &Files) -> Result<Live, Error> {
    let Files {
        workspace, desired, ..
    } = files;
    let snapshot = Snapshot::open_any(path)?;
    let ruled = FieldMask::exactly(&workspace.policy.fields());
    let live = block_on(&Cancellation::default(), async {
        Ok(observe_declared(&snapshot, desired, ruled, true, &ListingHints::default()).await?)
    })?;
    Ok(live.readable()?)
}

fn shown(results: &Results) -> String {
    let mut out = String::new();
    for test in results.tests.iter().filter(|test| !test.passed) {
        let place = format!("{}:{}", visible(&test.file), test.line);
        out += &format!(
            "{} {place} {}\n",
            paint(BAD, "Failed:"),
            visible(&test.name)
        );
        for line in &test.diff {
            out += &format!("  {}\n", visible(line));
        }
        out.push('\n');
    }
    let total = results.tests.len();
    if results.failed == 0 {
        out + &format!("{} {}\n", paint(GOOD, "Passed:"), count(total, "test"))
    } else {
        out + &format!(
            "{} {} of {}\n",
            paint(BAD, "Failed:"),
            results.failed,
            count(total, "test")
        )
    }
}

/// The results in the form that continuous integration reads: a suite for each file.
fn junit(results: &Results) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"convertalk\" tests=\"{}\" failures=\"{}\">\n",
        results.tests.len(),
        results.failed
    );
    for suite in results.tests.chunk_by(|one, other| one.file == other.file) {
        let failures = suite.iter().filter(|test| !test.passed).count();
        let file = suite
            .first()
            .map(|test| xml(&test.file))
            .unwrap_or_default();
        out += &format!(
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">\n",
            suite.len()
        );
        for test in suite {
            let head = format!(
                "    <testcase name=\"{}\" classname=\"{file}\" file=\"{file}\" line=\"{}\"",
                xml(&test.name),
                test.line
            );
            if test.passed {
                out += &format!("{head}/>\n");
                continue;
            }
            let diff: String = test.diff.iter().map(|line| xml(line) + "\n").collect();
            out += &format!(
                "{head}>\n      <failure message=\"not as expected\">{file}:{}\n{diff}</failure>\n    </testcase>\n",
                test.line
            );
        }
        out += "  </testsuite>\n";
    }
    out + "</testsuites>\n"
}

/// A text in XML 1.0, which has no form for control characters: they are made visible.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in visible(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

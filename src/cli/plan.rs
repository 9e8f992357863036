//! `convertalk plan`

use std::path::{Path, PathBuf};

use clap::Args;

use super::options::{OnMissing, Scope};
use super::screen::Screen;
use super::session::{Session, block_on, files, plan, write_file};
use crate::error::{Error, Exit};
use crate::plan::Whose;
use crate::plan::file::saved;
use crate::report::{self, Format};
use crate::stop::Stop;

/// Read, compare, show; writes nothing
///
/// Example: convertalk plan --only agent=priya --out plan.json
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    scope: Scope,
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write the plan in a second form to a file (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_to)]
    report: Vec<(Format, PathBuf)>,
    /// Save the plan, for `apply PLAN`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 where there are changes
    #[arg(long)]
    detailed_exitcode: bool,
}

fn report_to(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("FORMAT=FILE, such as json=plan.json")?;
    let format = <Format as clap::ValueEnum>::from_str(format, false)?;
    if file.is_empty() { Err("the file's name is missing".to_owned()) } else { Ok((format, PathBuf::from(file))) }
}

impl Plan {
    pub(super) fn run(self, directory: &Path, screen: &Screen) -> Result<Exit, Error> {
        let files = files(directory, screen)?;
        let stop = Stop::default();
        let outcome = block_on(&stop, async {
            Session::with(&files.workspace, &stop, async |session| {
                let reader = session.reader(&files.workspace)?;
                let spinner = screen.progress(0, "reading the inbox");
                let planned = plan(&files, &self.scope, Whose::default(), session.target(), &reader).await;
                spinner.finish_and_clear();
                let (plan, live) = planned?;
                // What was read is given back while the plan is told.
                rayon::spawn(move || drop(live));
                if let Some(out) = &self.out {
                    let bytes = saved(&plan, self.scope.names, Some(&session.seal_key())).map_err(Error::Json)?;
                    write_file(out, &bytes)?;
                }
                for (format, file) in &self.report {
                    let text = report::plan(&plan, *format, self.scope.names).map_err(Error::Json)?;
                    write_file(file, anstream::adapter::strip_str(&text).to_string().as_bytes())?;
                }
                screen.result(&report::plan(&plan, self.format, self.scope.names).map_err(Error::Json)?)?;
                let exit = self.exit(&plan);
                std::mem::forget(plan);
                Ok(exit)
            })
            .await
        });
        // The process ends here, and the system takes it all back at once.
        std::mem::forget(files);
        outcome
    }

    fn exit(&self, plan: &crate::plan::Plan) -> Exit {
        if !plan.missing.is_empty() && self.scope.missing == OnMissing::Fail {
            Exit::Error
        } else if !plan.refusals.is_empty() {
            Exit::Refused
        } else if self.detailed_exitcode && !plan.is_empty() {
            Exit::Changes
        } else {
            Exit::Done
        }
    }
}

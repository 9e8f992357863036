//! `convertalk plan`

use std::path::{Path, PathBuf};

use clap::Args;

use super::options::{Forms, OnMissing, Scope};
use super::screen::Screen;
use super::session::{Session, block_on, files, plan, write_file};
use crate::error::{Error, Exit};
use crate::plan::Whose;
use crate::plan::file::{masked, to_bytes};
use crate::stop::Stop;

/// Read, compare, show; writes nothing
///
/// Example: convertalk plan --only agent=priya --out plan.json
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    forms: Forms,
    /// Save the plan, for `apply PLAN`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 where there are changes
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Plan {
    pub(super) fn run(self, directory: &Path, screen: &Screen) -> Result<Exit, Error> {
        let files = files(directory, screen)?;
        let stop = Stop::default();
        block_on(&stop, async {
            Session::with(&files.workspace, &stop, async |session| {
                let reader = session.reader(&files.workspace)?;
                let spinner = screen.progress(0, "reading the inbox");
                let planned = plan(&files, &self.scope, Whose::default(), session.target(), &reader).await;
                spinner.finish_and_clear();
                let (plan, _) = planned?;
                if let Some(out) = &self.out {
                    let bytes = to_bytes(&masked(&plan, self.scope.names, Some(&session.seal_key()))).map_err(Error::Json)?;
                    write_file(out, &bytes)?;
                }
                self.forms.tell(&plan, self.scope.names, Some(&files.workspace.root), screen)?;
                Ok(self.exit(&plan))
            })
            .await
        })
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

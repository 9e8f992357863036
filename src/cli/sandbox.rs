//! `convertalk sandbox`

use clap::Args;

use super::signals::block_on;
use super::ui::Ui;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::loopback;
use crate::sandbox::{Options, Sandbox};

/// Serve the embedded API
///
/// Starts an inbox of its own, to try things out and to test against.
#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    #[command(flatten)]
    options: Options,
}

impl SandboxArgs {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let stop = Cancellation::default();
        block_on(&stop, async {
            let server = Sandbox::start(self.options).await?;
            if !loopback::is_loopback(server.address()) {
                ui.warning("anyone who reaches this address can read and change this inbox, without encryption");
            }
            ui.result(&format!("listening on {}\n", server.url()))?;
            stop.until_interrupted().await;
            server.stop().await?;
            Ok(Exit::Done)
        })
    }
}

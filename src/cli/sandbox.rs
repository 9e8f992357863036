//! `convertalk sandbox`

use clap::Args;

use super::session::block_on;
use super::ui::Ui;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::sandbox::{Options, Sandbox as Server};

/// Serve the embedded API: to try things out, and to test against
#[derive(Debug, Args)]
pub(super) struct Sandbox {
    #[command(flatten)]
    options: Options,
}

impl Sandbox {
    pub(super) fn run(self, ui: &Ui) -> Result<Exit, Error> {
        let stop = Cancellation::default();
        block_on(&stop, async {
            let server = Server::start(self.options).await?;
            if !server.address().ip().is_loopback() {
                ui.note("everybody who reaches this address may read and change this inbox; it speaks plain HTTP");
            }
            ui.result(&format!("listening on {}\n", server.url()))?;
            stop.until_interrupted().await;
            server.stop().await?;
            Ok(Exit::Done)
        })
    }
}

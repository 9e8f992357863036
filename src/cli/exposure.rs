//! What `watch` shows of itself, and to whom: `--listen` and `--notify`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::ui::Ui;
use crate::api::{RequestCounts, Webhook};
use crate::error::Error;
use crate::redaction::Redaction;
use crate::watch::WatchHandle;
use crate::watch::memory::MemoryFile;
use crate::watch::metrics::Metrics;
use crate::watch::notify::{notify, notify_once};
use crate::watch::server::{WatchServer, is_loopback, serve};

/// The variable of the token for `/poll`.
const POLL_TOKEN: &str = "CONVERTALK_POLL_TOKEN";

/// How often a notification of a single pass is tried.
const ATTEMPTS: u32 = 4;

/// Where a loop can be looked at, and who is notified.
#[derive(Debug, Args)]
pub(super) struct Exposure {
    /// Serve /healthz, /readyz, /status, /metrics, the plan as a page, and POST /poll here; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// POST the status to this address when the condition changes; https, but for loopback
    #[arg(long, value_name = "URL", env = "CONVERTALK_NOTIFY_URL", hide_env_values = true, value_parser = secret)]
    notify: Option<SecretString>,
}

/// What a loop exposes.
pub(super) struct Exposed {
    pub(super) handle: Arc<WatchHandle>,
    pub(super) memory: Arc<MemoryFile>,
    pub(super) metrics: Metrics,
    pub(super) requests: Arc<RequestCounts>,
    /// The time between two passes.
    pub(super) every: Duration,
    pub(super) names: Redaction,
}

impl Exposure {
    /// Starts the server and the notifier where they are asked for. They end when the result is dropped.
    ///
    /// # Errors
    /// The address cannot be listened at, or notifications cannot be sent to the other one.
    pub(super) async fn start(&self, exposed: Exposed, ui: &Ui) -> Result<JoinSet<()>, Error> {
        let mut tasks = JoinSet::new();
        if let Some(webhook) = self.webhook()? {
            let (handle, memory) = (Arc::clone(&exposed.handle), Arc::clone(&exposed.memory));
            tasks.spawn(notify(handle, webhook, memory, ui.warner()));
        }
        if let Some(address) = self.listen {
            let failed = |source| Error::Io {
                what: format!("listen at {address}"),
                source,
            };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let bound = listener.local_addr().map_err(failed)?;
            let poll_token = std::env::var(POLL_TOKEN).ok();
            let poll_token = poll_token
                .filter(|token| !token.trim().is_empty())
                .map(SecretString::from);
            ui.stderr(&format!("listening on http://{bound}"));
            if !is_loopback(bound) {
                ui.warning(&off_loopback(bound, poll_token.is_some()));
            }
            let Exposed {
                handle,
                metrics,
                requests,
                every,
                names,
                ..
            } = exposed;
            let server = WatchServer {
                handle,
                metrics,
                requests,
                every,
                names,
                poll_token,
            };
            let warn = ui.warner();
            tasks.spawn(async move {
                if let Err(error) = serve(listener, server).await {
                    warn(format!("no longer listening on http://{bound}: {error}"));
                }
            });
        }
        Ok(tasks)
    }

    /// Sends the notification of a single pass, if it has news. That it could not be sent is a warning: the pass did its work.
    pub(super) async fn notify_once(&self, exposed: &Exposed, ui: &Ui) -> Result<(), Error> {
        if let Some(webhook) = self.webhook()? {
            let status = exposed.handle.status();
            if let Err(error) = notify_once(&status, &webhook, &exposed.memory, ATTEMPTS).await {
                ui.warning(&format!("not notified: {error}"));
            }
        }
        Ok(())
    }

    /// The receiver of notifications; an empty variable is none.
    ///
    /// # Errors
    /// The address is of no use.
    pub(super) fn webhook(&self) -> Result<Option<Webhook>, Error> {
        let address = self.notify.as_ref();
        let address = address.filter(|address| !address.expose_secret().trim().is_empty());
        Ok(address.map(Webhook::new).transpose()?)
    }
}

fn off_loopback(address: SocketAddr, has_token: bool) -> String {
    let poll = if has_token {
        String::new()
    } else {
        format!("; /poll is off, because {POLL_TOKEN} is not set")
    };
    format!("everyone who reaches {address} can read the status and the plan{poll}")
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text.to_owned()))
}

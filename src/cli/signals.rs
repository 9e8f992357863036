//! Runs an asynchronous command, and stops it when the user or the system sends a signal.

use crate::cancel::{Cancellation, Reason};
use crate::error::Error;

/// Runs an asynchronous command to its end, and stops it on Ctrl-C, SIGTERM or SIGHUP.
pub(super) fn block_on<T>(
    stop: &Cancellation,
    command: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Io {
            what: "start the threads for the network".to_owned(),
            source,
        })?;
    let stop = stop.clone();
    let outcome = runtime.block_on(async {
        tokio::spawn(listen_to_signals(stop));
        command.await
    });
    runtime.shutdown_background();
    outcome
}

/// The first signal asks the command to stop; a second one stops at once, whatever is running.
async fn listen_to_signals(stop: Cancellation) {
    signal().await;
    stop.ask(Reason::Interrupted);
    signal().await;
    #[allow(
        clippy::exit,
        reason = "a second signal stops at once, whatever is running"
    )]
    std::process::exit(i32::from(crate::error::Exit::Interrupted as u8));
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminate, hangup) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        );
        if let (Ok(mut terminate), Ok(mut hangup)) = (terminate, hangup) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    let _no_signal_will_come = tokio::signal::ctrl_c().await;
}

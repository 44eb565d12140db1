//! ^C and the polite request to end, heard from the start of a command on.

use crate::failure::Failure;
use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM.
pub(crate) struct Interrupt {
    sigint: Signal,
    sigterm: Signal,
}

impl Interrupt {
    /// Listens from now on; the signals no longer end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::unreachable(format!("signals cannot be heard: {error}")))
        };
        Ok(Self {
            sigint: listen(SignalKind::interrupt())?,
            sigterm: listen(SignalKind::terminate())?,
        })
    }

    /// The next signal.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.sigint.recv() => {}
            _ = self.sigterm.recv() => {}
        }
    }

    /// What the work comes to, unless a signal comes first, which drops it.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.wait() => None,
        }
    }
}

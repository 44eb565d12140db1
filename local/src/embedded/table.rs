//! The embedded DynamoDB: `SQLite` in memory or in a file, behind loopback HTTP.

use anyhow::Context;
use dynoxide::Database;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a request that is being answered may hold up the stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// The running database.
pub(super) struct Table {
    database: Database,
    url: String,
    /// Dropping it stops the server.
    stop: DropGuard,
    served: JoinHandle<Result<(), String>>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Table {
    /// Opens the database and serves it.
    pub(super) async fn start(file: Option<&Path>) -> anyhow::Result<Self> {
        let database = match file {
            None => Database::memory().context("opening a database in memory")?,
            Some(file) => {
                let path = file
                    .to_str()
                    .context("the data folder's name is not UTF-8")?;
                Database::new(path).with_context(|| format!("opening {path}"))?
            }
        };
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("opening a port for DynamoDB")?;
        let url = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let served = tokio::spawn(dynoxide::server::serve_with_shutdown(
            listener,
            database.clone(),
            stop.clone().cancelled_owned(),
        ));
        Ok(Self {
            database,
            url,
            stop: stop.drop_guard(),
            served,
        })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Removes what has expired; the emulator never does so by itself.
    pub(super) async fn sweep_expired(&self) -> anyhow::Result<usize> {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await?;
        swept.context("removing expired rows")
    }

    /// Stops it.
    pub(super) async fn stop(self) {
        drop(self.stop);
        let abort = self.served.abort_handle();
        if tokio::time::timeout(STOP_LIMIT, self.served).await.is_err() {
            abort.abort();
        }
    }
}

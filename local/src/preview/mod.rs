//! The preview GPU: stands in for the Modal app where no backend is configured. Speaks the same
//! protocol over HTTP, boots, runs, fails and loses callbacks on request, and draws a picture that is
//! marked as a preview. Never leaves a laptop.

mod containers;
mod draw;
mod events;
mod fate;
mod fleet;
mod front;
mod leases;
mod ledger;
mod photos;
mod report;
#[cfg(test)]
mod tests;
mod upload;
mod work;

use crate::clock::FastClock;
use crate::serve::Server;
use anyhow::Context;
use containers::Containers;
pub use events::{ContainerEvent, Happened};
use fate::Fate;
pub use fleet::ClassState;
use leases::LeaseBook;
use ledger::Ledger;
use ryla_domain::id::JobKey;
use ryla_domain::time::Ms;
use ryla_engine::port::Clock;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The file of leases in the folder.
const LEASES: &str = "leases.json";

/// How the preview GPU behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreviewOptions {
    /// How long a container takes to start.
    pub boot: Ms,
    /// How long a run takes; longer where drawing the picture does.
    pub run: Ms,
    /// Share of runs that fail with `gpu_error`, 0 to 1.
    pub fail: f64,
    /// Share of callbacks that are never sent, 0 to 1.
    pub lose_callbacks: f64,
    /// The most containers of each GPU class, each with one run at a time.
    pub concurrency: usize,
    /// After how long without a run a container goes, where no lease says otherwise: the class's window
    /// as it is deployed.
    pub idle: Ms,
    /// The most runs that may wait; beyond it a submit is answered with 429.
    pub depth: usize,
    /// Decides, with a run's name, whether it fails and which of its callbacks are lost.
    pub seed: u64,
    /// Seconds of the containers' clock in one of the machine's: boots, runs, windows and leases are on
    /// that clock.
    pub speed: f64,
    /// Events of containers that are kept; the oldest go first.
    pub events: usize,
}

impl Default for PreviewOptions {
    fn default() -> Self {
        Self {
            boot: Ms(0),
            run: Ms(0),
            fail: 0.0,
            lose_callbacks: 0.0,
            concurrency: 2,
            idle: Ms::seconds(60),
            depth: 2_000,
            seed: 0,
            speed: 1.0,
            events: 20_000,
        }
    }
}

/// What the front and the containers share.
struct Shared {
    options: PreviewOptions,
    fate: Fate,
    ledger: Ledger,
    containers: Arc<Containers>,
    leases: Arc<LeaseBook>,
    pace: FastClock,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    /// Drawings at once.
    cores: Semaphore,
    tasks: TaskTracker,
    /// No further run begins.
    draining: CancellationToken,
    /// Nothing goes on.
    cut: CancellationToken,
}

/// What a preview GPU is made of.
pub struct PreviewParts {
    /// How it behaves.
    pub options: PreviewOptions,
    /// Delivers pictures and callbacks: with TLS it must trust the local CA.
    pub http: reqwest::Client,
    /// The clock of signatures and deadlines.
    pub clock: Arc<dyn Clock>,
    /// The clock of containers and leases; who takes leases must go by the same one.
    pub containers_clock: Arc<dyn Clock>,
    /// The folder in which leases are kept.
    pub folder: PathBuf,
}

/// The running preview GPU; dropping it cuts off what it does.
pub struct Preview {
    shared: Arc<Shared>,
    server: Server,
    /// Of one that keeps its leases nowhere else.
    _scratch: Option<TempDir>,
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Preview {
    /// Starts it on a free port of 127.0.0.1, with a clock of its own for containers and leases in a
    /// temporary folder.
    pub async fn start(
        options: PreviewOptions,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let scratch = tempfile::tempdir().context("making a temporary folder")?;
        let parts = PreviewParts {
            options,
            http,
            clock,
            containers_clock: Arc::new(FastClock::new(options.speed)),
            folder: scratch.path().to_owned(),
        };
        Self::keeping(parts, Some(scratch)).await
    }

    /// Starts it on a free port of 127.0.0.1.
    pub async fn of(parts: PreviewParts) -> anyhow::Result<Self> {
        Self::keeping(parts, None).await
    }

    async fn keeping(parts: PreviewParts, scratch: Option<TempDir>) -> anyhow::Result<Self> {
        let PreviewParts { options, clock, .. } = parts;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = Arc::new(Shared {
            options,
            fate: Fate {
                seed: options.seed,
                fail: options.fail,
                lose: options.lose_callbacks,
            },
            ledger: Ledger::new(options.depth),
            containers: Arc::new(Containers::new(
                &options,
                Arc::clone(&parts.containers_clock),
            )),
            leases: Arc::new(LeaseBook::new(parts.folder.join(LEASES))),
            pace: FastClock::new(options.speed),
            http: parts.http,
            clock,
            cores: Semaphore::new(cores),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("opening a port for the preview GPU")?;
        let front = Arc::clone(&shared);
        let server = Server::start(listener, None, move |request| {
            front::answer(Arc::clone(&front), request)
        })?;
        shared.tasks.spawn(containers::serve(Arc::clone(&shared)));
        let keeping = leases::keep(
            Arc::clone(&shared.leases),
            Arc::clone(&shared.containers),
            parts.containers_clock,
        );
        let draining = shared.draining.clone();
        shared.tasks.spawn(async move {
            tokio::select! {
                () = keeping => {}
                () = draining.cancelled() => {}
            }
        });
        Ok(Self {
            shared,
            server,
            _scratch: scratch,
        })
    }

    /// Base URL, as `MODAL_JOBS_URL` has it.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// How often a container began to work on any attempt of that job: what it would have cost.
    pub fn gpu_runs_of(&self, key: &JobKey) -> u32 {
        self.shared.ledger.begun_of(key)
    }

    /// How often a container began to work on any run.
    pub fn gpu_runs(&self) -> u64 {
        self.shared.ledger.begun()
    }

    /// How many runs wait for a container.
    pub fn waiting(&self) -> usize {
        self.shared.ledger.waiting()
    }

    /// The containers of a class; `None` where the catalog has no such class.
    pub fn containers_of(&self, class: &str) -> Option<ClassState> {
        self.shared.containers.state_of(class)
    }

    /// What happened to the containers so far.
    pub fn container_events(&self) -> Vec<ContainerEvent> {
        self.shared.containers.events()
    }

    /// Cuts the HTTP side off: nothing is answered any more. Containers and leases go on.
    pub async fn stop_serving(&self) {
        self.server.stop(Duration::ZERO).await;
    }

    /// Takes nothing new from now on; what has begun goes on.
    pub fn drain(&self) {
        self.shared.ledger.drain();
        self.shared.draining.cancel();
    }

    /// Takes nothing new, lets what has begun end, and cuts it off after `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.drain();
        self.shared.tasks.close();
        if tokio::time::timeout(limit, self.shared.tasks.wait())
            .await
            .is_err()
        {
            self.shared.cut.cancel();
            self.shared.tasks.wait().await;
        }
        self.server.stop(Duration::ZERO).await;
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.shared.draining.cancel();
        self.shared.cut.cancel();
    }
}

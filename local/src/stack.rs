//! All of RYLA in one process: `ryla dev`, the unconfigured `ryla generate`, and the end-to-end tests
//! start it and stop it here.

use crate::clock::{FastClock, StoppingClock};
use crate::data::{DataFolder, DevFile, new_api_key};
use crate::embedded::{Depth, Embedded};
use crate::options::Options;
use crate::paced::PacedEndpoints;
use crate::poller::Poller;
use crate::preview::Preview;
use crate::serve::Server;
use crate::timers::Timers;
use crate::wake::{Waker, WakingQueue};
use crate::{server, tls, wiring};
use anyhow::Context;
use ryla_api::{Api, ApiParts, Serve};
use ryla_aws::{Aws, Capacity};
use ryla_backends::modal::callbacks::ModalCallbacks;
use ryla_domain::time::UnixMs;
use ryla_engine::port::{Backends, Clock, Shard};
use ryla_engine::settings::Settings;
use ryla_engine::wiring::Ports;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The account that the printed API key belongs to.
pub const ACCOUNT: &str = "local";

/// Where the preview GPU stands in, jobs name this backend.
pub const PREVIEW: &str = "preview";

/// The largest picture that is served; no Lambda's reply limits it here.
const MAX_OUTPUT_BYTES: u64 = 256 * 1024 * 1024;

/// How long each part may take to end what it has begun.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running stack. Dropping it is like the death of the process; [`Stack::shutdown`] ends in order.
pub struct Stack {
    // In the order in which they end where they are dropped.
    server: Server,
    poller: Poller,
    timers: Timers,
    preview: Option<Preview>,
    embedded: Arc<Embedded>,
    clock: StoppingClock,
    containers_clock: FastClock,
    settings: Arc<Settings>,
    ports: Ports,
    backends: Backends,
    url: String,
    api_key: String,
    ca_file: Option<PathBuf>,
    folder: DataFolder,
    dev_file: bool,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Stack {
    /// Starts everything; returns when requests are served.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let folder = DataFolder::open(&options.data)?;
        let clock = StoppingClock::default();
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listening on {}", options.listen))?;
        let address = listener.local_addr()?;
        let tls = options
            .tls
            .then(|| tls::prepare(&folder.path().join("tls"), address.ip(), clock.now()))
            .transpose()?;
        let url = wiring::base_url(address, tls.is_some());
        let ca_file = tls.as_ref().map(|tls| tls.ca_file.clone());

        let embedded = Arc::new(Embedded::start(wiring::services(&options, &folder)).await?);
        let mut settings = wiring::settings(&options, &folder, &embedded, &url)?;
        let ca = tls.as_ref().map(|tls| &tls.ca);
        let http = ryla_backends::http::client(settings.connect_timeout, ca)?;
        let containers_clock = wiring::containers_clock(&options);
        let preview = wiring::preview(
            &options,
            &mut settings,
            &http,
            &clock,
            containers_clock,
            &folder,
        )
        .await?;
        let settings = Arc::new(settings);
        let backends = ryla_backends::configured(&settings, &http)?;

        let waker = Arc::new(Waker::default());
        let mut ports = embedded.aws().ports(&settings);
        ports.clock = Arc::new(clock.clone());
        ports.queue = Arc::new(WakingQueue::new(ports.queue, Arc::clone(&waker)));
        let endpoints = Arc::clone(&ports.endpoints);
        if containers_clock.is_faster() {
            let paced =
                PacedEndpoints::new(Arc::clone(&endpoints), containers_clock, options.most());
            ports.endpoints = Arc::new(paced);
        }
        let api_key = match &options.api_key {
            Some(key) => key.clone(),
            None => folder.secret("api_key", new_api_key)?,
        };
        wiring::add_key(&ports, ACCOUNT, &api_key).await?;

        let api = Api::new(ApiParts {
            serve: Serve::Everything,
            ports: ports.clone(),
            settings: Arc::clone(&settings),
            expected: wiring::expected(&options, preview.is_some()),
            callbacks: Some(Arc::new(ModalCallbacks)),
            max_output_bytes: MAX_OUTPUT_BYTES,
        });
        let server = server::start(listener, tls.map(|tls| tls.acceptor), api)?;
        let poller = wiring::poll(&options, &embedded, &settings, waker, &ports, &backends);
        let sweep = ports.sweep(&settings, &backends);
        let period = settings.timers.sweep_period;
        let warm = wiring::warm(&options, &settings, &ports, &backends, containers_clock);
        let timers = Timers::start(sweep, period, warm, containers_clock, Arc::clone(&embedded));
        let stack = Self {
            server,
            poller,
            timers,
            preview,
            embedded,
            clock,
            containers_clock,
            settings,
            ports,
            backends,
            url,
            api_key,
            ca_file,
            folder,
            dev_file: options.dev_file,
        };
        if stack.dev_file {
            stack.folder.write_dev_file(&stack.dev())?;
        }
        Ok(stack)
    }

    /// Base URL of the API, without `/v1`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A key of the account [`ACCOUNT`].
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// With TLS, the CA that clients must trust.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Where data is kept; `None` where it is not.
    pub fn data_dir(&self) -> Option<&Path> {
        self.folder.is_kept().then(|| self.folder.path())
    }

    /// The settings in force.
    pub const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The adapters that the API and the functions use.
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The GPU backends.
    pub const fn backends(&self) -> &Backends {
        &self.backends
    }

    /// The SDK clients; `settings().table` and `.bucket` are their table and bucket.
    pub fn aws(&self) -> &Aws {
        self.embedded.aws()
    }

    /// What the adapters have used.
    pub fn capacity(&self) -> Arc<Capacity> {
        self.embedded.aws().capacity()
    }

    /// The preview GPU; `None` where a real backend is configured.
    pub const fn preview(&self) -> Option<&Preview> {
        self.preview.as_ref()
    }

    /// The clock of containers, runs on them and leases.
    pub const fn containers_clock(&self) -> &FastClock {
        &self.containers_clock
    }

    /// Lets `warm` come no more, as if it had died: what it holds ends with its leases.
    pub fn stop_warm(&self) {
        self.timers.stop_warm();
    }

    /// What the dispatch queue holds.
    pub async fn queue_depth(&self) -> anyhow::Result<Depth> {
        self.embedded.queue_depth().await
    }

    /// What nobody could carry out.
    pub async fn dead_letters(&self) -> anyhow::Result<Depth> {
        self.embedded.dead_letters().await
    }

    /// How often the dispatch queue was asked for messages.
    pub fn queue_receives(&self) -> u64 {
        self.poller.receives()
    }

    /// How many rows the sweep still has to look at: open jobs, whenever they are due.
    pub async fn due_entries(&self) -> anyhow::Result<usize> {
        let ever = UnixMs(253_402_300_799_000);
        let mut count = 0;
        for shard in Shard::all() {
            let mut from = None;
            loop {
                let page = self.ports.jobs.due(shard, ever, from.as_deref()).await?;
                count += page.entries.len();
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Gives another account a key.
    pub async fn add_key(&self, account: &str, key: &str) -> anyhow::Result<()> {
        wiring::add_key(&self.ports, account, key).await
    }

    /// Ends in order: open requests are answered (those that wait for a job with the job as it is), then
    /// open batches, then the preview GPU is cut off; its jobs go on after the next start.
    pub async fn shutdown(self) {
        self.clock.stop();
        self.server.stop(STOP_LIMIT).await;
        self.poller.stop(STOP_LIMIT).await;
        self.timers.stop().await;
        if let Some(preview) = &self.preview {
            preview.stop(Duration::ZERO).await;
        }
        if self.dev_file {
            self.folder.remove_dev_file();
        }
        let Self {
            timers,
            poller,
            embedded,
            ports,
            ..
        } = self;
        drop((timers, poller, ports));
        if let Some(embedded) = Arc::into_inner(embedded) {
            embedded.stop().await;
        }
    }

    fn dev(&self) -> DevFile {
        DevFile {
            url: self.url.clone(),
            api_key: self.api_key.clone(),
            pid: std::process::id(),
            ca_file: self.ca_file.clone(),
        }
    }
}

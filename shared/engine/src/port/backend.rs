//! A GPU backend: takes a run, says what became of it, stops it.

use super::SignedPut;
use super::images::SignedUrl;
use async_trait::async_trait;
use ryla_domain::failure::Code;
use ryla_domain::id::{BackendId, CallId, GpuClass, Run, TraceId};
use ryla_domain::output::Format;
use ryla_domain::overdue::Answer;
use ryla_domain::report::Report;
use ryla_domain::route::Route;
use ryla_domain::time::{Ms, UnixMs};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a backend can do.
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent yes-or-no facts, named by the design"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// It answers at once and calls back later.
    pub calls_back: bool,
    /// A run can be stopped.
    pub cancel: bool,
    /// It reports progress.
    pub progress: bool,
    /// Its workers put pictures into the bucket themselves.
    pub upload: bool,
    /// Starting the same run twice makes one run: the run is its own handle. One that was cancelled
    /// before it arrived is refused when it does.
    pub idempotent_start: bool,
    /// How its containers are kept warm.
    pub warmth: Warmth,
}

/// How containers of a backend are kept warm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmth {
    /// By leases on floors and windows: [`Backend::lease`].
    Lease,
    /// By a health ping, which keeps the container that it meets and boots one where there is none:
    /// [`Backend::touch`].
    Ping,
    /// Not at all, but an endpoint that nobody calls for that long is taken away: [`Backend::touch`].
    Call {
        /// The longest that it may go without.
        every: Ms,
    },
    /// Not at all.
    Nothing,
}

/// Floor and release window of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levers {
    /// Containers that are not to be released.
    pub floor: u32,
    /// After how long an idle container above the floor is released; whole seconds.
    pub window: Ms,
}

/// Levers that hold until an instant and end by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// By class; a class that is left out keeps the lease that it has.
    pub classes: BTreeMap<GpuClass, Levers>,
    /// Until when.
    pub until: UnixMs,
}

/// What became of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// It holds. With the most containers that each class can have, where the backend says so.
    Taken(BTreeMap<GpuClass, u32>),
    /// It was refused whole, for that class where the backend named one.
    Refused {
        /// Whose levers did not fit.
        class: Option<GpuClass>,
        /// The most containers that it can have.
        most: Option<u32>,
    },
    /// No answer, or none that can be read: what holds is not known.
    Unreachable,
}

/// What the worker is to do.
#[derive(Clone)]
pub enum Work {
    /// The resolved input as JSON, short enough for a message.
    Params(serde_json::Value),
    /// Where the resolved input lies.
    ParamsAt(SignedUrl),
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work(..)")
    }
}

/// A file that the worker fetches before it begins.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// The input field that names it.
    pub field: String,
    /// Permission to read it.
    pub get: SignedUrl,
    /// What its bytes hash to, in lower-case hexadecimal.
    pub sha256: String,
}

/// Where one picture goes.
#[derive(Clone, Debug)]
pub struct OutputSlot {
    /// Which of the job's pictures, from 0.
    pub slot: u8,
    /// Its file format.
    pub format: Format,
    /// Permission to put it.
    pub put: SignedPut,
}

/// Where and how the worker reports.
#[derive(Clone, Debug)]
pub struct CallbackTarget {
    /// `{api}/v1/callbacks/{backend}/{account}/{job}/{attempt}`.
    pub url: String,
    /// Which master secret the key was derived from.
    pub kid: String,
    /// The run's own signing key, in hexadecimal.
    pub key: SecretString,
}

/// A run as a backend is asked to start it.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Its name.
    pub run: Run,
    /// The workflow, named as in `infra/workflows`.
    pub workflow: String,
    /// What to do.
    pub work: Work,
    /// Files in our bucket that it needs. A file that the input names by an https URL is not among them:
    /// the worker takes it from there, and judges where it leads.
    pub inputs: Vec<InputFile>,
    /// Where the pictures go.
    pub outputs: Vec<OutputSlot>,
    /// Where to report.
    pub callback: CallbackTarget,
    /// No work is begun from then on: the run ends as a time-out.
    pub deadline_at: UnixMs,
    /// How long the run may take once it has begun.
    pub run_limit: Ms,
    /// Follows the request through every process.
    pub trace: TraceId,
}

/// What became of a request to start.
#[derive(Clone, Debug)]
pub enum StartOutcome {
    /// It is there, now or already before.
    Started {
        /// The backend's own name for the run.
        call: Option<CallId>,
    },
    /// It is done: a synchronous backend hands over the picture itself, for slot 0.
    Finished {
        /// The picture.
        bytes: Vec<u8>,
        /// What the backend said of the run.
        report: Report,
    },
    /// Final: no other attempt there will help.
    Refused(Code),
    /// Known not to have run: another backend may take it at once.
    Unavailable {
        /// What it means for the user, should it stay so.
        code: Code,
        /// How long to wait before asking here again, where the backend said.
        retry_after: Option<Ms>,
    },
    /// It may have been accepted: ask before anything else is started.
    Unknown,
}

/// What became of a request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It does not run, and will not.
    Confirmed,
    /// The backend took note; its word is still to come.
    Requested,
    /// The backend cannot be asked.
    Unreachable,
}

/// A GPU backend.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Its name in rows, routes and callback URLs.
    fn id(&self) -> &BackendId;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Starts a run.
    async fn start(&self, request: &RunRequest) -> StartOutcome;
    /// Says what became of a run.
    async fn check(&self, run: &Run, trace: &TraceId) -> Answer;
    /// Stops a run. What has ended stays as it is.
    async fn cancel(&self, run: &Run, trace: &TraceId) -> Cancelled;
    /// Takes or renews a lease, where [`Capabilities::warmth`] is [`Warmth::Lease`].
    async fn lease(&self, _lease: &Lease, _trace: &TraceId) -> Leased {
        Leased::Unreachable
    }
    /// Asks a class for a sign of life, where [`Capabilities::warmth`] is [`Warmth::Ping`] or
    /// [`Warmth::Call`]; `false` where none came.
    async fn touch(&self, _class: &GpuClass, _trace: &TraceId) -> bool {
        false
    }
}

/// The configured backends in the order in which they are tried.
#[derive(Clone, Default)]
pub struct Backends(Vec<Arc<dyn Backend>>);

impl Backends {
    /// These backends, best first.
    pub fn new(backends: Vec<Arc<dyn Backend>>) -> Self {
        Self(backends)
    }

    /// The backend of that name.
    pub fn get(&self, id: &BackendId) -> Option<&Arc<dyn Backend>> {
        self.0.iter().find(|backend| backend.id() == id)
    }

    /// All of them, in the same order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Backend>> {
        self.0.iter()
    }

    /// Their names, in the same order.
    pub fn route(&self) -> Route {
        Route::new(self.0.iter().map(|backend| backend.id().clone()).collect())
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|backend| backend.id()))
            .finish()
    }
}

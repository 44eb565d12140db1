//! A process: one invocation of one use case, as a function or a laptop makes it.

use super::ports::Tapped;
use super::tap::Tap;
use super::world::World;
use crate::{MemoryAccountStore, backend::FakeBackend};
use ryla_domain::id::{AccountId, ClaimId, JobKey};
use ryla_domain::job::{Job, RequestHash};
use ryla_domain::time::Ms;
use ryla_domain::{id::TraceId, model};
use ryla_engine::complete::{Callback, CompleteError, Reply};
use ryla_engine::dispatch::Handled;
use ryla_engine::port::{Backend, Backends, Clock, Entropy, StoreError};
use ryla_engine::submit::{Identity, Request, SubmitError, Submitted};
use ryla_engine::sweep::Scope;
use ryla_engine::wiring::Ports;
use serde_json::{Map, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Accepts a request.
    Submit,
    /// Carries out a message.
    Dispatch,
    /// Takes a callback.
    CallBack,
    /// Sweeps.
    Sweep,
    /// Takes a cancel request.
    Cancel,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Submit,
        Self::Dispatch,
        Self::CallBack,
        Self::Sweep,
        Self::Cancel,
    ];

    /// Its name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Dispatch => "dispatch",
            Self::CallBack => "callback",
            Self::Sweep => "sweep",
            Self::Cancel => "cancel",
        }
    }
}

/// What a process is to do.
#[derive(Clone, Debug)]
pub(super) enum Task {
    Submit {
        client: usize,
        tries: u32,
    },
    Dispatch(crate::Message),
    CallBack {
        callback: Callback,
        tries: u32,
    },
    Sweep,
    Cancel {
        client: usize,
        key: JobKey,
        tries: u32,
    },
}

impl Task {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Submit { .. } => Kind::Submit,
            Self::Dispatch(_) => Kind::Dispatch,
            Self::CallBack { .. } => Kind::CallBack,
            Self::Sweep => Kind::Sweep,
            Self::Cancel { .. } => Kind::Cancel,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Submitted(Result<Submitted, SubmitError>),
    Dispatched(Handled),
    CalledBack(Result<Reply, CompleteError>),
    Swept,
    Cancelled(Result<Option<Job>, StoreError>),
    /// It died on the way.
    Died,
}

/// A process under way.
pub(super) struct Process {
    pub(super) id: usize,
    pub(super) task: Task,
    tap: Arc<Tap>,
    future: Pin<Box<dyn Future<Output = Outcome>>>,
}

impl Process {
    pub(super) fn begin(world: &World, id: usize, task: Task) -> Self {
        let tap = Arc::new(Tap::new(task.kind(), id, Arc::clone(&world.gate)));
        let future = future_of(world, &tap, id, task.clone());
        Self {
            id,
            task,
            tap,
            future,
        }
    }

    /// Drives it to its next port call; its outcome once it has ended, one way or the other.
    pub(super) fn drive(&mut self) -> Option<Outcome> {
        let mut context = Context::from_waker(Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending if self.tap.is_dead() => Some(Outcome::Died),
            Poll::Pending => None,
        }
    }
}

fn tapped<P>(port: &Arc<P>, tap: &Arc<Tap>) -> Arc<Tapped<P>> {
    Arc::new(Tapped {
        port: Arc::clone(port),
        tap: Arc::clone(tap),
    })
}

fn ports(world: &World, tap: &Arc<Tap>) -> Ports {
    Ports {
        jobs: tapped(&world.jobs, tap),
        accounts: Arc::new(MemoryAccountStore::default()),
        images: tapped(&world.images, tap),
        queue: tapped(&world.queue, tap),
        clock: Arc::clone(&world.clock) as Arc<dyn Clock>,
        entropy: Arc::clone(&world.ids) as Arc<dyn Entropy>,
    }
}

fn backends(world: &World, tap: &Arc<Tap>) -> Backends {
    let tapped = |site: &Arc<FakeBackend>| tapped(site, tap) as Arc<dyn Backend>;
    Backends::new(world.sites.iter().map(tapped).collect())
}

fn future_of(
    world: &World,
    tap: &Arc<Tap>,
    id: usize,
    task: Task,
) -> Pin<Box<dyn Future<Output = Outcome>>> {
    let ports = ports(world, tap);
    let backends = backends(world, tap);
    let route = backends.route();
    let settings = Arc::clone(&world.settings);
    match task {
        Task::Submit { client, .. } => {
            let mut submit = ports.submit(&settings);
            submit.route = route;
            let cancel_after = world.cancel_after;
            Box::pin(async move {
                Outcome::Submitted(
                    ask(client, cancel_after, async |request| {
                        submit.run(&request).await
                    })
                    .await,
                )
            })
        }
        Task::Dispatch(message) => {
            let mut dispatch = ports.dispatch(&settings, &backends);
            dispatch.complete.route = route;
            let Ok(claim) = format!("dispatch-{id}").parse::<ClaimId>() else {
                unreachable!("`dispatch-` and a number name a claim")
            };
            Box::pin(
                async move { Outcome::Dispatched(dispatch.handle(&message.body, &claim).await) },
            )
        }
        Task::CallBack { callback, .. } => {
            let mut complete = ports.complete(&settings);
            complete.route = route;
            Box::pin(async move { Outcome::CalledBack(complete.run(&callback).await) })
        }
        Task::Sweep => {
            let mut sweep = ports.sweep(&settings, &backends);
            sweep.complete.route = route;
            Box::pin(async move {
                sweep.run(Scope::Due).await;
                Outcome::Swept
            })
        }
        Task::Cancel { key, .. } => {
            let cancel = ports.cancel(&settings);
            Box::pin(async move { Outcome::Cancelled(cancel.run(&key).await) })
        }
    }
}

/// Asks for a picture as a client with an idempotency key of its own does.
async fn ask(
    client: usize,
    cancel_after: Option<Ms>,
    run: impl AsyncFnOnce(Request<'_>) -> Result<Submitted, SubmitError>,
) -> Result<Submitted, SubmitError> {
    let number = u8::try_from(client).unwrap_or(u8::MAX);
    let mut input = Map::new();
    input.insert("prompt".to_owned(), Value::from("a lighthouse at dusk"));
    let Ok(account) = "acme".parse::<AccountId>() else {
        unreachable!("`acme` names an account")
    };
    let Some(model) = model::find("ryla", "flux-dev") else {
        unreachable!("flux-dev is in the catalog")
    };
    let request = Request {
        account: &account,
        model,
        input: &input,
        identity: Identity::Key(format!("client-{client}")),
        hash: RequestHash([number; 32]),
        cancel_after,
        trace: TraceId::generated(&[number; 16]),
        retry_of: None,
    };
    run(request).await
}

//! A process: one invocation of one use case, as a function or a laptop makes it.

use super::ports::{Table, Tapped};
use super::tap::Tap;
use super::world::World;
use crate::{MemoryAccountStore, SkewedClock, backend::FakeBackend};
use ryla_domain::id::{AccountId, ClaimId, JobKey};
use ryla_domain::job::{Job, RequestHash};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::{id::TraceId, model};
use ryla_engine::complete::{Callback, CompleteError, Reply};
use ryla_engine::dispatch::Handled;
use ryla_engine::port::{Backend, Backends, Clock, Entropy, ListRange, Order, StoreError};
use ryla_engine::settings::Settings;
use ryla_engine::signature::{Rejected, sign};
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
    /// Shows jobs to a client.
    Show,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Submit,
        Self::Dispatch,
        Self::CallBack,
        Self::Sweep,
        Self::Cancel,
        Self::Show,
    ];

    /// Its name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Dispatch => "dispatch",
            Self::CallBack => "callback",
            Self::Sweep => "sweep",
            Self::Cancel => "cancel",
            Self::Show => "show",
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
        /// Made by somebody who does not have the run's key.
        forged: bool,
    },
    Sweep,
    Cancel {
        client: usize,
        key: JobKey,
        tries: u32,
    },
    Show {
        key: JobKey,
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
            Self::Show { .. } => Kind::Show,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Submitted(Result<Submitted, SubmitError>),
    Dispatched(Handled),
    CalledBack(Result<Reply, CompleteError>),
    /// A callback's signature was not taken.
    Rejected(Rejected),
    Swept,
    Cancelled(Result<Option<Job>, StoreError>),
    /// The job of that key, and the account's list.
    Shown(Result<(Option<Job>, Vec<Job>), StoreError>),
    /// It died on the way.
    Died,
}

/// A process under way.
pub(super) struct Process {
    pub(super) id: usize,
    pub(super) task: Task,
    /// How far its clock is off, in milliseconds.
    pub(super) off_by: i64,
    tap: Arc<Tap>,
    future: Pin<Box<dyn Future<Output = Outcome>>>,
}

impl Process {
    pub(super) fn begin(world: &World, id: usize, task: Task) -> Self {
        let tap = Arc::new(Tap::new(task.kind(), id, Arc::clone(&world.gate)));
        let clock = Arc::new(SkewedClock {
            right: Arc::clone(&world.clock),
            off_by: world.skew(),
        });
        let future = future_of(world, &tap, &clock, id, task.clone());
        Self {
            id,
            task,
            off_by: clock.off_by,
            tap,
            future,
        }
    }

    /// When it goes on, where a call of it is slow.
    pub(super) fn asleep_until(&self) -> UnixMs {
        self.tap.asleep_until()
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

fn ports(world: &World, tap: &Arc<Tap>, clock: &Arc<SkewedClock>) -> Ports {
    let table = Table {
        now: Arc::clone(&world.jobs),
        before: Arc::clone(&world.jobs_before),
    };
    Ports {
        jobs: tapped(&Arc::new(table), tap),
        accounts: Arc::new(MemoryAccountStore::default()),
        endpoints: tapped(&world.endpoints, tap),
        images: tapped(&world.images, tap),
        queue: tapped(&world.queue, tap),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
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
    clock: &Arc<SkewedClock>,
    id: usize,
    task: Task,
) -> Pin<Box<dyn Future<Output = Outcome>>> {
    let ports = ports(world, tap, clock);
    let backends = backends(world, tap);
    let route = backends.route();
    let settings = Arc::clone(&world.settings);
    match task {
        Task::Submit { client, tries } => {
            let counted = world.scenario.counted.then_some(tries);
            let mut submit = ports.submit(&settings);
            submit.route = route;
            let cancel_after = world.scenario.cancel_after;
            Box::pin(async move {
                Outcome::Submitted(
                    ask(client, counted, cancel_after, async |request| {
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
        Task::CallBack {
            callback, forged, ..
        } => {
            let mut complete = ports.complete(&settings);
            complete.route = route;
            let signed = signed(world, &settings, &callback, forged);
            let here = clock.now();
            Box::pin(async move {
                let (body, header) = signed;
                let verified =
                    settings
                        .secrets
                        .verify(&callback.run, Some(&header), body.as_bytes(), here);
                match verified {
                    Ok(()) => Outcome::CalledBack(complete.run(&callback).await),
                    Err(rejected) => Outcome::Rejected(rejected),
                }
            })
        }
        Task::Show { key } => {
            let read = ports.read();
            let jobs = Arc::clone(&ports.jobs);
            let range = ListRange {
                from: None,
                until: None,
                order: Order::Newest,
                after: None,
                limit: 100,
            };
            let here = clock.now();
            Box::pin(async move {
                let job = match read.job(&key).await {
                    Ok(job) => job,
                    Err(error) => return Outcome::Shown(Err(error)),
                };
                let listed = jobs.list(&key.account, &range, here).await;
                Outcome::Shown(listed.map(|page| (job, page.jobs)))
            })
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

/// A callback's body and the header that its maker signs it with. A forger has the key of a run of
/// the other account.
fn signed(
    world: &World,
    settings: &Settings,
    callback: &Callback,
    forged: bool,
) -> (String, String) {
    let mut signer = callback.run.clone();
    if forged {
        signer.key.account = stranger_to(&signer.key.account);
    }
    let body = format!("{:?}", callback.event);
    let (_, key) = settings.secrets.run_key(&signer);
    let header = sign(&key, body.as_bytes(), world.clock.now());
    (body, header)
}

/// The clients belong to two accounts in turn, and two of them share each idempotency key.
pub(super) fn account_of(client: usize) -> AccountId {
    let name = if client.is_multiple_of(2) {
        "acme"
    } else {
        "globex"
    };
    let Ok(account) = name.parse() else {
        unreachable!("{name} names an account")
    };
    account
}

/// An account that is not this one.
pub(super) fn stranger_to(account: &AccountId) -> AccountId {
    let other = usize::from(*account == account_of(0));
    account_of(other)
}

/// Asks for a picture as a client with an idempotency key of its own does, or one that counts its tries.
async fn ask(
    client: usize,
    counted: Option<u32>,
    cancel_after: Option<Ms>,
    run: impl AsyncFnOnce(Request<'_>) -> Result<Submitted, SubmitError>,
) -> Result<Submitted, SubmitError> {
    let number = u8::try_from(client / 2).unwrap_or(u8::MAX);
    let mut input = Map::new();
    input.insert("prompt".to_owned(), Value::from("a lighthouse at dusk"));
    let account = account_of(client);
    let Some(model) = model::find("ryla", "flux-dev") else {
        unreachable!("flux-dev is in the catalog")
    };
    let request = Request {
        account: &account,
        model,
        input: &input,
        identity: match counted {
            Some(retry) => Identity::Counted { retry },
            None => Identity::Key(format!("key-{number}")),
        },
        hash: RequestHash([number; 32]),
        cancel_after,
        trace: TraceId::generated(&[number; 16]),
        retry_of: None,
    };
    run(request).await
}

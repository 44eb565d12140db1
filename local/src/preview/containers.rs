//! Carries out what the fleets decide: wakes when something is due, when a run arrives or ends and when a
//! lever moves, and hands runs that were taken to `work.rs`.

use super::events::{ContainerEvent, EventLog};
use super::fleet::{ClassState, Fleet, Line, Taken};
use super::ledger::{Ledger, Task};
use super::work;
use super::{PreviewOptions, Shared};
use ryla_domain::model::catalog;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The longest window that stays when its lease is over: with a lease of 180 s all is cold within three
/// minutes of the last renewal.
const KEPT_WINDOW: Ms = Ms::seconds(120);

/// The containers of every class of the catalog.
pub(super) struct Containers {
    inner: Mutex<Inner>,
    moved: Notify,
    clock: Arc<dyn Clock>,
    classes: Vec<&'static str>,
    max: u32,
    window: Ms,
}

struct Inner {
    fleets: Vec<Fleet>,
    log: EventLog,
}

impl Containers {
    pub(super) fn new(options: &PreviewOptions, clock: Arc<dyn Clock>) -> Self {
        let (max, window) = (options.concurrency, options.idle);
        let mut classes: Vec<&'static str> = catalog().iter().map(|model| model.class).collect();
        classes.sort_unstable();
        classes.dedup();
        let now = clock.now();
        let fleet = |class| Fleet::new(class, options.boot, max, window, now);
        Self {
            inner: Mutex::new(Inner {
                fleets: classes.iter().copied().map(fleet).collect(),
                log: EventLog::of(options.events),
            }),
            moved: Notify::new(),
            clock,
            classes,
            max: u32::try_from(max.max(1)).unwrap_or(u32::MAX),
            window,
        }
    }

    /// The names of the classes.
    pub(super) fn classes(&self) -> &[&'static str] {
        &self.classes
    }

    /// The most containers of a class; `None` where there is no such class.
    pub(super) fn max_of(&self, class: &str) -> Option<u32> {
        self.classes.contains(&class).then_some(self.max)
    }

    /// What the containers' clock shows.
    pub(super) fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// No floor, and the window that the last lease left; a longer one than [`KEPT_WINDOW`] goes with its
    /// lease, since containers would idle, and cost, for as long as it said.
    pub(super) fn lower(&self, class: &str, leased: Option<Ms>) {
        let stands = || self.state_of(class).map(|state| state.window);
        let left = leased.or_else(stands).filter(|left| *left <= KEPT_WINDOW);
        self.set(class, 0, Some(left.unwrap_or(self.window)));
    }

    /// Sets the levers of a class; `None` leaves the window as it is.
    pub(super) fn set(&self, class: &str, floor: u32, window: Option<Ms>) {
        let mut inner = self.inner();
        let Inner { fleets, log } = &mut *inner;
        if let Some(fleet) = fleets.iter_mut().find(|fleet| fleet.class() == class) {
            fleet.set(floor, window, self.clock.now(), log);
        }
        drop(inner);
        self.moved.notify_one();
    }

    pub(super) fn state_of(&self, class: &str) -> Option<ClassState> {
        let inner = self.inner();
        let fleet = inner.fleets.iter().find(|fleet| fleet.class() == class);
        fleet.map(Fleet::state)
    }

    pub(super) fn events(&self) -> Vec<ContainerEvent> {
        self.inner().log.all()
    }

    /// A run waits, or has left the line.
    pub(super) fn look(&self) {
        self.moved.notify_one();
    }

    fn ended(&self, class: &str, container: u64) {
        let mut inner = self.inner();
        let Inner { fleets, log } = &mut *inner;
        if let Some(fleet) = fleets.iter_mut().find(|fleet| fleet.class() == class) {
            fleet.ended(container, self.clock.now(), log);
        }
        drop(inner);
        self.moved.notify_one();
    }

    /// Does what is due now: the runs that were taken with their class, and when to look again.
    fn step(&self, ledger: &Ledger) -> (Vec<OnContainer>, Option<UnixMs>) {
        let mut inner = self.inner();
        let Inner { fleets, log } = &mut *inner;
        let now = self.clock.now();
        let mut taken = Vec::new();
        for fleet in fleets.iter_mut() {
            let class = fleet.class();
            let line = ClassLine { ledger, class };
            let runs = fleet.step(now, &line, log);
            taken.extend(runs.into_iter().map(|taken| OnContainer { class, taken }));
        }
        (taken, fleets.iter().filter_map(Fleet::next_at).min())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waiting runs of one class.
struct ClassLine<'a> {
    ledger: &'a Ledger,
    class: &'static str,
}

impl Line for ClassLine<'_> {
    type Run = Arc<Task>;

    fn waiting(&self) -> usize {
        self.ledger.waiting_for(self.class)
    }

    fn take(&self) -> Option<Arc<Task>> {
        self.ledger.take(self.class)
    }

    fn describe(&self, run: &Arc<Task>) -> (String, UnixMs) {
        (run.submit.run.to_string(), run.waits_since)
    }
}

/// Keeps the containers going until the preview GPU stops.
pub(super) async fn serve(shared: Arc<Shared>) {
    let containers = &shared.containers;
    loop {
        let moved = containers.moved.notified();
        let (taken, next_at) = containers.step(&shared.ledger);
        for taken in taken {
            carry_out(&shared, taken);
        }
        let due = async {
            match next_at {
                Some(at) => {
                    let left = at.since(containers.clock.now());
                    containers.clock.sleep(left).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = moved => {}
            () = due => {}
            () = shared.draining.cancelled() => return,
        }
    }
}

/// A run that was taken, and where.
struct OnContainer {
    class: &'static str,
    taken: Taken<Arc<Task>>,
}

fn carry_out(shared: &Arc<Shared>, OnContainer { class, taken }: OnContainer) {
    let shared = Arc::clone(shared);
    let tasks = shared.tasks.clone();
    tasks.spawn(async move {
        let Taken {
            run,
            container,
            boot,
        } = taken;
        tokio::select! {
            () = work::carry_out(&shared, run, boot) => {}
            () = shared.cut.cancelled() => {}
        }
        shared.containers.ended(class, container);
    });
}

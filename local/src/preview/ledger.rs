//! What the preview GPU knows of runs: claimed once each, waiting, on a container, ended. Plays the
//! part of Modal's Dict and its list of function calls; in memory only, so that after a restart every
//! run is unknown, as it is after Modal's retention.

use ryla_backends::modal::wire::{CancelStatus, RunResult, RunState, Submit};
use ryla_domain::id::{Attempt, CallId, JobKey, Run};
use ryla_domain::time::UnixMs;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Ended runs that can still be asked about.
const KEPT: usize = 20_000;

/// A run that was accepted.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) submit: Submit,
    pub(super) call: CallId,
    pub(super) accepted: Instant,
    /// The same on the containers' clock.
    pub(super) waits_since: UnixMs,
    /// Nobody waits for it any more.
    pub(super) stop: CancellationToken,
}

/// What became of a submit message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// It waits for a container now.
    New(CallId),
    /// It was known before.
    Known(Option<CallId>),
    /// It was cancelled before it arrived.
    Cancelled,
    /// A newer attempt of the job is known.
    Older,
    /// Too many runs wait.
    TooDeep,
    /// Nothing new is taken.
    Draining,
}

/// Where a run stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) state: RunState,
    pub(super) call: Option<CallId>,
    pub(super) result: Option<RunResult>,
}

struct Entry {
    standing: Standing,
    stop: CancellationToken,
    /// How often a container began to work on it.
    begun: u32,
}

#[derive(Default)]
struct Inner {
    runs: HashMap<Run, Entry>,
    newest: HashMap<JobKey, Attempt>,
    /// By GPU class, each in the order of arrival.
    waiting: BTreeMap<&'static str, VecDeque<Arc<Task>>>,
    ended: VecDeque<Run>,
    calls: u64,
    begun: u64,
    draining: bool,
}

/// Every run that is known.
pub(super) struct Ledger {
    inner: Mutex<Inner>,
    /// The most runs that may wait.
    depth: usize,
}

impl Ledger {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            inner: Mutex::default(),
            depth,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the run: of any number of equal messages one is [`Accepted::New`].
    pub(super) fn accept(&self, submit: Submit, class: &'static str, now: UnixMs) -> Accepted {
        let mut inner = self.inner();
        let run = submit.run.clone();
        if let Some(entry) = inner.runs.get(&run) {
            return match (entry.standing.state, &entry.standing.call) {
                (RunState::Cancelled, None) => Accepted::Cancelled,
                (_, call) => Accepted::Known(call.clone()),
            };
        }
        if inner.draining {
            return Accepted::Draining;
        }
        if inner
            .newest
            .get(&run.key)
            .is_some_and(|newest| *newest > run.attempt)
        {
            return Accepted::Older;
        }
        if inner.waiting() >= self.depth {
            return Accepted::TooDeep;
        }
        inner.calls += 1;
        let Ok(call) = format!("preview-{}", inner.calls).parse::<CallId>() else {
            unreachable!("letters, digits and a dash are a call's name")
        };
        let stop = CancellationToken::new();
        inner.newest.insert(run.key.clone(), run.attempt);
        inner.runs.insert(
            run,
            Entry {
                standing: Standing {
                    state: RunState::Pending,
                    call: Some(call.clone()),
                    result: None,
                },
                stop: stop.clone(),
                begun: 0,
            },
        );
        let line = inner.waiting.entry(class).or_default();
        line.push_back(Arc::new(Task {
            submit,
            call: call.clone(),
            accepted: Instant::now(),
            waits_since: now,
            stop,
        }));
        Accepted::New(call)
    }

    /// The run of that class that waits longest, out of the line.
    pub(super) fn take(&self, class: &str) -> Option<Arc<Task>> {
        self.inner().waiting.get_mut(class)?.pop_front()
    }

    /// How many runs of that class wait for a container.
    pub(super) fn waiting_for(&self, class: &str) -> usize {
        self.inner().waiting.get(class).map_or(0, VecDeque::len)
    }

    /// A container begins to work on the run.
    pub(super) fn begin(&self, run: &Run) {
        let mut inner = self.inner();
        inner.begun += 1;
        if let Some(entry) = inner.runs.get_mut(run) {
            entry.standing.state = RunState::Running;
            entry.begun += 1;
        }
    }

    /// The run has ended.
    pub(super) fn end(&self, run: &Run, state: RunState, result: RunResult) {
        let mut inner = self.inner();
        if let Some(entry) = inner.runs.get_mut(run) {
            entry.standing.state = state;
            entry.standing.result = Some(result);
        }
        inner.note_ended(run);
    }

    /// Where the run stands.
    pub(super) fn standing(&self, run: &Run) -> Standing {
        let inner = self.inner();
        inner.runs.get(run).map_or(
            Standing {
                state: RunState::Unknown,
                call: None,
                result: None,
            },
            |entry| entry.standing.clone(),
        )
    }

    /// Stops the run; one that never arrived leaves a tombstone, so that it is refused when it does.
    pub(super) fn cancel(&self, run: &Run) -> CancelStatus {
        let mut inner = self.inner();
        let waited = inner.leave_line(run);
        let Some(entry) = inner.runs.get_mut(run) else {
            let tombstone = Entry {
                standing: Standing {
                    state: RunState::Cancelled,
                    call: None,
                    result: None,
                },
                stop: CancellationToken::new(),
                begun: 0,
            };
            inner.runs.insert(run.clone(), tombstone);
            inner.note_ended(run);
            return CancelStatus::Cancelled;
        };
        match (entry.standing.state, waited) {
            (RunState::Cancelled, _) => CancelStatus::Cancelled,
            (RunState::Pending, true) => {
                entry.standing.state = RunState::Cancelled;
                inner.note_ended(run);
                CancelStatus::Cancelled
            }
            (RunState::Pending | RunState::Running, _) => {
                entry.stop.cancel();
                CancelStatus::Cancelling
            }
            _ => CancelStatus::Ended,
        }
    }

    /// From now on nothing new is taken.
    pub(super) fn drain(&self) {
        self.inner().draining = true;
    }

    /// Whether new runs are taken.
    pub(super) fn accepting(&self) -> bool {
        !self.inner().draining
    }

    /// How often a container began to work on any attempt of the job.
    pub(super) fn begun_of(&self, key: &JobKey) -> u32 {
        let inner = self.inner();
        let of_job = inner.runs.iter().filter(|(run, _)| run.key == *key);
        of_job.map(|(_, entry)| entry.begun).sum()
    }

    /// How often a container began to work on any run.
    pub(super) fn begun(&self) -> u64 {
        self.inner().begun
    }

    /// How many runs wait for a container.
    pub(super) fn waiting(&self) -> usize {
        self.inner().waiting()
    }
}

impl Inner {
    /// Runs that wait, of all classes.
    fn waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Takes the run out of the line; `false` where it does not stand in it.
    fn leave_line(&mut self, run: &Run) -> bool {
        for line in self.waiting.values_mut() {
            if let Some(place) = line.iter().position(|task| task.submit.run == *run) {
                line.remove(place);
                return true;
            }
        }
        false
    }

    /// Forgets the runs that ended longest ago.
    fn note_ended(&mut self, run: &Run) {
        self.ended.push_back(run.clone());
        while self.ended.len() > KEPT {
            if let Some(oldest) = self.ended.pop_front() {
                self.runs.remove(&oldest);
                if self.newest.get(&oldest.key) == Some(&oldest.attempt) {
                    self.newest.remove(&oldest.key);
                }
            }
        }
    }
}

//! Counts arrivals and ends for `warm`: dispatch, callback and sweep add to the counters of the minute. A
//! count that is lost is a warning and fails no message and no callback.

use crate::log;
use crate::port::{Arrivals, Clock, End, EndpointStore, TickShard};
use futures_util::future::{Either, join_all, select};
use ryla_domain::id::{BackendId, Run};
use ryla_domain::job::Job;
use ryla_domain::model;
use ryla_domain::report::{Report, Timings};
use ryla_domain::state::State;
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{Endpoint, Minute, second_of};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

/// A count that takes longer is given up.
const LIMIT: Ms = Ms::seconds(2);

/// Starts of one batch of messages: endpoint, run, when.
#[derive(Debug, Default)]
pub(crate) struct Started(Mutex<Vec<(Endpoint, UnixMs)>>);

impl Started {
    /// A start was sent to that backend.
    pub(crate) fn add(&self, backend: &BackendId, model: &str, at: UnixMs) {
        if let Some(endpoint) = endpoint(backend, model) {
            let mut starts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            starts.push((endpoint, at));
        }
    }
}

/// The endpoint at which a model runs; `None` for a model that this build does not know.
pub(crate) fn endpoint(backend: &BackendId, model: &str) -> Option<Endpoint> {
    model::find("ryla", model).map(|model| Endpoint {
        backend: backend.clone(),
        class: model.gpu_class(),
    })
}

/// Whether `next` ends the attempt that `seen` has at its backend. It need not have been sent there: only
/// the holder of the claim knows whether it was.
pub(crate) fn ends_attempt(seen: &Job, next: &Job) -> bool {
    let there = |job: &Job| {
        matches!(
            job.state,
            State::Dispatching(_) | State::Running(_) | State::Canceling(_)
        )
    };
    there(seen) && !(there(next) && seen.origin() == next.origin())
}

/// Parts that have taken all ends they take, in one minute.
#[derive(Debug, Default)]
struct Full {
    minute: Option<Minute>,
    parts: Vec<(Endpoint, TickShard)>,
}

/// Adds to the counters.
#[derive(Clone)]
pub struct Count {
    store: Arc<dyn EndpointStore>,
    clock: Arc<dyn Clock>,
    full: Arc<Mutex<Full>>,
}

impl Count {
    /// Into that store.
    pub fn new(store: Arc<dyn EndpointStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            full: Arc::default(),
        }
    }

    /// Adds the starts of a batch, each to the second in which it was sent: one request for each endpoint
    /// and minute in it.
    pub(crate) async fn starts(&self, started: Started, part: TickShard) {
        let starts = started.0.into_inner();
        let mut batches: BTreeMap<(Endpoint, Minute), BTreeMap<u8, u32>> = BTreeMap::new();
        for (endpoint, at) in starts.unwrap_or_else(PoisonError::into_inner) {
            let seconds = batches.entry((endpoint, Minute::of(at))).or_default();
            *seconds.entry(second_of(at)).or_default() += 1;
        }
        if batches.is_empty() {
            return;
        }
        let call = "endpoints.add_arrivals";
        let adds = batches
            .into_iter()
            .map(|((endpoint, minute), seconds)| async move {
                let arrivals = Arrivals {
                    endpoint,
                    minute,
                    shard: part,
                    seconds,
                };
                if let Err(error) = self.store.add_arrivals(&arrivals).await {
                    uncounted(call, "", &error);
                }
            });
        self.in_time(call, "", join_all(adds)).await;
    }

    /// Waits for a count no longer than it is worth: a job is not to wait for it, nor a function to run
    /// out of its time.
    async fn in_time<T>(
        &self,
        call: &'static str,
        run: &str,
        count: impl Future<Output = T> + Send,
    ) {
        let limit = self.clock.sleep(LIMIT);
        if let Either::Right(_) = select(pin!(count), limit).await {
            uncounted(call, run, &OutOfTime);
        }
    }

    /// Adds the end of the job's current run, unless enough ends of this minute are known. A part that is found full is
    /// not asked again within the minute.
    pub(crate) async fn end(&self, job: &Job, report: &Report) {
        let Some(endpoint) = endpoint(&job.backend, &job.model) else {
            return;
        };
        let (call, run) = ("endpoints.add_end", job.run());
        // When we hear of it: a worker's container is not free before its last callback was taken, however often that
        // had to be sent. An instant of the worker's own clock would have to be believed, and one in a minute that
        // `warm` has read would count nowhere.
        let at = self.clock.now();
        let times = Times::of(report.timings.unwrap_or_default());
        let mut end = End {
            endpoint,
            at,
            shard: part_of(&run),
            waited: times.waited,
            boot: times.boot,
            service: times.service,
        };
        let run = run.to_string();
        let count = async {
            for _ in TickShard::all() {
                if !self.is_full(&end) {
                    match self.store.add_end(&end).await {
                        Ok(true) => return,
                        Ok(false) => self.note_full(&end),
                        Err(error) => return uncounted(call, &run, &error),
                    }
                }
                end.shard = end.shard.next();
            }
        };
        self.in_time(call, &run, count).await;
    }

    fn is_full(&self, end: &End) -> bool {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.minute == Some(Minute::of(end.at))
            && full
                .parts
                .iter()
                .any(|(endpoint, part)| *endpoint == end.endpoint && *part == end.shard)
    }

    fn note_full(&self, end: &End) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = Some(Minute::of(end.at));
        if full.minute != minute {
            *full = Full {
                minute,
                parts: Vec::new(),
            };
        }
        full.parts.push((end.endpoint.clone(), end.shard));
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Count(..)")
    }
}

/// What a worker's timings mean for the policy.
#[derive(Debug, PartialEq, Eq)]
struct Times {
    waited: Ms,
    boot: Option<Ms>,
    service: Option<Ms>,
}

impl Times {
    /// A boot is what a first run on a container reports, weights included; on a warm one, loading other
    /// weights is part of the service. How much of the boot the run waited for is in its queue: nothing,
    /// where the container had booted for another run, or ahead. For the weights it waited in any case.
    fn of(timings: Timings) -> Self {
        let cold = timings.boot > 0;
        let boot_ms = if cold { timings.cold_ms() } else { 0 };
        let weights_ms = if cold { timings.load } else { 0 };
        let work_ms = timings.billed_ms().saturating_sub(boot_ms);
        Self {
            waited: Ms(timings.queue.saturating_add(weights_ms)),
            boot: cold.then_some(Ms(boot_ms)),
            service: (work_ms > 0).then_some(Ms(work_ms)),
        }
    }
}

/// A run's part: any, but the same for the same run.
pub(crate) fn part_of(run: &Run) -> TickShard {
    let byte = run
        .to_string()
        .bytes()
        .fold(0_u8, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte));
    TickShard::of(byte)
}

/// The table took too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time for a count")]
struct OutOfTime;

fn uncounted(call: &'static str, run: &str, error: &dyn Error) {
    log::port_failed(call, run, "", error);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_run_has_no_boot_and_one_without_timings_says_nothing() {
        let timings = |queue, boot, load, run, upload| Timings {
            queue,
            boot,
            load,
            run,
            upload,
        };
        let times = |waited, boot, service| Times {
            waited: Ms(waited),
            boot: Option::map(boot, Ms),
            service: Option::map(service, Ms),
        };
        for (told, meant) in [
            (
                timings(50, 0, 0, 18_000, 500),
                times(50, None, Some(18_500)),
            ),
            (
                timings(31_000, 30_000, 12_000, 18_000, 500),
                times(43_000, Some(42_000), Some(18_500)),
            ),
            // The container had booted for somebody else.
            (
                timings(20, 30_000, 12_000, 18_000, 500),
                times(12_020, Some(42_000), Some(18_500)),
            ),
            (
                timings(60_000, 30_000, 0, 18_000, 0),
                times(60_000, Some(30_000), Some(18_000)),
            ),
            (
                timings(9, 0, 4_000, 18_000, 0),
                times(9, None, Some(22_000)),
            ),
            (Timings::default(), times(0, None, None)),
        ] {
            assert_eq!(Times::of(told), meant);
        }
    }
}

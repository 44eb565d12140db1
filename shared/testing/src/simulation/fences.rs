//! Plays seeds, then single faults, on a table that forgets a fence, until a promise breaks. A fence that can be forgotten
//! without one breaking is not needed, or a promise is missing. `tests/fences` calls it.

use super::seeded::drawn;
use super::single::{SINGLE_SEED, single_faults};
use super::verdict::Broken;
use super::weather::Weather;
use super::{Ending, Fault, Scenario, play};
use crate::sample::{CREATED_AT, a_beat, a_claim, a_job, a_start};
use ryla_engine::expect::{Expect, Guard, WriteKind};
use ryla_engine::port::Write;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every fence of every write, as the writes themselves name them.
pub fn guards() -> Vec<Guard> {
    let job = a_job().build();
    let claim = a_claim("claim", CREATED_AT);
    let (start, beat) = (a_start(&job, CREATED_AT), a_beat(&job, 1, None, CREATED_AT));
    let expects = WriteKind::ALL.iter().map(|write| match write {
        WriteKind::Create => Expect::absent(CREATED_AT),
        WriteKind::Claim => Write::Claim(&job.key, &claim).expect(),
        WriteKind::Start => Write::Start(&job.key, &start).expect(),
        WriteKind::Beat => Write::Beat(&job.key, &beat).expect(),
        WriteKind::Replace => {
            let (seen, next) = (&job, &job);
            Write::Replace { seen, next }.expect()
        }
        WriteKind::Reschedule => Expect::due_at(CREATED_AT),
    });
    let guards = |expect: Expect| -> Vec<Guard> {
        let fences = expect.fences.iter();
        fences.map(|fence| expect.guard(fence)).collect()
    };
    expects.flat_map(guards).collect()
}

/// Those that a name means: one (`Claim.Readable`), all of a kind (`Readable`) or all of a write (`Claim`).
pub fn named(name: &str) -> Result<Vec<Guard>, UnknownFence> {
    let mut meant = guards();
    meant.retain(|guard| {
        guard.fence.name() == name || guard.write.name() == name || guard.to_string() == name
    });
    if meant.is_empty() {
        let known: Vec<String> = guards().iter().map(Guard::to_string).collect();
        return Err(UnknownFence(name.to_owned(), known.join(", ")));
    }
    Ok(meant)
}

/// No fence has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fence is called {0:?}; there are {1}")]
pub struct UnknownFence(String, String);

/// What is played: a run that anybody can repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Play {
    /// What that seed draws.
    Seed(u64),
    /// One fault in that scenario.
    Single(&'static str, Fault),
}

impl Play {
    /// Plays it, without that fence if there is one, and keeps its trace.
    pub fn run(&self, without: Option<Guard>) -> Result<Ending, Box<Broken>> {
        let (scenario, weather, seed) = match self {
            Self::Seed(seed) => {
                let (scenario, weather) = drawn(*seed);
                (scenario, weather.traced(), *seed)
            }
            Self::Single(name, fault) => {
                let mut all = Scenario::all().into_iter();
                let scenario = all.find(|scenario| scenario.name == *name);
                (
                    scenario.unwrap_or_else(Scenario::usual),
                    Weather::of(&[*fault]),
                    SINGLE_SEED,
                )
            }
        };
        let ending = play(&scenario, &weather.without(without), seed);
        ending.judged().map_err(Box::new)
    }
}

impl fmt::Display for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(seed) => write!(f, "seed {seed}"),
            Self::Single(scenario, fault) => write!(f, "{scenario:?} with {fault:?}"),
        }
    }
}

/// The first run that breaks a promise without that fence, and what it breaks: of the seeds, else of all
/// single faults. Plays seeds on that many threads.
pub fn killer(without: Guard, seeds: &Range<u64>, threads: u64) -> Option<(Play, Box<Broken>)> {
    let by_seed = seed_that_kills(without, seeds, threads);
    if let Some((seed, broken)) = by_seed {
        return Some((Play::Seed(seed), Box::new(broken)));
    }
    let scenarios = Scenario::all().into_iter();
    let mut plays = scenarios.flat_map(|scenario| {
        let name = scenario.name;
        let faults = single_faults(&scenario).into_iter();
        faults.map(move |fault| Play::Single(name, fault))
    });
    plays.find_map(|play| {
        let broken = play.run(Some(without)).err()?;
        Some((play, broken))
    })
}

fn seed_that_kills(without: Guard, seeds: &Range<u64>, threads: u64) -> Option<(u64, Broken)> {
    let first = AtomicU64::new(u64::MAX);
    let part = |offset: u64| {
        let stride = usize::try_from(threads.max(1)).unwrap_or(1);
        for seed in (seeds.start + offset..seeds.end).step_by(stride) {
            if seed > first.load(Ordering::Relaxed) {
                return None;
            }
            let (scenario, weather) = drawn(seed);
            let weather = weather.without(Some(without));
            if let Err(broken) = play(&scenario, &weather, seed).judged() {
                first.fetch_min(seed, Ordering::Relaxed);
                return Some((seed, broken));
            }
        }
        None
    };
    std::thread::scope(|scope| {
        let part = &part;
        let running: Vec<_> = (0..threads.max(1))
            .map(|offset| scope.spawn(move || part(offset)))
            .collect();
        let ended = running.into_iter().map(|thread| match thread.join() {
            Ok(found) => found,
            // The store or a use case stopped: that is a bug, not a promise that broke.
            Err(panicked) => std::panic::resume_unwind(panicked),
        });
        // All threads are waited for, whichever has found one.
        let found: Vec<_> = ended.collect();
        found.into_iter().flatten().min_by_key(|(seed, _)| *seed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_engine::expect::FenceKind;
    use std::collections::BTreeSet;

    #[test]
    fn every_write_is_guarded_and_every_kind_of_fence_guards_one() {
        let guards = guards();
        let writes: BTreeSet<_> = guards.iter().map(|guard| guard.write).collect();
        let fences: BTreeSet<_> = guards.iter().map(|guard| guard.fence).collect();
        assert_eq!(writes.len(), WriteKind::ALL.len());
        assert_eq!(fences.len(), FenceKind::ALL.len());
        let different: BTreeSet<_> = guards.iter().collect();
        assert_eq!(different.len(), guards.len(), "each stands there once");
    }

    #[test]
    fn a_name_means_one_or_all_of_a_write_or_kind() {
        for guard in guards() {
            assert_eq!(named(&guard.to_string()), Ok(vec![guard]));
        }
        assert_eq!(named("Readable").unwrap().len(), 3);
        assert_eq!(named("Claim").unwrap().len(), 3);
        assert!(named("rev").is_err());
    }
}

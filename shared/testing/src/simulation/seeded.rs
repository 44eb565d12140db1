//! What a seed plays: a scenario, a family, and what goes wrong. `--example simulate` and the drawn
//! tests come here; a number is the same run as long as scenarios, faults and port calls are the same.

use super::fault::{Fault, Harm};
use super::verdict::Broken;
use super::weather::{HOSTILE_SKEW, LIVE_SKEW, Storm, Weather};
use super::{Ending, Fate, Kind, Scenario, play};
use crate::SeededEntropy;
use ryla_domain::time::Ms;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many calls of each kind of process and how many messages a scenario has without faults.
type Size = (Vec<(Kind, usize)>, usize);

static SCENARIOS: LazyLock<Vec<(Scenario, Size)>> = LazyLock::new(|| {
    let sized = |scenario: Scenario| {
        let whole = play(&scenario, &Weather::default(), 7);
        let made = |kind| whole.calls.iter().filter(|call| call.kind == kind).count();
        let calls = Kind::ALL.into_iter().map(|kind| (kind, made(kind)));
        let size = (calls.collect(), whole.messages);
        (scenario, size)
    };
    Scenario::all().into_iter().map(sized).collect()
});

/// What the seed plays. Three of four seeds are of the family `Live`, the fourth is `Hostile`.
pub fn drawn(seed: u64) -> (Scenario, Weather) {
    let entropy = SeededEntropy::new(seed);
    let below = |n: u64| entropy.draw() % n;
    let count = SCENARIOS.len() as u64;
    let (scenario, (calls, messages)) = &SCENARIOS[usize::try_from(below(count)).unwrap_or(0)];
    let weather = if seed % 4 == 3 {
        let no_sweep_until = match below(3) {
            0 => Ms::seconds(below(4 * 3600)),
            _ => Ms(0),
        };
        let over_at = Ms(no_sweep_until.0 + Ms::seconds(60 + below(1_800)).0);
        Weather {
            storm: Some(Storm {
                per_mille: 10 + below(290),
                no_sweep_until,
                over_at,
            }),
            // Clocks that are minutes apart let hardly a callback through.
            skew: match below(3) {
                0 => LIVE_SKEW,
                1 => Ms(below(HOSTILE_SKEW.0)),
                _ => HOSTILE_SKEW,
            },
            ..Weather::default()
        }
    } else {
        let faults = (0..=below(3)).map(|_| Fault::drawn(&entropy, calls, *messages));
        Weather {
            faults: faults.collect(),
            skew: LIVE_SKEW,
            ..Weather::default()
        }
    };
    (scenario.clone(), weather)
}

/// How often each kind of fault hit, and each two of them in one run.
#[derive(Debug, Default)]
pub struct Report {
    runs: u64,
    kinds: BTreeMap<&'static str, u64>,
    pairs: BTreeMap<(&'static str, &'static str), u64>,
}

impl Report {
    /// Every kind of fault that there is.
    pub fn every_kind() -> BTreeSet<&'static str> {
        let (kind, nth) = (Kind::Submit, 0);
        let calls = Harm::ALL.map(|harm| Fault::Call { kind, nth, harm }.label());
        let messages = Fate::OF_MESSAGES.map(|fate| Fault::Message { nth, fate }.label());
        let callbacks = Fate::OF_CALLBACKS.map(|fate| Fault::Callback { nth, fate }.label());
        let clocks = [AHEAD, BEHIND, NO_SWEEP];
        calls
            .into_iter()
            .chain(messages)
            .chain(callbacks)
            .chain(clocks)
            .collect()
    }

    /// How many runs it counts.
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// The kinds that never hit: what was not tried was not shown.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = Self::every_kind().into_iter();
        all.filter(|kind| !self.kinds.contains_key(kind)).collect()
    }

    fn count(&mut self, ending: &Ending) {
        self.runs += 1;
        for fault in &ending.hit {
            *self.kinds.entry(fault.label()).or_default() += 1;
        }
        let others = [
            (AHEAD, ending.ahead),
            (BEHIND, ending.behind),
            (NO_SWEEP, ending.no_sweep),
        ];
        for (kind, _) in others.iter().filter(|(_, hit)| *hit) {
            *self.kinds.entry(kind).or_default() += 1;
        }
        let others = others.iter().filter(|(_, hit)| *hit).map(|(kind, _)| *kind);
        let hit = ending.hit.iter().map(|fault| fault.label());
        let together: BTreeSet<&'static str> = hit.chain(others).collect();
        for one in &together {
            for other in together.range::<&str, _>(one..).skip(1) {
                *self.pairs.entry((one, other)).or_default() += 1;
            }
        }
    }

    fn plus(mut self, other: Self) -> Self {
        self.runs += other.runs;
        for (kind, hits) in other.kinds {
            *self.kinds.entry(kind).or_default() += hits;
        }
        for (pair, hits) in other.pairs {
            *self.pairs.entry(pair).or_default() += hits;
        }
        self
    }
}

const AHEAD: &str = "clock: ahead";
const BEHIND: &str = "clock: behind";
const NO_SWEEP: &str = "sweep: down";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} runs", self.runs)?;
        for kind in Self::every_kind() {
            let hits = self.kinds.get(kind).copied().unwrap_or(0);
            writeln!(f, "{hits:>9}  {kind}")?;
        }
        writeln!(f, "pairs of kinds in one run:")?;
        let kinds = Self::every_kind();
        for one in &kinds {
            for other in kinds.range::<&str, _>(one..).skip(1) {
                let hits = self.pairs.get(&(one, other)).copied().unwrap_or(0);
                writeln!(f, "{hits:>9}  {one} + {other}")?;
            }
        }
        Ok(())
    }
}

/// A seed whose run broke a promise.
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is wrong, with the trace of the run.
    pub broken: Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.seed;
        write!(f, "{}", self.broken)?;
        writeln!(
            f,
            "replay: cargo run -p ryla-testing --example simulate -- --seed {seed}"
        )
    }
}

/// Plays one seed and keeps its trace.
pub fn replay(seed: u64) -> Result<Ending, Box<Failure>> {
    let (scenario, weather) = drawn(seed);
    let judged = play(&scenario, &weather.traced(), seed).judged();
    judged.map_err(|broken| Box::new(Failure { seed, broken }))
}

/// Plays every seed of the range on that many threads; the first one that breaks a promise ends it.
pub fn simulate(seeds: &Range<u64>, threads: u64) -> Result<Report, Box<Failure>> {
    let stop = AtomicBool::new(false);
    let part = |first: u64| -> Result<Report, Box<Failure>> {
        let mut report = Report::default();
        let stride = usize::try_from(threads.max(1)).unwrap_or(1);
        for seed in (seeds.start + first..seeds.end).step_by(stride) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let (scenario, weather) = drawn(seed);
            match play(&scenario, &weather, seed).judged() {
                Ok(ending) => report.count(&ending),
                Err(broken) => {
                    stop.store(true, Ordering::Relaxed);
                    // A replay keeps the trace. One that breaks nothing is a failure of its own.
                    replay(seed)?;
                    return Err(Box::new(Failure { seed, broken }));
                }
            }
        }
        Ok(report)
    };
    std::thread::scope(|scope| {
        let part = &part;
        let running: Vec<_> = (0..threads.max(1))
            .map(|first| scope.spawn(move || part(first)))
            .collect();
        let mut whole = Report::default();
        for thread in running {
            match thread.join() {
                Ok(report) => whole = whole.plus(report?),
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        }
        Ok(whole)
    })
}

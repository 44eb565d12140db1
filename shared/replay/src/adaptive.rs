//! The domain's policy as a controller. All endpoints of a trace are played side by side, since they
//! learn from each other.

use crate::controller::{Controller, Order};
use crate::engine::{Engine, Happening, Tally};
use crate::setting::{Setting, SettingError};
use crate::trace::{Endpoint, Trace};
use ryla_domain::time::UnixMs;
use ryla_domain::warm::{self, Calibration, DEPLOYED_WINDOW, History, Look, Terms};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

/// What a play came to.
#[derive(Debug, Default)]
pub struct Played {
    /// By endpoint, in the order of the trace.
    pub tallies: Vec<Tally>,
    /// What happened at each, where that was asked for.
    pub happenings: Vec<Vec<(f64, Happening)>>,
}

/// Plays a trace; `learnt` is what the policy has lived through before, its containers gone since.
pub fn play(
    trace: &Trace,
    learnt: Option<&Trace>,
    setting: &Setting,
    with_happenings: bool,
) -> Result<Played, SettingError> {
    let mut player = Player::new(setting)?;
    if let Some(before) = learnt {
        player.play(before, false);
    }
    Ok(player.play(trace, with_happenings))
}

struct Player<'a> {
    setting: &'a Setting,
    terms: Terms,
    max: u32,
    pool: Calibration,
    histories: BTreeMap<String, History>,
}

/// One endpoint's history with what it shares, for one event.
struct Adaptive<'a> {
    history: &'a mut History,
    pool: &'a mut Calibration,
    max: u32,
}

impl Controller for Adaptive<'_> {
    fn arrived(&mut self, at: f64, _idle_since: Option<f64>) {
        self.history.arrived(unix_ms(at), self.pool);
    }

    fn ended(&mut self, at: f64, _running: usize) {
        self.history.ended(unix_ms(at), self.pool);
    }

    fn tick(&mut self, at: f64, in_flight: usize) -> Order {
        let look = Look {
            now: unix_ms(at),
            acts_at: unix_ms(at),
            in_flight: u32::try_from(in_flight).unwrap_or(u32::MAX),
            max: self.max,
        };
        let decision = warm::decide(self.history, self.pool, look);
        Order {
            floor: usize::try_from(decision.floor).unwrap_or(usize::MAX),
            window_s: Some(decision.window_s),
            ping: false,
            again_at: decision.again_at.map_or(f64::INFINITY, seconds),
        }
    }

    fn outlives_the_trace(&self) -> bool {
        true
    }
}

/// When which engine is to move next.
#[derive(PartialEq)]
struct Turn {
    at: f64,
    index: usize,
}

impl Eq for Turn {}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at
            .total_cmp(&other.at)
            .then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Player<'a> {
    fn new(setting: &'a Setting) -> Result<Self, SettingError> {
        let setting_checked = setting.checked()?;
        let terms = Terms::new(
            setting_checked.usd_per_s,
            setting_checked.value_usd,
            setting_checked.cold_s,
            setting_checked.service_s,
        )?;
        Ok(Self {
            setting,
            terms,
            max: u32::try_from(setting.max_containers).unwrap_or(u32::MAX),
            pool: Calibration::default(),
            histories: BTreeMap::new(),
        })
    }

    fn play(&mut self, trace: &Trace, with_happenings: bool) -> Played {
        let mut histories: Vec<History> = trace
            .endpoints
            .iter()
            .map(|endpoint| self.history(endpoint))
            .collect();
        let mut engines: Vec<Engine<'_>> = trace
            .endpoints
            .iter()
            .map(|endpoint| {
                let mut engine = Engine::new(
                    *self.setting,
                    &endpoint.arrivals,
                    DEPLOYED_WINDOW.as_seconds(),
                );
                engine.happenings = with_happenings.then(Vec::new);
                engine
            })
            .collect();
        let mut turns = BinaryHeap::new();
        for (index, engine) in engines.iter().enumerate() {
            turns.extend(engine.next_at(true).map(|at| Reverse(Turn { at, index })));
        }
        while let Some(Reverse(Turn { index, .. })) = turns.pop() {
            let (engine, history) = (&mut engines[index], &mut histories[index]);
            engine.advance(&mut Adaptive {
                history,
                pool: &mut self.pool,
                max: self.max,
            });
            turns.extend(engine.next_at(true).map(|at| Reverse(Turn { at, index })));
        }
        for (history, endpoint) in histories.into_iter().zip(&trace.endpoints) {
            self.histories.insert(endpoint.name.clone(), history);
        }
        Played {
            happenings: engines.iter_mut().map(Engine::take_happenings).collect(),
            tallies: engines.into_iter().map(Engine::close).collect(),
        }
    }

    fn history(&mut self, endpoint: &Endpoint) -> History {
        if let Some(mut history) = self.histories.remove(&endpoint.name) {
            history.restart(DEPLOYED_WINDOW.as_seconds());
            return history;
        }
        let first = endpoint.arrivals.first().copied().unwrap_or_default();
        History::new(
            self.terms,
            DEPLOYED_WINDOW.as_seconds(),
            dice(&endpoint.name),
            unix_ms(first),
        )
    }
}

/// A number in [0, 1) that a name always gets (FNV-1a, then `SplitMix64`'s finish).
fn dice(name: &str) -> f64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = name.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    crate::generate::Dice::new(hash).unit()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a trace's times are below 1e11 seconds"
)]
fn unix_ms(seconds: f64) -> UnixMs {
    UnixMs((seconds * 1000.0).round() as i64)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a trace's times in milliseconds are below 2^53"
)]
fn seconds(at: UnixMs) -> f64 {
    at.0 as f64 / 1000.0
}

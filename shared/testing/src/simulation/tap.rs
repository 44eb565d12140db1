//! Where a process meets a port: every call is counted, noted, and may be harmed. Between its effect
//! and its reply other processes run.

use super::fault::{Fate, Fault, Harm};
use super::process::Kind;
use super::weather::{Storm, Weather};
use crate::SeededEntropy;
use crate::memory::lock;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// For how long a message waits for another one to overtake it.
const LONGEST_HELD: Ms = Ms::seconds(60);

/// How late a slow call is: shorter than any function may run, and than the lease on a claim.
const SLOW: Ms = Ms::seconds(25);

/// A port call as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub kind: Kind,
    /// Which of that kind, from 0.
    pub nth: usize,
    /// Port and method.
    pub name: &'static str,
    /// It looked for work and found none: dying there is dying between two processes.
    pub idle: bool,
    /// What was done to it.
    pub harm: Option<Harm>,
}

/// What all processes of a run share: the plan, the counts, the trace.
pub(super) struct Gate {
    faults: Vec<Fault>,
    storm: Option<Storm>,
    dice: SeededEntropy,
    traced: bool,
    /// From then on nothing goes wrong any more.
    quiet_from: UnixMs,
    clock: Arc<dyn Clock>,
    state: Mutex<Log>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) trace: Vec<String>,
    pub(super) calls: Vec<Call>,
    pub(super) hit: Vec<Fault>,
    counts: BTreeMap<Kind, usize>,
    pub(super) messages: usize,
    pub(super) callbacks: usize,
    /// Messages that wait for another one to overtake them: since when, what, with which delay.
    held_back: Vec<(UnixMs, String, Ms)>,
}

impl Gate {
    pub(super) fn new(
        weather: &Weather,
        seed: u64,
        quiet_from: UnixMs,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            faults: weather.faults.clone(),
            storm: weather.storm,
            dice: SeededEntropy::new(seed.rotate_left(32)),
            traced: weather.traced,
            quiet_from,
            clock,
            state: Mutex::default(),
        }
    }

    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        if self.traced {
            let line = format!("{} {}", self.clock.now(), line());
            lock(&self.state).trace.push(line);
        }
    }

    /// What the storm does here, if one rages and it strikes.
    fn strike<T: Copy>(&self, choices: &[T]) -> Option<T> {
        let storm = self.storm?;
        if self.is_quiet() || self.dice.draw() % 1000 >= storm.per_mille || choices.is_empty() {
            return None;
        }
        let drawn = self.dice.draw() % choices.len() as u64;
        choices.get(usize::try_from(drawn).unwrap_or(0)).copied()
    }

    /// Nothing goes wrong any more.
    pub(super) fn is_quiet(&self) -> bool {
        self.clock.now() >= self.quiet_from
    }

    pub(super) fn take_log(&self) -> Log {
        std::mem::take(&mut lock(&self.state))
    }

    fn count_call(&self, kind: Kind, name: &'static str) -> (usize, Option<Harm>) {
        let mut log = lock(&self.state);
        let count = log.counts.entry(kind).or_default();
        let nth = *count;
        *count += 1;
        let hit = self.hit(
            &mut log,
            |fault| matches!(fault, Fault::Call { kind: of, nth: at, harm } if *of == kind && *at == nth && harm.fits(name)),
        );
        let planned = match hit {
            Some(Fault::Call { harm, .. }) => Some(harm),
            _ => None,
        };
        let harm = planned.or_else(|| {
            let fitting = |harm: &Harm| harm.fits(name);
            let choices: Vec<Harm> = Harm::ALL.into_iter().filter(fitting).collect();
            let harm = self.strike(&choices)?;
            log.hit.push(Fault::Call { kind, nth, harm });
            Some(harm)
        });
        log.calls.push(Call {
            kind,
            nth,
            name,
            idle: false,
            harm,
        });
        (log.calls.len() - 1, harm)
    }

    /// The planned fault that is meant, unless it is quiet by now.
    fn hit(&self, log: &mut Log, meant: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let planned = self.faults.iter().find(|fault| meant(fault)).copied();
        let hit = planned.filter(|_| !self.is_quiet());
        log.hit.extend(hit);
        hit
    }

    fn set_idle(&self, at: usize) {
        if let Some(call) = lock(&self.state).calls.get_mut(at) {
            call.idle = true;
        }
    }

    /// Keeps a message until another one has overtaken it.
    pub(super) fn hold_back(&self, body: &str, delay: Ms) {
        let held = (self.clock.now(), body.to_owned(), delay);
        lock(&self.state).held_back.push(held);
    }

    /// The messages that the one just sent has overtaken.
    pub(super) fn overtaken(&self, sent: &str) -> Vec<(String, Ms)> {
        self.released(|(_, body, _)| body != sent)
    }

    /// The messages that nothing has overtaken for so long that they go as they are.
    pub(super) fn held_long_enough(&self) -> Vec<(String, Ms)> {
        let now = self.clock.now();
        self.released(|(since, ..)| now.since(*since) >= LONGEST_HELD)
    }

    /// When the next message goes that waits for another one.
    pub(super) fn next_released_at(&self) -> Option<UnixMs> {
        let log = lock(&self.state);
        let since = log.held_back.iter().map(|(since, ..)| *since).min();
        since.map(|since| since + LONGEST_HELD)
    }

    fn released(&self, goes: impl Fn(&(UnixMs, String, Ms)) -> bool) -> Vec<(String, Ms)> {
        let mut log = lock(&self.state);
        if log.held_back.is_empty() {
            return Vec::new();
        }
        let held = std::mem::take(&mut log.held_back);
        let (go, stay) = held.into_iter().partition(goes);
        log.held_back = stay;
        go.into_iter()
            .map(|(_, body, delay)| (body, delay))
            .collect()
    }

    /// What becomes of the next message.
    pub(super) fn message_fate(&self) -> Option<Fate> {
        let mut log = lock(&self.state);
        let here = log.messages;
        log.messages += 1;
        let meant = |fault: &Fault| matches!(fault, Fault::Message { nth, .. } if *nth == here);
        fate_of(self.hit(&mut log, meant)).or_else(|| {
            let fate = self.strike(&Fate::OF_MESSAGES)?;
            log.hit.push(Fault::Message { nth: here, fate });
            Some(fate)
        })
    }

    /// What becomes of the next callback.
    pub(super) fn callback_fate(&self) -> Option<Fate> {
        let mut log = lock(&self.state);
        let here = log.callbacks;
        log.callbacks += 1;
        let meant = |fault: &Fault| matches!(fault, Fault::Callback { nth, .. } if *nth == here);
        fate_of(self.hit(&mut log, meant)).or_else(|| {
            let fate = self.strike(&Fate::OF_CALLBACKS)?;
            log.hit.push(Fault::Callback { nth: here, fate });
            Some(fate)
        })
    }
}

const fn fate_of(hit: Option<Fault>) -> Option<Fate> {
    match hit {
        Some(Fault::Message { fate, .. } | Fault::Callback { fate, .. }) => Some(fate),
        _ => None,
    }
}

/// A call that was made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("injected")]
pub(super) struct Injected {
    /// It had its effect before.
    pub(super) after_effect: bool,
    /// The callee was too busy for it.
    pub(super) throttled: bool,
}

/// One process's way to the ports.
pub(super) struct Tap {
    kind: Kind,
    id: usize,
    pub(super) gate: Arc<Gate>,
    dead: AtomicBool,
    /// Until then it does nothing, in ms.
    asleep_until: AtomicI64,
}

impl Tap {
    pub(super) fn new(kind: Kind, id: usize, gate: Arc<Gate>) -> Self {
        Self {
            kind,
            id,
            gate,
            dead: AtomicBool::new(false),
            asleep_until: AtomicI64::new(i64::MIN),
        }
    }

    /// When it goes on.
    pub(super) fn asleep_until(&self) -> UnixMs {
        UnixMs(self.asleep_until.load(Ordering::Relaxed))
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// A port call. `idle` says whether its reply means that there was nothing to do.
    pub(super) async fn call<T>(
        &self,
        name: &'static str,
        effect: impl Future<Output = T>,
        idle: impl FnOnce(&T) -> bool,
    ) -> Result<T, Injected> {
        self.read(name, effect, None::<std::future::Ready<T>>, idle)
            .await
    }

    /// A port call that may answer with what was true a moment before.
    pub(super) async fn read<T>(
        &self,
        name: &'static str,
        effect: impl Future<Output = T>,
        before: Option<impl Future<Output = T>>,
        idle: impl FnOnce(&T) -> bool,
    ) -> Result<T, Injected> {
        Others::first().await;
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        let (at, harm) = self.gate.count_call(self.kind, name);
        self.gate.note(|| {
            let what = format!("{}#{} {name}", self.kind.name(), self.id);
            harm.map_or_else(|| what.clone(), |harm| format!("{what} {harm:?}"))
        });
        if harm == Some(Harm::DeathBefore) {
            self.die().await;
        }
        if harm == Some(Harm::Slow) {
            let until = self.gate.clock.now() + SLOW;
            self.asleep_until.store(until.0, Ordering::Relaxed);
            Others::first().await;
        }
        if matches!(harm, Some(Harm::Error | Harm::Throttled)) {
            return Err(Injected {
                after_effect: false,
                throttled: harm == Some(Harm::Throttled),
            });
        }
        let reply = match before.filter(|_| harm == Some(Harm::Stale)) {
            Some(before) => before.await,
            None => effect.await,
        };
        if idle(&reply) {
            self.gate.set_idle(at);
        }
        if harm == Some(Harm::DeathAfter) {
            self.die().await;
        }
        Others::first().await;
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        if harm == Some(Harm::LostReply) {
            return Err(Injected {
                after_effect: true,
                throttled: false,
            });
        }
        Ok(reply)
    }

    async fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
}

/// Ready at the second look: whoever drives the processes may drive another one first.
struct Others {
    waited: bool,
}

impl Others {
    const fn first() -> Self {
        Self { waited: false }
    }
}

impl Future for Others {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.waited {
            return Poll::Ready(());
        }
        self.waited = true;
        Poll::Pending
    }
}

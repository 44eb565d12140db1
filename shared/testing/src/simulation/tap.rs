//! Where a process meets a port: every call is counted, noted, and may be harmed. Between its effect
//! and its reply other processes run.

use super::fault::{Fate, Fault, Harm};
use super::process::Kind;
use crate::memory::lock;
use ryla_domain::time::UnixMs;
use ryla_engine::port::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

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
}

impl Gate {
    pub(super) fn new(faults: &[Fault], quiet_from: UnixMs, clock: Arc<dyn Clock>) -> Self {
        Self {
            faults: faults.to_vec(),
            quiet_from,
            clock,
            state: Mutex::default(),
        }
    }

    pub(super) fn note(&self, line: &str) {
        let now = self.clock.now();
        lock(&self.state).trace.push(format!("{now} {line}"));
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
            |fault| matches!(fault, Fault::Call { kind: of, nth: at, .. } if *of == kind && *at == nth),
        );
        let harm = match hit {
            Some(Fault::Call { harm, .. }) => Some(harm),
            _ => None,
        };
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
        let hit = planned.filter(|_| self.clock.now() < self.quiet_from);
        log.hit.extend(hit);
        hit
    }

    fn set_idle(&self, at: usize) {
        if let Some(call) = lock(&self.state).calls.get_mut(at) {
            call.idle = true;
        }
    }

    /// What becomes of the next message.
    pub(super) fn message_fate(&self) -> Option<Fate> {
        let mut log = lock(&self.state);
        let here = log.messages;
        log.messages += 1;
        let meant = |fault: &Fault| matches!(fault, Fault::Message { nth, .. } if *nth == here);
        fate_of(self.hit(&mut log, meant))
    }

    /// What becomes of the next callback.
    pub(super) fn callback_fate(&self) -> Option<Fate> {
        let mut log = lock(&self.state);
        let here = log.callbacks;
        log.callbacks += 1;
        let meant = |fault: &Fault| matches!(fault, Fault::Callback { nth, .. } if *nth == here);
        fate_of(self.hit(&mut log, meant))
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
}

/// One process's way to the ports.
pub(super) struct Tap {
    kind: Kind,
    id: usize,
    pub(super) gate: Arc<Gate>,
    dead: AtomicBool,
}

impl Tap {
    pub(super) fn new(kind: Kind, id: usize, gate: Arc<Gate>) -> Self {
        Self {
            kind,
            id,
            gate,
            dead: AtomicBool::new(false),
        }
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
        Others::first().await;
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        let (at, harm) = self.gate.count_call(self.kind, name);
        let what = format!("{}#{} {name}", self.kind.name(), self.id);
        match harm {
            None => self.gate.note(&what),
            Some(harm) => self.gate.note(&format!("{what} {harm:?}")),
        }
        if harm == Some(Harm::DeathBefore) {
            self.die().await;
        }
        if harm == Some(Harm::Error) {
            return Err(Injected {
                after_effect: false,
            });
        }
        let reply = effect.await;
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
            return Err(Injected { after_effect: true });
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

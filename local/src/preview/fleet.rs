//! The simulated GPU containers of one class: they boot for runs that wait and for a floor, take one run at
//! a time, idle, and go after the window. The rules are the cost model of docs/WARM.md. Time is an
//! argument; `containers.rs` says when.

use super::events::{EventLog, Happened};
use ryla_domain::time::{Ms, UnixMs};

/// Runs that wait for a container of the class.
pub(super) trait Line {
    /// A waiting run.
    type Run;
    /// How many wait.
    fn waiting(&self) -> usize;
    /// The one that waits longest.
    fn take(&self) -> Option<Self::Run>;
    /// Its name, and since when it waits.
    fn describe(&self, run: &Self::Run) -> (String, UnixMs);
}

/// A run that a container takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken<R> {
    pub(super) run: R,
    pub(super) container: u64,
    /// What the container's boot took: said once, by its first run.
    pub(super) boot: Ms,
}

/// How many containers of a class there are, and what is asked of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassState {
    /// Containers that are not released.
    pub floor: u32,
    /// How long an idle container above the floor stays.
    pub window: Ms,
    /// Containers that boot.
    pub booting: usize,
    /// Containers that wait for a run.
    pub idle: usize,
    /// Containers with a run.
    pub busy: usize,
}

impl ClassState {
    /// Containers that cost.
    pub const fn containers(&self) -> usize {
        self.booting + self.idle + self.busy
    }
}

#[derive(Clone, Copy, Debug)]
struct Booting {
    container: u64,
    ready_at: UnixMs,
}

#[derive(Clone, Copy, Debug)]
struct Idle {
    container: u64,
    since: UnixMs,
    /// Its boot, where no run has said it yet.
    boot: Ms,
}

/// The containers of one class.
#[derive(Debug)]
pub(super) struct Fleet {
    class: &'static str,
    boot: Ms,
    max: usize,
    floor: u32,
    window: Ms,
    booting: Vec<Booting>,
    /// The most recently used one is last and takes the next run.
    idle: Vec<Idle>,
    busy: usize,
    numbered: u64,
    /// The last instant at which everything due was done, or a lever moved.
    settled: UnixMs,
}

impl Fleet {
    /// No container. `window` holds until a lease says otherwise.
    pub(super) fn new(class: &'static str, boot: Ms, max: usize, window: Ms, now: UnixMs) -> Self {
        Self {
            class,
            boot,
            max: max.max(1),
            floor: 0,
            window,
            booting: Vec::new(),
            idle: Vec::new(),
            busy: 0,
            numbered: 0,
            settled: now,
        }
    }

    pub(super) const fn class(&self) -> &'static str {
        self.class
    }

    pub(super) fn state(&self) -> ClassState {
        ClassState {
            floor: self.floor,
            window: self.window,
            booting: self.booting.len(),
            idle: self.idle.len(),
            busy: self.busy,
        }
    }

    /// Sets the levers; `None` leaves the window as it is.
    pub(super) fn set(&mut self, floor: u32, window: Option<Ms>, now: UnixMs, log: &mut EventLog) {
        let window = window.unwrap_or(self.window);
        if (floor, window) == (self.floor, self.window) {
            return;
        }
        // What was over before goes by the levers that held then.
        self.release(now - Ms(1), now, log);
        self.settled = self.settled.max(now);
        (self.floor, self.window) = (floor, window);
        let what = Happened::Set {
            floor,
            window_ms: window.0,
        };
        log.add(now, self.class, what);
    }

    /// A container's run has ended.
    pub(super) fn ended(&mut self, container: u64, now: UnixMs, log: &mut EventLog) {
        self.busy = self.busy.saturating_sub(1);
        self.idle.push(Idle {
            container,
            since: now,
            boot: Ms(0),
        });
        log.add(now, self.class, Happened::Idle { container });
    }

    /// Does everything that is due: boots end, containers go, runs are taken, boots begin. The runs that
    /// were taken are the caller's to carry out.
    pub(super) fn step<L: Line>(
        &mut self,
        now: UnixMs,
        line: &L,
        log: &mut EventLog,
    ) -> Vec<Taken<L::Run>> {
        let mut taken = Vec::new();
        loop {
            self.become_ready(now, log);
            // A container whose time was over before this instant is not there any more.
            self.release(now - Ms(1), now, log);
            self.take(now, line, log, &mut taken);
            self.boot_for(line.waiting(), now, log);
            // Without a boot time it is ready in the same instant.
            if !self.booting.iter().any(|boot| boot.ready_at <= now) {
                break;
            }
        }
        self.release(now, now, log);
        self.settled = self.settled.max(now);
        taken
    }

    /// When something is due next, unless a run arrives or ends before; `None`: never.
    pub(super) fn next_at(&self) -> Option<UnixMs> {
        let ready = self.booting.iter().map(|boot| boot.ready_at).min();
        let goes = if self.above_floor() > 0 {
            self.idle.iter().map(|idle| idle.since + self.window).min()
        } else {
            None
        };
        ready.into_iter().chain(goes).min()
    }

    fn become_ready(&mut self, now: UnixMs, log: &mut EventLog) {
        let (ready, booting) = std::mem::take(&mut self.booting)
            .into_iter()
            .partition(|boot: &Booting| boot.ready_at <= now);
        self.booting = booting;
        for boot in ready {
            let (container, at) = (boot.container, boot.ready_at);
            log.add(at, self.class, Happened::Ready { container });
            self.idle.push(Idle {
                container,
                since: at,
                boot: self.boot,
            });
        }
    }

    fn take<L: Line>(
        &mut self,
        now: UnixMs,
        line: &L,
        log: &mut EventLog,
        taken: &mut Vec<Taken<L::Run>>,
    ) {
        while !self.idle.is_empty() {
            // It may have been cancelled since it was counted.
            let Some(run) = line.take() else { return };
            let Some(idle) = self.idle.pop() else { return };
            self.busy += 1;
            let (name, since) = line.describe(&run);
            let what = Happened::Took {
                container: idle.container,
                run: name,
                waited_ms: now.since(since).0,
            };
            log.add(now, self.class, what);
            taken.push(Taken {
                run,
                container: idle.container,
                boot: idle.boot,
            });
        }
    }

    /// A boot for each waiting run that no boot covers, and for what the floor lacks.
    fn boot_for(&mut self, waiting: usize, now: UnixMs, log: &mut EventLog) {
        let floor = usize::try_from(self.floor).unwrap_or(usize::MAX);
        loop {
            let there = self.state().containers();
            let wanted = self.booting.len() < waiting || there < floor;
            if !wanted || there >= self.max {
                return;
            }
            self.numbered += 1;
            let container = self.numbered;
            self.booting.push(Booting {
                container,
                ready_at: now + self.boot,
            });
            log.add(now, self.class, Happened::BootBegan { container });
        }
    }

    /// Lets idle containers above the floor go whose time is over by `due`; the longest idle first.
    fn release(&mut self, due: UnixMs, now: UnixMs, log: &mut EventLog) {
        let mut place = 0;
        while place < self.idle.len() {
            let Idle {
                container, since, ..
            } = self.idle[place];
            let over = since + self.window;
            if over > due || self.above_floor() == 0 {
                place += 1;
                continue;
            }
            self.idle.remove(place);
            // It stayed beyond its time for a floor or a longer window, which have ended only now.
            let at = if over > self.settled { over } else { now };
            log.add(at, self.class, Happened::Released { container });
        }
    }

    fn above_floor(&self) -> usize {
        let floor = usize::try_from(self.floor).unwrap_or(usize::MAX);
        self.state().containers().saturating_sub(floor)
    }
}

#[cfg(test)]
mod tests;

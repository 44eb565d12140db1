//! The containers of one endpoint, event by event. One request at a time runs on a container; a request
//! that finds none free waits in line, and a boot begins for each one in line that no boot under way
//! covers. Must not know the policy: orders come from a [`Controller`].

use crate::controller::{Controller, Order};
use crate::setting::Setting;
use std::collections::VecDeque;

const MINUTE_S: f64 = 60.0;

/// What happened, for the timeline of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening {
    /// A request arrived.
    Arrived,
    /// A request began after so many seconds of waiting.
    Began(f64),
    /// So many containers exist from now on.
    Containers(usize),
    /// The floor is so high from now on.
    Floor(usize),
}

/// What the containers of one endpoint did.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Container seconds without work.
    pub idle_s: f64,
    /// Container seconds of booting.
    pub boot_s: f64,
    /// Boots.
    pub boots: usize,
    /// Seconds that each request waited.
    pub waits: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Idle {
    /// What the window counts from: the last request or ping.
    used_at: f64,
    /// Idle seconds count from here.
    since: f64,
}

/// Containers and requests of one endpoint.
#[derive(Debug)]
pub struct Engine<'a> {
    setting: Setting,
    arrivals: &'a [f64],
    arrived: usize,
    window_s: f64,
    floor: usize,
    /// The most recently used one is last and takes the next request.
    idle: VecDeque<Idle>,
    /// Ends of running requests; all take equally long, so that they end in the order of beginning.
    busy: VecDeque<f64>,
    /// Ends of boots, likewise.
    boots: VecDeque<f64>,
    /// Arrival times of requests in line.
    line: VecDeque<f64>,
    idle_since: Option<f64>,
    next_tick: f64,
    now: f64,
    tally: Tally,
    /// What happened, where somebody wants to know.
    pub happenings: Option<Vec<(f64, Happening)>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Ended,
    Booted,
    Released,
    Arrival,
    Tick,
}

impl<'a> Engine<'a> {
    /// Before the first arrival: no container. `window_s` holds until a controller says otherwise.
    pub fn new(setting: Setting, arrivals: &'a [f64], window_s: f64) -> Self {
        let first = arrivals.first().copied().unwrap_or(0.0);
        Self {
            setting,
            arrivals,
            arrived: 0,
            window_s,
            floor: 0,
            idle: VecDeque::new(),
            busy: VecDeque::new(),
            boots: VecDeque::new(),
            line: VecDeque::new(),
            idle_since: None,
            next_tick: (first / MINUTE_S).floor() * MINUTE_S,
            now: f64::NEG_INFINITY,
            tally: Tally {
                waits: Vec::with_capacity(arrivals.len()),
                ..Tally::default()
            },
            happenings: None,
        }
    }

    /// To the end, alone.
    pub fn run(mut self, controller: &mut impl Controller) -> Tally {
        while let Some((at, event)) = self.next(controller.outlives_the_trace()) {
            self.step(at, event, controller);
        }
        self.close()
    }

    /// When something happens next, if anything does.
    pub fn next_at(&self, outlives: bool) -> Option<f64> {
        self.next(outlives).map(|(at, _)| at)
    }

    /// Lets the next thing happen.
    pub fn advance(&mut self, controller: &mut impl Controller) {
        if let Some((at, event)) = self.next(controller.outlives_the_trace()) {
            self.step(at, event, controller);
        }
    }

    /// What all of it came to. Containers still held by a floor are released after their window.
    pub fn close(mut self) -> Tally {
        self.tally.idle_s += self.window_s * count(self.idle.len());
        self.tally
    }

    /// What happened, taken out.
    pub fn take_happenings(&mut self) -> Vec<(f64, Happening)> {
        self.happenings.take().unwrap_or_default()
    }

    fn containers(&self) -> usize {
        self.idle.len() + self.busy.len() + self.boots.len()
    }

    /// Of what happens at the same instant, ends come first and ticks last.
    fn next(&self, outlives: bool) -> Option<(f64, Event)> {
        let arrival = self.arrivals.get(self.arrived).copied();
        let release = self
            .idle
            .front()
            .filter(|_| self.containers() > self.floor)
            .map(|oldest| (oldest.used_at + self.window_s).max(self.now));
        let asked = arrival.is_some()
            || outlives && (self.floor > 0 || self.containers() > 0 || !self.line.is_empty());
        let tick = Some(self.next_tick).filter(|at| asked && at.is_finite());
        let mut soonest: Option<(f64, Event)> = None;
        for (at, event) in [
            (self.busy.front().copied(), Event::Ended),
            (self.boots.front().copied(), Event::Booted),
            (release, Event::Released),
            (arrival, Event::Arrival),
            (tick, Event::Tick),
        ] {
            if let Some(at) = at
                && soonest.is_none_or(|(other, _)| at < other)
            {
                soonest = Some((at, event));
            }
        }
        soonest
    }

    fn step(&mut self, at: f64, event: Event, controller: &mut impl Controller) {
        self.now = at;
        let before = (self.containers(), self.floor);
        match event {
            Event::Ended => {
                self.busy.pop_front();
                self.free(at);
                let running = self.busy.len() + self.line.len();
                if running == 0 {
                    self.idle_since = Some(at);
                }
                controller.ended(at, running);
                self.wake(at);
            }
            Event::Booted => {
                self.boots.pop_front();
                self.free(at);
            }
            Event::Released => {
                if let Some(oldest) = self.idle.pop_front() {
                    self.tally.idle_s += at - oldest.since;
                }
            }
            Event::Arrival => self.arrive(at, controller),
            Event::Tick => {
                let order = controller.tick(at, self.busy.len() + self.line.len());
                self.obey(at, &order);
            }
        }
        self.note(before);
    }

    fn arrive(&mut self, at: f64, controller: &mut impl Controller) {
        self.arrived += 1;
        let nothing_runs = self.busy.is_empty() && self.line.is_empty();
        controller.arrived(at, self.idle_since.filter(|_| nothing_runs));
        self.log(Happening::Arrived);
        if let Some(newest) = self.idle.pop_back() {
            self.tally.idle_s += at - newest.since;
            self.serve(at, at);
        } else {
            self.line.push_back(at);
            if self.boots.len() < self.line.len() && self.containers() < self.setting.max_containers
            {
                self.boot(at);
            }
        }
        self.wake(at);
    }

    fn obey(&mut self, at: f64, order: &Order) {
        if let Some(window_s) = order.window_s {
            self.window_s = window_s;
        }
        self.floor = order.floor.min(self.setting.max_containers);
        if order.ping {
            if let Some(newest) = self.idle.back_mut() {
                newest.used_at = at;
            } else if self.busy.is_empty() && self.boots.is_empty() {
                self.boot(at);
            }
        }
        while self.containers() < self.floor {
            self.boot(at);
        }
        self.next_tick = if order.again_at.is_finite() {
            (at + MINUTE_S).max((order.again_at / MINUTE_S).ceil() * MINUTE_S)
        } else {
            f64::INFINITY
        };
    }

    /// A container has nothing to do: it takes the head of the line, or is idle.
    fn free(&mut self, at: f64) {
        match self.line.pop_front() {
            Some(arrived_at) => self.serve(at, arrived_at),
            None => self.idle.push_back(Idle {
                used_at: at,
                since: at,
            }),
        }
    }

    fn serve(&mut self, at: f64, arrived_at: f64) {
        self.tally.waits.push(at - arrived_at);
        self.busy.push_back(at + self.setting.service_s);
        self.log(Happening::Began(at - arrived_at));
    }

    fn boot(&mut self, at: f64) {
        self.tally.boots += 1;
        self.tally.boot_s += self.setting.cold_s;
        self.boots.push_back(at + self.setting.cold_s);
    }

    /// The controller is asked at the next whole minute.
    fn wake(&mut self, at: f64) {
        let minute = ((at / MINUTE_S).floor() + 1.0) * MINUTE_S;
        self.next_tick = self.next_tick.min(minute);
    }

    fn log(&mut self, happening: Happening) {
        if let Some(all) = &mut self.happenings {
            all.push((self.now, happening));
        }
    }

    fn note(&mut self, (containers, floor): (usize, usize)) {
        if self.happenings.is_some() {
            if self.containers() != containers {
                self.log(Happening::Containers(self.containers()));
            }
            if self.floor != floor {
                self.log(Happening::Floor(self.floor));
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of containers and requests"
)]
pub(crate) const fn count(number: usize) -> f64 {
    number as f64
}

//! What keeping an endpoint warm has cost and spared, by UTC day: a model of its containers, fed with the
//! same arrivals and ends as the history and with the levers as they were asserted. Steers nothing. What
//! metrics, `ryla warm status` and `ryla warm demo` print comes from here.

use super::decide::LONGEST_WINDOW_S;
use crate::time::{Ms, UnixMs};
use serde::{Deserialize, Serialize};

/// Idle containers that are followed; a class has far fewer.
const MOST_IDLE: usize = 100;
/// A clock that goes back by more was wrong before.
const MOST_BACK: Ms = Ms::seconds(600);
const DAY_MS: i64 = 86_400_000;

/// The figures of one endpoint on one UTC day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Requests sent to the backend.
    pub arrivals: u64,
    /// Requests for which a container had to boot.
    pub cold_starts: u64,
    /// Requests that took a container which the class's deployed window alone would have released.
    pub avoided: u64,
    /// Seconds in which containers were there without work.
    pub idle_s: f64,
    /// What those seconds cost, in dollars.
    pub idle_usd: f64,
}

/// What a backend was asked to hold, from when until when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    from: UnixMs,
    floor: u32,
    window_s: f64,
    until: UnixMs,
    /// Seconds that a container boots which is missing.
    boot_s: f64,
}

/// Over, and nothing was held.
impl Default for Asked {
    fn default() -> Self {
        Self {
            from: UnixMs(0),
            floor: 0,
            window_s: 0.0,
            until: UnixMs(0),
            boot_s: 0.0,
        }
    }
}

/// A container without work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Idle {
    since: UnixMs,
    /// It was booted for a floor and nobody has used it yet.
    ahead: bool,
}

/// Its time is over.
impl Default for Idle {
    fn default() -> Self {
        Self {
            since: UnixMs(0),
            ahead: false,
        }
    }
}

/// The class as it is deployed: what holds where no lease does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deployed {
    /// Seconds after its last use at which an idle container is released.
    pub window_s: f64,
    /// The most containers at once; [`Self::NOT_SAID`] until its backend has said so.
    pub max: u32,
    /// Dollars for a container's second.
    pub usd_per_s: f64,
}

impl Deployed {
    /// The maximum of a class of which none is known.
    pub const NOT_SAID: u32 = u32::MAX;
}

/// The containers of one endpoint, as its arrivals, ends and leases explain them. What an older build's
/// row lacks is as it is at the beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    deployed: Deployed,
    now: UnixMs,
    asked: Option<Asked>,
    /// Takes the place of `asked` when its time comes: leases are taken ahead of what is told.
    next: Option<Asked>,
    /// Oldest first; the newest is used first.
    idle: Vec<Idle>,
    busy: u32,
    /// Requests beyond the most containers.
    line: u32,
    today: Day,
    /// The day that was told of before, for a clock that goes back to it.
    before: Day,
}

impl Default for Account {
    fn default() -> Self {
        Self::new(Deployed::default(), UnixMs(0))
    }
}

impl Account {
    /// Nothing is there and nothing was spent.
    pub fn new(deployed: Deployed, now: UnixMs) -> Self {
        Self {
            deployed,
            now,
            asked: None,
            next: None,
            idle: Vec::new(),
            busy: 0,
            line: 0,
            today: Day {
                day: day_of(now),
                ..Day::default()
            },
            before: Day::default(),
        }
    }

    /// The class as it is deployed from now on. Where its maximum is learnt only now, the containers beyond it have
    /// never been: who was thought to run on them stands in line, and booted none.
    pub fn set_deployed(&mut self, deployed: Deployed) {
        let most = match self.deployed.max {
            Deployed::NOT_SAID => deployed.max.max(1),
            _ => Deployed::NOT_SAID,
        };
        self.deployed = deployed;
        let waiting = self.busy.saturating_sub(most);
        self.busy -= waiting;
        self.line = self.line.saturating_add(waiting);
        let none = self.idle().saturating_sub(most - self.busy);
        self.idle.drain(..usize::try_from(none).unwrap_or_default());
        let cold_starts = &mut self.today.cold_starts;
        *cold_starts = cold_starts.saturating_sub(u64::from(waiting) + u64::from(none));
    }

    /// The figures of the day in which `now` lies, as far as they were told.
    pub fn on_day_of(&self, now: UnixMs) -> Day {
        let day = day_of(now);
        if let Some(told) = [self.today, self.before]
            .iter()
            .find(|told| told.day == day)
        {
            *told
        } else {
            Day {
                day,
                ..Day::default()
            }
        }
    }

    /// Containers without work, as of the last instant told.
    pub fn idle(&self) -> u32 {
        u32::try_from(self.idle.len()).unwrap_or(u32::MAX)
    }

    /// A request was sent to the backend.
    pub fn arrived(&mut self, at: UnixMs) {
        self.pass(at);
        self.today.arrivals += 1;
        let now = self.now;
        match self.idle.pop() {
            Some(idle) if idle.since <= now => {
                let age_s = now.since(idle.since).as_seconds();
                if idle.ahead || age_s >= self.deployed.window_s {
                    self.today.avoided += 1;
                }
                self.busy += 1;
            }
            // It boots ahead and is not ready: the request waits as for any boot.
            Some(_) => {
                self.today.cold_starts += 1;
                self.busy += 1;
            }
            None if self.busy < self.deployed.max.max(1) => {
                self.today.cold_starts += 1;
                self.busy += 1;
            }
            None => self.line = self.line.saturating_add(1),
        }
    }

    /// A request ended; its container takes the next one in line, or idles.
    pub fn ended(&mut self, at: UnixMs) {
        self.pass(at);
        if self.line > 0 {
            self.line -= 1;
            return;
        }
        self.busy = self.busy.saturating_sub(1);
        if self.idle.len() == MOST_IDLE {
            self.idle.remove(0);
        }
        self.idle.push(Idle {
            since: self.now,
            ahead: false,
        });
    }

    /// Goes on from that instant without any container or request: after a gap in what was told.
    pub fn forget(&mut self, at: UnixMs) {
        self.idle.clear();
        (self.busy, self.line) = (0, 0);
        self.asked = self.next.take().or(self.asked).map(|asked| Asked {
            floor: 0,
            until: at,
            ..asked
        });
        self.now = at;
        self.roll();
    }

    /// So many requests will never be heard of again, and nothing is known of their containers.
    pub fn lost(&mut self, requests: u32) {
        let from_line = self.line.min(requests);
        self.line -= from_line;
        self.busy = self.busy.saturating_sub(requests - from_line);
    }

    /// No more requests than that are under way: what is held beyond them has ended unheard, first of
    /// those in line. Nothing is known of their containers.
    pub fn settle(&mut self, under_way: u32) {
        let held = self.busy.saturating_add(self.line);
        self.lost(held.saturating_sub(under_way));
    }

    /// The backend took a lease: so many containers, and that window for the rest, from then until then.
    /// What is missing boots for `boot_s`. It may be told before what happened until then; of two that
    /// lie ahead the last one told counts.
    pub fn asked(&mut self, from: UnixMs, floor: u32, window_s: f64, until: UnixMs, boot_s: f64) {
        self.next = Some(Asked {
            from,
            floor,
            window_s,
            until,
            boot_s,
        });
        self.pass(self.now);
    }

    /// Puts a lease in force whose time has come.
    fn begin_next(&mut self) {
        let due = self.next.take_if(|next| next.from <= self.now);
        let Some(asked) = due else {
            return;
        };
        self.asked = Some(asked);
        let there = self.busy.saturating_add(self.idle());
        for _ in there..asked.floor.min(self.deployed.max) {
            let ready = Idle {
                since: self.now + Ms::from_secs_f64(asked.boot_s),
                ahead: true,
            };
            self.idle.insert(0, ready);
        }
    }

    /// Lets the time pass: idle containers cost, and go when their time is over. A clock that goes back
    /// a little stands still; by more, nothing of what it said ahead is true, but what was spent stays.
    pub fn pass(&mut self, at: UnixMs) {
        if self.now.since(at) > MOST_BACK {
            self.forget(at);
        }
        self.begin_next();
        while self.now < at {
            // Bounded: one step for a lease's beginning, its end, and a day's; a gap of days is one step.
            let step = at.min(self.next_change());
            self.pass_within(step);
            self.begin_next();
            let lapsed = self.asked.is_none_or(|asked| asked.until <= self.now);
            if self.idle.is_empty() && lapsed && self.next.is_none() {
                self.now = at;
            }
            self.roll();
        }
    }

    /// The next instant at which the levers or the day change.
    fn next_change(&self) -> UnixMs {
        let midnight = UnixMs(day_of(self.now).saturating_add(1).saturating_mul(DAY_MS));
        let ahead = |at: &UnixMs| *at > self.now;
        let end = self.asked.map(|asked| asked.until).filter(ahead);
        let begin = self.next.map(|next| next.from).filter(ahead);
        [end, begin]
            .into_iter()
            .flatten()
            .fold(midnight, UnixMs::min)
    }

    fn pass_within(&mut self, until: UnixMs) {
        let (floor, window_s) = match self.asked {
            Some(asked) if asked.until > self.now => (asked.floor, asked.window_s),
            // A lease that ends takes its floor with it; its window stays.
            Some(asked) if asked.window_s <= LONGEST_WINDOW_S => (0, asked.window_s),
            _ => (0, self.deployed.window_s),
        };
        let window = Ms::from_secs_f64(window_s);
        let kept = usize::try_from(floor.saturating_sub(self.busy)).unwrap_or(usize::MAX);
        let (now, mut left) = (self.now, self.idle.len());
        let mut idle_s = 0.0;
        self.idle.retain(|idle| {
            let begin = idle.since.max(now);
            let over = (idle.since + window).max(now);
            let goes = over <= until && left > kept;
            idle_s += if goes { over } else { until }.since(begin).as_seconds();
            left -= usize::from(goes);
            !goes
        });
        self.today.idle_s += idle_s;
        self.today.idle_usd += idle_s * self.deployed.usd_per_s;
        self.now = until;
    }

    fn roll(&mut self) {
        let today = self.on_day_of(self.now);
        if today.day != self.today.day {
            // A day of which nothing was told does not take the place of one that was.
            if self.today.arrivals > 0 || self.today.idle_s > 0.0 {
                self.before = self.today;
            }
            self.today = today;
        }
    }
}

/// Days since 1970-01-01, in UTC.
const fn day_of(at: UnixMs) -> i64 {
    at.0.div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests;

//! The world of a run: what is stored, who is under way, what is still to come, and what was seen.

use super::ending::{Ending, Known};
use super::fault::Fate;
use super::newer_build::NewerBuild;
use super::ports::LATE;
use super::process::{Outcome, Process, Task, account_of, stranger_to};
use super::scenario::{Scenario, Site};
use super::tap::Gate;
use super::trace::{name_of, text_of};
use super::weather::Weather;
use crate::backend::FakeBackend;
use crate::sample::CREATED_AT;
use crate::{
    ManualClock, MemoryEndpointStore, MemoryImageStore, MemoryJobStore, MemoryQueue, SeededEntropy,
};
use ryla_domain::id::{Attempt, JobKey};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::complete::{Callback, Event};
use ryla_engine::dispatch::Handled;
use ryla_engine::port::Clock;
use ryla_engine::settings::Settings;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How long the world is watched after the deadline: longer than any message can be hidden.
const AFTERMATH: Ms = Ms::seconds(1_800);

/// How often clients and workers try again what failed, and after which pause.
const TRIES: u32 = 6;
const PAUSE: Ms = Ms::seconds(5);

/// How old what a stale read shows is at least, and how late a worker repeats itself.
pub(super) const STALE: Ms = Ms::seconds(2);
const LONG_AFTER: Ms = Ms::seconds(250);

/// When clients look at their job, counted from when they were told of it.
const LOOKS: [Ms; 2] = [Ms(300), Ms::seconds(20)];

/// The world of a run.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) jobs: Arc<MemoryJobStore>,
    /// As it was some seconds ago: what stale reads see.
    pub(super) jobs_before: Arc<MemoryJobStore>,
    pub(super) jobs_next: MemoryJobStore,
    pub(super) copied_at: UnixMs,
    pub(super) looked_after: u64,
    pub(super) images: Arc<MemoryImageStore>,
    pub(super) endpoints: Arc<MemoryEndpointStore>,
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) sites: Vec<Arc<FakeBackend>>,
    pub(super) settings: Arc<Settings>,
    pub(super) ids: Arc<SeededEntropy>,
    pub(super) gate: Arc<Gate>,
    newer_build: NewerBuild,
    pub(super) scenario: Scenario,
    weather: Weather,
    ahead: bool,
    behind: bool,
    no_sweep: bool,
    seed: u64,
    order: SeededEntropy,
    agenda: BTreeMap<(UnixMs, u64), Task>,
    live: Vec<Process>,
    begun: usize,
    planned: u64,
    told: Vec<Option<JobKey>>,
    pub(super) known: BTreeMap<JobKey, Known>,
    pub(super) seen_wrong: Vec<String>,
}

impl World {
    pub(super) fn new(scenario: &Scenario, weather: &Weather, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(CREATED_AT));
        // Time is the world's: a process that limits its wait moves it for nobody.
        clock.hold_sleepers();
        let shared = || Arc::clone(&clock) as Arc<dyn Clock>;
        let images = Arc::new(MemoryImageStore::new(shared()));
        let site = |site| Arc::new(built(site, shared(), &images));
        let sites = scenario.sites.iter().map(site).collect();
        let deadline = scenario.cancel_after.unwrap_or(scenario.timers.deadline);
        // One fault may hit at any time where the clocks are right. Several could follow each other through every sweep around the
        // deadline: from two sweeps before it nothing goes wrong any more, with less time than that
        // from its half.
        let quiet = match (weather.storm, &weather.faults[..]) {
            (Some(storm), _) => storm.over_at,
            (None, [] | [_]) if weather.skew == Ms(0) => Ms(deadline.0 + AFTERMATH.0),
            _ => Ms((deadline.0 / 2).max(deadline.0.saturating_sub(120_000))),
        };
        let mut world = Self {
            gate: Arc::new(Gate::new(weather, seed, CREATED_AT + quiet, shared())),
            jobs: Arc::new(MemoryJobStore::without(weather.without)),
            jobs_before: Arc::default(),
            jobs_next: MemoryJobStore::default(),
            copied_at: CREATED_AT,
            looked_after: 0,
            queue: Arc::new(MemoryQueue::new(shared())),
            images,
            endpoints: Arc::default(),
            sites,
            settings: Arc::new(settings(scenario)),
            ids: Arc::new(SeededEntropy::new(!seed)),
            newer_build: NewerBuild::new(scenario.taken_over),
            scenario: scenario.clone(),
            weather: weather.clone(),
            ahead: false,
            behind: false,
            no_sweep: false,
            seed,
            order: SeededEntropy::new(seed),
            agenda: BTreeMap::new(),
            live: Vec::new(),
            begun: 0,
            planned: 0,
            told: vec![None; scenario.clients],
            known: BTreeMap::new(),
            seen_wrong: Vec::new(),
            clock,
        };
        for client in 0..scenario.clients {
            let wait = Ms(client as u64 * 1_500);
            world.plan(wait, Task::Submit { client, tries: 0 });
        }
        // The schedule knows nothing of the jobs.
        let first_sweep = Ms(world.below(60_000));
        world.plan(first_sweep, Task::Sweep);
        world
    }

    pub(super) fn play(mut self) -> Ending {
        let over_at = self.weather.storm.map_or(Ms(0), |storm| storm.over_at);
        let limit = self.scenario.timers.deadline.max(over_at);
        let horizon = CREATED_AT + Ms(limit.0 + AFTERMATH.0);
        while self.clock.now() <= horizon {
            self.begin_what_is_due();
            let now = self.clock.now();
            let awake = |process: &Process| process.asleep_until() <= now;
            let places = self.live.iter().enumerate();
            let awake = places.filter(|(_, process)| awake(process));
            let awake: Vec<usize> = awake.map(|(place, _)| place).collect();
            if awake.is_empty() {
                match self.next_at() {
                    Some(at) => self.clock.set(at.max(self.clock.now())),
                    None => break,
                }
                continue;
            }
            let chosen = usize::try_from(self.below(awake.len() as u64)).unwrap_or(0);
            let chosen = awake[chosen];
            let ended = self.live[chosen].drive();
            self.clock.advance(Ms(1 + self.below(25)));
            self.look_at_the_jobs();
            if let Some(outcome) = ended {
                let process = self.live.swap_remove(chosen);
                self.after(process.task, process.id, outcome);
            }
        }
        self.ending()
    }

    fn below(&self, n: u64) -> u64 {
        self.order.draw() % n.max(1)
    }

    fn plan(&mut self, wait: Ms, task: Task) {
        self.planned += 1;
        let at = self.clock.now() + wait;
        self.agenda.insert((at, self.planned), task);
    }

    /// How far off the clock of the next process is, in milliseconds.
    pub(super) fn skew(&self) -> i64 {
        let most = i64::try_from(self.weather.skew.0).unwrap_or(0);
        if most == 0 || (self.weather.storm.is_some() && self.gate.is_quiet()) {
            return 0;
        }
        i64::try_from(self.below(self.weather.skew.0 * 2 + 1)).unwrap_or(0) - most
    }

    fn begin(&mut self, task: Task) {
        let id = self.begun;
        self.begun += 1;
        let process = Process::begin(self, id, task);
        self.ahead |= process.off_by > 1_000;
        self.behind |= process.off_by < -1_000;
        self.live.push(process);
    }

    fn begin_what_is_due(&mut self) {
        let now = self.clock.now();
        while let Some(entry) = self
            .agenda
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let task = entry.remove();
            if matches!(task, Task::Sweep) && !self.at_rest() {
                self.plan(self.scenario.timers.sweep_period, Task::Sweep);
            }
            let storm = self.weather.storm;
            if matches!(task, Task::Sweep)
                && storm.is_some_and(|storm| now < CREATED_AT + storm.no_sweep_until)
            {
                self.no_sweep = true;
                continue;
            }
            (0..self.scenario.fires(&task)).for_each(|_| self.begin(task.clone()));
        }
        let wrong = self.newer_build.act(now, &self.jobs);
        self.seen_wrong.extend(wrong);
        for site in self.sites.clone() {
            for callback in finish(site.work()) {
                self.carry(callback);
            }
        }
        for (body, delay) in self.gate.held_long_enough() {
            let queue = Arc::clone(&self.queue);
            let sent = finish(ryla_engine::port::Queue::send(queue.as_ref(), &body, delay));
            debug_assert!(sent.is_ok(), "a queue in memory takes everything");
        }
        for message in self.queue.receive(10) {
            self.begin(Task::Dispatch(message));
        }
    }

    /// Nothing but the sweep's schedule is left.
    fn at_rest(&self) -> bool {
        let told = self.told.iter().all(Option::is_some);
        let ended = self
            .known
            .values()
            .all(|known| known.ended_seen_at.is_some());
        told && ended
            && self.live.is_empty()
            && self.agenda.is_empty()
            && self.queue.waiting().is_empty()
            && self.gate.next_released_at().is_none()
            && self.sites.iter().all(|site| site.next_at().is_none())
    }

    fn next_at(&self) -> Option<UnixMs> {
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let sites = self.sites.iter().filter_map(|site| site.next_at());
        let queue = self.queue.next_visible_at();
        let held = self.gate.next_released_at();
        let all = agenda.into_iter().chain(sites).chain(queue).chain(held);
        let asleep = self.live.iter().map(Process::asleep_until);
        all.chain(self.newer_build.next_at()).chain(asleep).min()
    }

    /// A worker's callback on its way to us.
    fn carry(&mut self, callback: Callback) {
        let fate = self.gate.callback_fate();
        self.gate.note(|| {
            let text = format!("{} says {}", callback.run, name_of(&callback.event));
            fate.map_or_else(|| text.clone(), |fate| format!("{text} {fate:?}"))
        });
        let made = |callback, forged| Task::CallBack {
            callback,
            tries: 0,
            forged,
        };
        let task = made(callback.clone(), false);
        let wait = Ms(20 + self.below(200));
        if let Some(again) = self.scenario.echo {
            self.plan(again, task.clone());
        }
        match fate {
            Some(Fate::Lost) => {}
            Some(Fate::Late) => self.plan(LATE, task),
            Some(Fate::Doubled) => {
                let again = Ms(self.below(30_000));
                self.plan(again, task.clone());
                self.plan(wait, task);
            }
            Some(Fate::Stale) => {
                match callback.run.attempt.number() {
                    1 => self.plan(LONG_AFTER, task.clone()),
                    number => {
                        let mut earlier = callback;
                        earlier.run.attempt =
                            Attempt::try_from(u64::from(number) - 1).unwrap_or(Attempt::FIRST);
                        self.plan(wait, made(earlier, false));
                    }
                }
                self.plan(wait, task);
            }
            Some(Fate::Forged) => {
                let mut lie = callback;
                lie.event = Event::Failed {
                    code: ryla_domain::failure::Code::GpuError,
                    report: ryla_domain::report::Report::default(),
                };
                self.plan(Ms(wait.0 / 2), made(lie, true));
                self.plan(wait, task);
            }
            Some(Fate::Reordered) | None => self.plan(wait, task),
        }
    }

    /// What the outside world does when a process has ended.
    fn after(&mut self, task: Task, id: usize, outcome: Outcome) {
        self.gate
            .note(|| format!("{}#{id} {}", task.kind().name(), text_of(&outcome)));
        match (task, outcome) {
            // Who forges does not try again, and what is cancelled needs no second request.
            (Task::CallBack { forged: true, .. }, Outcome::Rejected(_) | Outcome::Died)
            | (Task::Cancel { .. }, Outcome::Cancelled(Ok(_))) => {}
            (Task::Submit { client, .. }, Outcome::Submitted(Ok(submitted))) => {
                self.told_of(client, submitted.job.key);
            }
            (Task::Submit { client, tries }, _) if tries < TRIES => {
                let tries = tries + 1;
                self.plan(PAUSE, Task::Submit { client, tries });
            }
            (Task::Dispatch(message), Outcome::Dispatched(Handled::Done)) => {
                self.queue.ack(&message);
            }
            (Task::CallBack { forged: true, .. }, _) => {
                let wrong = "a forged callback was taken".to_owned();
                self.seen_wrong.push(wrong);
            }
            (Task::Show { key }, Outcome::Shown(Ok((job, listed)))) => {
                self.shown(&key, job.as_ref(), &listed);
            }
            (Task::CallBack { callback, .. }, Outcome::CalledBack(Ok(reply))) => {
                let goes_on = matches!(
                    callback.event,
                    Event::Started { .. } | Event::Progress { .. }
                );
                for site in self.sites.iter().filter(|_| goes_on) {
                    if *ryla_engine::port::Backend::id(site.as_ref()) == callback.backend {
                        site.heed(&callback.run, &reply);
                    }
                }
            }
            (
                Task::CallBack {
                    callback, tries, ..
                },
                _,
            ) if tries < TRIES => {
                let (tries, forged) = (tries + 1, false);
                let task = Task::CallBack {
                    callback,
                    tries,
                    forged,
                };
                self.plan(PAUSE, task);
            }
            (Task::Cancel { client, key, tries }, _) if tries < TRIES => {
                let tries = tries + 1;
                self.plan(PAUSE, Task::Cancel { client, key, tries });
            }
            // A message comes back by itself, a sweep with the next one; the rest gave up.
            _ => {}
        }
    }

    /// The client was told of its job, and cancels it if that is its plan.
    fn told_of(&mut self, client: usize, key: JobKey) {
        if let Some(before) = &self.told[client]
            && *before != key
        {
            self.seen_wrong
                .push(format!("client {client} was told of {before} and of {key}"));
        }
        if self.told[client].is_none()
            && let Some(at) = self.scenario.cancel_at
        {
            let wait = (CREATED_AT + at).since(self.clock.now());
            let key = key.clone();
            self.plan(
                wait,
                Task::Cancel {
                    client,
                    key,
                    tries: 0,
                },
            );
        }
        if key.account != account_of(client) {
            self.seen_wrong
                .push(format!("client {client} was told of {key}"));
        }
        if self.told[client].is_none() {
            for wait in LOOKS {
                self.plan(wait, Task::Show { key: key.clone() });
                let account = stranger_to(&key.account);
                let id = key.id.clone();
                let key = JobKey { account, id };
                // The other account asks for the same id.
                self.plan(wait, Task::Show { key });
            }
        }
        self.told[client] = Some(key);
    }

    fn ending(self) -> Ending {
        let log = self.gate.take_log();
        let runs = self.sites.iter().flat_map(|site| {
            let id = ryla_engine::port::Backend::id(site.as_ref()).clone();
            site.runs().into_iter().map(move |run| (id.clone(), run))
        });
        Ending {
            runs: runs.collect(),
            trace: log.trace,
            calls: log.calls,
            messages: log.messages,
            callbacks: log.callbacks,
            hit: log.hit,
            jobs: self.known.into_values().collect(),
            told: self.told,
            left_in_queue: self.queue.waiting().len(),
            images: self.images,
            seen_wrong: self.seen_wrong,
            scenario: self.scenario,
            ahead: self.ahead,
            behind: self.behind,
            no_sweep: self.no_sweep,
            weather: self.weather,
            seed: self.seed,
        }
    }
}

/// The backend of a site, as it is at the beginning.
fn built(site: &Site, clock: Arc<dyn Clock>, images: &Arc<MemoryImageStore>) -> FakeBackend {
    let Ok(id) = site.name.parse() else {
        unreachable!("{} names a backend", site.name)
    };
    let images = Arc::clone(images);
    let backend = FakeBackend::new(id, site.capabilities, site.course, clock, images);
    for course in &site.first {
        backend.next_course(*course);
    }
    for script in &site.scripts {
        backend.script(script.clone());
    }
    backend.unavailable_until(CREATED_AT + site.unavailable);
    backend
}

fn settings(scenario: &Scenario) -> Settings {
    let secret = (
        "MASTER_SECRETS".to_owned(),
        format!("k1:{}", "x".repeat(32)),
    );
    let Ok(mut settings) = Settings::from_vars([secret]) else {
        unreachable!("the defaults are settings")
    };
    settings.timers = scenario.timers.clone();
    settings
}

/// The result of a future that waits for nothing.
fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

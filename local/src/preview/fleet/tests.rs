//! One class's containers against the cost model of docs/WARM.md.

use super::*;
use crate::preview::events::ContainerEvent;
use ryla_replay::controller::{Controller, Order};
use ryla_replay::engine::Engine;
use ryla_replay::generate::Shape;
use ryla_replay::setting::Setting;
use std::cell::RefCell;
use std::collections::VecDeque;

const BOOT: Ms = Ms::seconds(45);
const SERVICE: Ms = Ms::seconds(20);

#[derive(Default)]
struct Waiting(RefCell<VecDeque<UnixMs>>);

impl Line for Waiting {
    type Run = UnixMs;

    fn waiting(&self) -> usize {
        self.0.borrow().len()
    }

    fn take(&self) -> Option<UnixMs> {
        self.0.borrow_mut().pop_front()
    }

    fn describe(&self, run: &UnixMs) -> (String, UnixMs) {
        (run.to_string(), *run)
    }
}

/// Containers, the runs on them and the runs before them, driven from event to event.
struct Drive {
    fleet: Fleet,
    line: Waiting,
    log: EventLog,
    running: Vec<(UnixMs, u64)>,
    taken: Vec<Taken<UnixMs>>,
}

impl Drive {
    fn new(max: usize, window: Ms) -> Self {
        Self {
            fleet: Fleet::new("flux", BOOT, max, window, UnixMs(0)),
            line: Waiting::default(),
            log: EventLog::of(usize::MAX),
            running: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn step(&mut self, now: UnixMs) {
        for taken in self.fleet.step(now, &self.line, &mut self.log) {
            self.running.push((now + SERVICE, taken.container));
            self.taken.push(taken);
        }
    }

    /// Lets everything happen that is due by then.
    fn pass(&mut self, until: UnixMs) {
        loop {
            let end = self.running.iter().map(|(at, _)| *at).min();
            let due = self.fleet.next_at().into_iter().chain(end).min();
            let Some(at) = due.filter(|at| *at <= until) else {
                return;
            };
            let (over, running) = self.running.drain(..).partition(|(end, _)| *end <= at);
            self.running = running;
            let over: Vec<(UnixMs, u64)> = over;
            for (_, container) in over {
                self.fleet.ended(container, at, &mut self.log);
            }
            self.step(at);
        }
    }

    fn arrive(&mut self, at: UnixMs) {
        self.pass(at);
        self.line.0.borrow_mut().push_back(at);
        self.step(at);
    }

    fn set(&mut self, at: UnixMs, floor: u32, window: Option<Ms>) {
        self.pass(at);
        self.fleet.set(floor, window, at, &mut self.log);
        self.step(at);
    }

    fn events(&self) -> Vec<ContainerEvent> {
        self.log.all()
    }
}

/// Idle seconds and boots, from the log alone.
fn counted(events: &[ContainerEvent]) -> (f64, usize) {
    let mut idle_since = std::collections::HashMap::new();
    let (mut idle_s, mut boots) = (0.0, 0);
    for event in events {
        match &event.what {
            Happened::BootBegan { .. } => boots += 1,
            Happened::Ready { container } | Happened::Idle { container } => {
                assert_eq!(idle_since.insert(*container, event.at), None);
            }
            Happened::Took { container, .. } | Happened::Released { container } => {
                let since = idle_since.remove(container).unwrap();
                idle_s += event.at.since(since).as_seconds();
            }
            Happened::Set { .. } => {}
        }
    }
    assert_eq!(idle_since.len(), 0, "all have gone");
    (idle_s, boots)
}

struct Still;

impl Controller for Still {
    fn tick(&mut self, _at: f64, _in_flight: usize) -> Order {
        Order::NOTHING
    }
}

#[test]
fn a_trace_costs_what_the_simulator_says() {
    let shape = Shape::Service {
        endpoints: 1,
        busiest_per_day: 400.0,
        days: 3.0,
    };
    for (max, window_s) in [(20, 60), (20, 5), (2, 60), (1, 300)] {
        let trace = shape.draw(7).unwrap();
        let whole: Vec<f64> = trace.endpoints[0]
            .arrivals
            .iter()
            .map(|t| t.floor())
            .collect();
        let setting = Setting {
            cold_s: BOOT.as_seconds(),
            service_s: SERVICE.as_seconds(),
            usd_per_s: 0.001,
            value_usd: 0.05,
            max_containers: max,
        };
        let window = Ms::seconds(window_s);
        let tally = Engine::new(setting, &whole, window.as_seconds()).run(&mut Still);

        let mut drive = Drive::new(max, window);
        for at in &whole {
            drive.arrive(UnixMs(0) + Ms::from_secs_f64(*at));
        }
        drive.pass(UnixMs(i64::MAX / 2));
        let (idle_s, boots) = counted(&drive.events());
        assert_eq!(boots, tally.boots, "max {max}, window {window_s}");
        assert!(
            (idle_s - tally.idle_s).abs() < 1.0,
            "max {max}, window {window_s}: {idle_s} against {}",
            tally.idle_s
        );
        let waited: f64 = tally.waits.iter().sum();
        let ours = drive.events().into_iter().map(|event| match event.what {
            Happened::Took { waited_ms, .. } => Ms(waited_ms).as_seconds(),
            _ => 0.0,
        });
        let ours: f64 = ours.sum();
        assert!((ours - waited).abs() < 1.0, "{ours} against {waited}");
    }
}

#[test]
fn a_floor_boots_what_is_missing_and_holds_it_and_nothing_above_the_maximum() {
    let mut drive = Drive::new(2, Ms::seconds(60));
    drive.set(UnixMs(0), 5, None);
    assert_eq!(drive.fleet.state().booting, 2);
    drive.pass(UnixMs(0) + Ms::seconds(3_600));
    assert_eq!(drive.fleet.state().idle, 2);
    let lowered = UnixMs(0) + Ms::seconds(3_700);
    drive.set(lowered, 0, None);
    assert_eq!(drive.fleet.state().containers(), 0);
    let gone = drive.events().pop().unwrap();
    assert_eq!(gone.at, lowered, "the floor kept it until then");
    assert!(matches!(gone.what, Happened::Released { .. }));
}

#[test]
fn the_floor_counts_busy_containers_too() {
    let mut drive = Drive::new(3, Ms::seconds(10));
    drive.arrive(UnixMs(0));
    drive.arrive(UnixMs(1));
    drive.pass(UnixMs(0) + BOOT);
    drive.set(UnixMs(0) + BOOT + Ms(10), 1, None);
    let state = drive.fleet.state();
    assert_eq!((state.busy, state.booting), (2, 0));
    drive.pass(UnixMs(0) + Ms::seconds(600));
    assert_eq!(drive.fleet.state().idle, 1);
}

#[test]
fn only_a_containers_first_run_says_what_the_boot_took() {
    let mut drive = Drive::new(1, Ms::seconds(60));
    drive.arrive(UnixMs(0));
    drive.arrive(UnixMs(1));
    drive.pass(UnixMs(0) + Ms::seconds(100));
    let boots: Vec<Ms> = drive.taken.iter().map(|taken| taken.boot).collect();
    assert_eq!(boots, [BOOT, Ms(0)]);
    let waited = drive
        .events()
        .into_iter()
        .filter_map(|event| match event.what {
            Happened::Took { waited_ms, .. } => Some(waited_ms),
            _ => None,
        });
    assert_eq!(waited.collect::<Vec<_>>(), [45_000, 64_999]);
}

#[test]
fn a_container_whose_time_was_over_is_not_there_for_a_run_that_comes_after() {
    let mut drive = Drive::new(1, Ms::seconds(60));
    drive.arrive(UnixMs(0));
    drive.pass(UnixMs(0) + BOOT + SERVICE);
    // Nobody looked at the instant at which it was to go: the run comes a second after that.
    let late = UnixMs(0) + BOOT + SERVICE + Ms::seconds(61);
    drive.line.0.borrow_mut().push_back(late);
    drive.step(late);
    assert_eq!(drive.fleet.state().booting, 1);
    let released = drive
        .events()
        .into_iter()
        .find_map(|event| matches!(event.what, Happened::Released { .. }).then_some(event.at));
    assert_eq!(released, Some(UnixMs(0) + BOOT + SERVICE + Ms::seconds(60)));
}

#[test]
fn a_run_that_left_the_line_leaves_its_container_idle() {
    let mut drive = Drive::new(1, Ms::seconds(60));
    drive.arrive(UnixMs(0));
    drive.line.0.borrow_mut().clear();
    drive.pass(UnixMs(0) + BOOT);
    assert_eq!(drive.fleet.state().idle, 1);
    drive.pass(UnixMs(0) + BOOT + Ms::seconds(60));
    assert_eq!(drive.fleet.state().containers(), 0);
}

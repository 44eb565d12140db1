//! The rules that people use today: a fixed window, containers that are always there, a ping by cron.

use crate::controller::{Controller, Order};

/// Nothing but the window.
#[derive(Clone, Copy, Debug)]
pub struct Never;

impl Controller for Never {
    fn tick(&mut self, _at: f64, _in_flight: usize) -> Order {
        Order::NOTHING
    }
}

/// A floor that never goes away.
#[derive(Clone, Copy, Debug)]
pub struct Always(pub usize);

impl Controller for Always {
    fn tick(&mut self, _at: f64, _in_flight: usize) -> Order {
        Order {
            floor: self.0,
            ..Order::NOTHING
        }
    }
}

/// A ping every five minutes within opening hours, whatever happens.
#[derive(Clone, Copy, Debug)]
pub struct Cron {
    /// Opening hours of the trace's clock; the end may lie past midnight.
    pub hours: (f64, f64),
}

impl Cron {
    /// From 17 to 2 o'clock: when the reference trace is busiest.
    pub const USUAL: Self = Self { hours: (17.0, 2.0) };
    const EVERY_S: f64 = 300.0;
}

impl Controller for Cron {
    fn tick(&mut self, at: f64, _in_flight: usize) -> Order {
        let hour = at.rem_euclid(86_400.0) / 3600.0;
        let (from, until) = self.hours;
        let open = if from < until {
            (from..until).contains(&hour)
        } else {
            hour >= from || hour < until
        };
        Order {
            ping: open && at.rem_euclid(Self::EVERY_S) < 60.0,
            again_at: at + 60.0,
            ..Order::NOTHING
        }
    }
}

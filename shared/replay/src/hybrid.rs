//! The hybrid histogram of "Serverless in the Wild" (ATC'20): idle times in bins of a minute over four
//! hours; release before its 5th percentile, hold to its 99th. Made for memory at CPU prices.

use crate::controller::{Controller, Order};

const BINS: usize = 240;

/// The policy for one endpoint.
#[derive(Clone, Debug)]
pub struct Hybrid {
    cold_s: f64,
    head: f64,
    tail: f64,
    /// Seconds to hold while the histogram says nothing.
    fallback_s: f64,
    bins: Vec<u32>,
    within: u32,
    beyond: u32,
    sum_of_squares: f64,
    /// Hold from, hold until.
    held: Option<(f64, f64)>,
}

impl Hybrid {
    /// With the published figures: 5 %, 99 %, four hours.
    pub fn published(cold_s: f64) -> Self {
        Self {
            cold_s,
            head: 0.05,
            tail: 0.99,
            fallback_s: 14_400.0,
            bins: vec![0; BINS],
            within: 0,
            beyond: 0,
            sum_of_squares: 0.0,
            held: None,
        }
    }

    /// Whether the bins say something: enough samples, most of them inside, and not spread evenly.
    fn is_representative(&self) -> bool {
        if self.within < 10 || self.beyond > self.within {
            return false;
        }
        let mean = f64::from(self.within) / 240.0;
        let variance = self.sum_of_squares / 240.0 - mean * mean;
        variance.max(0.0).sqrt() / mean >= 2.0
    }

    /// The bins in which the head and the tail lie.
    fn head_and_tail(&self) -> (f64, f64) {
        let total = f64::from(self.within);
        let (mut sum, mut head, mut bin) = (0.0, None, 0.0);
        for count in &self.bins {
            sum += f64::from(*count);
            if head.is_none() && sum >= self.head * total {
                head = Some(bin);
            }
            bin += 1.0;
            if sum >= self.tail * total {
                break;
            }
        }
        (head.unwrap_or(0.0), bin)
    }
}

impl Controller for Hybrid {
    fn arrived(&mut self, at: f64, idle_since: Option<f64>) {
        if let Some(since) = idle_since {
            match self.bins.get_mut(minutes(at - since)) {
                Some(bin) => {
                    self.sum_of_squares += f64::from(2 * *bin + 1);
                    *bin += 1;
                    self.within += 1;
                }
                None => self.beyond += 1,
            }
        }
        self.held = None;
    }

    fn ended(&mut self, at: f64, running: usize) {
        if running > 0 {
            return;
        }
        let (before, hold) = if self.is_representative() {
            let (head, tail) = self.head_and_tail();
            (head * 60.0 * 0.9, tail * 60.0 * 1.1)
        } else {
            (0.0, self.fallback_s)
        };
        let before = if before > self.cold_s + 120.0 {
            (before - self.cold_s - 60.0).max(0.0)
        } else {
            0.0
        };
        self.held = Some((at + before, at + hold.max(before + 60.0)));
    }

    fn tick(&mut self, at: f64, in_flight: usize) -> Order {
        match self.held {
            Some((from, _)) if in_flight == 0 && at < from => Order {
                again_at: from,
                ..Order::NOTHING
            },
            Some((_, until)) if in_flight == 0 && at <= until => Order {
                floor: 1,
                again_at: until + 1.0,
                ..Order::NOTHING
            },
            _ => Order::NOTHING,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole minutes of a gap; the conversion saturates, and what is too long is out of bounds"
)]
fn minutes(seconds: f64) -> usize {
    (seconds / 60.0) as usize
}

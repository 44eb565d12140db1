//! What a policy could reach that knew all arrivals beforehand. A request takes the container that was
//! freed last, which is exactly optimal where the price of a gap is concave.

use crate::setting::Setting;
use crate::trace::Trace;
use std::collections::VecDeque;

/// Waits that the clairvoyant with a line may allow, in seconds.
const WAITS_S: [f64; 8] = [0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0];

/// A clairvoyant's figures over a whole trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    /// Container seconds without work.
    pub idle_s: f64,
    /// Boots.
    pub boots: f64,
    /// Seconds that each request waits.
    pub waits: Vec<f64>,
}

impl Bound {
    /// Idle and boot seconds and waits, in dollars.
    pub fn usd(&self, setting: &Setting) -> f64 {
        let shares = self
            .waits
            .iter()
            .map(|wait| setting.share_of_cold_wait(*wait));
        (self.idle_s + self.boots * setting.cold_s) * setting.usd_per_s
            + shares.sum::<f64>() * setting.value_usd
    }
}

/// Boots in time, so that nobody waits: a gap costs the lesser of holding and booting anew.
pub fn without_waits(trace: &Trace, setting: &Setting) -> Bound {
    nested(trace, setting, setting.cold_s, 0.0)
}

/// Never boots in time: a gap costs the lesser of holding and a miss.
pub fn keeping_only(trace: &Trace, setting: &Setting) -> Bound {
    nested(trace, setting, setting.break_even_s(), setting.cold_s)
}

/// Boots in time, or lets a request wait for a container that is about to be free, if that is sooner
/// than a limit; of eight limits the cheapest.
pub fn with_a_line(trace: &Trace, setting: &Setting) -> Bound {
    let bounds = WAITS_S.map(|most| queued(trace, setting, most));
    let cheapest = bounds
        .into_iter()
        .min_by(|a, b| a.usd(setting).total_cmp(&b.usd(setting)));
    cheapest.unwrap_or_default()
}

/// Holds over gaps that are shorter than that; each other request has a boot, and waits for it so long.
fn nested(trace: &Trace, setting: &Setting, longest_gap_s: f64, wait_s: f64) -> Bound {
    let mut bound = Bound::default();
    for endpoint in &trace.endpoints {
        let mut free: Vec<f64> = Vec::new();
        let mut busy: VecDeque<f64> = VecDeque::new();
        for at in &endpoint.arrivals {
            while let Some(end) = busy.pop_front_if(|end| *end <= *at) {
                free.push(end);
            }
            if let Some(since) = free.pop_if(|since| at - *since < longest_gap_s) {
                bound.idle_s += at - since;
                bound.waits.push(0.0);
            } else {
                bound.boots += 1.0;
                bound.waits.push(wait_s);
            }
            busy.push_back(at + setting.service_s);
        }
    }
    bound
}

fn queued(trace: &Trace, setting: &Setting, longest_wait_s: f64) -> Bound {
    let mut bound = Bound::default();
    for endpoint in &trace.endpoints {
        let mut free: Vec<f64> = Vec::new();
        let mut busy: VecDeque<f64> = VecDeque::new();
        for at in &endpoint.arrivals {
            while let Some(end) = busy.pop_front_if(|end| *end <= *at) {
                free.push(end);
            }
            let begin = if let Some(since) = free.pop_if(|since| at - *since < setting.cold_s) {
                bound.idle_s += at - since;
                *at
            } else if let Some(end) = busy.pop_front_if(|end| *end - at <= longest_wait_s) {
                end
            } else {
                bound.boots += 1.0;
                *at
            };
            bound.waits.push(begin - at);
            let end = begin + setting.service_s;
            let place = busy.partition_point(|other| *other <= end);
            busy.insert(place, end);
        }
    }
    bound
}

//! What a policy could reach that knew all arrivals beforehand. A request takes the container that was
//! freed last, which is exactly optimal where the price of a gap is concave.

use crate::engine::count;
use crate::setting::Setting;
use crate::trace::Trace;
use std::collections::VecDeque;

/// Waits that the clairvoyant with a line may allow, in seconds.
const WAITS_S: [f64; 8] = [0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0];

/// A clairvoyant's figures over a whole trace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bound {
    /// Container seconds without work.
    pub idle_s: f64,
    /// Boots.
    pub boots: f64,
    /// Requests that wait for a boot.
    pub cold: f64,
    /// Full cold waits, shorter ones counted by their share.
    pub cold_waits: f64,
}

impl Bound {
    /// Idle and boot seconds and waits, in dollars.
    pub fn usd(&self, setting: &Setting) -> f64 {
        (self.idle_s + self.boots * setting.cold_s) * setting.usd_per_s
            + self.cold_waits * setting.value_usd
    }
}

/// Boots in time, so that nobody waits: a gap costs the lesser of holding and booting anew.
pub fn without_waits(trace: &Trace, setting: &Setting) -> Bound {
    let (idle_s, boots) = nested(trace, setting, setting.cold_s);
    Bound {
        idle_s,
        boots,
        ..Bound::default()
    }
}

/// Never boots in time: a gap costs the lesser of holding and a miss.
pub fn keeping_only(trace: &Trace, setting: &Setting) -> Bound {
    let (idle_s, boots) = nested(trace, setting, setting.break_even_s());
    Bound {
        idle_s,
        boots,
        cold: boots,
        cold_waits: boots,
    }
}

/// Boots in time, or lets a request wait for a container that is about to be free, if that is sooner
/// than a limit; of eight limits the cheapest.
pub fn with_a_line(trace: &Trace, setting: &Setting) -> Bound {
    let bounds = WAITS_S.map(|most| queued(trace, setting, most));
    let cheapest = bounds
        .iter()
        .min_by(|a, b| a.usd(setting).total_cmp(&b.usd(setting)));
    cheapest.copied().unwrap_or_default()
}

/// Idle seconds of the gaps that are held, and boots.
fn nested(trace: &Trace, setting: &Setting, longest_gap_s: f64) -> (f64, f64) {
    let (mut idle_s, mut boots) = (0.0, 0_usize);
    for endpoint in &trace.endpoints {
        let mut free: Vec<f64> = Vec::new();
        let mut busy: VecDeque<f64> = VecDeque::new();
        for at in &endpoint.arrivals {
            while let Some(end) = busy.pop_front_if(|end| *end <= *at) {
                free.push(end);
            }
            match free.pop_if(|since| at - *since < longest_gap_s) {
                Some(since) => idle_s += at - since,
                None => boots += 1,
            }
            busy.push_back(at + setting.service_s);
        }
    }
    (idle_s, count(boots))
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
                bound.cold_waits += setting.share_of_cold_wait(end - at);
                end
            } else {
                bound.boots += 1.0;
                *at
            };
            let end = begin + setting.service_s;
            let place = busy.partition_point(|other| *other <= end);
            busy.insert(place, end);
        }
    }
    bound
}

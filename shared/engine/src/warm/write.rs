//! Writes what a tick has changed, at a pace that one partition of the table can take.

use super::{Seat, Tally, Warm};
use crate::log;
use crate::port::EndpointState;
use futures_util::future::join_all;
use ryla_domain::time::{Ms, UnixMs};
use std::collections::BTreeMap;

/// States that are written side by side.
const SIDE_BY_SIDE: usize = 16;
/// From one such group to the next. All states lie in one partition, which takes 1,000 write units a second,
/// and a state is about 8 of them.
const PACE: Ms = Ms(150);

impl Warm {
    /// Writes what has changed, each state on the revision that was read. Where somebody else was faster,
    /// this tick gives way: the other one has done the same.
    pub(super) async fn write(
        &self,
        seats: BTreeMap<String, Seat>,
        tally: &mut Tally,
        told_until: UnixMs,
    ) {
        let writer = u64::from_be_bytes(self.entropy.bytes());
        let mut changed: Vec<Seat> = seats.into_values().filter(Seat::changed).collect();
        let mut refused = Vec::new();
        while !changed.is_empty() {
            let rest = changed.split_off(changed.len().min(SIDE_BY_SIDE));
            let written = join_all(changed.into_iter().map(|mut seat| async move {
                seat.state.rev += 1;
                seat.state.writer = Some(writer);
                let written = self.endpoints.write_endpoint(seat.seen, &seat.state).await;
                (seat, written)
            }));
            for (seat, written) in written.await {
                match written {
                    Ok(true) => tally.add(&seat.state, &seat.before, told_until),
                    Ok(false) => refused.push(seat),
                    // What the minute told of this endpoint is lost; its lease stands.
                    Err(error) => {
                        let endpoint = seat.state.endpoint.to_string();
                        log::port_failed("endpoints.write_endpoint", &endpoint, "", &error);
                        tally.failed += 1;
                    }
                }
            }
            if !rest.is_empty() {
                self.clock.sleep(PACE).await;
            }
            changed = rest;
        }
        if !refused.is_empty() {
            self.look_again(refused, tally, told_until).await;
        }
    }

    /// A write whose reply was lost is repeated, and the second one finds the revision of the first.
    async fn look_again(&self, refused: Vec<Seat>, tally: &mut Tally, told_until: UnixMs) {
        let states = match self.endpoints.endpoints().await {
            Ok(there) => there.states,
            Err(error) => {
                log::port_failed("endpoints.endpoints", "", "", &error);
                // Nobody knows whether they were: the minute is told again where they were not.
                tally.failed += u32::try_from(refused.len()).unwrap_or(u32::MAX);
                tally.gave_way = true;
                return;
            }
        };
        for seat in refused {
            let ours = |there: &EndpointState| {
                there.endpoint == seat.state.endpoint && there.writer == seat.state.writer
            };
            if states.iter().any(ours) {
                tally.add(&seat.state, &seat.before, told_until);
            } else {
                let endpoint = seat.state.endpoint.to_string();
                tracing::warn!(event = "warm_gave_way", endpoint, "another tick was faster");
                tally.gave_way = true;
            }
        }
    }
}

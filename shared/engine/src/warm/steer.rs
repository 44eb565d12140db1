//! Asks the backends for what was decided: leases, pings, calls, each by what the backend can do. One that
//! fails or hangs holds up no other, and is asked again at the next tick.

use super::{Seat, Tally, Warm};
use crate::port::{Backend, EndpointState, Lease, Leased, Levers, Warmth};
use futures_util::future::{Either, join_all, select};
use futures_util::stream::{self, StreamExt as _};
use ryla_domain::id::{GpuClass, TraceId};
use ryla_domain::time::{Ms, UnixMs};
use ryla_domain::warm::{DEPLOYED_WINDOW, SHORTEST_WINDOW_S};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How long a lease holds: three ticks, so that what nobody renews is over within three minutes.
pub(super) const LEASE: Ms = Ms::seconds(180);
/// A backend that does not answer within that time is not waited for.
const ASK_LIMIT: Ms = Ms::seconds(10);
/// A refusal that names a class is followed by a lease that asks less of it, and pings and calls by the next
/// ones, within that time for all of a backend.
const BACKEND_LIMIT: Ms = Ms::seconds(15);
/// Pings and calls that are under way at one backend.
const SIDE_BY_SIDE: usize = 16;
/// An answered ping holds until the next tick but one.
const PING_HOLDS: Ms = Ms::seconds(120);
/// An endpoint without a request for so long is left as it is.
const FORGOTTEN: Ms = Ms::seconds(86_400);
/// A window that differs from the one taken by less is not worth a call, where nothing happens.
const LEAST_OFF: Ms = Ms::seconds(2);

impl Warm {
    /// Asks every backend, side by side.
    pub(super) async fn steer(&self, seats: &mut BTreeMap<String, Seat>, tally: &mut Tally) {
        let [byte] = self.entropy.bytes::<1>();
        let mut by_backend: BTreeMap<String, Vec<&mut Seat>> = BTreeMap::new();
        for seat in seats.values_mut() {
            let backend = seat.state.endpoint.backend.to_string();
            by_backend.entry(backend).or_default().push(seat);
        }
        let now = self.clock.now();
        let mut rounds = Vec::new();
        for backend in self.backends.iter() {
            if let Some(seats) = by_backend.remove(backend.id().as_str()) {
                rounds.push((Arc::clone(backend), seats));
            }
        }
        for seats in by_backend.into_values() {
            let mut wanted = false;
            for seat in seats {
                wanted |= seat.wish.is_some_and(|wish| wish.floor > 0);
                seat.not_held("its backend is not configured any more");
            }
            tally.unheld += u32::from(wanted);
        }
        if rounds
            .iter()
            .any(|(_, seats)| seats.iter().any(|seat| seat.wants(now)))
        {
            self.clock
                .sleep(Ms(self.spread.0 * u64::from(byte) / 255))
                .await;
        }
        let failures = join_all(rounds.into_iter().map(|(backend, seats)| async move {
            match backend.capabilities().warmth {
                Warmth::Lease => self.lease(backend.as_ref(), seats).await,
                Warmth::Ping => self.ping(backend.as_ref(), seats).await,
                Warmth::Call { every } => self.call(backend.as_ref(), seats, every, now).await,
                Warmth::Nothing => {
                    for seat in seats {
                        seat.left_as_deployed("its backend keeps nothing warm");
                    }
                    0
                }
            }
        }))
        .await;
        tally.unheld += failures.into_iter().sum::<u32>();
    }

    /// One lease over all classes of a backend. Says for how many backends it failed.
    async fn lease(&self, backend: &dyn Backend, mut seats: Vec<&mut Seat>) -> u32 {
        let now = self.clock.now();
        seats.retain(|seat| seat.wants(now));
        let mut refused_some = 0;
        let mut lease = Lease {
            classes: seats.iter().filter_map(|seat| seat.levers()).collect(),
            until: now + LEASE,
        };
        if lease.classes.is_empty() {
            return 0;
        }
        while self.clock.now().since(now) < BACKEND_LIMIT {
            match self.ask(backend.lease(&lease, &self.trace())).await {
                Some(Leased::Taken(mosts)) => {
                    for seat in seats {
                        self.note_most(backend, seat, &mosts);
                        seat.hold(&lease, now);
                    }
                    return refused_some;
                }
                Some(Leased::Refused {
                    class: Some(class),
                    most: Some(most),
                }) if lease
                    .classes
                    .get(&class)
                    .is_some_and(|levers| levers.floor > most) =>
                {
                    let mosts = BTreeMap::from([(class.clone(), most)]);
                    for seat in &mut seats {
                        self.note_most(backend, seat, &mosts);
                    }
                    if let Some(levers) = lease.classes.get_mut(&class) {
                        levers.floor = most;
                    }
                }
                // A class that this app does not have: the others are not to suffer for it.
                Some(Leased::Refused {
                    class: Some(class), ..
                }) if lease.classes.remove(&class).is_some() => {
                    tracing::error!(event = "lease_refused", backend = %backend.id(), %class, "lease was refused for a class");
                    seats.retain_mut(|seat| {
                        let refused = seat.state.endpoint.class == class;
                        if refused {
                            refused_some |= u32::from(seat.active || seat.told);
                            seat.not_held("its backend refused the lease");
                        }
                        !refused
                    });
                    if lease.classes.is_empty() {
                        return refused_some;
                    }
                }
                told => {
                    let why = match told {
                        None => "time_out",
                        Some(Leased::Unreachable) => "unreachable",
                        Some(_) => "refused",
                    };
                    tracing::error!(event = "lease_failed", backend = %backend.id(), why, "lease was not renewed");
                    for seat in seats {
                        seat.keep(now);
                    }
                    return 1;
                }
            }
        }
        tracing::error!(event = "lease_failed", backend = %backend.id(), why = "refused", "lease was not renewed");
        for seat in seats {
            seat.keep(now);
        }
        1
    }

    /// A ping for each endpoint that is to be held and at which nothing runs: one that meets a running
    /// request would stand in line behind it, or boot a second container.
    async fn ping(&self, backend: &dyn Backend, seats: Vec<&mut Seat>) -> u32 {
        let mut due = Vec::new();
        for seat in seats {
            let wanted = seat.wish.is_some_and(|wish| wish.floor > 0);
            seat.as_deployed();
            if wanted && seat.state.in_flight == 0 {
                due.push(seat);
            }
        }
        self.touch_all(backend, due).await
    }

    /// A call for each endpoint that nobody has used for almost as long as its backend keeps it.
    async fn call(
        &self,
        backend: &dyn Backend,
        seats: Vec<&mut Seat>,
        every: Ms,
        now: UnixMs,
    ) -> u32 {
        let mut due = Vec::new();
        for seat in seats {
            let used = seat.state.history.last_arrival();
            let used = seat.state.touched_at.map_or(used, |at| at.max(used));
            seat.left_as_deployed("its backend keeps nothing warm");
            // A twelfth is left for calls that fail.
            if now.since(used) >= Ms(every.0 / 12 * 11) {
                due.push(seat);
            }
        }
        self.touch_all(backend, due).await
    }

    /// Asks all of them for a sign of life, side by side. Says 1 where one failed or none was left time for.
    async fn touch_all(&self, backend: &dyn Backend, due: Vec<&mut Seat>) -> u32 {
        let count = due.len();
        let holds = matches!(backend.capabilities().warmth, Warmth::Ping);
        let answered = AtomicUsize::new(0);
        let all = stream::iter(due).for_each_concurrent(SIDE_BY_SIDE, async |seat| {
            if self.touch(backend, seat).await {
                answered.fetch_add(1, Ordering::Relaxed);
                if holds {
                    seat.state.floor = 1;
                    seat.state.history.in_force(1, DEPLOYED_WINDOW.as_seconds());
                }
            }
        });
        let limit = self.clock.sleep(BACKEND_LIMIT);
        select(std::pin::pin!(all), limit).await;
        u32::from(answered.into_inner() < count)
    }

    async fn touch(&self, backend: &dyn Backend, seat: &mut Seat) -> bool {
        let endpoint = &seat.state.endpoint;
        let touched = self
            .ask(backend.touch(&endpoint.class, &self.trace()))
            .await;
        let answered = touched == Some(true);
        if answered {
            let (now, window) = (self.clock.now(), self.deployed(None).window_s);
            let (until, boot_s) = (
                now + Ms::from_secs_f64(window),
                seat.state.history.terms().boot_s(),
            );
            // It begins the deployed window of the container that answered anew.
            seat.state.account.asked(now, 1, window, until, boot_s);
            seat.state.touched_at = Some(now);
            seat.told = true;
        } else {
            let endpoint = endpoint.to_string();
            tracing::error!(event = "touch_failed", endpoint, "no sign of life came");
        }
        answered
    }

    /// What a backend answers in time.
    async fn ask<T>(&self, asked: impl Future<Output = T> + Unpin) -> Option<T> {
        match select(asked, self.clock.sleep(ASK_LIMIT)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    /// Remembers the most containers that a class can have; says so where the setting allows more.
    fn note_most(&self, backend: &dyn Backend, seat: &mut Seat, mosts: &BTreeMap<GpuClass, u32>) {
        let class = &seat.state.endpoint.class;
        let Some(most) = mosts.get(class) else {
            return;
        };
        if seat.state.most != Some(*most) && *most < self.prices.max_floor {
            tracing::warn!(
                event = "floor_too_high",
                backend = %backend.id(),
                %class,
                most,
                allowed = self.prices.max_floor,
                "WARM_MAX_FLOOR allows more containers than the class can have: no more than that are held"
            );
        }
        seat.state.most = Some(*most);
        let deployed = self.deployed(seat.state.most);
        seat.state.account.set_deployed(deployed);
    }

    fn trace(&self) -> TraceId {
        TraceId::generated(&self.entropy.bytes())
    }
}

impl Seat {
    /// Whether its backend has to be told something: it is in use, or what holds there is not what was
    /// decided. A window outlives its lease, and so it is asked for once more after the last use.
    fn wants(&self, now: UnixMs) -> bool {
        let Some(Levers { floor, window }) = self.wish else {
            return false;
        };
        let taken = self.state.window;
        let off = Ms(window.0.abs_diff(taken.0));
        // The policy's window moves a little while nobody comes; the shortest is what a spent budget asks for.
        let shortest = window.as_seconds() <= SHORTEST_WINDOW_S;
        let remembered = now.since(self.state.history.last_arrival()) < FORGOTTEN;
        let far_off = off >= LEAST_OFF.max(Ms(taken.0 / 2)) || (shortest && off.0 > 0);
        let other = remembered && far_off;
        self.active || self.told || floor > 0 || self.state.floor > 0 || other
    }

    fn levers(&self) -> Option<(GpuClass, Levers)> {
        Some((self.state.endpoint.class.clone(), self.wish?))
    }

    /// What was held and not renewed is over; its window stays.
    pub(super) fn lapse(&mut self, now: UnixMs) {
        let pinged = |at: UnixMs| now.since(at) < PING_HOLDS;
        let over = match self.state.lease_until {
            Some(until) => until <= now,
            None => !self.state.touched_at.is_some_and(pinged),
        };
        if over {
            self.nothing_holds();
        }
    }

    fn nothing_holds(&mut self) {
        let state = &mut self.state;
        (state.floor, state.lease_until) = (0, None);
        state.history.in_force(0, state.window.as_seconds());
    }

    /// Its backend sets no windows.
    fn as_deployed(&mut self) {
        self.state.window = DEPLOYED_WINDOW;
        self.nothing_holds();
    }

    fn left_as_deployed(&mut self, why: &str) {
        self.state.window = DEPLOYED_WINDOW;
        self.not_held(why);
    }

    /// The lease was taken.
    fn hold(&mut self, lease: &Lease, now: UnixMs) {
        let state: &mut EndpointState = &mut self.state;
        let Some(levers) = lease.classes.get(&state.endpoint.class) else {
            return;
        };
        let window_s = levers.window.as_seconds();
        let boot_s = state.history.terms().boot_s();
        state.floor = levers.floor;
        state.window = levers.window;
        state.lease_until = Some(lease.until);
        state.history.in_force(levers.floor, window_s);
        state
            .account
            .asked(now, levers.floor, window_s, lease.until, boot_s);
        self.told = true;
    }

    /// The lease was not taken: what holds is what was taken before, as long as it lasts.
    fn keep(&mut self, now: UnixMs) {
        self.told = true;
        if self.state.lease_until.is_some_and(|until| until > now) {
            let (floor, window_s) = (self.state.floor, self.state.window.as_seconds());
            self.state.history.in_force(floor, window_s);
            self.state.reason.push_str("; the lease was not renewed");
        } else {
            self.not_held("the lease was not taken");
        }
    }

    /// Nothing holds.
    fn not_held(&mut self, why: &str) {
        self.nothing_holds();
        self.state.reason = format!("nothing is held: {why}");
    }
}

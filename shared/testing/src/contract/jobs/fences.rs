//! Every fence of every write, falsified while all others of that write hold: the write is refused, the
//! row stays as it is and is handed back. `Readable` needs a row of a newer build and is falsified in
//! `unreadable.rs`; the one fence of a new row in `create.rs`, that of a due entry in `due.rs`.

use super::{Case, done, fresh_job, put, refused};
use crate::sample::{CREATED_AT, a_beat, a_claim, a_report, a_start, in_phase};
use ryla_domain::failure::Code;
use ryla_domain::id::Attempt;
use ryla_domain::job::{DeadlineBy, Job, Origin};
use ryla_domain::state::{CancelReason, Phase};
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::expect::{Expect, Fence, FenceKind};
use ryla_engine::port::{JobStore, Write};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_claim_is_refused_by_each_fence,
        a_start_is_refused_by_each_fence,
        a_beat_is_refused_by_each_fence,
        a_job_that_ran_takes_no_beat,
        a_replace_is_refused_by_its_fence,
    ]
}

const NOW: UnixMs = UnixMs(CREATED_AT.0 + 60_000);

/// Which fences a set of refused writes has falsified, each by being the only one that did not hold.
#[derive(Default)]
struct Falsified(Vec<FenceKind>);

impl Falsified {
    async fn refuse(&mut self, store: &dyn JobStore, row: &Job, write: Write<'_>) {
        let expect = write.expect();
        let broken = expect.fences.iter().filter(|fence| !fence.holds(Some(row)));
        let broken: Vec<&Fence> = broken.collect();
        let [alone] = broken[..] else {
            panic!("{write:?} must break one fence of {row:?}, not {broken:?}")
        };
        self.0.push(alone.kind());
        put(store, row).await;
        refused(store, write, row).await;
    }

    /// Whether every fence of that expectation was falsified.
    fn all_of(&self, expect: &Expect) {
        for kind in expect.fences.iter().map(Fence::kind) {
            assert!(
                kind == FenceKind::Readable || self.0.contains(&kind),
                "{kind} was never falsified alone"
            );
        }
    }
}

fn others(of: &[Phase]) -> impl Iterator<Item = Phase> {
    Phase::ALL.into_iter().filter(|phase| !of.contains(phase))
}

async fn a_claim_is_refused_by_each_fence(store: &dyn JobStore) {
    let mut falsified = Falsified::default();
    let claim = a_claim("claim", NOW);
    for phase in others(&[Phase::Accepted, Phase::Dispatching]) {
        let row = fresh_job("claim-phase").in_phase(phase);
        falsified
            .refuse(store, &row, Write::Claim(&row.key, &claim))
            .await;
    }
    // A lease that ends now, or later, is not over.
    for end in [NOW, NOW + Ms(1)] {
        let row = fresh_job("claim-lease").build();
        let mut held = a_claim("holder", CREATED_AT);
        held.lease_until = end;
        let row = row.claim(held).unwrap();
        falsified
            .refuse(store, &row, Write::Claim(&row.key, &claim))
            .await;
    }
    // A deadline that is now, or was, does not lie ahead.
    for deadline in [NOW, CREATED_AT] {
        let row = fresh_job("claim-late")
            .deadline(deadline, DeadlineBy::System)
            .build();
        falsified
            .refuse(store, &row, Write::Claim(&row.key, &claim))
            .await;
    }
    let row = fresh_job("claim").build();
    falsified.all_of(&Write::Claim(&row.key, &claim).expect());
}

/// Origins that are not the job's current one.
fn strangers(job: &Job) -> [Origin; 3] {
    let here = job.origin();
    let attempt = here.attempt.next();
    let backend = "stranger".parse().unwrap();
    [
        Origin {
            attempt,
            ..here.clone()
        },
        Origin {
            backend,
            ..here.clone()
        },
        Origin {
            attempt: Attempt::try_from(200).unwrap(),
            ..here
        },
    ]
}

async fn a_start_is_refused_by_each_fence(store: &dyn JobStore) {
    let mut falsified = Falsified::default();
    for phase in others(&[Phase::Dispatching]) {
        let row = fresh_job("start-phase").in_phase(phase);
        let start = a_start(&row, NOW);
        falsified
            .refuse(store, &row, Write::Start(&row.key, &start))
            .await;
    }
    let row = fresh_job("start").in_phase(Phase::Dispatching);
    let mut start = a_start(&row, NOW);
    for origin in strangers(&row) {
        let row = fresh_job("start-stale").in_phase(Phase::Dispatching);
        start.origin = origin;
        falsified
            .refuse(store, &row, Write::Start(&row.key, &start))
            .await;
    }
    falsified.all_of(&Write::Start(&row.key, &start).expect());
}

async fn a_beat_is_refused_by_each_fence(store: &dyn JobStore) {
    let mut falsified = Falsified::default();
    for phase in others(&[Phase::Running]) {
        let row = fresh_job("beat-phase").in_phase(phase);
        let beat = a_beat(&row, 100, Some(1), NOW);
        falsified
            .refuse(store, &row, Write::Beat(&row.key, &beat))
            .await;
    }
    let row = fresh_job("beat").in_phase(Phase::Running);
    let mut beat = a_beat(&row, 100, Some(1), NOW);
    for origin in strangers(&row) {
        let row = fresh_job("beat-stale").in_phase(Phase::Running);
        beat.origin = origin;
        falsified
            .refuse(store, &row, Write::Beat(&row.key, &beat))
            .await;
    }
    // The sample's last event was number 2; text would sort 10 before 2.
    for seq in [0, 1, 2] {
        let row = fresh_job("beat-seq").in_phase(Phase::Running);
        let beat = a_beat(&row, seq, Some(1), NOW);
        falsified
            .refuse(store, &row, Write::Beat(&row.key, &beat))
            .await;
    }
    falsified.all_of(&Write::Beat(&row.key, &beat).expect());
}

/// A job that was running keeps nothing that a late beat could be held against: `After` alone says
/// that it runs no more.
async fn a_job_that_ran_takes_no_beat(store: &dyn JobStore) {
    let cancel = |job: Job| job.cancel(CancelReason::User, NOW, Ms::seconds(60));
    let fail = |job: Job| job.fail(Code::GpuError, a_report(), NOW).unwrap();
    for (what, next) in [("canceling", cancel as fn(Job) -> Job), ("failed", fail)] {
        let seen = fresh_job("ran").in_phase(Phase::Running);
        put(store, &seen).await;
        let next = next(seen.clone());
        let write = Write::Replace {
            seen: &seen,
            next: &next,
        };
        let row = done(store, write).await;
        let beat = a_beat(&row, u64::MAX, Some(1), NOW);
        let write = Write::Beat(&row.key, &beat);
        let broken = write.expect().fences;
        let broken = broken.iter().filter(|fence| !fence.holds(Some(&row)));
        let kinds: Vec<FenceKind> = broken.map(Fence::kind).collect();
        assert_eq!(kinds, [FenceKind::After], "what refuses it, {what}");
        refused(store, write, &row).await;
    }
}

async fn a_replace_is_refused_by_its_fence(store: &dyn JobStore) {
    let mut falsified = Falsified::default();
    for phase in Phase::ALL {
        for stale_by in [-1, 1] {
            let row = fresh_job("replace").with(|job| job.rev = 5);
            let row = in_phase(row.build(), phase);
            let mut seen = row.clone();
            seen.rev = seen.rev.saturating_add_signed(stale_by);
            let mut next = seen.clone();
            next.rev += 1;
            next.data_removed = true;
            let write = Write::Replace {
                seen: &seen,
                next: &next,
            };
            falsified.refuse(store, &row, write).await;
        }
    }
    let row = fresh_job("replace").build();
    falsified.all_of(
        &Write::Replace {
            seen: &row,
            next: &row,
        }
        .expect(),
    );
}

//! Rows of other builds and rows that nobody can read: left alone by every write, seen by the sweep,
//! and in nobody's way. Attributes that this build does not know survive its writes.

use super::{
    Case, Plant, done, due_entries, due_entry, fresh_job, is_corrupt, is_newer, is_newer_value,
    put, stored,
};
use crate::contract::fresh;
use crate::sample::{CREATED_AT, a_beat, a_claim, a_report, a_start, an_output};
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_domain::state::Phase;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::expect::Fence;
use ryla_engine::port::{
    Consistency, Created, DueMove, JobStore, ListRange, Order, Shard, StoreError, Write, Written,
};
use std::collections::BTreeMap;

const FAR: UnixMs = UnixMs(CREATED_AT.0 + 86_400_000);
const NOW: UnixMs = UnixMs(CREATED_AT.0 + 60_000);

pub(super) fn cases() -> Vec<Case> {
    cases![planted:
        a_newer_row_refuses_what_its_state_allows,
        a_newer_row_is_left_alone,
        a_value_of_a_newer_build_is_not_taken_for_garbage,
        a_value_of_a_newer_build_survives_blind_writes,
        a_garbage_row_is_left_alone,
        unreadable_rows_can_be_leased,
        a_nameless_entry_can_only_be_buried,
        unreadable_rows_are_not_listed,
        an_expired_newer_row_is_replaced,
        unknown_attributes_survive_every_write,
    ]
}

type Outcome<T> = Result<T, StoreError>;

/// Tries everything that could touch the row; each must fail in the way that `fails` wants.
async fn nothing_touches(
    store: &dyn JobStore,
    plant: &dyn Plant,
    job: &Job,
    fails: fn(&Outcome<()>) -> bool,
) {
    let before = raw(plant, &job.key).await;
    let claim = a_claim("this-build", NOW);
    let (start, beat) = (a_start(job, NOW), a_beat(job, 99, Some(9), NOW));
    let mut next = job.clone();
    next.rev += 1;
    next.data_removed = true;
    let phase = job.state.phase().name();
    for write in [
        Write::Claim(&job.key, &claim),
        Write::Start(&job.key, &start),
        Write::Beat(&job.key, &beat),
    ] {
        let text = format!("{write:?} of a row that is {phase}");
        assert!(fails(&store.write(write).await.map(drop)), "{text}");
    }
    let stale = Job {
        rev: job.rev + 7,
        ..job.clone()
    };
    let replaced = store
        .write(Write::Replace {
            seen: &stale,
            next: &next,
        })
        .await;
    assert!(
        fails(&replaced.map(drop)),
        "replace of a row that is {phase}"
    );
    let created = store.create(job, job.created_at).await;
    assert!(
        fails(&created.map(drop)),
        "create over a row that is {phase}"
    );
    for consistency in [Consistency::Strong, Consistency::Eventual] {
        let read = store.read(&job.key, NOW, consistency).await;
        assert!(fails(&read.map(drop)), "read of a row that is {phase}");
    }
    assert_eq!(raw(plant, &job.key).await, before, "the row after all that");
}

async fn raw(plant: &dyn Plant, key: &JobKey) -> BTreeMap<String, String> {
    let raw = plant.raw(key).await;
    raw.unwrap_or_else(|| panic!("{key} was planted"))
}

/// Each blind write of a row that only its version keeps it from.
async fn a_newer_row_refuses_what_its_state_allows(store: &dyn JobStore, plant: &dyn Plant) {
    let accepted = fresh_job("newer-claim").build();
    let dispatching = fresh_job("newer-start").in_phase(Phase::Dispatching);
    let running = fresh_job("newer-beat").in_phase(Phase::Running);
    let claim = a_claim("this-build", NOW);
    let start = a_start(&dispatching, NOW);
    let beat = a_beat(&running, 99, Some(9), NOW);
    for (job, write) in [
        (&accepted, Write::Claim(&accepted.key, &claim)),
        (&dispatching, Write::Start(&dispatching.key, &start)),
        (&running, Write::Beat(&running.key, &beat)),
    ] {
        let text = format!("{write:?}");
        assert!(write.expect().fences.contains(&Fence::Readable), "{text}");
        assert!(write.expect().holds(Some(job)), "{text}, in this build");
        plant.newer(job).await;
        let before = raw(plant, &job.key).await;
        assert!(is_newer(&store.write(write).await), "{text}");
        assert_eq!(raw(plant, &job.key).await, before, "the row after {text}");
    }
}

async fn a_newer_row_is_left_alone(store: &dyn JobStore, plant: &dyn Plant) {
    for phase in Phase::ALL {
        let job = fresh_job("newer").in_phase(phase);
        plant.newer(&job).await;
        nothing_touches(store, plant, &job, is_newer).await;
    }
}

/// The attribute with the value in `is_newer_value`.
const BEYOND: &str = "format";

/// Ended rows refuse every write by what they are, so that only the decoder speaks.
async fn a_value_of_a_newer_build_is_not_taken_for_garbage(
    store: &dyn JobStore,
    plant: &dyn Plant,
) {
    for phase in Phase::ALL.into_iter().filter(|phase| phase.is_terminal()) {
        let job = fresh_job("newer-value").in_phase(phase);
        plant.newer_value(&job, BEYOND).await;
        nothing_touches(store, plant, &job, is_newer_value).await;
    }
}

/// No fence looks at it: a blind write that the row's state allows happens, names only what it changes,
/// and says that it cannot read the row.
async fn a_value_of_a_newer_build_survives_blind_writes(store: &dyn JobStore, plant: &dyn Plant) {
    let accepted = fresh_job("newer-value-claim").build();
    let dispatching = fresh_job("newer-value-start").in_phase(Phase::Dispatching);
    let running = fresh_job("newer-value-beat").in_phase(Phase::Running);
    let claim = a_claim("this-build", NOW);
    let start = a_start(&dispatching, NOW);
    let beat = a_beat(&running, 99, Some(9), NOW);
    for (job, write) in [
        (&accepted, Write::Claim(&accepted.key, &claim)),
        (&dispatching, Write::Start(&dispatching.key, &start)),
        (&running, Write::Beat(&running.key, &beat)),
    ] {
        let text = format!("{write:?}");
        plant.newer_value(job, BEYOND).await;
        assert!(is_newer_value(&store.write(write).await), "{text}");
        let read = store.read(&job.key, NOW, Consistency::Strong).await;
        assert!(is_newer_value(&read), "the row after {text}");
    }
}

async fn a_garbage_row_is_left_alone(store: &dyn JobStore, plant: &dyn Plant) {
    let job = fresh_job("garbage").build();
    plant.garbage(&job.key, CREATED_AT).await;
    nothing_touches(store, plant, &job, is_corrupt).await;
}

async fn unreadable_rows_can_be_leased(store: &dyn JobStore, plant: &dyn Plant) {
    let newer = fresh_job("lease-newer").build();
    plant.newer(&newer).await;
    let value = fresh_job("lease-newer-value").build();
    plant.newer_value(&value, BEYOND).await;
    let garbage = fresh_job("lease-garbage").build();
    plant.garbage(&garbage.key, CREATED_AT).await;
    for job in [&newer, &value, &garbage] {
        let entry = due_entry(store, &job.key, FAR).await;
        let entry = entry.unwrap_or_else(|| panic!("an unreadable row is due: {}", job.key));
        let at = entry.due_at + Ms::seconds(60);
        let later = DueMove::Later { at, tries: 1 };
        assert!(
            store.reschedule(&entry, later).await.unwrap(),
            "first lease"
        );
        assert!(
            !store.reschedule(&entry, later).await.unwrap(),
            "second lease"
        );
        let leased = due_entry(store, &job.key, FAR).await.unwrap();
        assert_eq!((leased.due_at, leased.tries), (at, 1), "after the lease");
        assert!(
            store.reschedule(&leased, DueMove::Dead).await.unwrap(),
            "burial"
        );
        assert_eq!(
            due_entry(store, &job.key, FAR).await,
            None,
            "after the burial"
        );
    }
    let read = store.read(&newer.key, NOW, Consistency::Strong).await;
    assert!(is_newer(&read), "a lease changes nothing else");
}

async fn a_nameless_entry_can_only_be_buried(store: &dyn JobStore, plant: &dyn Plant) {
    for shard in Shard::all().take(2) {
        let raw_key = format!("WHAT#{}", fresh("nameless"));
        plant.nameless(shard, &raw_key, CREATED_AT).await;
        let find = || async {
            let entries = due_entries(store, shard, FAR).await;
            entries.into_iter().find(|entry| entry.raw_key == raw_key)
        };
        let entry = find().await;
        let entry = entry.unwrap_or_else(|| panic!("{raw_key} is due"));
        assert_eq!((&entry.key, entry.due_at), (&None, CREATED_AT), "its entry");
        assert!(
            store.reschedule(&entry, DueMove::Dead).await.unwrap(),
            "burial"
        );
        assert!(
            !store.reschedule(&entry, DueMove::Dead).await.unwrap(),
            "second burial"
        );
        assert_eq!(find().await, None, "after the burial");
    }
}

async fn unreadable_rows_are_not_listed(store: &dyn JobStore, plant: &dyn Plant) {
    let account = fresh("listed");
    let job = |n: u64| {
        let job = fresh_job("x")
            .account(&account)
            .id(&format!("list-job-{n}"));
        job.created_at(CREATED_AT + Ms(n)).build()
    };
    put(store, &job(1)).await;
    plant.newer(&job(2)).await;
    plant.garbage(&job(3).key, CREATED_AT + Ms(3)).await;
    put(store, &job(4)).await;
    for limit in [2, 10] {
        let (order, after) = (Order::Oldest, None);
        let range = ListRange {
            from: None,
            until: None,
            order,
            after,
            limit,
        };
        let listed = store
            .list(&account.parse().unwrap(), &range, NOW)
            .await
            .unwrap();
        assert_eq!(
            listed.jobs,
            [job(1), job(4)],
            "what can be read, at most {limit}"
        );
    }
}

async fn an_expired_newer_row_is_replaced(store: &dyn JobStore, plant: &dyn Plant) {
    let job = fresh_job("old-newer").build();
    plant.newer(&job).await;
    let later = job.expires_at + Ms(1);
    let read = store
        .read(&job.key, later, Consistency::Strong)
        .await
        .unwrap();
    assert_eq!(
        read, None,
        "an expired row counts as absent, whoever wrote it"
    );
    let fresh = fresh_job("x")
        .account(job.key.account.as_str())
        .created_at(UnixMs::from_seconds(later.seconds() + 1))
        .build();
    assert_eq!(store.create(&fresh, later).await.unwrap(), Created::New);
    assert_eq!(stored(store, &fresh.key).await, Some(fresh));
}

async fn unknown_attributes_survive_every_write(store: &dyn JobStore, plant: &dyn Plant) {
    let job = fresh_job("extra").build();
    put(store, &job).await;
    plant.extra(&job.key, "from_v2", "kept").await;
    let kept = async |what: &str| {
        let value = raw(plant, &job.key).await.get("from_v2").cloned();
        assert!(
            value.is_some_and(|v| v.contains("kept")),
            "an unknown attribute after {what}"
        );
    };
    assert_eq!(
        stored(store, &job.key).await.as_ref(),
        Some(&job),
        "it does not disturb a read"
    );
    let entry = due_entry(store, &job.key, FAR).await.unwrap();
    let later = DueMove::Later { at: NOW, tries: 1 };
    assert!(store.reschedule(&entry, later).await.unwrap());
    kept("a lease").await;
    let claimed = done(store, Write::Claim(&job.key, &a_claim("c", NOW))).await;
    kept("a claim").await;
    let running = done(store, Write::Start(&job.key, &a_start(&claimed, NOW))).await;
    kept("a start").await;
    let running = done(
        store,
        Write::Beat(&job.key, &a_beat(&running, 2, None, NOW)),
    )
    .await;
    kept("a beat").await;
    let ended = running
        .clone()
        .succeed(&running.origin(), vec![an_output()], a_report(), NOW)
        .unwrap();
    let written = store
        .write(Write::Replace {
            seen: &running,
            next: &ended,
        })
        .await
        .unwrap();
    assert_eq!(written, Written::Done(Box::new(ended)));
    kept("the end").await;
}

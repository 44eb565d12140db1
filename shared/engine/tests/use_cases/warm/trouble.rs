//! Backends and tables that fail, others that are faster, and money that is spent.

use super::*;
use ryla_engine::port::Leased;

#[tokio::test]
async fn a_lease_route_that_fails_or_never_answers_is_asked_again_and_holds_up_no_other() {
    for answer in [Some(Leased::Unreachable), None] {
        let room = Room::with(&[("modal", Warmth::Lease), ("other", Warmth::Lease)], &[]);
        for minute in 0..30 {
            for backend in ["modal", "other"] {
                room.arrive_at(backend, after(minute), &[5]).await;
                room.end_at(backend, after(minute).second(25)).await;
            }
            if minute == 29 {
                room.gpu().answer_lease(answer.clone());
            }
            let tally = room.tick(after(minute)).await;
            assert_eq!(tally.unheld, u32::from(minute == 29), "minute {minute}");
        }
        let failed = room.state().await;
        assert!(
            failed.reason.ends_with("the lease was not renewed"),
            "{}",
            failed.reason
        );
        // What the lease before holds still holds.
        assert_eq!(failed.floor, 1);
        let other = room.state_at("other").await;
        let lease = room.gpus[1].leases().last().unwrap().clone();
        assert_eq!(other.lease_until, Some(lease.until));
        assert!(failed.lease_until < other.lease_until);
        let begun = room.clock.now();
        let tally = room.busy(after(30), 1).await.remove(0);
        assert_eq!(tally.unheld, 0);
        assert!(room.state().await.lease_until > Some(begun));
    }
}

#[tokio::test]
async fn a_lease_that_could_not_be_renewed_is_over_when_its_time_is() {
    let room = Room::new(&[]);
    room.busy(FIRST, 30).await;
    for minute in 30..36 {
        room.gpu().answer_lease(Some(Leased::Unreachable));
        room.busy(after(minute), 1).await;
    }
    let state = room.state().await;
    assert_eq!((state.floor, state.lease_until), (0, None));
    assert_eq!(state.reason, "nothing is held: the lease was not taken");
}

#[tokio::test]
async fn when_the_days_budget_is_spent_nothing_is_held_until_the_next_utc_day() {
    let room = Room::new(&[("WARM_IDLE_USD_PER_DAY", "0.5")]);
    let tallies = room.busy(FIRST, 60).await;
    let stopped = tallies.iter().position(|tally| tally.stopped).unwrap();
    assert!(tallies[stopped].idle_usd_today >= 0.5 && tallies[stopped].idle_usd_today < 0.6);
    assert!(tallies[stopped..].iter().all(|tally| tally.stopped));
    let levers = room.last_lease().classes.into_values().next().unwrap();
    assert_eq!((levers.floor, levers.window), (0, Ms::seconds(2)));
    let state = room.state().await;
    assert!(
        state
            .reason
            .starts_with("nothing is held until the next UTC day: idle containers have cost $0.5"),
        "{}",
        state.reason
    );
    let spent = tallies.last().unwrap().idle_usd_today;
    assert!(spent < 0.62, "{spent}");
    // Minutes until midnight, and on into the next day.
    let next_day = after(1440 - 60);
    let tallies = room.busy(Minute(next_day.0 - 1), 20).await;
    assert!(tallies[2..].iter().all(|tally| !tally.stopped));
    assert_eq!(room.floor(), 1);
}

#[tokio::test]
async fn of_two_ticks_that_overlap_one_gives_way() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    room.arrive_at("modal", after(20), &[5]).await;
    room.clock.set(after(21).second(37));
    let other = room.warm();
    *room.store.before_write.lock().unwrap() = Some(Box::pin(async move {
        assert!(!other.run().await.unwrap().gave_way);
    }));
    let tally = room.warm().run().await.unwrap();
    assert!(tally.gave_way);
    assert!(tally.endpoints.is_empty());
    let state = room.state().await;
    let day = state.account.on_day_of(FIRST.begin());
    assert_eq!(day.arrivals, 21, "counted once");
    let pool = room.store.rows.endpoints().await.unwrap().pool.unwrap();
    assert_eq!(pool.next, after(21));
}

/// Without a lease nothing in what two such ticks write says which of them wrote it.
#[tokio::test]
async fn of_two_ticks_that_overlap_only_the_faster_has_figures_also_without_leases() {
    for warmth in [
        Warmth::Lease,
        Warmth::Ping,
        Warmth::Call {
            every: Ms::seconds(86_400),
        },
        Warmth::Nothing,
    ] {
        let room = Room::with(&[("modal", warmth)], &[]);
        room.busy(FIRST, 20).await;
        room.arrive_at("modal", after(20), &[5]).await;
        room.clock.set(after(21).second(37));
        let (other, told) = (room.warm(), Arc::new(Mutex::new(None)));
        let faster = Arc::clone(&told);
        *room.store.before_write.lock().unwrap() = Some(Box::pin(async move {
            *faster.lock().unwrap() = Some(other.run().await.unwrap());
        }));
        let slower = room.warm().run().await.unwrap();
        let faster = told.lock().unwrap().take().unwrap();
        assert_eq!(
            (faster.gave_way, slower.gave_way),
            (false, true),
            "{warmth:?}"
        );
        let arrivals: Vec<u64> = faster.endpoints.iter().map(|one| one.arrivals).collect();
        assert_eq!(arrivals, [1], "{warmth:?}");
        assert!(slower.endpoints.is_empty(), "{warmth:?}");
    }
}

#[tokio::test]
async fn a_conflict_that_nobody_can_look_into_is_told_and_no_minute_is_passed_over() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    room.arrive_at("modal", after(20), &[5]).await;
    let store = room.store.clone();
    let mut faster = room.state().await;
    *room.store.before_write.lock().unwrap() = Some(Box::pin(async move {
        faster.rev += 1;
        let seen = Some(faster.rev - 1);
        assert!(store.rows.write_endpoint(seen, &faster).await.unwrap());
        *store.unread.lock().unwrap() = true;
    }));
    let tally = room.tick(after(20)).await;
    assert_eq!((tally.failed, tally.gave_way), (1, true));
    *room.store.unread.lock().unwrap() = false;
    let pool = room.store.rows.endpoints().await.unwrap().pool.unwrap();
    assert_eq!(pool.next, after(20), "it is looked at again");
    let tally = room.busy(after(21), 1).await.remove(0);
    assert_eq!(tally.endpoints[0].arrivals, 2);
}

#[tokio::test]
async fn a_write_whose_reply_was_lost_is_known_as_ours_and_one_conflict_drops_no_other_write() {
    let room = Room::with(&[("modal", Warmth::Lease), ("other", Warmth::Lease)], &[]);
    for minute in 0..5 {
        room.arrive_at("other", after(minute), &[5]).await;
        room.busy(after(minute), 1).await;
    }
    // Both at once: the row of one is written by a clock that runs differently, the other's by nobody.
    room.arrive_at("other", after(5), &[5]).await;
    room.arrive_at("modal", after(5), &[5]).await;
    let mut faster = room.state().await;
    faster.rev += 1;
    faster.lease_until = None;
    let store = room.store.clone();
    *room.store.before_write.lock().unwrap() = Some(Box::pin(async move {
        let seen = Some(faster.rev - 1);
        assert!(store.rows.write_endpoint(seen, &faster).await.unwrap());
    }));
    let tally = room.tick(after(5)).await;
    assert!(tally.gave_way);
    assert_eq!(
        room.state_at("other").await.next,
        after(6),
        "it was written"
    );
    let pool = room.store.rows.endpoints().await.unwrap().pool.unwrap();
    assert_eq!(pool.next, after(5), "what all share was not");
    // The store repeats a write and answers for the second one.
    *room.store.repeats.lock().unwrap() = true;
    let tally = room.busy(after(6), 1).await.remove(0);
    assert_eq!((tally.gave_way, tally.endpoints.len()), (false, 2));
}

/// A tick died before its end: its state was written and what all share was not.
async fn half_told() -> Room {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    let pool = room.store.rows.endpoints().await.unwrap().pool.unwrap();
    room.busy(after(20), 1).await;
    let again = Pool {
        rev: pool.rev + 2,
        ..pool
    };
    let seen = Some(again.rev - 1);
    assert!(room.store.write_pool(seen, &again).await.unwrap());
    room
}

#[tokio::test]
async fn a_tick_that_died_before_its_end_tells_no_minute_twice() {
    let room = half_told().await;
    room.busy(after(21), 1).await;
    let day = room.state().await.account.on_day_of(FIRST.begin());
    assert_eq!(day.arrivals, 22);
}

#[tokio::test]
async fn a_tick_that_is_repeated_within_its_minute_tells_it_once() {
    let room = half_told().await;
    room.tick(after(20)).await;
    let day = room.state().await.account.on_day_of(FIRST.begin());
    assert_eq!(day.arrivals, 21);
}

#[tokio::test]
async fn a_row_of_a_newer_build_is_left_alone_and_so_is_its_endpoint() {
    let room = Room::with(&[("modal", Warmth::Lease), ("other", Warmth::Lease)], &[]);
    room.busy(FIRST, 10).await;
    let before = room.state().await;
    *room.store.unreadable.lock().unwrap() = vec!["modal#flux".to_owned()];
    for minute in 10..40 {
        room.arrive_at("modal", after(minute), &[5]).await;
        room.busy_at("other", after(minute), 1).await;
    }
    assert_eq!(room.state().await, before);
    assert_eq!(room.state_at("other").await.floor, 1);
    let tally = room.tick(after(40)).await;
    assert_eq!(tally.unheld, 1, "what it should hold is not held");
    *room.store.unreadable.lock().unwrap() = vec!["pool".to_owned()];
    room.clock.set(after(41).second(37));
    assert!(
        room.warm().run().await.is_err(),
        "nobody decides without what all share"
    );
}

#[tokio::test]
async fn what_an_unreadable_row_has_cost_counts_for_the_days_budget() {
    let both = [("modal", Warmth::Lease), ("other", Warmth::Lease)];
    let room = Room::with(&both, &[("WARM_IDLE_USD_PER_DAY", "0.5")]);
    for minute in 0..60 {
        room.arrive_at("other", after(minute), &[5]).await;
        room.end_at("other", after(minute).second(25)).await;
        if room.busy(after(minute), 1).await[0].stopped {
            break;
        }
    }
    let day = |state: &EndpointState| state.account.on_day_of(FIRST.begin()).idle_usd;
    let (hidden, other) = (room.state().await, room.state_at("other").await);
    assert!(day(&hidden) > 0.1 && day(&other) < 0.4, "neither alone");
    let next = hidden.next;
    *room.store.unreadable.lock().unwrap() = vec!["modal#flux".to_owned()];
    let tally = room.busy_at("other", next, 1).await.remove(0);
    assert!(tally.stopped && tally.idle_usd_today >= 0.5, "{tally:?}");
    // As all that was spent, it is forgotten on the next day.
    let next_day = Minute(next.0 - next.0 % 1440 + 1440);
    let tallies = room.busy_at("other", Minute(next_day.0 - 2), 3).await;
    assert!(tallies[0].stopped && !tallies[2].stopped);
    assert!(tallies[2].idle_usd_today < 0.1, "{:?}", tallies[2]);
}

#[tokio::test]
async fn a_state_that_cannot_be_written_holds_up_no_other_tick() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    *room.store.broken.lock().unwrap() = true;
    let tally = room.busy(after(20), 1).await.remove(0);
    assert_eq!((tally.failed, tally.gave_way), (1, false));
    *room.store.broken.lock().unwrap() = false;
    let tally = room.busy(after(21), 1).await.remove(0);
    assert_eq!(tally.failed, 0);
    assert_eq!(room.floor(), 1);
}

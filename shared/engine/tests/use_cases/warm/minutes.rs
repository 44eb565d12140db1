//! Which minutes are looked at, and how often.

use super::*;

#[tokio::test]
async fn a_tick_is_one_query_of_the_states_and_one_of_the_finished_minute() {
    let room = Room::new(&[]);
    room.busy(FIRST, 5).await;
    assert_eq!(room.store.queries.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn what_the_minute_under_way_counts_is_left_for_the_next_tick() {
    let room = Room::new(&[]);
    room.arrive_at("modal", FIRST, &[5]).await;
    room.arrive_at("modal", after(1), &[5]).await;
    room.tick(FIRST).await;
    let told = |state: EndpointState| state.account.on_day_of(FIRST.begin()).arrivals;
    assert_eq!(told(room.state().await), 1);
    room.tick(after(1)).await;
    assert_eq!(told(room.state().await), 2);
}

#[tokio::test]
async fn a_second_tick_within_the_minute_does_nothing() {
    let room = Room::new(&[]);
    room.busy(FIRST, 10).await;
    let (leases, state) = (room.gpu().leases().len(), room.state().await);
    let tally = room.tick(after(9)).await;
    assert_eq!(tally, Tally::default());
    assert_eq!(room.gpu().leases().len(), leases);
    assert_eq!(room.state().await, state);
}

#[tokio::test]
async fn missed_minutes_are_told_in_order_up_to_five_of_them() {
    let (steady, late) = (Room::new(&[]), Room::new(&[]));
    for room in [&steady, &late] {
        room.busy(FIRST, 20).await;
    }
    steady.busy(after(20), 5).await;
    for minute in 20..25 {
        late.arrive_at("modal", after(minute), &[5]).await;
        late.end_at("modal", after(minute).second(25)).await;
    }
    late.store.queries.store(0, Ordering::SeqCst);
    late.tick(after(24)).await;
    assert_eq!(late.store.queries.load(Ordering::SeqCst), 6);
    let (steady, late) = (steady.state().await, late.state().await);
    let day = |state: &EndpointState| state.account.on_day_of(after(24).begin());
    assert_eq!(day(&late).arrivals, day(&steady).arrivals);
    assert_eq!(late.history.last_arrival(), steady.history.last_arrival());
    assert_eq!(late.floor, 1);
}

#[tokio::test]
async fn after_a_longer_gap_runs_and_containers_are_forgotten_and_not_what_was_learnt() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    room.arrive_at("modal", after(20), &[50]).await;
    room.tick(after(20)).await;
    assert_eq!(room.state().await.in_flight, 1);
    room.store.queries.store(0, Ordering::SeqCst);
    room.tick(after(200)).await;
    assert_eq!(
        room.store.queries.load(Ordering::SeqCst),
        2,
        "the last minute alone"
    );
    let state = room.state().await;
    assert_eq!((state.in_flight, state.floor), (0, 0));
    room.busy(after(201), 3).await;
    assert_eq!(room.floor(), 1, "it was busy before");
}

#[tokio::test]
async fn one_tick_by_a_clock_far_ahead_stops_nothing() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    room.tick(Minute(FIRST.0 + 500_000_000)).await;
    room.busy(after(21), 20).await;
    assert_eq!(room.floor(), 1);
    let state = room.state().await;
    assert_eq!(state.next, after(41));
    let day = state.account.on_day_of(FIRST.begin());
    assert_eq!(day.arrivals, 40);
}

#[tokio::test]
async fn an_endpoint_that_a_clock_far_ahead_was_told_of_is_told_again_of_what_happens() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    let far = Minute(FIRST.0 + 500_000_000);
    room.arrive_at("modal", far, &[5]).await;
    room.end_at("modal", far.second(25)).await;
    room.tick(far).await;
    assert_eq!(room.state().await.next, far.next());
    room.busy(after(21), 5).await;
    let state = room.state().await;
    assert_eq!(state.next, after(26));
    assert!(state.history.last_arrival() < far.begin());
}

#[tokio::test]
async fn a_clock_that_was_a_little_ahead_leaves_no_lease_to_lapse_and_repeats_no_minute() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    room.arrive_at("modal", after(20), &[5]).await;
    // One invocation's clock is four minutes ahead.
    room.tick(after(24)).await;
    let state = room.state().await;
    for minute in 20..24 {
        let asked = room.gpu().leases().len();
        room.busy(after(minute), 1).await;
        assert_eq!(room.gpu().leases().len(), asked + 1, "minute {minute}");
        assert_eq!(room.last_lease().until, room.clock.now() + Ms::seconds(180));
        let now = room.state().await;
        assert_eq!((now.floor, now.window), (state.floor, state.window));
        assert_eq!(
            (now.history.last_arrival(), now.next),
            (state.history.last_arrival(), state.next)
        );
    }
    room.busy(after(25), 4).await;
    assert_eq!(room.state().await.floor, 1);
}

/// Also one that holds no floor: its window is what was decided.
#[tokio::test]
async fn a_lease_without_a_floor_is_renewed_as_it_is_while_the_clock_was_ahead() {
    let room = Room::new(&[("WARM_VALUE_USD", "0.01")]);
    room.arrive_at("modal", after(3), &[5]).await;
    room.tick(after(3)).await;
    let state = room.state().await;
    assert!(state.floor == 0 && state.lease_until.is_some());
    for minute in 1..3 {
        let asked = room.gpu().leases().len();
        let tally = room.tick(after(minute)).await;
        assert!(!tally.stopped, "{tally:?}");
        assert_eq!(room.gpu().leases().len(), asked + 1, "minute {minute}");
        let levers = room.last_lease().classes.into_values().next().unwrap();
        assert_eq!((levers.floor, levers.window), (0, state.window));
    }
}

#[tokio::test]
async fn an_endpoint_that_runs_is_active_whatever_the_clock_said_before() {
    let room = Room::new(&[]);
    room.busy(FIRST, 20).await;
    // A clock four minutes ahead told the endpoint, and what all share was not written.
    let pool = room.store.rows.endpoints().await.unwrap().pool.unwrap();
    room.tick(after(24)).await;
    let again = Pool {
        rev: pool.rev + 2,
        ..pool
    };
    let seen = Some(pool.rev + 1);
    assert!(room.store.write_pool(seen, &again).await.unwrap());
    room.arrive_at("modal", after(20), &[50]).await;
    for minute in (20..24).map(after) {
        let asked = room.gpu().leases().len();
        room.tick(minute).await;
        assert_eq!(room.gpu().leases().len(), asked + 1, "{minute:?}");
        assert_eq!(room.state().await.in_flight, 1);
    }
}

#[tokio::test]
async fn counts_that_land_just_after_the_minute_are_waited_for() {
    let room = Room::new(&[]);
    room.busy(FIRST, 2).await;
    let begin = after(3).begin();
    room.clock.set(begin + Ms(100));
    room.clock.hold_sleepers();
    let warm = room.warm();
    let tick = tokio::spawn(async move { warm.run().await.unwrap() });
    while room.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        room.store.queries.load(Ordering::SeqCst),
        4,
        "nothing is read yet"
    );
    room.arrive_at("modal", after(2), &[59]).await;
    for _ in 0..20 {
        room.clock.advance(Ms::seconds(1));
        tokio::task::yield_now().await;
    }
    tick.await.unwrap();
    assert_eq!(room.state().await.in_flight, 1);
}

#[tokio::test]
async fn a_run_whose_end_is_never_told_is_forgotten_after_its_limits() {
    let room = Room::new(&[]);
    room.arrive_at("modal", FIRST, &[5]).await;
    // 240 s to start and 200 s to run.
    for minute in 0..12 {
        room.tick(after(minute)).await;
        let expected = u32::from(minute < 7);
        assert_eq!(room.state().await.in_flight, expected, "minute {minute}");
    }
}

#[tokio::test]
async fn where_more_ended_than_were_sampled_the_rest_ends_after_the_usual_service() {
    let room = Room::new(&[]);
    room.arrive_at("modal", FIRST, &[1; 40]).await;
    for part in TickShard::all() {
        for _ in 0..5 {
            let end = End {
                endpoint: Room::endpoint_at("modal"),
                at: FIRST.second(40),
                shard: part,
                waited: Ms(0),
                boot: None,
                service: None,
            };
            assert!(room.store.add_end(&end).await.unwrap());
        }
    }
    room.tick(FIRST).await;
    assert_eq!(room.state().await.in_flight, 0);
}

#[tokio::test]
async fn a_thousand_endpoints_are_one_tick() {
    let room = Room::new(&[]);
    for number in 0..1000 {
        let arrivals = Arrivals {
            endpoint: Endpoint {
                backend: "modal".parse().unwrap(),
                class: format!("class-{number}").parse().unwrap(),
            },
            minute: FIRST,
            shard: TickShard::of(0),
            seconds: [(7, 1)].into(),
        };
        room.store.add_arrivals(&arrivals).await.unwrap();
    }
    let tally = room.tick(FIRST).await;
    assert_eq!(tally.endpoints.len(), 1000);
    assert_eq!(room.gpu().leases().len(), 1, "one lease for all");
    assert_eq!(room.last_lease().classes.len(), 1000);
    assert_eq!(room.store.queries.load(Ordering::SeqCst), 2);
    // All rows lie in one partition: 1,000 of some 8 write units are not written at once.
    let paced: u64 = room
        .clock
        .slept()
        .iter()
        .map(|one| one.0)
        .filter(|ms| *ms < 1000)
        .sum();
    assert!((8_000..20_000).contains(&paced), "{paced} ms");
}

#[tokio::test]
async fn what_the_old_day_had_left_is_told_by_a_tick_that_catches_up_over_midnight() {
    let room = Room::new(&[]);
    let midnight = 1440 - 60;
    let mut told = 0.0;
    for tally in room.busy(after(midnight - 20), 18).await {
        told += tally.endpoints[0].idle_s;
    }
    for minute in midnight - 2..midnight + 2 {
        room.arrive_at("modal", after(minute), &[5]).await;
        room.end_at("modal", after(minute).second(25)).await;
    }
    let tally = room.tick(after(midnight + 1)).await;
    assert_eq!(tally.endpoints[0].arrivals, 4);
    told += tally.endpoints[0].idle_s;
    let account = room.state().await.account;
    let days =
        [after(midnight - 1), after(midnight + 1)].map(|one| account.on_day_of(one.begin()).idle_s);
    assert!(
        (told - days[0] - days[1]).abs() < 1e-6,
        "{told} of {days:?}"
    );
}

//! Backends that keep containers warm in other ways than by leases, or not at all.

use super::*;

#[tokio::test]
async fn a_ping_goes_out_only_where_holding_pays_and_nothing_runs() {
    let room = Room::with(&[("modal", Warmth::Ping)], &[]);
    room.tick(FIRST).await;
    assert!(
        room.gpu().touched().is_empty(),
        "an endpoint without a past"
    );
    for minute in (1..31).map(after) {
        room.arrive_at("modal", minute, &[30]).await;
        room.end_at("modal", minute.second(50)).await;
        let tally = room.tick(minute).await;
        assert_eq!(tally.unheld, 0, "{minute:?}");
    }
    let pings = room.gpu().touched().len();
    assert!(pings > 20, "{pings}");
    assert!(room.gpu().leases().is_empty());
    assert_eq!(room.state().await.touched_at, Some(room.clock.now()));
    // A request that runs: a ping would stand in line behind it, or boot a second container.
    room.arrive_at("modal", after(31), &[50]).await;
    room.tick(after(31)).await;
    assert_eq!(room.gpu().touched().len(), pings);
}

/// A container that answers begins its deployed window anew: pinged each minute, it is never released.
#[tokio::test]
async fn what_a_ping_holds_is_in_the_account_and_one_without_an_answer_is_told() {
    let room = Room::with(&[("modal", Warmth::Ping)], &[]);
    let idle_s = |state: &EndpointState| state.account.on_day_of(FIRST.begin()).idle_s;
    // Each on the second: a ping that came later than the window of the one before would boot a container.
    let tick = async |minute: Minute| {
        room.clock.set(minute.next().second(37));
        let mut warm = room.warm();
        warm.spread = Ms(0);
        warm.run().await.unwrap()
    };
    for minute in (0..31).map(after) {
        room.arrive_at("modal", minute, &[30]).await;
        room.end_at("modal", minute.second(50)).await;
        tick(minute).await;
    }
    assert_eq!(room.state().await.floor, 1);
    let (before, pings) = (idle_s(&room.state().await), room.gpu().touched().len());
    for minute in (31..33).map(after) {
        tick(minute).await;
    }
    assert_eq!(room.gpu().touched().len(), pings + 2);
    let idled = idle_s(&room.state().await) - before;
    assert!((idled - 120.0).abs() < 1e-6, "{idled}");
    room.gpu().fall_silent();
    room.arrive_at("modal", after(33), &[30]).await;
    room.end_at("modal", after(33).second(50)).await;
    let tally = tick(after(33)).await;
    assert_eq!(tally.unheld, 1);
    assert_eq!(room.gpu().touched().len(), pings + 3);
    assert_eq!(room.state().await.floor, 0);
}

#[tokio::test]
async fn an_endpoint_that_is_taken_away_after_three_days_is_called_before() {
    let every = Ms::seconds(3 * 86_400);
    let room = Room::with(&[("modal", Warmth::Call { every })], &[]);
    room.busy(FIRST, 3).await;
    let mut called = Vec::new();
    for minute in (3..8 * 1440).step_by(5) {
        room.clock.set(after(minute + 1).second(37));
        let before = room.gpu().touched().len();
        let tally = room.warm().run().await.unwrap();
        assert_eq!(tally.unheld, 0);
        if room.gpu().touched().len() > before {
            called.push(minute);
        }
    }
    let [first, second] = called.as_slice() else {
        panic!("{called:?}")
    };
    assert!((2 * 1440..3 * 1440).contains(first), "{called:?}");
    assert!(
        (2 * 1440..3 * 1440).contains(&(second - first)),
        "{called:?}"
    );
    assert_eq!(room.state().await.floor, 0);
}

#[tokio::test]
async fn a_ping_that_would_come_after_the_release_is_not_sent() {
    let room = Room::with(&[("modal", Warmth::Ping)], &[]);
    // Gone 85 s into the next minute; a tick acts 102 s into it.
    room.busy(FIRST, 30).await;
    assert!(room.gpu().touched().is_empty());
}

#[tokio::test]
async fn a_backend_that_keeps_nothing_warm_is_not_asked() {
    let room = Room::with(&[("modal", Warmth::Nothing)], &[]);
    room.busy(FIRST, 30).await;
    assert!(room.gpu().touched().is_empty() && room.gpu().leases().is_empty());
    let state = room.state().await;
    assert_eq!((state.floor, state.lease_until), (0, None));
    assert_eq!(
        state.reason,
        "nothing is held: its backend keeps nothing warm"
    );
}

#[tokio::test]
async fn what_idles_until_the_classes_own_window_is_over_is_written_though_the_policy_would_let_it_go()
 {
    let worth_nothing = [("WARM_VALUE_USD", "0"), ("WARM_GPU_USD_PER_HOUR", "3.6")];
    let room = Room::with(&[("modal", Warmth::Nothing)], &worth_nothing);
    room.arrive_at("modal", FIRST, &[5]).await;
    room.end_at("modal", FIRST.second(50)).await;
    let mut idle_s = Vec::new();
    let mut told_s = 0.0;
    for minute in (0..4).map(after) {
        let tally = room.tick(minute).await;
        told_s += tally.endpoints.iter().map(|one| one.idle_s).sum::<f64>();
        let day = room.state().await.account.on_day_of(FIRST.begin());
        idle_s.push(day.idle_s);
    }
    assert_eq!(idle_s, [10.0, 60.0, 60.0, 60.0]);
    assert!((told_s - 60.0).abs() < 1e-9, "of metrics: {told_s}");
    let rev = room.state().await.rev;
    room.tick(after(4)).await;
    assert_eq!(room.state().await.rev, rev, "nothing is there any more");
}

#[tokio::test]
async fn an_endpoint_whose_backend_is_gone_from_the_settings_holds_nothing() {
    let room = Room::new(&[]);
    let tallies = room.busy_at("gone", FIRST, 5).await;
    assert_eq!(tallies[4].unheld, 0, "nothing was to be held");
    for minute in (5..30).map(after) {
        room.arrive_at("gone", minute, &[30]).await;
        room.end_at("gone", minute.second(50)).await;
        let tally = room.tick(minute).await;
        assert!(minute < after(20) || tally.unheld == 1);
    }
    assert!(room.gpu().leases().is_empty());
    let state = room.state_at("gone").await;
    assert_eq!(
        state.reason,
        "nothing is held: its backend is not configured any more"
    );
}

#[tokio::test]
async fn calls_that_hang_hold_up_the_tick_no_longer_than_one_backend_may() {
    let every = Ms::seconds(3 * 86_400);
    let room = Room::with(&[("modal", Warmth::Call { every })], &[]);
    for number in 0..20 {
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
    room.tick(FIRST).await;
    room.gpu().fall_silent();
    room.clock.set(after(3 * 1440).second(37));
    room.clock.hold_sleepers();
    let warm = room.warm();
    let tick = tokio::spawn(async move { warm.run().await.unwrap() });
    // Side by side, before any time has passed.
    while room.gpu().touched().len() < 16 {
        tokio::task::yield_now().await;
    }
    while !tick.is_finished() && room.clock.now() < after(3 * 1440).second(53) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        room.clock.advance(Ms::seconds(1));
    }
    let tally = tokio::time::timeout(std::time::Duration::from_secs(5), tick).await;
    assert_eq!(tally.unwrap().unwrap().unheld, 1);
    assert_eq!(room.gpu().touched().len(), 20);
}

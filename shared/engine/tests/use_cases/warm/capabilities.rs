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
    room.busy(after(1), 30).await;
    let pings = room.gpu().touched().len();
    assert!(pings > 20, "{pings}");
    assert!(room.gpu().leases().is_empty());
    assert_eq!(room.state().await.touched_at, Some(room.clock.now()));
    // A request that runs: a ping would stand in line behind it, or boot a second container.
    room.arrive_at("modal", after(31), &[50]).await;
    room.tick(after(31)).await;
    assert_eq!(room.gpu().touched().len(), pings);
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
        room.warm().run().await.unwrap();
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
async fn an_endpoint_whose_backend_is_gone_from_the_settings_holds_nothing() {
    let room = Room::new(&[]);
    room.busy_at("gone", FIRST, 5).await;
    assert!(room.gpu().leases().is_empty());
    let state = room.state_at("gone").await;
    assert_eq!(
        state.reason,
        "nothing is held: its backend is not configured any more"
    );
}

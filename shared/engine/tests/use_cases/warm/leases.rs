//! What is asked of a backend that takes leases.

use super::*;
use ryla_engine::port::Leased;

#[tokio::test]
async fn a_busy_endpoint_is_held_and_the_lease_is_renewed_at_each_tick() {
    let room = Room::new(&[]);
    room.busy(FIRST, 30).await;
    assert_eq!(room.gpu().leases().len(), 30, "at each tick");
    let lease = room.last_lease();
    let taken = room.clock.now();
    assert_eq!(room.floor(), 1);
    assert_eq!(lease.until, taken + Ms::seconds(180));
    let levers = lease.classes.values().next().unwrap();
    assert!((2_000..=120_000).contains(&levers.window.0) && levers.window.0.is_multiple_of(1000));
    let state = room.state().await;
    assert_eq!((state.floor, state.lease_until), (1, Some(lease.until)));
    assert!(state.reason.starts_with("holds 1 of 1"), "{}", state.reason);
    let day = state.account.on_day_of(taken);
    assert_eq!((day.arrivals, day.cold_starts), (30, 1));
    assert!(day.idle_s > 1000.0 && day.idle_usd > 0.5, "{day:?}");
}

#[tokio::test]
async fn calls_are_spread_over_the_first_seconds_of_a_tick() {
    let room = Room::new(&[]);
    room.busy(FIRST, 8).await;
    let slept = room.clock.slept();
    let spread: Vec<u64> = slept
        .iter()
        .map(|one| one.0)
        .filter(|ms| *ms <= 5000)
        .collect();
    assert_eq!(spread.len(), 8);
    let mut warm = room.warm();
    for seed in 0..20 {
        warm.entropy = Arc::new(SeededEntropy::new(seed));
        room.clock
            .set(after(8 + i64::try_from(seed).unwrap()).second(37));
        room.arrive_at("modal", after(7 + i64::try_from(seed).unwrap()), &[1])
            .await;
        warm.run().await.unwrap();
    }
    let drawn: Vec<u64> = room
        .clock
        .slept()
        .iter()
        .map(|one| one.0)
        .filter(|ms| *ms <= 5000)
        .collect();
    assert!(
        drawn.iter().any(|ms| *ms > 3000) && drawn.iter().any(|ms| *ms < 2000),
        "{drawn:?}"
    );
}

#[tokio::test]
async fn an_endpoint_that_nobody_uses_cools_and_is_then_left_alone() {
    let room = Room::new(&[]);
    room.busy(FIRST, 30).await;
    for quiet in 30..90 {
        room.tick(after(quiet)).await;
    }
    assert_eq!(room.floor(), 0);
    let (leases, rev) = (room.gpu().leases().len(), room.state().await.rev);
    assert!(leases < 60, "{leases} leases");
    // The window that it is to find at its next request shrinks; nothing else is asked or written.
    let mut written = 0;
    for quiet in 90..600 {
        let tally = room.tick(after(quiet)).await;
        written += tally.endpoints.len();
    }
    let more = room.gpu().leases().len() - leases;
    assert!(
        (1..=4).contains(&more) && written <= 4 * 5,
        "{more} calls, {written} writes"
    );
    let state = room.state().await;
    assert!(state.rev <= rev + 20);
    assert_eq!((state.floor, state.lease_until), (0, None));
}

#[tokio::test]
async fn while_a_request_runs_no_container_is_booted_beside_it() {
    let room = Room::new(&[]);
    room.busy(FIRST, 30).await;
    room.arrive_at("modal", after(30), &[50]).await;
    room.tick(after(30)).await;
    assert!(room.floor() <= 1);
    assert_eq!(room.state().await.in_flight, 1);
}

#[tokio::test]
async fn while_a_request_runs_its_lease_is_renewed_though_nothing_new_is_counted() {
    let room = Room::new(&[("WARM_VALUE_USD", "0.01")]);
    room.arrive_at("modal", FIRST, &[5]).await;
    for minute in 0..5 {
        room.tick(after(minute)).await;
        assert_eq!(room.floor(), 0);
        let until = room.clock.now() + Ms::seconds(180);
        assert_eq!(room.state().await.lease_until, Some(until), "{minute}");
    }
}

#[tokio::test]
async fn a_lower_maximum_that_an_answer_names_is_learnt() {
    let room = Room::new(&[("WARM_MAX_FLOOR", "5")]);
    let class = Room::endpoint_at("modal").class;
    room.gpu()
        .answer_lease(Some(Leased::Taken([(class, 1)].into())));
    for minute in 0..40 {
        room.arrive_at("modal", after(minute), &[5, 6, 7]).await;
        for second in [25, 26, 27] {
            room.end_at("modal", after(minute).second(second)).await;
        }
        room.tick(after(minute)).await;
        assert!(room.floor() <= 1, "minute {minute}");
    }
    assert_eq!(room.state().await.most, Some(1));
}

#[tokio::test]
async fn the_first_lease_names_the_maximum_by_which_the_minute_before_it_is_counted() {
    let room = Room::new(&[]);
    let class = Room::endpoint_at("modal").class;
    room.gpu()
        .answer_lease(Some(Leased::Taken([(class, 2)].into())));
    room.arrive_at("modal", FIRST, &[5; 6]).await;
    let tally = room.tick(FIRST).await;
    let day = room.state().await.account.on_day_of(FIRST.begin());
    assert_eq!((day.arrivals, day.cold_starts), (6, 2));
    let [told] = tally.endpoints.as_slice() else {
        panic!("{tally:?}")
    };
    assert_eq!((told.arrivals, told.cold_starts), (6, 2), "of metrics");
}

#[tokio::test]
async fn a_floor_above_the_maximum_is_refused_and_asked_for_again_at_once_as_far_as_it_goes() {
    let room = Room::new(&[]);
    let class = Room::endpoint_at("modal").class;
    room.busy(FIRST, 29).await;
    room.gpu().answer_lease(Some(Leased::Refused {
        class: Some(class.clone()),
        most: Some(0),
    }));
    room.busy(after(29), 1).await;
    let leases = room.gpu().leases();
    let [.., first, second] = leases.as_slice() else {
        panic!("two leases")
    };
    assert_eq!(
        (first.classes[&class].floor, second.classes[&class].floor),
        (1, 0)
    );
    let state = room.state().await;
    assert_eq!((state.most, state.floor), (Some(0), 0));
    room.busy(after(30), 5).await;
    assert_eq!(room.floor(), 0, "it is learnt");
}

#[tokio::test]
async fn a_class_that_the_app_does_not_have_costs_the_others_nothing() {
    let room = Room::new(&[]);
    let class: ryla_domain::id::GpuClass = "video".parse().unwrap();
    room.busy(FIRST, 29).await;
    room.store
        .add_arrivals(&Arrivals {
            endpoint: Endpoint {
                backend: "modal".parse().unwrap(),
                class: class.clone(),
            },
            minute: after(29),
            shard: TickShard::of(0),
            seconds: [(1, 1)].into(),
        })
        .await
        .unwrap();
    room.gpu().answer_lease(Some(Leased::Refused {
        class: Some(class.clone()),
        most: None,
    }));
    let tally = room.busy(after(29), 1).await.remove(0);
    assert_eq!(tally.unheld, 1, "one class got nothing");
    assert_eq!(room.floor(), 1);
    assert!(!room.last_lease().classes.contains_key(&class));
    let held = room.state().await;
    assert_eq!(
        (held.floor, held.lease_until),
        (1, Some(room.last_lease().until))
    );
    let states = room.store.rows.endpoints().await.unwrap().states;
    let refused = states.iter().find(|one| one.endpoint.class == class);
    let refused = refused.unwrap();
    assert_eq!((refused.floor, refused.lease_until), (0, None));
    assert_eq!(
        refused.reason,
        "nothing is held: its backend refused the lease"
    );
    // It still runs there, and nothing new came.
    room.gpu().answer_lease(Some(Leased::Refused {
        class: Some(class.clone()),
        most: None,
    }));
    assert_eq!(room.busy(after(30), 1).await[0].unheld, 1);
}

/// A refusal that lowering the floor would not mend is not answered by asking for the same, or for more.
#[tokio::test]
async fn a_class_that_is_refused_with_room_for_its_floor_is_left_out() {
    for most in [1, 2, 9] {
        let room = Room::new(&[]);
        room.busy(FIRST, 29).await;
        let asked = room.gpu().leases().len();
        let class = Some(Room::endpoint_at("modal").class);
        room.gpu().answer_lease(Some(Leased::Refused {
            class,
            most: Some(most),
        }));
        let tally = room.busy(after(29), 1).await.remove(0);
        assert_eq!((tally.unheld, room.gpu().leases().len()), (1, asked + 1));
        let state = room.state().await;
        assert_eq!((state.floor, state.lease_until), (0, None), "{most}");
        assert_eq!(
            state.reason,
            "nothing is held: its backend refused the lease"
        );
    }
}

#[tokio::test]
async fn a_refusal_that_names_a_class_that_was_not_asked_for_is_a_lease_not_taken() {
    let room = Room::new(&[]);
    room.busy(FIRST, 29).await;
    let (asked, before) = (room.gpu().leases().len(), room.state().await);
    room.gpu().answer_lease(Some(Leased::Refused {
        class: Some("video".parse().unwrap()),
        most: None,
    }));
    let tally = room.busy(after(29), 1).await.remove(0);
    assert_eq!((tally.unheld, room.gpu().leases().len()), (1, asked + 1));
    let state = room.state().await;
    assert_eq!(
        (state.floor, state.lease_until),
        (before.floor, before.lease_until)
    );
    assert!(state.reason.ends_with("; the lease was not renewed"));
}

#[tokio::test]
async fn an_endpoint_that_a_clock_calls_is_booted_just_before_and_left_alone_in_between() {
    let room = Room::new(&[]);
    let mut of_last_hour = Vec::new();
    for minute in 0..12 * 60 {
        if minute % 60 == 0 {
            room.arrive_at("modal", after(minute), &[0]).await;
        }
        if minute % 60 == 1 {
            room.end_at("modal", after(minute).second(5)).await;
        }
        let before = room.gpu().leases().len();
        room.tick(after(minute)).await;
        if minute >= 11 * 60 {
            let floor = room.gpu().leases().get(before).map(|_| room.floor());
            of_last_hour.push((minute % 60, floor));
        }
    }
    let asked: Vec<_> = of_last_hour
        .iter()
        .filter(|(_, floor)| floor.is_some())
        .collect();
    assert!(asked.len() < 20, "{asked:?}");
    let booted: Vec<i64> = asked
        .iter()
        .filter(|(_, floor)| *floor == Some(1))
        .map(|(m, _)| *m)
        .collect();
    assert!(booted.iter().any(|minute| *minute >= 57), "{asked:?}");
    assert!(
        !booted.iter().any(|minute| (10..55).contains(minute)),
        "{asked:?}"
    );
}

/// Requests of 20 s, a quarter of an hour apart and no clock, with ticks until long after each; what each has idled.
async fn sparse(room: &Room, from: i64, requests: i64) -> Vec<f64> {
    let idle_s = |state: &EndpointState| state.account.on_day_of(FIRST.begin()).idle_s;
    let (mut idled, mut before) = (Vec::new(), 0.0);
    for number in 0..requests {
        let first = from + number * 15 + number * number % 4;
        room.arrive_at("modal", after(first), &[5]).await;
        room.end_at("modal", after(first).second(25)).await;
        for minute in first..first + 11 {
            room.tick(after(minute)).await;
        }
        let now = idle_s(&room.state().await);
        idled.push(now - before);
        before = now;
    }
    idled
}

#[tokio::test]
async fn the_window_of_a_rare_endpoint_is_asked_for_after_its_last_use_and_stays() {
    let room = Room::new(&[("WARM_VALUE_USD", "0.01")]);
    let idled = sparse(&room, 0, 8).await;
    let window_s = room.state().await.window.as_seconds();
    assert!(window_s < 20.0, "{window_s}");
    // The first one idles for as long as the class is deployed.
    assert!(idled[1..].iter().all(|s| *s <= 20.0), "{idled:?}");
    let leases = room.gpu().leases();
    assert!(
        leases.len() <= 16
            && leases
                .iter()
                .all(|one| one.classes.values().all(|l| l.floor == 0)),
        "{leases:?}",
    );
}

#[tokio::test]
async fn a_spent_budget_takes_the_window_of_an_endpoint_at_which_nothing_happens() {
    let room = Room::new(&[("WARM_IDLE_USD_PER_DAY", "0.8")]);
    room.busy(FIRST, 20).await;
    for minute in 20..30 {
        room.tick(after(minute)).await;
    }
    assert!(
        room.state().await.window > Ms::seconds(2),
        "{:?}",
        room.state().await.window
    );
    // Another class spends what is left of the day's money, while nobody comes here.
    let other = Endpoint {
        backend: "modal".parse().unwrap(),
        class: "video".parse().unwrap(),
    };
    let mut stopped = false;
    for minute in (30..150).map(after) {
        let arrivals = Arrivals {
            endpoint: other.clone(),
            minute,
            shard: TickShard::of(0),
            seconds: [(5, 1)].into(),
        };
        room.store.add_arrivals(&arrivals).await.unwrap();
        let end = End {
            endpoint: other.clone(),
            at: minute.second(25),
            shard: TickShard::of(0),
            waited: Ms(0),
            boot: None,
            service: None,
        };
        room.store.add_end(&end).await.unwrap();
        stopped = room.tick(minute).await.stopped;
    }
    assert!(stopped);
    assert_eq!(room.state().await.window, Ms::seconds(2));
    let idled = sparse(&room, 150, 4).await;
    assert!(idled[1..].iter().all(|s| *s <= 2.0), "{idled:?}");
}

#[tokio::test]
async fn after_a_lease_that_lapsed_nothing_is_booted() {
    // The route fails, or nobody ticks, for longer than the lease; the container has gone with it.
    for missed in [false, true] {
        let room = Room::new(&[]);
        room.busy(FIRST, 30).await;
        assert_eq!(room.floor(), 1);
        for minute in 30..34 {
            if !missed {
                room.gpu().answer_lease(Some(Leased::Unreachable));
                room.tick(after(minute)).await;
            }
        }
        let asked = room.gpu().leases().len();
        room.tick(after(34)).await;
        let state = room.state().await;
        assert_eq!(state.floor, 0, "missed {missed}: {}", state.reason);
        let leases = room.gpu().leases();
        let floors = leases[asked..].iter().flat_map(|one| one.classes.values());
        assert!(floors.clone().all(|levers| levers.floor == 0));
        // It comes back with the next request.
        room.busy(after(35), 3).await;
        assert_eq!(room.floor(), 1);
    }
}

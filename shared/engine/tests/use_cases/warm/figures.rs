//! What a tick tells of itself, and what an endpoint is believed to cost and take.

use super::*;
use ryla_domain::model::catalog;

#[tokio::test]
async fn a_tick_tells_that_it_asked_what_may_be_spent_and_what_is_new() {
    let room = Room::new(&[("WARM_IDLE_USD_PER_DAY", "7.5")]);
    let tallies = room.busy(FIRST, 12).await;
    let of = |state: &EndpointState| state.account.on_day_of(FIRST.begin());
    for tally in &tallies {
        assert!(tally.steered && !tally.stopped && !tally.gave_way);
        assert_eq!((tally.unheld, tally.failed), (0, 0));
        assert!((tally.budget_usd - 7.5).abs() < 1e-9);
        assert_eq!(tally.endpoints.len(), 1);
    }
    let day = of(&room.state().await);
    let sum = |figure: fn(&ryla_engine::warm::EndpointFigures) -> f64| -> f64 {
        tallies
            .iter()
            .map(|tally| figure(&tally.endpoints[0]))
            .sum()
    };
    let near = |told: f64, whole: f64| assert!((told - whole).abs() < 1e-6, "{told} of {whole}");
    near(sum(|one| one.idle_s), day.idle_s);
    near(sum(|one| one.idle_usd), day.idle_usd);
    near(tallies[11].idle_usd_today, day.idle_usd);
    assert!(day.idle_usd > 0.1 && day.avoided == 0);
    assert_eq!((day.arrivals, day.cold_starts), (12, 1));
    let counts = |tally: &Tally| (tally.endpoints[0].arrivals, tally.endpoints[0].cold_starts);
    assert_eq!(counts(&tallies[0]), (1, 1));
    assert!(tallies[1..].iter().all(|tally| counts(tally) == (1, 0)));
    assert_eq!(tallies[11].endpoints[0].floor, room.state().await.floor);
}

#[tokio::test]
async fn cold_starts_that_a_floor_spares_are_told() {
    let room = Room::new(&[]);
    room.busy(FIRST, 30).await;
    // Idle from second 25 on, for longer than the deployed 60 s.
    room.tick(after(30)).await;
    room.arrive_at("modal", after(31), &[5]).await;
    let tally = room.tick(after(31)).await;
    assert_eq!(tally.endpoints[0].avoided, 1);
}

#[tokio::test]
async fn a_classs_times_begin_with_the_catalogs_mean_and_move_to_what_workers_measure() {
    let room = Room::new(&[]);
    room.arrive_at("modal", FIRST, &[5]).await;
    room.tick(FIRST).await;
    let models: Vec<_> = catalog().iter().filter(|one| one.class == "flux").collect();
    assert!(models.len() > 1);
    let count = f64::from(u32::try_from(models.len()).unwrap());
    let boot_s = models
        .iter()
        .map(|one| f64::from(one.cold_start_s))
        .sum::<f64>()
        / count;
    let service_s = models
        .iter()
        .map(|one| f64::from(one.typical_s))
        .sum::<f64>()
        / count;
    let near = |is: f64, should: f64| assert!((is - should).abs() < 1e-9, "{is} and not {should}");
    let state = room.state().await;
    near(state.history.terms().boot_s(), boot_s);
    near(state.history.terms().service_s(), service_s);

    for second in [30, 30] {
        let end = End {
            endpoint: Room::endpoint_at("modal"),
            at: after(1).second(second),
            shard: TickShard::of(1),
            waited: Ms(0),
            boot: Some(Ms::seconds(100)),
            service: Some(Ms::seconds(8)),
        };
        assert!(room.store.add_end(&end).await.unwrap());
    }
    room.tick(after(1)).await;
    let state = room.state().await;
    // The catalog counts as three measurements: the first one is a fourth of them all, the second a fifth.
    let moved = |old: f64, to: f64| to + (old - to) * 3.0 / 4.0 * 4.0 / 5.0;
    near(state.history.terms().boot_s(), moved(boot_s, 100.0));
    near(state.history.terms().service_s(), moved(service_s, 8.0));
}

#[tokio::test]
async fn an_endpoint_of_no_model_has_usual_times() {
    let room = Room::new(&[]);
    let endpoint = Endpoint {
        backend: "modal".parse().unwrap(),
        class: "unheard_of".parse().unwrap(),
    };
    let arrivals = Arrivals {
        endpoint,
        minute: FIRST,
        shard: TickShard::of(0),
        seconds: [(5, 1)].into(),
    };
    room.store.add_arrivals(&arrivals).await.unwrap();
    room.tick(FIRST).await;
    let states = room.store.rows.endpoints().await.unwrap().states;
    let terms = states[0].history.terms();
    assert!((terms.boot_s() - 45.0).abs() < 1e-9 && (terms.service_s() - 20.0).abs() < 1e-9);
}

#[tokio::test]
async fn an_endpoints_dice_are_drawn_anywhere_from_0_to_1() {
    let mut all = Vec::new();
    for seed in 0..200 {
        let mut room = Room::new(&[]);
        room.entropy = Arc::new(SeededEntropy::new(seed));
        room.arrive_at("modal", FIRST, &[5]).await;
        room.tick(FIRST).await;
        let history = serde_json::to_value(&room.state().await.history).unwrap();
        all.push(history["dice"].as_f64().unwrap());
    }
    assert!(all.iter().all(|dice| (0.0..1.0).contains(dice)), "{all:?}");
    for tenth in 0..10 {
        let from = f64::from(tenth) / 10.0;
        let within = all.iter().filter(|dice| (from..from + 0.1).contains(*dice));
        let count = within.count();
        assert!((5..=40).contains(&count), "{count} from {from}");
    }
}

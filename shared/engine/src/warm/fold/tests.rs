//! A flood of which most ends are not sampled, and the ordinary hour after it.

use super::*;

const FIRST: Minute = Minute(30_000_000);

/// An endpoint of ten containers at most.
fn endpoint() -> EndpointState {
    let deployed = Deployed {
        window_s: 60.0,
        max: 10,
        usd_per_s: 0.001,
    };
    let terms = Terms::new(0.001, 0.05, 45.0, 20.0).unwrap();
    let begin = FIRST.begin();
    EndpointState {
        endpoint: Endpoint {
            backend: "modal".parse().unwrap(),
            class: "flux".parse().unwrap(),
        },
        rev: 0,
        next: FIRST,
        history: History::new(terms, deployed.window_s, 0.5, begin),
        account: Account::new(deployed, begin),
        in_flight: 0,
        floor: 0,
        window: DEPLOYED_WINDOW,
        lease_until: None,
        most: Some(10),
        touched_at: None,
        reason: String::new(),
        writer: None,
    }
}

/// A minute with so many arrivals in second 5 and ends in second 25.
fn minute(state: &EndpointState, arrivals: u32, ends: u32) -> Tick {
    let came = Second {
        arrivals,
        ..Second::default()
    };
    let ended = Second {
        ends: Measured {
            count: ends,
            sum: Ms(0),
        },
        ..Second::default()
    };
    Tick {
        endpoint: state.endpoint.clone(),
        seconds: BTreeMap::from([(5, came), (25, ended)]),
        full: ends >= 20,
    }
}

#[test]
fn the_ordinary_hour_after_a_flood_costs_what_it_costs_without_one() {
    let hour_after = |flood: u32| {
        let (mut state, mut pool) = (endpoint(), Calibration::default());
        let mut tell = |at: i64, arrivals, ends| {
            let tick = minute(&state, arrivals, ends);
            let at = Minute(FIRST.0 + at);
            tell_minute(&mut state, &mut pool, at, &tick);
            state.account.pass(at.next().begin());
            state.account.on_day_of(at.begin())
        };
        tell(0, flood, 0);
        for at in 1..6 {
            tell(at, 0, flood.min(20));
        }
        // Whatever the flood left idle is gone.
        let before = tell(9, 0, 0);
        let mut after = before;
        for at in 10..70 {
            after = tell(at, 1, 1);
        }
        let usd = after.idle_usd - before.idle_usd;
        (usd, after.cold_starts - before.cold_starts)
    };
    let (usual_usd, usual_cold) = hour_after(0);
    assert!(usual_usd > 1.0, "{usual_usd}");
    let (usd, cold) = hour_after(500);
    assert!((usd - usual_usd).abs() < 1e-6, "{usd} and not {usual_usd}");
    assert_eq!(cold, usual_cold);
}

//! Figures that can be added up by hand, and clocks that cannot be trusted.

use super::*;

const DEPLOYED: Deployed = Deployed {
    window_s: 60.0,
    max: 2,
    usd_per_s: 0.001,
};

fn at(seconds: i64) -> UnixMs {
    UnixMs(seconds * 1000)
}

fn account() -> Account {
    Account::new(DEPLOYED, at(0))
}

/// Arrivals, cold starts, cold starts avoided, idle seconds and dollars.
fn figures(account: &Account, now_s: i64) -> (u64, u64, u64, f64, f64) {
    let day = account.on_day_of(at(now_s));
    let rounded = |number: f64| (number * 1e6).round() / 1e6;
    (
        day.arrivals,
        day.cold_starts,
        day.avoided,
        rounded(day.idle_s),
        rounded(day.idle_usd),
    )
}

/// Whether so many seconds have been idle on that day.
fn has_idled(account: &Account, now_s: i64, seconds: f64) -> bool {
    (account.on_day_of(at(now_s)).idle_s - seconds).abs() < 1e-9
}

#[test]
fn without_a_lease_the_deployed_window_is_what_idles() {
    let mut account = account();
    account.arrived(at(0));
    account.ended(at(65));
    account.pass(at(1000));
    assert_eq!(figures(&account, 1000), (1, 1, 0, 60.0, 0.06));
    account.arrived(at(1000));
    account.ended(at(1020));
    account.arrived(at(1050));
    assert_eq!(
        figures(&account, 1050),
        (3, 2, 0, 90.0, 0.09),
        "within the deployed window nothing was avoided"
    );
}

#[test]
fn what_a_floor_holds_beyond_the_deployed_window_avoids_a_cold_start() {
    let mut account = account();
    account.arrived(at(0));
    account.ended(at(65));
    account.asked(at(100), 1, 20.0, at(280), 45.0);
    account.arrived(at(250));
    assert_eq!(figures(&account, 250), (2, 1, 1, 185.0, 0.185));
}

#[test]
fn a_lease_that_nobody_renews_ends_and_so_does_what_it_costs() {
    let mut account = account();
    account.arrived(at(0));
    account.ended(at(20));
    account.asked(at(60), 1, 20.0, at(240), 45.0);
    account.pass(at(100_000 - 60_000));
    assert_eq!(
        figures(&account, 40_000),
        (1, 1, 0, 220.0, 0.22),
        "older than the deployed window when the lease was over"
    );
    assert_eq!(account.idle(), 0);
}

#[test]
fn the_window_of_a_lease_stays_when_the_lease_ends() {
    let mut account = account();
    account.asked(at(0), 1, 2.0, at(180), 45.0);
    account.pass(at(1000));
    let before = figures(&account, 1000).3;
    account.arrived(at(1000));
    account.ended(at(1020));
    account.pass(at(2000));
    assert!(has_idled(&account, 2000, before + 2.0));
    account.forget(at(5000));
    account.arrived(at(5000));
    account.ended(at(5020));
    account.pass(at(6000));
    assert!(has_idled(&account, 6000, before + 4.0), "nor by a gap");
    // One that is longer than what the app leaves standing.
    account.asked(at(6000), 0, 300.0, at(6180), 45.0);
    account.arrived(at(7000));
    account.ended(at(7020));
    account.pass(at(8000));
    assert!(has_idled(&account, 8000, before + 64.0));
}

#[test]
fn a_short_window_releases_at_once_what_is_above_the_floor() {
    let mut account = account();
    for _ in 0..2 {
        account.arrived(at(0));
    }
    for _ in 0..2 {
        account.ended(at(40));
    }
    account.asked(at(50), 1, 2.0, at(230), 45.0);
    account.pass(at(60));
    assert_eq!((account.idle(), figures(&account, 60).3), (1, 30.0));
    // A request runs: the floor counts it, and what is idle beside it is above the floor.
    account.arrived(at(60));
    account.ended(at(80));
    account.arrived(at(81));
    account.pass(at(200));
    assert_eq!(account.idle(), 0);
}

#[test]
fn beyond_the_most_containers_requests_wait_in_line_and_boot_none() {
    let mut account = account();
    for _ in 0..5 {
        account.arrived(at(0));
    }
    assert_eq!(figures(&account, 0).1, 2);
    for second in [50, 51, 70, 71] {
        account.ended(at(second));
    }
    assert_eq!(account.idle(), 1, "the fifth still runs");
    account.lost(1);
    account.ended(at(90));
    account.pass(at(90));
    assert_eq!(account.idle(), 2);
}

#[test]
fn a_maximum_that_is_learnt_late_puts_those_beyond_it_into_line() {
    let unknown = Deployed {
        max: Deployed::NOT_SAID,
        ..DEPLOYED
    };
    for ended in 0..4 {
        let (mut late, mut knowing) = (Account::new(unknown, at(0)), account());
        for account in [&mut late, &mut knowing] {
            for _ in 0..5 {
                account.arrived(at(0));
            }
            for _ in 0..ended {
                account.ended(at(50));
            }
        }
        assert_eq!(figures(&late, 50).1, 5);
        late.set_deployed(DEPLOYED);
        knowing.set_deployed(DEPLOYED);
        assert_eq!(late, knowing, "{ended} have ended");
        // Once it is known a lower one takes nothing back: those that are there have booted.
        late.set_deployed(Deployed { max: 1, ..DEPLOYED });
        assert_eq!(figures(&late, 50), figures(&knowing, 50));
    }
}

#[test]
fn a_container_that_was_booted_ahead_avoids_a_cold_start_once_it_is_ready() {
    let mut account = account();
    account.asked(at(0), 1, 20.0, at(180), 45.0);
    account.arrived(at(100));
    assert_eq!(figures(&account, 100), (1, 0, 1, 55.0, 0.055));
    account.ended(at(120));
    account.pass(at(1000));
    account.asked(at(1000), 1, 20.0, at(1180), 45.0);
    account.arrived(at(1010));
    assert_eq!(figures(&account, 1010).1, 1, "it was not ready");
}

#[test]
fn idle_seconds_belong_to_the_day_in_which_they_pass() {
    let midnight = 86_400;
    let mut account = Account::new(DEPLOYED, at(midnight - 100));
    account.arrived(at(midnight - 100));
    account.ended(at(midnight - 40));
    account.pass(at(midnight - 1));
    assert!(has_idled(&account, midnight - 1, 39.0));
    account.pass(at(midnight));
    assert_eq!(figures(&account, midnight), (0, 0, 0, 0.0, 0.0));
    account.pass(at(midnight + 500));
    assert!(has_idled(&account, midnight + 500, 20.0));
    assert!(
        has_idled(&account, 3 * midnight, 0.0),
        "nothing was told of that day"
    );
}

#[test]
fn a_clock_that_goes_back_stands_still_and_one_that_leaps_takes_no_time() {
    let mut account = account();
    account.arrived(at(100));
    account.ended(at(50));
    account.ended(at(-9_999_999));
    account.pass(UnixMs(i64::MAX));
    assert!(account.on_day_of(UnixMs(i64::MAX)).idle_s <= 120.0);
    account.arrived(at(0));
    account.lost(u32::MAX);
}

#[test]
fn one_instant_far_ahead_does_not_freeze_the_account_nor_forgive_what_was_spent() {
    let mut account = account();
    account.arrived(at(0));
    account.ended(at(20));
    account.pass(at(1000));
    account.pass(UnixMs(i64::MAX));
    account.arrived(at(2000));
    account.ended(at(2020));
    account.pass(at(3000));
    assert_eq!(figures(&account, 3000), (2, 2, 0, 120.0, 0.12));
}

#[test]
fn a_lease_that_is_told_ahead_holds_from_its_own_instant() {
    let mut account = account();
    account.arrived(at(0));
    account.ended(at(50));
    // Taken 40 s into a minute of which nothing is known yet.
    account.pass(at(60));
    account.asked(at(100), 1, 20.0, at(280), 45.0);
    account.arrived(at(70));
    account.ended(at(90));
    account.pass(at(240));
    assert_eq!(figures(&account, 240), (2, 1, 0, 20.0 + 150.0, 0.17));
}

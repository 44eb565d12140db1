//! Defaults, limits, and what a wrong value is answered with.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, BadSettings> {
    let secret = format!("k1:{}", "x".repeat(32));
    let mut vars = vec![("MASTER_SECRETS".to_owned(), secret)];
    vars.extend(
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
    );
    Settings::from_vars(vars)
}

#[test]
fn the_defaults_are_the_designs_figures() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.timers, Timers::default());
    assert_eq!(settings.wait_max, Ms(25_000));
    assert!(settings.modal.is_none());
}

#[test]
fn every_setting_that_takes_a_number_refuses_what_it_does_not_allow_and_is_named() {
    for variable in VARIABLES
        .iter()
        .filter(|v| v.help.contains(" s") || v.help.contains("ms"))
    {
        // Amounts of money and lists of names have tests of their own.
        let other = variable.help.contains("ollars")
            || ["MASTER_SECRETS", "OPERATOR_ACCOUNTS"].contains(&variable.name);
        if other || !variable.help.chars().any(|c| c.is_ascii_digit()) {
            continue;
        }
        for wrong in ["-1", "abc", "99999999999", "1.5"] {
            let bad = read(&[(variable.name, wrong)]).unwrap_err();
            assert_eq!(bad.0[0].name, variable.name, "{wrong}");
            assert!(bad.to_string().contains(variable.help));
        }
    }
}

#[test]
fn one_start_shows_everything_that_is_wrong_and_no_value() {
    let bad = read(&[
        ("LOG_LEVEL", "loud"),
        ("RETENTION_DAYS", "8"),
        ("PUBLIC_URL", "ftp://x"),
        ("MODAL_KEY", "wk-secret"),
    ])
    .unwrap_err();
    let names: Vec<&str> = bad.0.iter().map(|b| b.name).collect();
    for name in ["LOG_LEVEL", "RETENTION_DAYS", "PUBLIC_URL", "MODAL_SECRET"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(!bad.to_string().contains("loud") && !bad.to_string().contains("wk-secret"));
    assert!(
        Settings::from_vars([])
            .unwrap_err()
            .to_string()
            .contains("MASTER_SECRETS")
    );
}

#[test]
fn modal_is_a_backend_where_its_url_is_set_unless_switched_off() {
    let on = [
        ("MODAL_JOBS_URL", "https://x.modal.run/"),
        ("MODAL_TIMEOUT", "180000"),
    ];
    let settings = read(&on).unwrap();
    let modal = settings.modal.clone().unwrap();
    assert_eq!(modal.jobs_url, "https://x.modal.run");
    let picture = ryla_domain::model::Media::Picture;
    assert_eq!(settings.run_limit(&modal.id, picture), Ms(180_000));
    let other: BackendId = "pod".parse().unwrap();
    assert_eq!(settings.run_limit(&other, picture), Ms(200_000));
    assert!(
        read(&[on[0], ("USE_MODAL", "false")])
            .unwrap()
            .modal
            .is_none()
    );
}

#[test]
fn env_example_is_the_table_of_settings() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example");
    assert_eq!(
        std::fs::read_to_string(file).unwrap_or_default(),
        env_example(),
        "run `cargo run -p ryla-api --example reference` in the repository's root"
    );
}

#[test]
fn warm_is_on_by_default_and_off_where_nothing_may_be_spent() {
    let warm = read(&[]).unwrap().warm.unwrap();
    assert_eq!(
        warm,
        WarmSettings {
            value_usd: 0.05,
            idle_usd_per_day: 5.0,
            gpu_usd_per_hour: 1.95,
            max_floor: 2,
        }
    );
    assert_eq!(read(&[("WARM_IDLE_USD_PER_DAY", "0")]).unwrap().warm, None);
    assert_eq!(
        read(&[("WARM_IDLE_USD_PER_DAY", "0.0")]).unwrap().warm,
        None
    );
}

#[test]
fn amounts_that_are_no_plain_decimals_within_their_bounds_are_refused_by_name() {
    for name in [
        "WARM_VALUE_USD",
        "WARM_IDLE_USD_PER_DAY",
        "WARM_GPU_USD_PER_HOUR",
    ] {
        for wrong in ["-1", "-0", "1e3", "NaN", "inf", "$5", "1,5", "100000.01"] {
            let bad = read(&[(name, wrong)]).unwrap_err();
            assert_eq!(bad.0[0].name, name, "{wrong}");
        }
    }
    for wrong in ["-1", "101", "1.5", "two"] {
        let bad = read(&[("WARM_MAX_FLOOR", wrong)]).unwrap_err();
        assert_eq!(bad.0[0].name, "WARM_MAX_FLOOR", "{wrong}");
    }
}

#[test]
fn operators_are_accounts_and_whoever_is_none_stops_the_start() {
    assert!(read(&[]).unwrap().operators.is_empty());
    let two = read(&[("OPERATOR_ACCOUNTS", " acme, bob ,")]).unwrap();
    let names: Vec<String> = two.operators.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["acme", "bob"]);
    for wrong in ["*", "acme;bob", "Acme", "../acme"] {
        let bad = read(&[("OPERATOR_ACCOUNTS", wrong)]).unwrap_err();
        assert_eq!(bad.0[0].name, "OPERATOR_ACCOUNTS", "{wrong}");
    }
    let bad = read(&[("METRICS_NAMESPACE", "a b")]).unwrap_err();
    assert_eq!(bad.0[0].name, "METRICS_NAMESPACE");
}

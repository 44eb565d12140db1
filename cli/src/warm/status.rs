//! `ryla warm status`: what a system keeps warm, why, and what that has cost today. For operators.

use crate::client::Client;
use crate::connection::{Connection, DATA_FOLDER};
use crate::failure::Failure;
use crate::say;
use crate::table;
use clap::Args;
use jiff::Timestamp;
use ryla_engine::port::Clock as _;
use ryla_engine::system::SystemClock;
use serde::Deserialize;
use std::path::PathBuf;

const ABOUT: &str = "\
An endpoint is a GPU class on a backend. ARRIVALS to IDLE $ count from midnight UTC: COLD had to wait for a \
boot, SPARED took a container that the class's own window would have released. FLOOR containers are held until \
the lease ends; one above it goes WINDOW after its last use. docs/WARM.md explains the words below the table.";

/// Show what is kept warm, why, and what it costs
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(super) struct Status {
    /// Print what the API shows
    #[arg(long)]
    json: bool,
    /// Data folder of the `ryla dev` to speak to, where no system is named
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    data: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct Shown {
    settings: Option<Settings>,
    endpoints: Vec<Endpoint>,
    #[serde(default)]
    unreadable: Vec<String>,
}

#[derive(Deserialize)]
struct Settings {
    value_usd: f64,
    idle_usd_per_day: f64,
    gpu_usd_per_hour: f64,
    max_floor: u32,
}

#[derive(Deserialize)]
struct Endpoint {
    backend: String,
    class: String,
    in_flight: u32,
    floor: u32,
    window_seconds: f64,
    lease_until: Option<String>,
    reason: String,
    today: Today,
}

#[derive(Deserialize)]
struct Today {
    arrivals: u64,
    cold_starts: u64,
    cold_starts_avoided: u64,
    idle_seconds: f64,
    idle_usd: f64,
}

impl Status {
    pub(super) async fn run(&self) -> Result<(), Failure> {
        let target = self.connection.named_or_running(&self.data)?;
        let client = Client::new(&target)?;
        let Some(shown) = client.warm().await? else {
            return Err(Failure::Usage(
                "the system shows this key nothing: only keys of the accounts in OPERATOR_ACCOUNTS may \
                 see what is kept warm"
                    .to_owned(),
            ));
        };
        if self.json {
            say::line(shown);
            return Ok(());
        }
        let now = Timestamp::from_millisecond(SystemClock.now().0).unwrap_or_default();
        say::line(rendered(&client.known(shown)?, now));
        Ok(())
    }
}

fn rendered(shown: &Shown, now: Timestamp) -> String {
    // The sum of nothing is -0.
    let each = shown.endpoints.iter().map(|one| one.today.idle_usd);
    let spent = each.fold(0.0, |sum, usd| sum + usd);
    let mut parts = vec![match &shown.settings {
        None => "warm is off: WARM_IDLE_USD_PER_DAY is 0".to_owned(),
        Some(settings) => format!(
            "${spent:.2} of ${:.2} for idle containers today; a cold wait is worth ${}, a GPU hour costs ${}, \
             at most {} of a class are held",
            settings.idle_usd_per_day,
            settings.value_usd,
            settings.gpu_usd_per_hour,
            settings.max_floor
        ),
    }];
    if shown.endpoints.is_empty() {
        parts.push("nothing has been sent to any backend yet".to_owned());
        return parts.join("\n");
    }
    let rows: Vec<[String; 10]> = shown.endpoints.iter().map(|one| row(one, now)).collect();
    let heading = [
        "ENDPOINT",
        "IN FLIGHT",
        "FLOOR",
        "WINDOW",
        "LEASE",
        "ARRIVALS",
        "COLD",
        "SPARED",
        "IDLE s",
        "IDLE $",
    ];
    parts.push(table::render(heading, &rows));
    let reasons = shown
        .endpoints
        .iter()
        .map(|one| format!("{}: {}", one.name(), one.reason));
    parts.push(reasons.collect::<Vec<_>>().join("\n"));
    for key in &shown.unreadable {
        parts.push(format!("{key}: written by another release, left as it is"));
    }
    parts.join("\n\n")
}

fn row(one: &Endpoint, now: Timestamp) -> [String; 10] {
    let today = &one.today;
    [
        one.name(),
        one.in_flight.to_string(),
        one.floor.to_string(),
        format!("{:.0} s", one.window_seconds),
        lease(one.lease_until.as_deref(), now),
        today.arrivals.to_string(),
        today.cold_starts.to_string(),
        today.cold_starts_avoided.to_string(),
        format!("{:.0}", today.idle_seconds),
        format!("{:.4}", today.idle_usd),
    ]
}

/// For how much longer it holds.
fn lease(until: Option<&str>, now: Timestamp) -> String {
    let Some(until) = until.and_then(|until| until.parse::<Timestamp>().ok()) else {
        return "none".to_owned();
    };
    match until.duration_since(now).as_secs() {
        left @ 1.. => format!("{left} s"),
        _ => "over".to_owned(),
    }
}

impl Endpoint {
    fn name(&self) -> String {
        format!("{}#{}", self.backend, self.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shown(lease_until: &Value) -> Shown {
        serde_json::from_value(json!({
            "settings": {"value_usd": 0.05, "idle_usd_per_day": 5.0, "gpu_usd_per_hour": 1.95, "max_floor": 2},
            "endpoints": [{
                "backend": "modal", "class": "flux", "in_flight": 1, "floor": 2, "window_seconds": 45.0,
                "lease_until": lease_until, "max_containers": 3, "reason": "holds 2 of 3 containers",
                "boot_seconds": 45.0, "service_seconds": 20.0, "break_even_seconds": 137.0,
                "told_until": "2026-11-21T09:30:00Z",
                "today": {"date": "2026-11-21", "arrivals": 40, "cold_starts": 7, "cold_starts_avoided": 12,
                          "idle_seconds": 812.4, "idle_usd": 0.4401},
            }],
            "unreadable": ["modal#sdxl"],
        }))
        .unwrap()
    }

    #[test]
    fn one_line_an_endpoint_and_the_reasons_below() {
        let now = "2026-11-21T09:30:10Z".parse().unwrap();
        let text = rendered(&shown(&json!("2026-11-21T09:32:00.500Z")), now);
        assert_eq!(
            text,
            "$0.44 of $5.00 for idle containers today; a cold wait is worth $0.05, a GPU hour costs $1.95, at most 2 of a class are held\n\
             \n\
             ENDPOINT    IN FLIGHT  FLOOR  WINDOW  LEASE  ARRIVALS  COLD  SPARED  IDLE s  IDLE $\n\
             modal#flux  1          2      45 s    110 s  40        7     12      812     0.4401\n\
             \n\
             modal#flux: holds 2 of 3 containers\n\
             \n\
             modal#sdxl: written by another release, left as it is"
        );
    }

    #[test]
    fn a_lease_that_is_over_or_was_never_taken_is_told_as_that() {
        let now = "2026-11-21T09:40:00Z".parse().unwrap();
        let over = rendered(&shown(&json!("2026-11-21T09:32:00Z")), now);
        assert!(over.contains("45 s    over   40"), "{over}");
        let never = rendered(&shown(&Value::Null), now);
        assert!(never.contains("45 s    none   40"), "{never}");
    }

    #[test]
    fn before_the_first_request_nothing_has_been_spent() {
        let mut fresh = shown(&Value::Null);
        fresh.endpoints.clear();
        let text = rendered(&fresh, Timestamp::UNIX_EPOCH);
        assert!(text.starts_with("$0.00 of $5.00 for idle"), "{text}");
        assert!(
            text.ends_with("\nnothing has been sent to any backend yet"),
            "{text}"
        );
    }

    #[test]
    fn a_system_that_keeps_nothing_warm_says_so() {
        let off = json!({"settings": null, "endpoints": [], "unreadable": []});
        let text = rendered(&serde_json::from_value(off).unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(
            text,
            "warm is off: WARM_IDLE_USD_PER_DAY is 0\nnothing has been sent to any backend yet"
        );
    }
}

//! Lambda `warm`: once a minute, keeps containers warm while that pays, by the use case of that name.
//! Holds no logic of its own; its figures go out as metrics in the log.

mod metrics;

pub use metrics::{lines, write_metrics};

use ryla_engine::warm::{Tally, Warm, WarmError};

/// One tick, and one log line that says what it did.
pub async fn handle(warm: &Warm) -> Result<Tally, WarmError> {
    let tally = warm.run().await?;
    let quiet = tally.endpoints.is_empty() && tally.unheld == 0 && tally.failed == 0;
    if !quiet || tally.stopped || tally.gave_way {
        tracing::info!(
            event = "warm",
            endpoints = tally.endpoints.len(),
            held = tally.endpoints.iter().map(|one| one.floor).sum::<u32>(),
            unheld = tally.unheld,
            failed = tally.failed,
            stopped = tally.stopped,
            gave_way = tally.gave_way,
            idle_usd_today = tally.idle_usd_today,
            "kept warm"
        );
    }
    Ok(tally)
}

/// The same where `warm` may be switched off: nothing is done then, and what was held ends with its lease.
pub async fn handle_if_on(warm: Option<&Warm>) -> Result<Tally, WarmError> {
    match warm {
        Some(warm) => handle(warm).await,
        None => Ok(Tally::default()),
    }
}

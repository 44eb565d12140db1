//! Lambda `sweep`: once a minute, looks at every job that is due by the use case of that name. Holds
//! no logic of its own.

use ryla_engine::sweep::{Scope, Sweep, Tally};

/// One sweep, and one log line that says what it did.
pub async fn handle(sweep: &Sweep, scope: Scope) -> Tally {
    let tally = sweep.run(scope).await;
    if tally != Tally::default() {
        tracing::info!(
            event = "sweep",
            leased = tally.leased,
            resent = tally.resent,
            moved = tally.moved,
            dead = tally.dead,
            failed = tally.failed,
            "swept"
        );
    }
    tally
}

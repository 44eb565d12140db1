//! Waits for a condition, within bounds, and says what was in the way.

use std::time::{Duration, Instant};

/// Looks again and again until `look` gives a value; panics with its last complaint at the limit.
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(complaint) if begun.elapsed() > limit => {
                panic!("{what}: not within {limit:?}: {complaint}");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

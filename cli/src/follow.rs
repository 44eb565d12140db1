//! Watches a job until it has ended.

use crate::client::Client;
use crate::failure::Failure;
use crate::prediction::Prediction;
use crate::progress::Progress;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Reads the job again and again, from five times a second down to once, and shows how far it is.
pub(crate) async fn until_ended(
    client: &Client,
    first: Prediction,
    progress: &mut Progress,
) -> Result<Prediction, Failure> {
    let mut prediction = first;
    let mut pause = FIRST_PAUSE;
    loop {
        progress.show(&prediction);
        if prediction.status.is_terminal() {
            return Ok(prediction);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 11 / 10).min(LONGEST_PAUSE);
        prediction = client.prediction(&prediction.id).await?;
    }
}

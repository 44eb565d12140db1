//! Wiring of the Lambda `status`: settings, log, adapters, run.

use ryla_aws::{Addressing, Aws, WarmUp};
use ryla_engine::log;
use ryla_engine::settings::Settings;
use std::sync::Arc;

/// A tenth less processor time for a job than with glibc's (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let settings = Arc::new(Settings::from_env()?);
    log::to_stdout(&settings.log_level);
    let aws = Aws::from_env(Addressing::VirtualHost).await;
    aws.warm_up(WarmUp {
        table: Some(&settings.table),
        bucket: Some(&settings.bucket),
        queue_url: None,
    })
    .await;
    let api = ryla_status::api(aws.ports(&settings), settings);
    ryla_api::lambda::serve(api).await
}

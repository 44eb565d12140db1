//! Wiring of the Lambda `warm`: settings, log, adapters, run.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use ryla_aws::{Addressing, Aws, WarmUp};
use ryla_engine::log;
use ryla_engine::settings::Settings;
use serde_json::Value;
use std::sync::Arc;

/// A tenth less processor time for a job than with glibc's (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Arc::new(Settings::from_env()?);
    log::to_stdout(&settings.log_level);
    let http = ryla_backends::http::client(settings.connect_timeout, None)?;
    let backends = ryla_backends::configured(&settings, &http)?;
    let aws = Aws::from_env(Addressing::VirtualHost).await;
    aws.warm_up(WarmUp {
        table: Some(&settings.table),
        bucket: None,
        queue_url: None,
    })
    .await;
    let ports = aws.ports(&settings);
    let warm = ports.warm(&settings, &backends);
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| {
        let tally = ryla_warm::handle_if_on(warm.as_ref()).await?;
        let (now, log) = (ports.clock.now(), &mut std::io::stdout().lock());
        ryla_warm::write_metrics(log, &tally, &settings.metrics_namespace, now)?;
        Ok::<_, Error>(())
    }))
    .await
}

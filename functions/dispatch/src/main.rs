//! Wiring of the Lambda `dispatch`: settings, log, adapters, run.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use ryla_aws::{Addressing, Aws, WarmUp};
use ryla_engine::log;
use ryla_engine::settings::Settings;
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
    let dispatch = aws.ports(&settings).dispatch(&settings, &backends);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let invocation = event.context.request_id.clone();
        Ok::<_, Error>(ryla_dispatch::handle(&dispatch, &invocation, event.payload).await)
    }))
    .await
}

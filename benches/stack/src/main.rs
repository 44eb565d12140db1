//! `ryla-bench-stack`: makes jobs on the embedded stack of `ryla dev`, over its HTTP API, with a GPU that
//! answers at once, and prints what they cost. All of it is one process: the stack, the GPU and the load.

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use http::StatusCode;
use reqwest::Method;
use ryla_backends::http::{CONNECT_TIMEOUT, client};
use ryla_bench::fleet::{own_cpu_ms, own_peak_mib};
use ryla_bench::gateway::{Answer, Call};
use ryla_bench::gpu::{Gpu, Output, Reach};
use ryla_bench::load::{Client, Load, Until};
use ryla_bench::stats::percentile;
use ryla_local::{Data, Options, Stack};
use std::io::{Write, stdout};
use std::sync::Arc;

/// Jobs before anything is measured.
const WARM_UP_JOBS: usize = 20;

/// Makes jobs on the embedded stack and prints a line of figures.
#[derive(Debug, Parser)]
struct Arguments {
    /// Keep rows in memory; otherwise in a new folder, which is removed at the end.
    #[arg(long)]
    memory: bool,
    /// Jobs that are measured.
    #[arg(long, default_value_t = 500)]
    jobs: usize,
    /// Jobs at once.
    #[arg(long, default_value_t = 1)]
    concurrency: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let http = client(CONNECT_TIMEOUT, None)?;
    let gpu = Gpu::start(Arc::new(Outside(http.clone()))).await?;
    let options = Options {
        data: if arguments.memory {
            Data::Memory
        } else {
            Data::Folder(folder.path().to_owned())
        },
        ..Options::default()
    };
    let stack = Stack::start(options.with("MODAL_JOBS_URL", gpu.url())).await?;
    let api = Api {
        http,
        base: stack.url().to_owned(),
    };
    let load = Load::new(&api, &gpu, stack.api_key());
    load.run(Until::Jobs(WARM_UP_JOBS), arguments.concurrency)
        .await?;
    let cpu_before = own_cpu_ms()?;
    let run = load
        .run(Until::Jobs(arguments.jobs), arguments.concurrency)
        .await?;
    let cpu_ms = own_cpu_ms()? - cpu_before;
    let (jobs, peak_mib) = (arguments.jobs, own_peak_mib()?);
    #[expect(clippy::cast_precision_loss, reason = "thousands of jobs")]
    let cpu_ms_per_job = cpu_ms / jobs as f64;
    writeln!(
        stdout(),
        "| {} | {} | {jobs} | {:.1} ms | {:.1} ms | {:.0} /s | {cpu_ms_per_job:.2} ms | {peak_mib:.0} MiB |",
        if arguments.memory { "memory" } else { "file" },
        arguments.concurrency,
        percentile(&run.ms, 0.5),
        percentile(&run.ms, 0.99),
        run.jobs_per_s(),
    )?;
    let open = stack.due_entries().await?;
    anyhow::ensure!(open == 0, "{open} jobs are still due");
    stack.shutdown().await;
    Ok(())
}

/// The API over HTTP.
struct Api {
    http: reqwest::Client,
    base: String,
}

#[async_trait]
impl Client for Api {
    async fn call(&self, call: Call) -> anyhow::Result<Answer> {
        let method = Method::from_bytes(call.method.as_bytes())?;
        let url = format!("{}{}", self.base, call.path);
        let mut request = self.http.request(method, url).body(call.body);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.context("the API")?;
        Ok(Answer {
            status: response.status(),
            body: response.bytes().await?,
        })
    }
}

/// How the GPU reaches bucket and API: over HTTP, as a worker does.
struct Outside(reqwest::Client);

#[async_trait]
impl Reach for Outside {
    async fn put(&self, output: &Output, picture: Bytes) -> anyhow::Result<String> {
        let mut request = self.0.put(&output.put_url).body(picture);
        for (name, value) in &output.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.context("the bucket")?;
        let response = response.error_for_status()?;
        let etag = response.headers().get("etag").context("no entity tag")?;
        Ok(etag.to_str()?.trim_matches('"').to_owned())
    }

    async fn call_back(
        &self,
        url: &str,
        signature: String,
        body: Bytes,
    ) -> anyhow::Result<StatusCode> {
        let request = self.0.post(url).header("x-ryla-signature", signature);
        let request = request.header("content-type", "application/json");
        Ok(request.body(body).send().await.context("the API")?.status())
    }
}

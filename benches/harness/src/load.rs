//! The load: makes jobs and waits for their pictures. A job's time runs from the moment before its
//! request is sent to the moment after a read has shown its result; that read is sent as soon as the GPU
//! has heard that its last callback was taken, so that no polling interval is measured.

use crate::gateway::{Answer, Call};
use crate::gpu::Gpu;
use anyhow::{Context, ensure};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Whoever answers requests of the API.
#[async_trait]
pub trait Client: Send + Sync {
    /// Sends one request.
    async fn call(&self, call: Call) -> anyhow::Result<Answer>;
}

/// Makes jobs.
pub struct Load<'a> {
    client: &'a dyn Client,
    gpu: &'a Gpu,
    authorization: String,
    made: AtomicU64,
    late: AtomicU64,
}

impl std::fmt::Debug for Load<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Load").finish_non_exhaustive()
    }
}

/// When to stop making jobs.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// So many were begun.
    Jobs(usize),
    /// So much time has passed.
    Time(Duration),
}

/// What some jobs came to.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Submit to visible result, one for each job.
    pub ms: Vec<f64>,
    /// From the first request to the last result.
    pub elapsed: Duration,
}

impl Run {
    /// Jobs per second.
    #[expect(clippy::cast_precision_loss, reason = "thousands of jobs")]
    pub fn jobs_per_s(&self) -> f64 {
        self.ms.len() as f64 / self.elapsed.as_secs_f64()
    }
}

impl<'a> Load<'a> {
    /// Jobs for this API, made with that key and worked on by that GPU.
    pub fn new(client: &'a dyn Client, gpu: &'a Gpu, api_key: &str) -> Self {
        Self {
            client,
            gpu,
            authorization: format!("Bearer {api_key}"),
            made: AtomicU64::new(0),
            late: AtomicU64::new(0),
        }
    }

    /// Makes jobs, so many at a time.
    pub async fn run(&self, until: Until, concurrency: usize) -> anyhow::Result<Run> {
        let begun = Instant::now();
        let left = AtomicUsize::new(match until {
            Until::Jobs(jobs) => jobs,
            Until::Time(_) => usize::MAX,
        });
        let more = || {
            let in_time = match until {
                Until::Jobs(_) => true,
                Until::Time(limit) => begun.elapsed() < limit,
            };
            let took =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            in_time && took.is_ok()
        };
        let workers = (0..concurrency).map(|_| async {
            let mut ms = Vec::new();
            while more() {
                ms.push(self.job().await?);
            }
            anyhow::Ok(ms)
        });
        let ms = try_join_all(workers).await?.concat();
        Ok(Run {
            ms,
            elapsed: begun.elapsed(),
        })
    }

    /// Results that the first read did not show yet.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// The request that makes a job.
    pub fn create(&self) -> Call {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let body = json!({"input": {
            "prompt": format!("a lighthouse at dusk, long exposure, gulls over the breakwater, number {number}"),
            "width": 1024, "height": 768, "seed": number, "output_format": "jpg",
        }});
        Call {
            method: "POST",
            path: "/v1/models/ryla/flux-dev/predictions".to_owned(),
            headers: vec![
                ("authorization", self.authorization.clone()),
                ("content-type", "application/json".to_owned()),
                ("idempotency-key", format!("bench-{number}")),
            ],
            body: body.to_string().into(),
        }
    }

    /// The request that reads a job.
    pub fn read(&self, id: &str) -> Call {
        Call {
            method: "GET",
            path: format!("/v1/predictions/{id}"),
            headers: vec![("authorization", self.authorization.clone())],
            body: bytes::Bytes::new(),
        }
    }

    async fn job(&self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let made = self.client.call(self.create()).await?;
        let id = id_of(&made)?;
        self.gpu.ended(&id).await?;
        loop {
            let shown = self.client.call(self.read(&id)).await?;
            if shows_a_result(&shown)? {
                return Ok(begun.elapsed().as_secs_f64() * 1e3);
            }
            let late = self.late.fetch_add(1, Ordering::Relaxed);
            ensure!(late < 100, "job {id} has ended and does not show it");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// The id of a job that was made just now.
pub fn id_of(made: &Answer) -> anyhow::Result<String> {
    let made = made.json(StatusCode::CREATED)?;
    let id = made.get("id").and_then(Value::as_str);
    Ok(id.context("a prediction without an id")?.to_owned())
}

/// Whether a prediction has succeeded; one that has ended otherwise is an error.
pub fn shows_a_result(shown: &Answer) -> anyhow::Result<bool> {
    let shown = shown.json(StatusCode::OK)?;
    let status = shown.get("status").and_then(Value::as_str);
    match status {
        Some("succeeded") => {
            let output = shown.get("output").and_then(|output| match output {
                Value::Array(urls) => urls.first()?.as_str(),
                output => output.as_str(),
            });
            let output = output.context("a result without a picture")?;
            ensure!(output.contains("/o/"), "{output} is no output");
            Ok(true)
        }
        Some("starting" | "processing") => Ok(false),
        other => anyhow::bail!("a job ended as {other:?}: {:?}", shown.get("error")),
    }
}

//! One sample: a job like any user's, and what was seen of it.

use super::seen::Sample;
use crate::client::Client;
use crate::failure::Failure;
use crate::keys;
use crate::prediction::{Model, Prediction, Status};
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// The input field that names a LoRA.
pub(super) const LORA: &str = "lora_id";

/// What the samples show.
const PROMPT: &str = "portrait photo of a person in soft daylight";

/// A job that has not ended by then is a sample that failed; every job ends by itself before.
const LIMIT: Duration = Duration::from_mins(31);

const PAUSE: Duration = Duration::from_millis(300);

/// What the caller gave for fields that no default can fill.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) reference: Option<Value>,
    pub(super) lora: Option<String>,
}

fn is_picture(property: &Value) -> bool {
    property.get("format").is_some_and(|format| format == "uri")
}

fn properties(model: &Model) -> impl Iterator<Item = (&String, &Value)> {
    let schema = model.input_schema();
    let properties = schema.and_then(|schema| schema.get("properties"));
    properties.and_then(Value::as_object).into_iter().flatten()
}

/// Whether the model has a field for a picture.
pub(super) fn takes_picture(model: &Model) -> bool {
    properties(model).any(|(_, property)| is_picture(property))
}

/// The least that the model takes, or the flag that is missing for it.
pub(super) fn input(model: &Model, given: &Given) -> Result<Map<String, Value>, &'static str> {
    let mut input = Map::new();
    for (name, property) in properties(model) {
        let value = match name.as_str() {
            "prompt" => PROMPT.into(),
            LORA => given.lora.clone().ok_or("--lora")?.into(),
            _ if is_picture(property) => given.reference.clone().ok_or("--reference")?,
            _ => continue,
        };
        input.insert(name.clone(), value);
    }
    Ok(input)
}

/// Asks for one and waits for its end.
pub(super) async fn run(
    client: &Client,
    model: &Model,
    input: &Map<String, Value>,
    seed: u64,
) -> Sample {
    let mut input = input.clone();
    input.insert("seed".to_owned(), seed.into());
    let begun = Instant::now();
    let ended = tokio::time::timeout(LIMIT, ended(client, model, &input)).await;
    let reply_s = begun.elapsed().as_secs_f64();
    match ended {
        Ok(Ok(job)) => seen(job, reply_s),
        Ok(Err(failure)) => Sample::lost(failure.text(), reply_s),
        Err(_) => Sample::lost("no end within 31 minutes".to_owned(), reply_s),
    }
}

fn seen(job: Prediction, reply_s: f64) -> Sample {
    let urls = job.output_urls();
    let succeeded = job.status == Status::Succeeded && !urls.is_empty();
    let (video, files) = (urls.iter().any(|url| is_video(url)), urls.len());
    let metrics = job.metrics;
    let begun = metrics.timeline.running_ms.is_some();
    let code = metrics.error_code;
    Sample {
        succeeded,
        answered: succeeded || begun || code.as_deref().is_some_and(is_the_backends),
        video,
        files: u32::try_from(files).unwrap_or(u32::MAX),
        code,
        provider: metrics.provider,
        gpu: metrics.gpu,
        run_s: metrics.predict_time,
        queue_s: metrics.queue_seconds,
        boot_s: metrics.boot_seconds,
        cold_start_s: metrics.cold_start_seconds,
        cost_usd: metrics.cost_usd,
        likeness: metrics.likeness.into_iter().flatten().collect(),
        reply_s,
    }
}

/// Codes that the backend itself gives; `provider` alone says only where the job was to run.
fn is_the_backends(code: &str) -> bool {
    matches!(
        code,
        "model_missing"
            | "invalid_input"
            | "lora_not_found"
            | "face_not_found"
            | "no_output"
            | "unsafe"
            | "gpu_error"
            | "gpu_oom"
    )
}

fn is_video(url: &str) -> bool {
    let file = url.split(['?', '#']).next().unwrap_or_default();
    let ending = std::path::Path::new(file).extension();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("mp4"))
}

async fn ended(
    client: &Client,
    model: &Model,
    input: &Map<String, Value>,
) -> Result<Prediction, Failure> {
    let mut job = client.submit(model, input, &keys::random("cli-")).await?;
    while !job.status.is_terminal() {
        tokio::time::sleep(PAUSE).await;
        job = client.prediction(&job.id).await?;
    }
    Ok(job)
}

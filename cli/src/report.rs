//! What a finished command says of a job: lines for people, one JSON object for scripts.

use crate::cost::cost;
use crate::failure::Failure;
use crate::picture::Saved;
use crate::prediction::{Prediction, Status, Timeline};
use crate::timeline;
use serde::Serialize;
use serde_json::Value;

/// What a script needs; every key is always there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Report {
    /// The job; null where none came to be.
    id: Option<String>,
    model: Option<String>,
    status: Option<Status>,
    seed: Option<u64>,
    /// URL of the picture; a list for a model that makes several.
    output: Value,
    /// Path of the saved file; a list where `output` is one.
    file: Value,
    bytes: Option<u64>,
    width: Option<u64>,
    height: Option<u64>,
    timeline: Timeline,
    /// Null where it is not known.
    cost_usd: Option<f64>,
    provider: Option<String>,
    error: Option<String>,
    error_code: Option<String>,
    trace_id: Option<String>,
}

impl Report {
    /// Of a job and the files that were made of it.
    pub(crate) fn of(prediction: &Prediction, saved: &[Saved]) -> Self {
        let metrics = &prediction.metrics;
        let paths: Vec<Value> = saved
            .iter()
            .map(|saved| Value::from(saved.path.to_string_lossy()))
            .collect();
        let file = match (&prediction.output, paths.first()) {
            (Value::Array(_), _) => Value::Array(paths),
            (_, first) => first.cloned().unwrap_or_default(),
        };
        let size = saved.first().and_then(|saved| saved.size);
        Self {
            id: Some(prediction.id.clone()),
            model: Some(prediction.model.clone()),
            status: Some(prediction.status),
            seed: prediction.seed(),
            output: prediction.output.clone(),
            file,
            bytes: (!saved.is_empty()).then(|| saved.iter().map(|saved| saved.bytes).sum()),
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            timeline: metrics.timeline.clone(),
            cost_usd: metrics.cost_usd,
            provider: metrics.provider.clone(),
            error: prediction.error_text().map(str::to_owned),
            error_code: error_code(prediction),
            trace_id: metrics.trace_id.clone(),
        }
    }

    /// Of a command that failed, with what is known of the job, if there is one.
    pub(crate) fn of_failure(failure: &Failure, prediction: Option<&Prediction>) -> Self {
        let report = prediction.map(|prediction| Self::of(prediction, &[]));
        let mut report = report.unwrap_or_default();
        report.error = report.error.or_else(|| Some(failure.text()));
        report.error_code = report
            .error_code
            .or_else(|| Some(failure.code().to_owned()));
        let trace_id = failure.trace_id().map(str::to_owned);
        report.trace_id = report.trace_id.or(trace_id);
        report
    }

    /// The object on one line.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The job's own word for why there is no picture.
fn error_code(prediction: &Prediction) -> Option<String> {
    let canceled = || (prediction.status == Status::Canceled).then(|| Status::Canceled.to_string());
    prediction.metrics.error_code.clone().or_else(canceled)
}

/// The end of a job for people: the timeline, then what it was, then its files.
pub(crate) fn text(prediction: &Prediction, saved: &[Saved]) -> String {
    let mut lines = vec![
        timeline::render(&prediction.metrics.timeline),
        String::new(),
    ];
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<6}{value}"));
    line("job", &prediction.id);
    if let Some(seed) = prediction.seed() {
        line("seed", &seed.to_string());
    }
    line("cost", &cost(&prediction.metrics));
    for saved in saved {
        line("file", &file(saved));
    }
    lines.join("\n")
}

fn file(saved: &Saved) -> String {
    let size = saved
        .size
        .map_or_else(String::new, |(w, h)| format!("{w} x {h}, "));
    let replaced = if saved.replaced {
        ", replaces the file that was there"
    } else {
        ""
    };
    let path = saved.path.display();
    format!("{path} ({size}{}{replaced})", bytes(saved.bytes))
}

/// `186 KB`; exact below a kilobyte.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => {
            let tenths = bytes.div_ceil(100_000);
            format!("{}.{} MB", tenths / 10, tenths % 10)
        }
    }
}

/// For `--help` and the documentation: the keys of the object.
pub(crate) const JSON_KEYS: &str = "id, model, status, seed, output, file, bytes, width, height, \
    timeline, cost_usd, provider, error, error_code, trace_id";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prediction(status: &str, more: Value) -> Prediction {
        let mut prediction = json!({
            "id": "j1", "model": "ryla/flux-dev", "status": status, "input": { "seed": 7, "width": 512 },
            "metrics": { "cost_usd": null, "provider": "preview", "trace_id": "t1",
                         "timeline": { "accepted_ms": 0, "dispatched_ms": 4, "running_ms": 9, "done_ms": 12 } },
        });
        if let (Some(all), Value::Object(more)) = (prediction.as_object_mut(), more) {
            all.extend(more);
        }
        serde_json::from_value(prediction).unwrap()
    }

    fn saved(replaced: bool) -> Saved {
        Saved {
            path: "x.jpg".into(),
            bytes: 186_432,
            size: Some((512, 256)),
            replaced,
        }
    }

    #[test]
    fn people_read_timeline_job_seed_cost_and_file() {
        let prediction = prediction("succeeded", json!({}));
        assert_eq!(
            text(&prediction, &[saved(false)]),
            "accepted     0 ms\ndispatched   4 ms\nrunning      9 ms\ndone        12 ms\n\n\
             job   j1\nseed  7\ncost  unknown (preview)\nfile  x.jpg (512 x 256, 187 KB)"
        );
        assert!(
            text(&prediction, &[saved(true)])
                .ends_with("187 KB, replaces the file that was there)")
        );
    }

    #[test]
    fn scripts_get_every_key_and_null_for_what_is_not_known() {
        let output = json!({ "output": "http://x/o/1-0.jpg" });
        let report = Report::of(&prediction("succeeded", output), &[saved(false)]);
        let report: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(
            report,
            json!({
                "id": "j1", "model": "ryla/flux-dev", "status": "succeeded", "seed": 7,
                "output": "http://x/o/1-0.jpg", "file": "x.jpg", "bytes": 186_432, "width": 512, "height": 256,
                "timeline": { "accepted_ms": 0, "dispatched_ms": 4, "running_ms": 9, "done_ms": 12 },
                "cost_usd": null, "provider": "preview", "error": null, "error_code": null, "trace_id": "t1",
            })
        );
        let mut named: Vec<&str> = JSON_KEYS.split(", ").collect();
        named.sort_unstable();
        let mut keys: Vec<&str> = report
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, named);
    }

    #[test]
    fn a_failed_job_keeps_its_own_error_and_a_failure_without_job_has_a_word() {
        let failed = prediction(
            "failed",
            json!({ "error": "Too large.", "metrics": { "error_code": "gpu_oom" } }),
        );
        let failure = Failure::unreachable("gone");
        let report = Report::of_failure(&failure, Some(&failed));
        assert_eq!(report.error.as_deref(), Some("Too large."));
        assert_eq!(report.error_code.as_deref(), Some("gpu_oom"));
        let report = Report::of_failure(&failure, None);
        assert_eq!((report.id, report.error.as_deref()), (None, Some("gone")));
        assert_eq!(report.error_code.as_deref(), Some("unreachable"));
    }

    #[test]
    fn several_pictures_are_lists() {
        let prediction = prediction(
            "succeeded",
            json!({ "output": ["http://x/1.jpg", "http://x/2.jpg"] }),
        );
        let report = Report::of(&prediction, &[saved(false), saved(false)]);
        assert_eq!(report.file, json!(["x.jpg", "x.jpg"]));
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!(
            [999, 1_000, 186_432, 2_340_000].map(bytes),
            ["999 bytes", "1 KB", "187 KB", "2.4 MB"]
        );
    }
}

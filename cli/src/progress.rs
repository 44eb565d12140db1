//! How far a job is, on standard error: a bar on a terminal, a line per change elsewhere.

use crate::prediction::{Prediction, Status};
use crate::say;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Where the bar stands when the GPU begins; what comes before has no percentage of its own.
const RUN_BEGINS: u64 = 20;
/// Where it stands when the GPU is done: the picture is yet to be checked and fetched.
const RUN_ENDS: u64 = 95;

/// What is shown.
pub(crate) enum Progress {
    /// A bar that is redrawn.
    Bar(ProgressBar),
    /// Lines; the last one.
    Lines(String),
    /// Nothing: a script reads along.
    Silent,
}

impl Progress {
    /// A bar where people look, else lines, or nothing for a script.
    pub(crate) fn new(for_script: bool) -> Self {
        if std::io::stderr().is_terminal() {
            return Self::Bar(bar());
        }
        if for_script {
            Self::Silent
        } else {
            Self::Lines(String::new())
        }
    }

    /// Shows how far the job is now.
    pub(crate) fn show(&mut self, prediction: &Prediction) {
        let stage = stage(prediction);
        match self {
            Self::Bar(bar) => {
                bar.set_position(position(prediction));
                bar.set_message(with_percent(stage, prediction));
            }
            Self::Lines(last) => {
                let line = format!("{}  {stage}", prediction.id);
                if *last != line {
                    say::note(&line);
                    *last = line;
                }
            }
            Self::Silent => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{spinner:.cyan} {bar:32.cyan/blue} {elapsed:>4}  {msg}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn stage(prediction: &Prediction) -> &'static str {
    match (prediction.status, prediction.metrics.phase.as_deref()) {
        (Status::Starting, Some("dispatching")) => "starting the GPU",
        (Status::Starting, _) => "queued",
        (Status::Processing, Some("canceling")) => "canceling",
        (Status::Processing, _) => "drawing",
        (Status::Succeeded, _) => "done",
        (Status::Failed, _) => "failed",
        (Status::Canceled, _) => "canceled",
    }
}

fn with_percent(stage: &str, prediction: &Prediction) -> String {
    match (prediction.status, percent(prediction)) {
        (Status::Processing, Some(percent)) => format!("{stage}, {percent} %"),
        _ => stage.to_owned(),
    }
}

/// Percent of the run, where the GPU says it.
fn percent(prediction: &Prediction) -> Option<u64> {
    let percent = prediction.metrics.progress?.clamp(0.0, 100.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100"
    )]
    Some(percent as u64)
}

/// Percent of the whole way.
fn position(prediction: &Prediction) -> u64 {
    match prediction.status {
        Status::Starting if prediction.metrics.timeline.dispatched_ms.is_none() => 5,
        Status::Starting => 12,
        Status::Processing => {
            let percent = percent(prediction).unwrap_or(0);
            RUN_BEGINS + percent * (RUN_ENDS - RUN_BEGINS) / 100
        }
        Status::Succeeded | Status::Failed | Status::Canceled => 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn prediction(status: &str, metrics: &Value) -> Prediction {
        serde_json::from_value(json!({ "id": "job", "status": status, "metrics": metrics }))
            .unwrap()
    }

    #[test]
    fn the_bar_only_moves_forward_on_the_way_to_the_picture() {
        let way = [
            prediction("starting", &json!({})),
            prediction("starting", &json!({ "timeline": { "dispatched_ms": 9 } })),
            prediction("processing", &json!({ "progress": null })),
            prediction("processing", &json!({ "progress": 40 })),
            prediction("processing", &json!({ "progress": 100 })),
            prediction("succeeded", &json!({ "progress": 100 })),
        ];
        let positions: Vec<u64> = way.iter().map(position).collect();
        assert_eq!(positions, [5, 12, 20, 50, 95, 100]);
    }

    #[test]
    fn each_stage_has_words() {
        let words = |status: &str, metrics| {
            let prediction = prediction(status, &metrics);
            with_percent(stage(&prediction), &prediction)
        };
        assert_eq!(words("starting", json!({ "phase": "accepted" })), "queued");
        assert_eq!(
            words("starting", json!({ "phase": "dispatching" })),
            "starting the GPU"
        );
        assert_eq!(
            words(
                "processing",
                json!({ "phase": "running", "progress": 42.7 })
            ),
            "drawing, 42 %"
        );
        assert_eq!(
            words("processing", json!({ "phase": "canceling" })),
            "canceling"
        );
        assert_eq!(words("succeeded", json!({ "progress": 100 })), "done");
    }
}

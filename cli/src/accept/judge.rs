//! From what was seen of a model's samples to the points of the list, each with its figure. Pure.

/// The mean run of a picture, in seconds.
const RUN_S: f64 = 30.0;
/// From the request to its end, in seconds.
const REPLY_S: f64 = 35.0;
/// Until a cold container begins, in seconds.
const COLD_S: f64 = 60.0;
/// A picture, in US dollars.
const COST_USD: f64 = 0.5;

/// The provider that draws previews.
const PREVIEW: &str = "preview";

/// One job as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) succeeded: bool,
    /// It delivered a video.
    pub(super) video: bool,
    /// Why not, in a word.
    pub(super) code: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) run_s: Option<f64>,
    pub(super) cold_start_s: Option<f64>,
    pub(super) cost_usd: Option<f64>,
    pub(super) reply_s: f64,
}

impl Sample {
    /// One of which no job came, or whose job went out of sight.
    pub(super) fn lost(why: String, reply_s: f64) -> Self {
        Self {
            code: Some(why),
            reply_s,
            ..Self::default()
        }
    }
}

/// What was seen of one model.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) model: String,
    /// The flag without which it could not be asked.
    pub(super) wanting: Option<&'static str>,
    pub(super) uses_lora: bool,
    pub(super) uses_reference: bool,
    pub(super) samples: Vec<Sample>,
    pub(super) at_once: Vec<Sample>,
}

/// Whether a point is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Fail,
    /// It cannot be told from here, or not on this GPU.
    Open,
}

/// One point of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) what: &'static str,
    pub(super) verdict: Verdict,
    pub(super) figure: String,
}

impl Point {
    fn new(what: &'static str, kept: bool, figure: String) -> Self {
        Self {
            what,
            verdict: if kept { Verdict::Pass } else { Verdict::Fail },
            figure,
        }
    }

    fn open(what: &'static str, why: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Open,
            figure: why.into(),
        }
    }

    /// A preview proves nothing about a real GPU, whatever its figure.
    fn unless(self, preview: bool) -> Self {
        match self.verdict {
            Verdict::Pass if preview => Self {
                verdict: Verdict::Open,
                figure: format!("{}; a preview GPU, only a real one decides", self.figure),
                ..self
            },
            _ => self,
        }
    }
}

/// Every point of one model.
pub(super) fn points(measured: &Measured) -> Vec<Point> {
    if let Some(flag) = measured.wanting {
        return vec![Point::open("asked", format!("needs {flag}"))];
    }
    let samples = &measured.samples;
    let preview = samples
        .iter()
        .any(|s| s.provider.as_deref() == Some(PREVIEW));
    let count = |samples: &[Sample]| samples.iter().filter(|s| s.succeeded).count();
    let (good, all) = (count(samples), samples.len());
    let answered = samples.iter().filter(|s| s.provider.is_some()).count();
    let of_all = |part: usize| format!("{part} of {all}{}", reasons(samples));
    let missing = samples
        .iter()
        .chain(&measured.at_once)
        .filter(|s| {
            matches!(
                s.code.as_deref(),
                Some("model_missing" | "invalid_workflow")
            )
        })
        .count();
    let both = measured.at_once.len();
    let mut points = vec![
        Point::new("the endpoint answers", answered == all, of_all(answered)),
        Point::new(
            "nodes and model files are there",
            missing == 0,
            format!("{missing} runs ended for want of one"),
        )
        .unless(preview),
        Point::new("every sample succeeds", good == all, of_all(good)),
        Point::new(
            "five at once all finish",
            count(&measured.at_once) == both,
            format!(
                "{} of {both}{}",
                count(&measured.at_once),
                reasons(&measured.at_once)
            ),
        ),
        of_a_picture(
            below(
                "mean run under 30 s",
                mean(samples, |s| s.run_s),
                RUN_S,
                "s",
            ),
            samples,
        )
        .unless(preview),
        of_a_picture(
            below(
                "reply under 35 s",
                most(samples, |s| Some(s.reply_s)),
                REPLY_S,
                "s",
            ),
            samples,
        )
        .unless(preview),
        cold(samples).unless(preview),
        of_a_picture(
            below(
                "a picture under $0.50",
                most(samples, |s| s.cost_usd),
                COST_USD,
                "USD",
            ),
            samples,
        ),
        Point::open(
            "a second start downloads nothing",
            "only the GPU app's own log tells",
        ),
    ];
    if measured.uses_lora {
        let loaded = samples
            .iter()
            .filter(|s| s.succeeded && s.code.as_deref() != Some("lora_not_found"))
            .count();
        points.push(Point::new("the LoRA loads", loaded == all, of_all(loaded)).unless(preview));
    }
    if measured.uses_reference {
        points.push(Point::open(
            "likeness to the reference",
            "the API does not tell the score",
        ));
    }
    points
}

/// The list says how long a picture may take, and nothing of videos.
fn of_a_picture(point: Point, samples: &[Sample]) -> Point {
    if samples.iter().any(|sample| sample.video) {
        let figure = format!("{}; a video, the limit is a picture's", point.figure);
        return Point::open(point.what, figure);
    }
    point
}

fn cold(samples: &[Sample]) -> Point {
    const WHAT: &str = "cold start under 60 s";
    match most(samples, |s| s.cold_start_s).filter(|seconds| *seconds > 0.0) {
        None => Point::open(WHAT, "no container was cold"),
        seconds => below(WHAT, seconds, COLD_S, "s"),
    }
}

fn below(what: &'static str, figure: Option<f64>, limit: f64, unit: &str) -> Point {
    match figure {
        None => Point::open(what, "not known"),
        Some(figure) => Point::new(what, figure < limit, format!("{figure:.3} {unit}")),
    }
}

fn known(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> Vec<f64> {
    let good = samples.iter().filter(|sample| sample.succeeded);
    good.filter_map(figure).collect()
}

fn mean(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let known = known(samples, figure);
    let count = u32::try_from(known.len()).ok().filter(|count| *count > 0)?;
    Some(known.iter().sum::<f64>() / f64::from(count))
}

fn most(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    known(samples, figure).into_iter().reduce(f64::max)
}

/// Why samples failed, each word once.
fn reasons(samples: &[Sample]) -> String {
    let mut words: Vec<&str> = samples
        .iter()
        .filter(|sample| !sample.succeeded)
        .map(|sample| sample.code.as_deref().unwrap_or("unknown"))
        .collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() {
        String::new()
    } else {
        format!(" ({})", words.join("; "))
    }
}

#[cfg(test)]
mod tests;

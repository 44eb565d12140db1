//! From what was seen of a model's samples to the points of the list, each with its figure. Pure.

use super::likeness;
use super::seen::{AT_ONCE, Gpu, Measured, Sample};

/// The mean run of a picture, in seconds.
const RUN_S: f64 = 30.0;
/// From the request to its end, in seconds.
const REPLY_S: f64 = 35.0;
/// Until a cold container begins, in seconds.
const COLD_S: f64 = 60.0;
/// A picture, in US dollars.
const COST_USD: f64 = 0.5;

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
    pub(super) fn new(what: &'static str, kept: bool, figure: String) -> Self {
        Self {
            what,
            verdict: if kept { Verdict::Pass } else { Verdict::Fail },
            figure,
        }
    }

    pub(super) fn open(what: &'static str, why: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Open,
            figure: why.into(),
        }
    }

    fn opened(self, why: &str) -> Self {
        Self::open(self.what, format!("{}; {why}", self.figure))
    }

    /// By the figures of a part alone, which passes nothing: the rest might have failed it.
    pub(super) fn known_of(self, known: usize, all: usize) -> Self {
        if known >= all {
            return self;
        }
        let figure = format!("{}; known of {known} of {all} alone", self.figure);
        let verdict = match self.verdict {
            Verdict::Pass => Verdict::Open,
            verdict => verdict,
        };
        Self {
            verdict,
            figure,
            ..self
        }
    }

    /// Of models, nodes and faces, which a preview has none of: it proves nothing about them.
    pub(super) fn of_models(self, gpu: Gpu) -> Self {
        match (gpu, self.verdict) {
            (Gpu::Preview, Verdict::Pass) => {
                self.opened("a preview GPU, only a real backend decides")
            }
            _ => self,
        }
    }

    /// Of time and money: a preview proves nothing with them, and a CPU is not what they were ordered for.
    fn of_a_gpu(self, gpu: Gpu) -> Self {
        match (gpu, self.verdict) {
            (Gpu::Preview, Verdict::Pass) => self.opened("a preview GPU, only a real one decides"),
            (Gpu::Cpu, Verdict::Pass | Verdict::Fail) => {
                self.opened("on a CPU, only a real GPU decides")
            }
            _ => self,
        }
    }

    /// Of a model that was not asked to its end: a failure stands, the rest might still have failed.
    fn of_a_part(self, measured: &Measured) -> Self {
        if measured.is_whole() || self.verdict != Verdict::Pass {
            return self;
        }
        let (one, five) = (measured.samples.len(), measured.at_once.len());
        let why = format!(
            "stopped after {one} of {} samples and {five} of {AT_ONCE} at once",
            measured.asked
        );
        self.opened(&why)
    }
}

/// Every point of one model.
pub(super) fn points(measured: &Measured) -> Vec<Point> {
    if let Some(flag) = measured.wanting {
        return vec![Point::open("asked", format!("needs {flag}"))];
    }
    let (samples, at_once) = (&measured.samples, &measured.at_once);
    let gpu = measured.gpu();
    let of = |what: &'static str, samples: &[Sample], all: usize, is: fn(&Sample) -> bool| {
        let part = samples.iter().filter(|sample| is(sample)).count();
        let figure = format!("{part} of {all}{}", reasons(samples));
        Point::new(what, part == samples.len(), figure)
    };
    let asked = samples.len();
    let mut points = vec![
        of("the endpoint answers", samples, asked, |s| s.answered),
        nodes_and_files(measured).of_models(gpu),
        of("every sample succeeds", samples, asked, |s| s.succeeded),
        of("five at once all finish", at_once, at_once.len(), |s| {
            s.succeeded
        }),
        of_a_picture(
            below(
                "mean run under 30 s",
                &known(samples, |s| s.run_s),
                mean,
                RUN_S,
                "s",
            ),
            samples,
        )
        .of_a_gpu(gpu),
        of_a_picture(
            below(
                "reply under 35 s",
                &known(samples, |s| Some(s.reply_s)),
                most,
                REPLY_S,
                "s",
            ),
            samples,
        )
        .of_a_gpu(gpu),
        cold(measured).of_a_gpu(gpu),
        of_a_picture(
            below(
                "a picture under $0.50",
                &known(samples, |s| Some(s.cost_usd? / f64::from(s.files.max(1)))),
                most,
                COST_USD,
                "USD",
            ),
            samples,
        )
        .of_a_gpu(gpu),
        second_start(measured).of_models(gpu),
    ];
    if measured.uses_lora {
        let loads = |s: &Sample| s.succeeded && s.code.as_deref() != Some("lora_not_found");
        points.push(of("the LoRA loads", samples, asked, loads).of_models(gpu));
    }
    if measured.uses_reference {
        points.push(likeness::point(measured).of_models(gpu));
    }
    let points = points.into_iter();
    points.map(|point| point.of_a_part(measured)).collect()
}

fn nodes_and_files(measured: &Measured) -> Point {
    const WHAT: &str = "nodes and model files are there";
    if let Ok(app) = &measured.app
        && !app.missing.is_empty()
    {
        return Point::new(WHAT, false, format!("lacks {}", app.missing.join(", ")));
    }
    let lacks = |sample: &&Sample| {
        let code = sample.code.as_deref();
        matches!(code, Some("model_missing" | "invalid_workflow"))
    };
    match measured.all().filter(lacks).count() {
        0 if !measured.all().any(|sample| sample.succeeded) => {
            Point::open(WHAT, "no run came as far as to need them")
        }
        missing => Point::new(
            WHAT,
            missing == 0,
            format!("{missing} runs ended for want of one"),
        ),
    }
}

/// Containers that started cold, in both rounds: five at once make a backend start more of them.
fn cold(measured: &Measured) -> Point {
    const WHAT: &str = "cold start under 60 s";
    let ran = measured.all().filter(|sample| sample.succeeded);
    let waits: Vec<f64> = ran.filter_map(cold_wait).collect();
    if waits.is_empty() {
        return Point::open(WHAT, "not known");
    }
    let cold: Vec<f64> = waits.iter().copied().filter(|wait| *wait > 0.0).collect();
    match most(&cold) {
        None => Point::open(WHAT, "no container was cold"),
        Some(longest) => Point::new(
            WHAT,
            longest < COLD_S,
            format!("{longest:.3} s, the longest of {}", cold.len()),
        )
        .known_of(waits.len(), measured.all().count()),
    }
}

/// How long a cold container kept its first job from its graph, 0 for a warm one; `None` where that is not known.
///
/// The worker's clocks overlap. `queue` ends when the worker begins, after its container was found, pulled, started or
/// restored, and after its server started, which alone is `boot`. A container that was on its way before the job came has
/// spent part of its boot before the queue began. So the longer of the two counts and not their sum; loading follows both.
fn cold_wait(sample: &Sample) -> Option<f64> {
    let boot_s = sample.boot_s?;
    // Warm containers wait and load too.
    if boot_s <= 0.0 {
        return Some(0.0);
    }
    Some(sample.queue_s?.max(boot_s) + sample.cold_start_s? - boot_s)
}

fn second_start(measured: &Measured) -> Point {
    const WHAT: &str = "a second start downloads nothing";
    let app = match &measured.app {
        Ok(app) => app,
        Err(why) => return Point::open(WHAT, why.clone()),
    };
    let class = &app.class;
    match (app.starts, app.downloaded_bytes) {
        (0, _) | (_, None) => Point::open(WHAT, format!("no start of class {class} is known")),
        (1, Some(bytes)) => Point::open(
            WHAT,
            format!("{bytes} bytes by the only start of class {class} so far"),
        ),
        (starts, Some(bytes)) => Point::new(
            WHAT,
            bytes == 0,
            format!("{bytes} bytes by start {starts} of class {class}"),
        ),
    }
}

/// The list says how long a picture may take, and nothing of videos.
fn of_a_picture(point: Point, samples: &[Sample]) -> Point {
    if samples.iter().any(|sample| sample.video) {
        return point.opened("a video, the limit is a picture's");
    }
    point
}

/// The figures of samples that succeeded, and how many samples there are: of one that failed none is known.
fn known(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> (Vec<f64>, usize) {
    let good = samples.iter().filter(|sample| sample.succeeded);
    (good.filter_map(figure).collect(), samples.len())
}

/// Passes only by the figures of all samples; fails by any.
fn below(
    what: &'static str,
    (figures, all): &(Vec<f64>, usize),
    of_them: fn(&[f64]) -> Option<f64>,
    limit: f64,
    unit: &str,
) -> Point {
    let Some(figure) = of_them(figures) else {
        return Point::open(what, "not known");
    };
    Point::new(what, figure < limit, format!("{figure:.3} {unit}")).known_of(figures.len(), *all)
}

pub(super) fn mean(figures: &[f64]) -> Option<f64> {
    let count = u32::try_from(figures.len()).ok().filter(|n| *n > 0)?;
    Some(figures.iter().sum::<f64>() / f64::from(count))
}

fn most(figures: &[f64]) -> Option<f64> {
    figures.iter().copied().reduce(f64::max)
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

//! How alike the faces came out: the point of one model, and its methods beside each other. Pure.

use super::judge::{Point, mean};
use super::seen::Measured;
use std::fmt::Write as _;

/// Pictures of one reference that the list asks for, at the least.
const PICTURES: usize = 7;

/// What holds the face in a model.
struct Method {
    name: &'static str,
    /// The mean that the list asks for: the lower end of the band that it names.
    least: f64,
}

/// The method of a model; `None` where it promises no face.
fn method(model: &str) -> Option<Method> {
    let (name, least) = match model {
        "sdxl-instantid" | "flux-instantid" | "z-image-instantid" | "face-swap" => {
            ("InstantID", 0.85)
        }
        "z-image-pulid" => ("PuLID", 0.85),
        // Its name is IP-Adapter's, and so is the band: 80 to 85 percent.
        "flux-ipadapter-faceid" => ("PuLID", 0.80),
        _ => return None,
    };
    Some(Method { name, least })
}

/// Pictures that were to be compared: of a sample that failed there would have been one.
fn pictures(measured: &Measured) -> usize {
    let files = measured.samples.iter().map(|sample| sample.files.max(1));
    usize::try_from(files.sum::<u32>()).unwrap_or(usize::MAX)
}

fn compared(measured: &Measured) -> Vec<f64> {
    let samples = measured.samples.iter();
    samples.flat_map(|s| s.likeness.iter().copied()).collect()
}

/// In thousandths, as each of them was measured: what is shown is what is judged.
fn mean_of(figures: &[f64]) -> Option<f64> {
    mean(figures).map(|mean| (mean * 1_000.0).round() / 1_000.0)
}

fn lowest(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(1.0, f64::min)
}

/// Likeness of a model's pictures to the reference.
pub(super) fn point(measured: &Measured) -> Point {
    const WHAT: &str = "likeness to the reference";
    let figures = compared(measured);
    let Some(mean) = mean_of(&figures) else {
        let video = measured.samples.iter().any(|sample| sample.video);
        let why = if video {
            "a video, only pictures are compared"
        } else {
            "no face models here"
        };
        return Point::open(WHAT, why);
    };
    let count = figures.len();
    let told = format!(
        "mean {mean:.3}, lowest {:.3}, of {count} pictures",
        lowest(&figures)
    );
    match method(&measured.model) {
        None => Point::open(WHAT, format!("{told}; the list asks nothing of this model")),
        Some(_) if count < PICTURES => Point::open(
            WHAT,
            format!("{told}; {PICTURES} of them or more are needed"),
        ),
        Some(Method { least, .. }) => {
            Point::new(WHAT, mean >= least, format!("{told}; asked: {least:.2}"))
                .known_of(count, pictures(measured))
        }
    }
}

/// The methods beside each other, in Markdown; nothing where no model was asked that holds a face.
pub(super) fn table(all: &[Measured]) -> String {
    let mut text = String::new();
    for measured in all.iter().filter(|one| one.uses_reference) {
        let Some(method) = method(&measured.model) else {
            continue;
        };
        if text.is_empty() {
            text.push_str(
                "\n## InstantID beside PuLID\n\nLikeness of pictures of one reference, a seed each.\n\n\
                 | model | method | mean | lowest | pictures |\n|---|---|---|---|---|\n",
            );
        }
        let figures = compared(measured);
        let row = match mean_of(&figures) {
            None => "not measured | - | 0".to_owned(),
            Some(mean) => format!("{mean:.3} | {:.3} | {}", lowest(&figures), figures.len()),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "| {} | {} | {row} |", measured.model, method.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::judge::Verdict;
    use super::super::seen::Sample;
    use super::*;

    fn measured(model: &str, likeness: &[f64]) -> Measured {
        let sample = |figure: &f64| Sample {
            succeeded: true,
            likeness: vec![*figure],
            ..Sample::default()
        };
        let mut measured = Measured::of(model, likeness.len());
        measured.uses_reference = true;
        measured.samples = likeness.iter().map(sample).collect();
        measured
    }

    #[test]
    fn the_mean_of_seven_pictures_or_more_decides() {
        let cases: [(&str, &[f64], Verdict); 6] = [
            ("sdxl-instantid", &[0.85; 7], Verdict::Pass),
            ("sdxl-instantid", &[0.84; 10], Verdict::Fail),
            ("sdxl-instantid", &[0.9; 6], Verdict::Open),
            ("flux-ipadapter-faceid", &[0.84; 10], Verdict::Pass),
            ("z-image-pulid", &[0.84; 10], Verdict::Fail),
            ("z-image-simple", &[0.1; 10], Verdict::Open),
        ];
        for (model, figures, verdict) in cases {
            let point = point(&measured(model, figures));
            assert_eq!(point.verdict, verdict, "{model}: {}", point.figure);
        }
        let one_bad = [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.2];
        let point = point(&measured("face-swap", &one_bad));
        assert_eq!(
            (point.verdict, point.figure.as_str()),
            (
                Verdict::Fail,
                "mean 0.800, lowest 0.200, of 7 pictures; asked: 0.85"
            )
        );
    }

    #[test]
    fn faces_that_were_not_compared_pass_nothing_and_the_rest_may_fail() {
        for (figure, verdict) in [(0.9, Verdict::Open), (0.5, Verdict::Fail)] {
            let mut part = measured("sdxl-instantid", &[figure; 7]);
            part.samples.extend(vec![Sample::default(); 3]);
            let point = point(&part);
            assert_eq!(point.verdict, verdict, "{}", point.figure);
            let end = "of 7 pictures; asked: 0.85; known of 7 of 10 alone";
            assert!(point.figure.ends_with(end), "{}", point.figure);
        }
        // One job with two pictures, of which one was compared.
        let mut two = measured("sdxl-instantid", &[0.9; 7]);
        two.samples[0].files = 2;
        assert_eq!(point(&two).verdict, Verdict::Open);
    }

    #[test]
    fn what_was_not_measured_is_open_and_never_a_figure() {
        let mut silent = measured("sdxl-instantid", &[]);
        silent.samples = vec![Sample::default(); 10];
        let point = point(&silent);
        assert_eq!(
            (point.verdict, point.figure.as_str()),
            (Verdict::Open, "no face models here")
        );
        assert!(table(&[silent]).contains("| sdxl-instantid | InstantID | not measured | - | 0 |"));
    }

    #[test]
    fn methods_stand_beside_each_other_and_other_models_do_not() {
        let all = [
            measured("sdxl-instantid", &[0.9, 0.8]),
            measured("z-image-pulid", &[0.7]),
            measured("live-portrait", &[]),
        ];
        let text = table(&all);
        assert!(text.contains("| sdxl-instantid | InstantID | 0.850 | 0.800 | 2 |"));
        assert!(text.contains("| z-image-pulid | PuLID | 0.700 | 0.700 | 1 |"));
        assert!(!text.contains("live-portrait"), "{text}");
        assert_eq!(table(&all[2..]), "");
    }
}

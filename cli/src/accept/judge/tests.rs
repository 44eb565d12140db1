use super::super::seen::AppSaid;
use super::*;

fn good() -> Sample {
    Sample {
        succeeded: true,
        answered: true,
        files: 1,
        gpu: Some("L40S".to_owned()),
        queue_s: Some(0.3),
        boot_s: Some(0.0),
        provider: Some("modal".to_owned()),
        run_s: Some(12.0),
        // Warm containers load too.
        cold_start_s: Some(0.8),
        cost_usd: Some(0.01),
        reply_s: 14.0,
        ..Sample::default()
    }
}

fn measured(samples: Vec<Sample>) -> Measured {
    Measured {
        at_once: vec![good(); 5],
        samples,
        ..Measured::of("flux-dev", 0)
    }
    .asked_for_all()
}

impl Measured {
    fn asked_for_all(self) -> Self {
        Self {
            asked: self.samples.len(),
            ..self
        }
    }
}

fn app(starts: u64, downloaded_bytes: Option<u64>) -> AppSaid {
    AppSaid {
        missing: Vec::new(),
        class: "flux".to_owned(),
        starts,
        downloaded_bytes,
    }
}

fn point(measured: &Measured, what: &str) -> Point {
    let found = points(measured)
        .into_iter()
        .find(|point| point.what == what);
    found.unwrap()
}

#[test]
fn good_samples_of_a_real_gpu_pass_and_what_cannot_be_seen_stays_open() {
    let measured = measured(vec![good(); 10]);
    let open: Vec<&str> = points(&measured)
        .into_iter()
        .filter(|point| {
            assert_ne!(point.verdict, Verdict::Fail, "{point:?}");
            point.verdict == Verdict::Open
        })
        .map(|point| point.what)
        .collect();
    assert_eq!(
        open,
        ["cold start under 60 s", "a second start downloads nothing"]
    );
}

#[test]
fn each_point_fails_by_its_own_figure() {
    type Spoil = fn(&mut Sample);
    let cases: [(&str, Spoil); 7] = [
        ("the endpoint answers", |s| {
            // The job says where it was to run, whether anybody was there or not.
            *s = Sample {
                provider: Some("modal".to_owned()),
                ..Sample::lost("backend_unreachable".to_owned(), 1.0)
            };
        }),
        ("nodes and model files are there", |s| {
            (s.succeeded, s.code) = (false, Some("model_missing".to_owned()));
        }),
        ("every sample succeeds", |s| s.succeeded = false),
        ("mean run under 30 s", |s| s.run_s = Some(400.0)),
        ("reply under 35 s", |s| s.reply_s = 35.0),
        ("cold start under 60 s", |s| {
            (s.boot_s, s.cold_start_s) = (Some(20.0), Some(61.0));
        }),
        ("a picture under $0.50", |s| s.cost_usd = Some(0.5)),
    ];
    for (what, spoil) in cases {
        let mut samples = vec![good(); 10];
        spoil(&mut samples[3]);
        assert_eq!(
            point(&measured(samples), what).verdict,
            Verdict::Fail,
            "{what}"
        );
    }
    let mut few = measured(vec![good()]);
    few.at_once[4].succeeded = false;
    assert_eq!(
        point(&few, "five at once all finish").verdict,
        Verdict::Fail
    );
    assert_eq!(
        point(&few, "five at once all finish").figure,
        "4 of 5 (unknown)"
    );
}

#[test]
fn a_preview_passes_no_point_about_gpus_and_still_fails_one() {
    let preview = Sample {
        provider: Some("preview".to_owned()),
        cost_usd: None,
        ..good()
    };
    let mut measured = measured(vec![preview; 3]);
    measured.uses_lora = true;
    for what in [
        "mean run under 30 s",
        "reply under 35 s",
        "a picture under $0.50",
        "the LoRA loads",
    ] {
        assert_eq!(point(&measured, what).verdict, Verdict::Open, "{what}");
    }
    assert_eq!(
        point(&measured, "every sample succeeds").verdict,
        Verdict::Pass
    );
    measured.samples[0].run_s = Some(1e4);
    assert_eq!(
        point(&measured, "mean run under 30 s").verdict,
        Verdict::Fail
    );
}

#[test]
fn an_unknown_cost_is_open_and_never_zero() {
    let mut samples = vec![good(); 2];
    for sample in &mut samples {
        sample.cost_usd = None;
    }
    let point = point(&measured(samples), "a picture under $0.50");
    assert_eq!(
        (point.verdict, point.figure.as_str()),
        (Verdict::Open, "not known")
    );
}

#[test]
fn how_long_a_video_takes_is_told_and_not_judged() {
    let video = Sample {
        video: true,
        run_s: Some(120.0),
        ..good()
    };
    let point = point(&measured(vec![video]), "mean run under 30 s");
    assert_eq!(point.verdict, Verdict::Open);
    assert!(point.figure.starts_with("120.000 s"), "{}", point.figure);
}

#[test]
fn a_model_that_could_not_be_asked_is_open_with_the_flag() {
    let wanting = Measured {
        wanting: Some("--reference"),
        ..Measured::of("face-swap", 10)
    };
    let points = points(&wanting);
    assert_eq!(points.len(), 1);
    assert_eq!(
        (points[0].verdict, points[0].figure.as_str()),
        (Verdict::Open, "needs --reference")
    );
}

#[test]
fn a_cold_start_is_one_of_a_container_that_booted_in_either_round() {
    let what = "cold start under 60 s";
    let mut measured = measured(vec![good(); 3]);
    assert_eq!(point(&measured, what).figure, "no container was cold");
    let cold = |measured: &Measured| {
        let point = point(measured, what);
        (point.verdict, point.figure)
    };
    let one = &mut measured.at_once[2];
    (one.boot_s, one.cold_start_s) = (Some(9.0), Some(41.5));
    let passed = "41.500 s, the longest of 1".to_owned();
    assert_eq!(cold(&measured), (Verdict::Pass, passed));
    // Finding and starting the container stand in the queue alone, with the wake at its end.
    let one = &mut measured.at_once[2];
    (one.queue_s, one.boot_s, one.cold_start_s) = (Some(83.0), Some(3.0), Some(15.0));
    let failed = "95.000 s, the longest of 1".to_owned();
    assert_eq!(cold(&measured), (Verdict::Fail, failed));
    // Of a sample that failed nobody knows how cold its container was.
    measured.at_once[2].queue_s = Some(20.0);
    measured.samples[0] = Sample::lost("gpu_error".to_owned(), 1.0);
    let part = "32.000 s, the longest of 1; known of 7 of 8 alone".to_owned();
    assert_eq!(cold(&measured), (Verdict::Open, part));
    for sample in measured.samples.iter_mut().chain(&mut measured.at_once) {
        sample.boot_s = None;
    }
    assert_eq!(point(&measured, what).figure, "not known");
}

#[test]
fn on_a_cpu_time_and_money_are_told_and_not_judged_and_the_rest_is() {
    let on_cpu = Sample {
        gpu: Some("CPU".to_owned()),
        run_s: Some(300.0),
        boot_s: Some(70.0),
        cold_start_s: Some(70.0),
        cost_usd: None,
        reply_s: 20.0,
        ..good()
    };
    let mut measured = measured(vec![on_cpu; 10]);
    measured.uses_lora = true;
    for (what, begins) in [
        ("mean run under 30 s", "300.000 s; on a CPU"),
        ("reply under 35 s", "20.000 s; on a CPU"),
        (
            "cold start under 60 s",
            "70.000 s, the longest of 10; on a CPU",
        ),
        ("a picture under $0.50", "not known"),
    ] {
        let point = point(&measured, what);
        assert_eq!(point.verdict, Verdict::Open, "{what}");
        assert!(point.figure.starts_with(begins), "{what}: {}", point.figure);
    }
    for what in ["nodes and model files are there", "the LoRA loads"] {
        assert_eq!(point(&measured, what).verdict, Verdict::Pass, "{what}");
    }
}

#[test]
fn a_second_start_is_judged_by_what_the_app_says_of_it() {
    let what = "a second start downloads nothing";
    let mut measured = measured(vec![good(); 2]);
    for (said, verdict, figure) in [
        (
            Ok(app(2, Some(0))),
            Verdict::Pass,
            "0 bytes by start 2 of class flux",
        ),
        (
            Ok(app(3, Some(17))),
            Verdict::Fail,
            "17 bytes by start 3 of class flux",
        ),
        (
            Ok(app(1, Some(0))),
            Verdict::Open,
            "0 bytes by the only start of class flux so far",
        ),
        (
            Ok(app(0, None)),
            Verdict::Open,
            "no start of class flux is known",
        ),
        (
            Err("nobody asked".to_owned()),
            Verdict::Open,
            "nobody asked",
        ),
    ] {
        measured.app = said;
        let point = point(&measured, what);
        assert_eq!((point.verdict, point.figure.as_str()), (verdict, figure));
    }
}

#[test]
fn what_the_app_lacks_is_named_and_runs_that_never_came_so_far_prove_nothing() {
    let what = "nodes and model files are there";
    let mut lacking = measured(vec![good(); 2]);
    lacking.app = Ok(AppSaid {
        missing: vec!["node ApplyInstantID".to_owned()],
        ..app(1, Some(0))
    });
    let point_of = point(&lacking, what);
    assert_eq!(
        (point_of.verdict, point_of.figure.as_str()),
        (Verdict::Fail, "lacks node ApplyInstantID")
    );
    let lost = || Sample::lost("backend_unreachable".to_owned(), 1.0);
    let mut away = measured(vec![lost(); 2]);
    away.at_once = vec![lost(); 5];
    assert_eq!(point(&away, what).verdict, Verdict::Open);
}

#[test]
fn a_figure_that_some_samples_lack_passes_nothing_and_still_fails() {
    let mut measured = measured(vec![good(); 4]);
    measured.samples[0].cost_usd = None;
    let cost = point(&measured, "a picture under $0.50");
    assert_eq!(
        (cost.verdict, cost.figure.as_str()),
        (Verdict::Open, "0.010 USD; known of 3 of 4 alone")
    );
    measured.samples[1].cost_usd = Some(0.6);
    let cost = point(&measured, "a picture under $0.50");
    assert_eq!(cost.verdict, Verdict::Fail);
    // Several pictures of one job share what it cost.
    measured.samples[1].files = 2;
    let cost = point(&measured, "a picture under $0.50");
    assert_eq!(cost.figure, "0.300 USD; known of 3 of 4 alone");
}

#[test]
fn the_one_sample_that_succeeded_passes_no_time_and_no_cost_for_the_others() {
    let mut samples = vec![Sample::lost("gpu_error".to_owned(), 1.0); 10];
    samples[4] = good();
    for (what, begins) in [
        ("mean run under 30 s", "12.000 s"),
        ("reply under 35 s", "14.000 s"),
        ("a picture under $0.50", "0.010 USD"),
    ] {
        let one = point(&measured(samples.clone()), what);
        let figure = format!("{begins}; known of 1 of 10 alone");
        assert_eq!((one.verdict, one.figure), (Verdict::Open, figure));
    }
    samples[4].run_s = Some(31.0);
    let one = point(&measured(samples), "mean run under 30 s");
    let figure = "31.000 s; known of 1 of 10 alone".to_owned();
    assert_eq!((one.verdict, one.figure), (Verdict::Fail, figure));
}

#[test]
fn a_lora_that_does_not_load_ten_times_of_ten_fails() {
    let mut measured = measured(vec![good(); 10]);
    measured.uses_lora = true;
    assert_eq!(point(&measured, "the LoRA loads").figure, "10 of 10");
    measured.samples[9] = Sample::lost("lora_not_found".to_owned(), 1.0);
    let point = point(&measured, "the LoRA loads");
    assert_eq!(
        (point.verdict, point.figure.as_str()),
        (Verdict::Fail, "9 of 10 (lora_not_found)")
    );
}

#[test]
fn what_was_stopped_half_way_passes_nothing_and_a_failure_stands() {
    let mut measured = measured(vec![good(); 3]);
    measured.asked = 10;
    measured.at_once.clear();
    measured.samples[1].run_s = Some(400.0);
    let all = points(&measured);
    assert!(
        all.iter().all(|point| point.verdict != Verdict::Pass),
        "{all:?}"
    );
    assert_eq!(
        point(&measured, "mean run under 30 s").verdict,
        Verdict::Fail
    );
    assert_eq!(
        point(&measured, "every sample succeeds").figure,
        "3 of 3; stopped after 3 of 10 samples and 0 of 5 at once"
    );
}

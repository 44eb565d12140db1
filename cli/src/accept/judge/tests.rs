use super::*;

fn good() -> Sample {
    Sample {
        succeeded: true,
        provider: Some("modal".to_owned()),
        run_s: Some(12.0),
        cold_start_s: Some(0.0),
        cost_usd: Some(0.01),
        reply_s: 14.0,
        ..Sample::default()
    }
}

fn measured(samples: Vec<Sample>) -> Measured {
    Measured {
        model: "flux-dev".to_owned(),
        at_once: vec![good(); 5],
        samples,
        ..Measured::default()
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
            *s = Sample::lost("refused".to_owned(), 1.0);
        }),
        ("nodes and model files are there", |s| {
            (s.succeeded, s.code) = (false, Some("model_missing".to_owned()));
        }),
        ("every sample succeeds", |s| s.succeeded = false),
        ("mean run under 30 s", |s| s.run_s = Some(400.0)),
        ("reply under 35 s", |s| s.reply_s = 35.0),
        ("cold start under 60 s", |s| s.cold_start_s = Some(61.0)),
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
        ..Measured::default()
    };
    let points = points(&wanting);
    assert_eq!(points.len(), 1);
    assert_eq!(
        (points[0].verdict, points[0].figure.as_str()),
        (Verdict::Open, "needs --reference")
    );
}

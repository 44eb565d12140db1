//! Rows come back exactly as they went in, whatever stands in them.

use super::{Case, fresh_job, put, stored};
use crate::sample::flux_dev_input;
use ryla_domain::id::TraceId;
use ryla_domain::job::{DeadlineBy, StoredInput};
use ryla_domain::output::{Format, Retention};
use ryla_domain::report::{Likeness, Report, Timings};
use ryla_domain::state::{Ended, Phase, State};
use ryla_domain::time::Ms;
use ryla_engine::port::JobStore;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    cases![
        every_phase_comes_back,
        every_text_comes_back,
        every_number_comes_back,
        everything_optional_comes_back,
    ]
}

async fn every_phase_comes_back(store: &dyn JobStore) {
    for phase in Phase::ALL {
        let job = fresh_job("phase").in_phase(phase);
        put(store, &job).await;
        assert_eq!(stored(store, &job.key).await, Some(job), "{}", phase.name());
    }
}

async fn input_comes_back(store: &dyn JobStore, what: &str, input: Value) {
    let job = fresh_job("input").input(StoredInput::Inline(input)).build();
    put(store, &job).await;
    // Not `assert_eq!`: inputs do not print.
    assert!(
        stored(store, &job.key).await == Some(job),
        "input comes back exactly: {what}"
    );
}

async fn every_text_comes_back(store: &dyn JobStore) {
    let texts = [
        ("empty", String::new()),
        (
            "quotes and escapes",
            "\"'\\ \n\r\t\u{8}\u{c}\u{1}\u{1f} </script> ${x} %00".to_owned(),
        ),
        (
            "combining marks",
            "e\u{301} \u{1112}\u{1161}\u{11ab} Z\u{351}\u{36b}\u{343}".to_owned(),
        ),
        ("right to left", "\u{202e}abc\u{202c} שלום مرحبا".to_owned()),
        ("east asian", "夜の灯台、月明かり。灯塔在黄昏".to_owned()),
        ("emoji", "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪👍🏽".to_owned()),
        (
            "ends of the planes",
            "\u{7f}\u{80}\u{7ff}\u{800}\u{fffd}\u{ffff}\u{10000}\u{10ffff}".to_owned(),
        ),
        (
            "zero width",
            "a\u{200b}\u{feff}\u{2028}\u{2029}b".to_owned(),
        ),
        ("NUL", "a\0b".to_owned()),
        ("4,000 letters", "x".repeat(4_000)),
        ("4,000 emoji", "🦀".repeat(4_000)),
        ("what looks like a marker", "bucket".to_owned()),
    ];
    for (what, text) in texts {
        input_comes_back(store, what, flux_dev_input(&text, 0)).await;
        input_comes_back(store, what, Value::String(text)).await;
    }
}

async fn every_number_comes_back(store: &dyn JobStore) {
    for seed in [
        0,
        1,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        u64::MAX - 1,
        u64::MAX,
    ] {
        input_comes_back(store, &seed.to_string(), flux_dev_input("x", seed)).await;
    }
    for number in [
        0.0,
        -0.0,
        0.1 + 0.2,
        3.5,
        7.399_999_999_999_999_5,
        1e300,
        5e-324,
        f64::MAX,
    ] {
        input_comes_back(store, &number.to_string(), json!({ "cfg": number })).await;
    }
    let rest = json!({"n": null, "b": [true, false, [], {}], "i": i64::MIN, "": {"": ""}});
    input_comes_back(store, "the rest of JSON", rest).await;
}

async fn everything_optional_comes_back(store: &dyn JobStore) {
    let plain = || fresh_job("optional");
    let ended = |report: Report, cost_usd_micros| {
        move |job: &mut ryla_domain::job::Job| {
            job.due = None;
            job.state = State::Succeeded {
                ended: Ended {
                    attempt: ryla_domain::id::Attempt::FIRST.next(),
                    dispatched_at: None,
                    started_at: None,
                    completed_at: job.created_at + Ms(1),
                    report,
                    cost_usd_micros,
                },
                outputs: (0..3)
                    .map(|slot| ryla_domain::output::Output {
                        slot,
                        ..crate::sample::an_output()
                    })
                    .collect(),
            };
        }
    };
    let alike = |thousandths| Likeness::of_thousandths(thousandths).unwrap();
    let longest = Timings {
        queue: u64::MAX,
        boot: 0,
        load: 1,
        run: 2,
        upload: u64::MAX,
    };
    let mut jobs = vec![
        plain()
            .deadline(crate::sample::CREATED_AT + Ms(5_001), DeadlineBy::Caller)
            .build(),
        plain().input(StoredInput::InBucket).build(),
        plain()
            .with(|job| job.retry_of = Some("the-job-before".parse().unwrap()))
            .build(),
        plain()
            .with(|job| job.trace = TraceId::generated(&[0; 16]))
            .build(),
        plain()
            .with(|job| job.due.as_mut().unwrap().tries = 9)
            .build(),
        plain().with(ended(Report::default(), None)).build(),
        plain()
            .with(ended(Report::new(Some(longest), None), Some(u64::MAX)))
            .build(),
        plain()
            .with(ended(Report::new(None, Some("H100 SXM5 🚀")), Some(0)))
            .build(),
        plain()
            .with(ended(
                Report::default().with_likeness([(0, alike(1_000)), (2, alike(0))]),
                None,
            ))
            .build(),
        plain().in_phase(Phase::Succeeded).remove_data().unwrap(),
        plain()
            .id("my-own-id_not".replace('_', "-").as_str())
            .build(),
    ];
    jobs.extend(Retention::ALL.map(|keep| plain().with(|job| job.retention = keep).build()));
    jobs.extend(Format::ALL.map(|format| plain().with(|job| job.format = format).build()));
    for job in jobs {
        put(store, &job).await;
        let read = stored(store, &job.key).await;
        assert_eq!(
            read.as_ref(),
            Some(&job),
            "a job with something out of the ordinary"
        );
        assert!(read == Some(job), "its input as well");
    }
}

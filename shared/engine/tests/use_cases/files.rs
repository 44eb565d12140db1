//! Pictures inside an input: their bytes lie beside the job, a worker may read them, a retry has its own,
//! and nothing of them outlives the job's data.

use crate::dispatch::{handle, started_on};
use crate::stage::{Stage, account, at, request, start_of};
use data_encoding::{BASE64, HEXLOWER};
use ryla_domain::failure::Code;
use ryla_domain::id::TraceId;
use ryla_domain::job::{Job, RequestHash, StoredInput};
use ryla_domain::model;
use ryla_domain::output::Format;
use ryla_domain::report::Report;
use ryla_domain::time::Ms;
use ryla_engine::port::{Clock as _, JobStore as _, Write};
use ryla_engine::retry::RetryError;
use ryla_engine::submit::{Identity, SubmitError, Submitted};
use ryla_testing::backend::a_jpeg;
use ryla_testing::sample::a_claim;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

fn data_url(bytes: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", BASE64.encode(bytes))
}

fn hash(bytes: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)))
}

/// A face of our own into a picture of somebody's.
fn swap() -> Map<String, Value> {
    let input = json!({
        "base_image": "https://pictures.example/beach.jpg",
        "reference_image": data_url(&a_jpeg("me")),
    });
    input.as_object().unwrap().clone()
}

async fn submit(
    stage: &Stage,
    input: &Map<String, Value>,
    identity: Identity,
) -> Result<Submitted, SubmitError> {
    let mut submit = stage.ports().submit(&stage.settings);
    submit.route = stage.only_preview().route();
    let account = account();
    let mut asked = request(&account, input, identity);
    asked.model = model::find("ryla", "face-swap").unwrap();
    submit.run(&asked).await
}

async fn accepted(stage: &Stage) -> Job {
    let submitted = submit(stage, &swap(), Identity::Random).await;
    submitted.unwrap().job
}

fn inline(job: &Job) -> &Value {
    match &job.input {
        StoredInput::Inline(input) => input,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_bytes_lie_beside_the_job_and_the_row_keeps_their_hash() {
    let stage = Stage::new();
    let job = accepted(&stage).await;
    let face = job.input_file_key("reference_image");
    assert_eq!(stage.images.keys(), [face.as_str()]);
    let object = stage.images.object(&face).unwrap();
    assert_eq!(object.content_type, "image/jpeg");
    assert_eq!(object.bytes, a_jpeg("me"));
    let input = inline(&job);
    assert_eq!(input["reference_image"], hash(&a_jpeg("me")));
    assert_eq!(input["base_image"], "https://pictures.example/beach.jpg");
    let message = &stage.queue.sent()[0].body;
    assert!(!message.contains("sha256"), "{message}");
}

#[tokio::test]
async fn of_bad_input_nothing_is_stored() {
    let stage = Stage::new();
    let mut input = swap();
    input.insert("base_image".to_owned(), json!("me.jpg"));
    let refused = submit(&stage, &input, Identity::Random).await;
    let Err(SubmitError::Invalid(invalid)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(invalid.0[0].field, "input.base_image");
    assert!(stage.images.keys().is_empty());
    assert!(stage.jobs.jobs().is_empty());
}

/// The ways in which a request can be known for a repetition, first try and second.
fn named() -> [(Identity, Identity); 3] {
    let key = Identity::Key("once".to_owned());
    let chosen = Identity::Chosen("my-own-id".parse().unwrap());
    let counted = |retry| Identity::Counted { retry };
    [
        (key.clone(), key),
        (chosen.clone(), chosen),
        (counted(0), counted(1)),
    ]
}

#[tokio::test]
async fn the_files_of_a_repetition_are_not_uploaded_again() {
    for (first, again) in named() {
        let stage = Stage::new();
        let job = submit(&stage, &swap(), first).await.unwrap().job;
        for _ in 0..2 {
            let again = submit(&stage, &swap(), again.clone()).await.unwrap();
            assert_eq!((again.job, again.replayed), (job.clone(), true));
        }
        assert_eq!(stage.images.puts(), 1, "{again:?}");
        assert_eq!(stage.images.keys().len(), 1, "{again:?}");
    }
}

#[tokio::test]
async fn the_files_of_a_request_under_a_used_name_are_not_uploaded() {
    for (name, _) in named().into_iter().take(2) {
        let stage = Stage::new();
        submit(&stage, &swap(), name.clone()).await.unwrap();
        let mut submit = stage.ports().submit(&stage.settings);
        submit.route = stage.only_preview().route();
        let (account, input) = (account(), swap());
        let mut other = request(&account, &input, name);
        other.model = model::find("ryla", "face-swap").unwrap();
        other.hash = RequestHash([2; 32]);
        let refused = submit.run(&other).await;
        assert!(
            matches!(refused, Err(SubmitError::UsedByAnother)),
            "{refused:?}"
        );
        assert_eq!(stage.images.puts(), 1);
    }
}

/// The first try's row lands between the second one's look and its put.
#[tokio::test]
async fn the_files_of_a_repetition_that_was_overtaken_are_not_left_behind() {
    let named = named().into_iter();
    for (first, again) in named {
        let stage = Stage::new();
        let (mut earlier, route) = (
            stage.ports().submit(&stage.settings),
            stage.only_preview().route(),
        );
        earlier.route = route.clone();
        let overtaken = stage.ports_before_write(0, async move {
            let (account, input) = (account(), swap());
            let mut asked = request(&account, &input, first);
            asked.model = model::find("ryla", "face-swap").unwrap();
            earlier.run(&asked).await.unwrap();
        });
        let mut late = overtaken.submit(&stage.settings);
        late.route = route;
        let (account, input) = (account(), swap());
        let mut asked = request(&account, &input, again.clone());
        asked.model = model::find("ryla", "face-swap").unwrap();
        let submitted = late.run(&asked).await.unwrap();
        assert!(submitted.replayed, "{again:?}");
        assert_eq!(stage.images.puts(), 2, "{again:?}");
        let kept = submitted.job.input_file_key("reference_image");
        assert_eq!(stage.images.keys(), [kept.as_str()], "{again:?}");
    }
}

#[tokio::test]
async fn a_name_costs_a_look_only_where_a_picture_would_be_uploaded() {
    for (name, _) in named().into_iter().take(2) {
        let stage = Stage::new();
        let calls = |stage: &Stage| stage.jobs.calls();
        submit(&stage, &swap(), name.clone()).await.unwrap();
        assert_eq!(calls(&stage), 2, "with a picture");
        let by_url = json!({
            "base_image": "https://pictures.example/beach.jpg",
            "reference_image": "https://pictures.example/me.jpg",
        });
        let stage = Stage::new();
        let input = by_url.as_object().unwrap();
        submit(&stage, input, name.clone()).await.unwrap();
        assert_eq!(calls(&stage), 1, "with addresses of pictures");
    }
}

#[tokio::test]
async fn the_worker_gets_permission_to_read_and_the_hash() {
    for long in [false, true] {
        let stage = Stage::new();
        let mut input = swap();
        if long {
            input.insert("prompt".to_owned(), "🗼".repeat(4_000).into());
        }
        let submitted = submit(&stage, &input, Identity::Random).await;
        let job = submitted.unwrap().job;
        assert_eq!(job.input == StoredInput::InBucket, long);
        handle(&stage, &stage.only_preview(), &start_of(&job)).await;
        let request = stage.preview.requests().remove(0);
        let [file] = &request.inputs[..] else {
            panic!("{:?}", request.inputs)
        };
        assert_eq!(request.workflow, "face-swap");
        assert_eq!(file.field, "reference_image");
        assert_eq!(format!("sha256:{}", file.sha256), hash(&a_jpeg("me")));
        let key = job.input_file_key("reference_image");
        let until = stage.clock.now() + stage.settings.timers.presign;
        let url = format!("memory://get/{key}?until={until}&type=");
        assert_eq!(file.get.expose(), url);
    }
}

#[tokio::test]
async fn a_model_without_pictures_has_no_files() {
    let stage = Stage::new();
    started_on(&stage, &stage.only_preview()).await;
    assert!(stage.preview.requests()[0].inputs.is_empty());
}

#[tokio::test]
async fn a_retry_has_files_of_its_own() {
    let stage = Stage::new();
    let job = accepted(&stage).await;
    let claimed = job.clone().claim(a_claim("c", at(1))).unwrap();
    let failed = claimed.fail(Code::GpuError, Report::default(), at(2));
    let failed = failed.unwrap();
    let write = Write::Replace {
        seen: &job,
        next: &failed,
    };
    stage.jobs.write(write).await.unwrap();
    let retry = |name: &str| {
        let mut retry = stage.ports().retry(&stage.settings);
        retry.submit.route = stage.only_preview().route();
        let identity = Identity::Key(name.to_owned());
        let (key, hash) = (failed.key.clone(), RequestHash([3; 32]));
        async move {
            retry
                .run(&key, identity, hash, TraceId::generated(&[4; 16]))
                .await
        }
    };
    let again = retry("first").await.unwrap().unwrap().job;
    assert_eq!(inline(&again), inline(&job));
    let key = |job: &Job| job.input_file_key("reference_image");
    let file = stage.images.object(&key(&again)).unwrap();
    assert_eq!(file.bytes, a_jpeg("me"));

    let delete = stage.ports().delete();
    delete.run(&failed.key).await.unwrap();
    assert!(stage.images.object(&key(&job)).is_none(), "the first's");
    assert!(
        stage.images.object(&key(&again)).is_some(),
        "not the retry's"
    );
    assert!(matches!(
        retry("second").await,
        Err(RetryError::InputRemoved)
    ));
}

#[tokio::test]
async fn a_video_is_delivered_as_one_and_has_a_videos_time() {
    let stage = Stage::new();
    let input = json!({ "prompt": "waves" });
    let account = account();
    let mut asked = request(&account, input.as_object().unwrap(), Identity::Random);
    asked.model = model::find("ryla", "wan2").unwrap();
    let mut submit = stage.ports().submit(&stage.settings);
    submit.route = stage.only_preview().route();
    let job = submit.run(&asked).await.unwrap().job;
    assert_eq!(job.format, Format::Mp4);
    assert_eq!(job.deadline.at, at(30 * 60));
    assert!(job.output_key(0).as_str().ends_with("/1-0.mp4"));
    handle(&stage, &stage.only_preview(), &start_of(&job)).await;
    let request = stage.preview.requests().remove(0);
    assert_eq!(request.run_limit, Ms::seconds(400));
    assert_eq!(request.deadline_at, at(30 * 60));
    let put = &request.outputs[0].put;
    let media = ("content-type".to_owned(), "video/mp4".to_owned());
    assert!(put.headers.contains(&media), "{put:?}");
}

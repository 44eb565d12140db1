//! What comes back is the picture that was asked for.

use crate::app::{Caller, TestApp, options, small};
use image::{GenericImageView, ImageFormat};
use ryla_domain::job::StoredInput;
use ryla_domain::time::Ms;
use ryla_local::PreviewOptions;
use serde_json::{Value, json};

/// The bytes behind an ended prediction's output.
async fn output(app: &TestApp, prediction: &Value) -> Vec<u8> {
    assert_eq!(prediction["status"], "succeeded", "{prediction}");
    let reply = app.anonymous(prediction["output"].as_str().unwrap()).await;
    assert_eq!(reply.status, 200);
    reply.bytes
}

async fn drawn(app: &TestApp, caller: Caller<'_>, input: &Value) -> Vec<u8> {
    let created = caller.create(input).await;
    let ended = caller.ended(created["id"].as_str().unwrap()).await;
    output(app, &ended).await
}

#[tokio::test]
async fn each_format_comes_back_as_a_real_picture_of_the_asked_size() {
    let app = TestApp::start(options()).await;
    for (format, content_type, decoder, width, height) in [
        ("jpg", "image/jpeg", ImageFormat::Jpeg, 256, 320),
        ("png", "image/png", ImageFormat::Png, 512, 256),
        ("webp", "image/webp", ImageFormat::WebP, 272, 304),
    ] {
        let input = json!({
            "prompt": "a lighthouse at dusk", "width": width, "height": height, "output_format": format,
        });
        let created = app.alice().create(&input).await;
        assert_eq!(created["status"], "starting");
        let ended = app.alice().ended(created["id"].as_str().unwrap()).await;
        let bytes = output(&app, &ended).await;
        let picture = image::load_from_memory_with_format(&bytes, decoder).unwrap();
        assert_eq!(picture.dimensions(), (width, height), "{format}");
        // One colour would decode as well.
        let first = picture.get_pixel(0, 0);
        assert!(
            picture.pixels().any(|(_, _, pixel)| pixel != first),
            "{format} shows something"
        );

        let url = ended["output"].as_str().unwrap();
        let reply = app.anonymous(url).await;
        assert_eq!(reply.header("content-type"), Some(content_type));
        assert!(
            url.starts_with(app.url()) && url.ends_with(&format!(".{format}")),
            "{url}"
        );
        assert!(
            !url.contains('?'),
            "no signature in a URL that is shown: {url}"
        );
        assert_eq!(ended["metrics"]["provider"], "preview");
        assert_eq!(
            ended["metrics"]["cost_usd"],
            Value::Null,
            "an unknown cost is never 0"
        );
        assert_eq!(ended["metrics"]["attempts"], 1);
        assert_eq!(ended["error"], Value::Null);
    }
    app.finish().await;
}

#[tokio::test]
async fn who_has_the_url_has_the_picture_whatever_key_comes_along() {
    let app = TestApp::start(options()).await;
    let id = app.alice().small("a fox in the snow").await;
    let ended = app.alice().ended(&id).await;
    let bytes = output(&app, &ended).await;
    let url = ended["output"].as_str().unwrap();
    for reply in [app.bob().get(url).await, app.alice().get(url).await] {
        assert_eq!((reply.status, &reply.bytes), (200, &bytes));
    }
    let other = url.replace("/1-0.jpg", "/1-1.jpg");
    assert_ne!(other, url);
    assert_eq!(app.anonymous(&other).await.status, 404);
    app.finish().await;
}

#[tokio::test]
async fn one_seed_gives_the_same_bytes_and_another_seed_others() {
    let app = TestApp::start(options()).await;
    let mut input = small("a red castle by a lake");
    let first = drawn(&app, app.alice(), &input).await;
    assert_eq!(first, drawn(&app, app.bob(), &input).await);
    input["seed"] = json!(8);
    assert_ne!(first, drawn(&app, app.alice(), &input).await);
    app.finish().await;
}

#[tokio::test]
async fn a_drawn_seed_is_told_and_repeats_the_picture() {
    let app = TestApp::start(options()).await;
    let mut input = json!({ "prompt": "a windmill", "width": 256, "height": 256 });
    let created = app.alice().create(&input).await;
    let seed = created["input"]["seed"].as_u64().unwrap();
    assert!(seed < 1 << 53, "JavaScript can repeat it: {seed}");
    let ended = app.alice().ended(created["id"].as_str().unwrap()).await;
    input["seed"] = json!(seed);
    assert_eq!(
        output(&app, &ended).await,
        drawn(&app, app.alice(), &input).await
    );
    app.finish().await;
}

#[tokio::test]
async fn the_timeline_and_the_progress_only_move_forward() {
    let preview = PreviewOptions {
        boot: Ms(300),
        run: Ms(2_500),
        ..PreviewOptions::default()
    };
    let app = TestApp::start(ryla_local::Options {
        preview,
        ..options()
    })
    .await;
    let id = app.alice().small("a rocket at night").await;
    let order = ["starting", "processing", "succeeded"];
    let (mut place, mut progress, mut seen) = (0, 0, vec![]);
    while place < 2 {
        let prediction = app
            .alice()
            .get(&format!("/v1/predictions/{id}?wait=0.3"))
            .await
            .expect(200);
        let status = prediction["status"].as_str().unwrap().to_owned();
        let now = order.iter().position(|name| *name == status).unwrap();
        assert!(now >= place, "{status} after {}", order[place]);
        place = now;
        let percent = prediction["metrics"]["progress"]
            .as_u64()
            .unwrap_or(progress);
        assert!(percent >= progress, "{percent} after {progress}");
        progress = percent;
        seen.push(status);
    }
    assert!(
        seen.contains(&"starting".to_owned()) && seen.contains(&"processing".to_owned()),
        "{seen:?}"
    );
    let ended = app.alice().prediction(&id).await;
    let at = |name: &str| ended["metrics"]["timeline"][name].as_u64().unwrap();
    let timeline = ["accepted_ms", "dispatched_ms", "running_ms", "done_ms"].map(at);
    assert!(timeline.is_sorted(), "{timeline:?}");
    assert!(
        timeline[2] - timeline[1] >= 250,
        "the boot of 300 ms is seen: {timeline:?}"
    );
    assert!(
        timeline[3] - timeline[2] >= 2_400,
        "the run of 2,500 ms is seen: {timeline:?}"
    );
    let times =
        ["created_at", "started_at", "completed_at"].map(|name| ended[name].as_str().unwrap());
    assert!(times.is_sorted(), "{times:?}");
    assert!(ended["metrics"]["cold_start_seconds"].as_f64().unwrap() >= 0.3);
    app.finish().await;
}

/// 16,000 bytes are too long for the row: they wait in the bucket, and the worker fetches them.
#[tokio::test]
async fn the_longest_prompt_reaches_the_worker_by_way_of_the_bucket() {
    let app = TestApp::start(options()).await;
    let end = " a red castle at night";
    let prompt = format!("{}{end}", "🦀".repeat(4_000 - end.len()));
    assert_eq!(prompt.chars().count(), 4_000);
    let input = small(&prompt);
    let created = app.alice().create(&input).await;
    assert_eq!(created["input"]["prompt"], json!(prompt));
    let id = created["id"].as_str().unwrap();
    let ended = app.alice().ended(id).await;
    assert_eq!(
        app.row(&app.alice().job(id)).await.input,
        StoredInput::InBucket
    );
    assert_eq!(ended["input"]["prompt"], json!(prompt));
    let listed = app.alice().get("/v1/predictions").await.expect(200);
    assert_eq!(listed["results"][0]["input"]["prompt"], json!(prompt));
    // Not any picture: the one of this prompt, this seed and this size.
    let wanted = ryla_scene::draw(&prompt, "", 7, 256, 256).unwrap();
    let wanted = ryla_scene::encode(&wanted, ryla_scene::Format::Jpeg).unwrap();
    assert!(
        output(&app, &ended).await == wanted,
        "the picture is that of the prompt"
    );
    // One character more is refused, and nothing of it is kept.
    let reply = app
        .alice()
        .send(app.alice().creation(&small(&format!("{prompt}!"))))
        .await;
    let problem = reply.expect(422);
    assert_eq!(problem["invalid_fields"][0]["field"], "input.prompt");
    assert!(
        !problem.to_string().contains('🦀'),
        "a problem never repeats a prompt"
    );
    app.finish().await;
}

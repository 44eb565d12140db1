//! Every model of the catalog from request to file, with pictures that the client hands over.

use crate::app::{Caller, TestApp, options};
use data_encoding::{BASE64, HEXLOWER};
use image::GenericImageView;
use reqwest::Method;
use ryla_domain::model::{self, Media, Model, catalog};
use ryla_domain::output::ObjectKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A photo of the tests' own.
fn photo(prompt: &str, width: u32, height: u32) -> Vec<u8> {
    let picture = ryla_scene::draw(prompt, "", 3, width, height).unwrap();
    ryla_scene::encode(&picture, ryla_scene::Format::Jpeg).unwrap()
}

fn data_url(bytes: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", BASE64.encode(bytes))
}

/// The least that the model takes, small where it has a size.
fn input(model: &Model, face: &str) -> Value {
    let schema = model.input_schema();
    let properties = schema["properties"].as_object().unwrap();
    let mut input = json!({ "seed": 7 });
    for name in properties.keys() {
        let value = match name.as_str() {
            "prompt" => json!("a fox in the snow"),
            "lora_id" => json!("my-face"),
            "width" => json!(256),
            "height" => json!(320),
            "base_image" => json!(data_url(&photo("a beach", 300, 200))),
            "reference_image" => json!(face),
            _ => continue,
        };
        input[name] = value;
    }
    input
}

async fn create(caller: Caller<'_>, model: &Model, input: &Value) -> Value {
    let path = format!("/v1/models/{}/predictions", model.slug());
    let request = caller.request(Method::POST, &path);
    let reply = caller.send(request.json(&json!({ "input": input }))).await;
    reply.expect(201)
}

async fn ended(caller: Caller<'_>, created: &Value) -> Value {
    caller.ended(created["id"].as_str().unwrap()).await
}

/// Whether an object lies there.
async fn there(app: &TestApp, key: &ObjectKey) -> bool {
    let glimpse = app.ports().images.glimpse(key).await;
    glimpse.unwrap().is_some()
}

/// What the file is, by its bytes: media type and size.
fn looked_at(bytes: &[u8]) -> (&'static str, (u32, u32)) {
    if bytes[4..8] == *b"ftyp" {
        return ("video/mp4", (256, 320));
    }
    let media = image::guess_format(bytes).unwrap().to_mime_type();
    (media, image::load_from_memory(bytes).unwrap().dimensions())
}

#[tokio::test]
async fn every_model_delivers_what_it_promises() {
    let app = TestApp::start(options()).await;
    let face = photo("a person", 96, 96);
    for model in catalog() {
        let created = create(app.alice(), model, &input(model, &data_url(&face))).await;
        let ended = ended(app.alice(), &created).await;
        assert_eq!(ended["status"], "succeeded", "{}: {ended}", model.name);
        assert_eq!(ended["model"], model.slug());
        assert_eq!(ended["version"], model.version_id());
        if model
            .picture_fields()
            .iter()
            .any(|f| f == "reference_image")
        {
            let hash = HEXLOWER.encode(&Sha256::digest(&face));
            assert_eq!(ended["input"]["reference_image"], format!("sha256:{hash}"));
        }
        let reply = app.anonymous(ended["output"].as_str().unwrap()).await;
        assert_eq!(reply.status, 200, "{}", model.name);
        let expected = match (model.name, model.media) {
            ("face-swap", _) => ("image/jpeg", (300, 200)),
            ("sdxl", _) => ("image/png", (256, 320)),
            (_, Media::Video) => ("video/mp4", (256, 320)),
            (_, Media::Picture) => ("image/jpeg", (256, 320)),
        };
        assert_eq!(looked_at(&reply.bytes), expected, "{}", model.name);
        assert_eq!(reply.header("content-type"), Some(expected.0));
        let row = app
            .row(&app.alice().job(ended["id"].as_str().unwrap()))
            .await;
        let outputs = match row.state {
            ryla_domain::state::State::Succeeded { outputs, .. } => outputs,
            other => panic!("{other:?}"),
        };
        assert_eq!((outputs[0].width, outputs[0].height), expected.1);
    }
    app.finish().await;
}

#[tokio::test]
async fn the_picture_in_the_input_is_what_the_worker_sees_and_goes_with_the_jobs_data() {
    let app = TestApp::start(options()).await;
    let model = model::find("ryla", "sdxl-instantid").unwrap();
    let caller = app.alice();
    let mut outputs = Vec::new();
    for prompt in ["a person", "a castle"] {
        let face = data_url(&photo(prompt, 96, 96));
        let created = create(caller, model, &input(model, &face)).await;
        let ended = ended(caller, &created).await;
        let id = ended["id"].as_str().unwrap().to_owned();
        let url = ended["output"].as_str().unwrap().to_owned();
        outputs.push((id, app.anonymous(&url).await.bytes));
    }
    assert_ne!(outputs[0].1, outputs[1].1, "the same but for the face");
    let row = app.row(&caller.job(&outputs[0].0)).await;
    let key = row.input_file_key("reference_image");
    assert!(there(&app, &key).await);
    let path = format!("/v1/predictions/{}", outputs[0].0);
    let deleted = caller.send(caller.request(Method::DELETE, &path)).await;
    assert_eq!(deleted.expect(200)["input"], json!({}));
    assert!(!there(&app, &key).await);
    app.finish().await;
}

#[tokio::test]
async fn a_picture_that_cannot_be_used_is_refused_by_its_field_and_nothing_is_kept() {
    let app = TestApp::start(options()).await;
    let caller = app.alice();
    let model = model::find("ryla", "sdxl-instantid").unwrap();
    let path = format!("/v1/models/{}/predictions", model.slug());
    let big = data_url(&vec![0xff; 4 * 1024 * 1024 + 1]);
    for wrong in [
        json!(null),
        json!("me.jpg"),
        json!("http://pictures.example/me.jpg"),
        json!("data:image/jpeg;base64,QUJD"),
        json!(big),
    ] {
        let mut input = input(model, "");
        input["reference_image"] = wrong;
        let request = caller.request(Method::POST, &path);
        let reply = caller.send(request.json(&json!({ "input": input }))).await;
        let problem = reply.expect(422);
        let fields = problem["invalid_fields"].as_array().unwrap();
        assert_eq!(fields.len(), 1, "{problem}");
        assert_eq!(fields[0]["field"], "input.reference_image");
        assert!(problem.to_string().len() < 2_000, "nothing is repeated");
    }
    let listed = caller.get("/v1/predictions").await.expect(200);
    assert_eq!(listed["results"], json!([]));
    app.finish().await;
}

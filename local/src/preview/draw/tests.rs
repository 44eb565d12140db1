use super::*;
use ryla_domain::model::{self, catalog};
use serde_json::json;

fn params(workflow: &str, change: &Value) -> Value {
    let model = model::find("ryla", workflow).unwrap();
    let mut input = json!({"prompt": "a fox"});
    let schema = model.input_schema();
    let given = schema["properties"].as_object().unwrap();
    input
        .as_object_mut()
        .unwrap()
        .retain(|name, _| given.contains_key(name));
    for field in model.picture_fields() {
        input[field] = json!("https://pictures.example/a.png");
    }
    if given.contains_key("lora_id") {
        input["lora_id"] = json!("my-face");
    }
    if given.contains_key("width") {
        (input["width"], input["height"]) = (json!(256), json!(320));
    }
    input
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    let parsed = model.parse(input.as_object().unwrap(), 7).unwrap();
    parsed.input.params()
}

fn photo(width: u32, height: u32, prompt: &str) -> bytes::Bytes {
    let picture = ryla_scene::draw(prompt, "", 3, width, height).unwrap();
    ryla_scene::encode(&picture, ryla_scene::Format::Jpeg)
        .unwrap()
        .into()
}

#[test]
fn the_field_that_is_wrong_is_named_and_its_value_is_not() {
    let good = json!({"prompt": "a fox", "width": 64, "height": 64, "seed": 1});
    assert!(Params::read("flux-dev", &good).is_ok());
    for (field, wrong) in [
        ("prompt", json!(null)),
        ("prompt", json!(7)),
        ("negative_prompt", json!(["secret"])),
        ("width", json!(-64)),
        ("height", json!("secret")),
        ("seed", json!(0.5)),
        ("aspect_ratio", json!("secret")),
    ] {
        let mut params = good.clone();
        params[field] = wrong;
        let error = Params::read("flux-dev", &params).unwrap_err();
        assert_eq!(error.to_string(), format!("params.{field}"));
    }
    let long = json!({"width": 64, "height": 64, "seed": 1, "duration_seconds": 1e9});
    let error = Params::read("live-portrait", &long).unwrap_err();
    assert_eq!(error.to_string(), "params.duration_seconds");
}

#[test]
fn each_slot_has_its_own_picture_and_always_the_same() {
    let params = json!({"prompt": "a fox", "width": 64, "height": 48, "seed": u64::MAX});
    let params = Params::read("flux-dev", &params).unwrap();
    let draw = |slot| {
        let drawn = params.draw(&Photos::default(), slot, Format::Png);
        drawn.unwrap().bytes
    };
    assert_eq!(draw(0), draw(0));
    assert_ne!(draw(0), draw(1));
}

#[test]
fn every_model_of_the_catalog_is_drawn_with_its_photos_and_without() {
    let (base, reference) = (photo(300, 200, "a beach"), photo(128, 128, "a person"));
    for model in catalog() {
        let params = Params::read(model.workflow, &params(model.name, &json!({}))).unwrap();
        let format = match model.media {
            model::Media::Picture => Format::Jpg,
            model::Media::Video => Format::Mp4,
        };
        let has = |field: &str| model.picture_fields().iter().any(|name| name == field);
        let photos = Photos {
            base: has("base_image").then(|| base.clone()),
            reference: has("reference_image").then(|| reference.clone()),
        };
        let with = params.draw(&photos, 0, format).unwrap();
        let without = params.draw(&Photos::default(), 0, format).unwrap();
        let photo_shows = with.bytes != without.bytes;
        assert_eq!(
            photo_shows,
            !model.picture_fields().is_empty(),
            "{}",
            model.name
        );
        let size = match model.name {
            "face-swap" => (300, 200),
            _ => (256, 320),
        };
        assert_eq!((with.width, with.height), size, "{}", model.name);
    }
}

#[test]
fn a_ratio_has_the_size_that_the_workflow_gives_it() {
    let params = params("sdxl", &json!({"aspect_ratio": "16:9"}));
    let params = Params::read("sdxl", &params).unwrap();
    assert_eq!(params.size, Some((1344, 768)));
}

#[test]
fn videos_are_as_long_as_the_workflow_makes_them() {
    let frames = |workflow, change| {
        let params = Params::read(workflow, &params(workflow, &change)).unwrap();
        params.film.map(|film| (film.frames, film.fps))
    };
    assert_eq!(
        frames("wan2", json!({"duration_seconds": 3})),
        Some((49, 16))
    );
    let given = json!({"duration_frames": 455});
    assert_eq!(frames("live-portrait", given), Some((455, 30)));
    assert_eq!(frames("flux", json!({})), None);
}

#[test]
fn a_photo_that_cannot_be_decoded_is_an_error() {
    let params = Params::read("sdxl-instantid", &params("sdxl-instantid", &json!({}))).unwrap();
    let photos = Photos {
        base: None,
        reference: Some(photo(64, 64, "a fox").slice(..200)),
    };
    let drawn = params.draw(&photos, 0, Format::Png);
    assert!(matches!(drawn.err(), Some(SceneError::Photo(_))));
}

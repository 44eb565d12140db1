//! What holds for every model: each test goes over the whole catalog, so a new model is covered by
//! being in it.

use super::*;
use crate::input::Real;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const DRAWN_SEED: u64 = 4_711;

/// The least that the schema asks for, plus one field.
fn input_with(model: &Model, field: &str, value: Value) -> Map<String, Value> {
    let mut input = smallest(model);
    input.insert(field.to_owned(), value);
    input
}

/// The least that the schema asks for.
fn smallest(model: &Model) -> Map<String, Value> {
    let schema = model.input_schema();
    let required = schema["required"].as_array().unwrap();
    let value_of = |name: &str| match (name, schema["properties"][name]["format"].as_str()) {
        (_, Some("uri")) => json!("https://pictures.example/me.jpg"),
        ("lora_id", _) => json!("my-face"),
        _ => json!("a lighthouse"),
    };
    let required = required.iter().map(|name| name.as_str().unwrap());
    required
        .map(|name| (name.to_owned(), value_of(name)))
        .collect()
}

fn is_alias(property: &Value) -> bool {
    property.get("x-alias-of").is_some()
}

/// Files have tests of their own: what their text may be is more than a schema says.
fn is_file(property: &Value) -> bool {
    property["format"] == "uri"
}

fn properties(model: &Model) -> Vec<(String, Value)> {
    let schema = model.input_schema();
    let mut properties: Vec<(String, Value)> = schema["properties"]
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .collect();
    properties.sort_by_key(|(_, property)| property["x-order"].as_u64());
    properties
}

fn whole(value: &Value) -> Option<i128> {
    value
        .as_i64()
        .map(i128::from)
        .or_else(|| value.as_u64().map(i128::from))
}

/// What the keywords that our schemas use say about `value`.
fn schema_allows(property: &Value, value: &Value) -> bool {
    let of_type = match property["type"].as_str() {
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("object") => value.is_object(),
        other => panic!("the test does not know type {other:?}"),
    };
    // In whole numbers where both are whole: 2^64 - 1 and 2^64 are the same 64-bit float.
    let at_least = |value: &Value, limit: &Value| match (whole(value), whole(limit)) {
        (Some(value), Some(limit)) => value >= limit,
        _ => value.as_f64() >= limit.as_f64(),
    };
    let chars = value.as_str().map(|text| text.chars().count() as u64);
    of_type
        && property
            .as_object()
            .unwrap()
            .iter()
            .all(|(keyword, limit)| match keyword.as_str() {
                "minimum" => at_least(value, limit),
                "maximum" => at_least(limit, value),
                "multipleOf" => value.as_f64().unwrap() % limit.as_f64().unwrap() == 0.0,
                "minLength" => chars >= limit.as_u64(),
                "maxLength" => chars <= limit.as_u64(),
                "pattern" if limit == Fields::FILE_NAME_PATTERN => {
                    let text = value.as_str().unwrap();
                    let of_names = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                    (1..=128).contains(&text.len())
                        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                        && text.chars().all(of_names)
                }
                "pattern" => {
                    assert_eq!(limit, r"\S", "the test knows no other pattern");
                    value
                        .as_str()
                        .unwrap()
                        .contains(|c: char| !c.is_whitespace())
                }
                "enum" => limit.as_array().unwrap().contains(value),
                "type" | "format" | "title" | "description" | "default" | "x-order"
                | "x-alias-of" | "nullable" => true,
                other => panic!("the test does not know keyword {other}"),
            })
}

/// Values around every limit of the property, and everything else that JSON has.
fn values(property: &Value) -> BoxedStrategy<Value> {
    let mut near: Vec<Value> = Vec::new();
    for limit in ["minimum", "maximum", "multipleOf", "default"].map(|keyword| &property[keyword]) {
        if let Some(whole) = whole(limit) {
            let around = (whole - 17)..=(whole + 17);
            near.extend(around.filter_map(|n| {
                i64::try_from(n).map_or_else(
                    |_| u64::try_from(n).ok().map(Value::from),
                    |n| Some(Value::from(n)),
                )
            }));
        } else if let Some(real) = limit.as_f64() {
            near.extend([real, real.next_up(), real.next_down(), real + 0.5].map(Value::from));
        }
    }
    for length in ["minLength", "maxLength"].map(|keyword| &property[keyword]) {
        if let Some(length) = length
            .as_u64()
            .and_then(|length| usize::try_from(length).ok())
        {
            let lengths = [length.saturating_sub(1), length, length + 1];
            near.extend(
                lengths
                    .iter()
                    .flat_map(|n| ["a", "ü", "\u{1f600}", " "].map(|c| json!(c.repeat(*n)))),
            );
        }
    }
    near.extend(property["enum"].as_array().into_iter().flatten().cloned());
    near.extend([
        json!(true),
        json!([]),
        json!({}),
        json!("1024"),
        json!(1024.0),
        json!(0.5),
        json!(-1),
    ]);
    prop_oneof![
        4 => proptest::sample::select(near),
        2 => any::<u64>().prop_map(Value::from),
        2 => (0_u64..4_096).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        2 => (-100.0..3_000.0).prop_map(|n: f64| json!((n * 4.0).round() / 4.0)),
        1 => any::<f32>().prop_filter("JSON has only finite numbers", |n| n.is_finite())
            .prop_filter("past 2^53 our reader is stricter on purpose", |n| n.abs() < 9e15)
            .prop_map(Value::from),
        1 => "[^\0]{0,20}".prop_map(Value::from),
        1 => "[a-zA-Z0-9._-]{0,5}".prop_map(Value::from),
    ]
    .boxed()
}

#[test]
fn schema_and_reader_agree_about_every_value_of_every_field() {
    for model in catalog() {
        let smallest = smallest(model);
        for (name, property) in properties(model)
            .into_iter()
            .filter(|(name, property)| name != "job" && !is_file(property))
        {
            let mut runner = TestRunner::new(ProptestConfig::with_cases(800));
            let checked = runner.run(&values(&property), |value| {
                let mut input = smallest.clone();
                input.insert(name.clone(), value.clone());
                let parsed = model.parse(&input, DRAWN_SEED);
                let is_real = property["type"] == "number";
                let tiny = |number: f64| number != 0.0 && number.abs() < Real::SMALLEST;
                let too_near_to_0 = is_real && value.as_f64().is_some_and(tiny);
                prop_assert_eq!(
                    schema_allows(&property, &value) && !too_near_to_0,
                    parsed.is_ok(),
                    "{:?}",
                    parsed
                );
                Ok(())
            });
            checked.unwrap_or_else(|failure| panic!("{}: input.{name}: {failure}", model.slug()));
        }
    }
}

#[test]
fn defaults_in_the_schema_are_those_that_the_reader_fills_in() {
    for model in catalog() {
        let bare = smallest(model);
        let resolved = model.parse(&bare, DRAWN_SEED).unwrap().input.to_json();
        for (name, property) in properties(model)
            .into_iter()
            .filter(|(name, property)| name != "job" && !is_alias(property))
        {
            match property.get("default") {
                Some(default) => assert_eq!(&resolved[&name], default, "{name}"),
                None => assert!(
                    bare.contains_key(&name) || name == "seed",
                    "{name} has no default"
                ),
            }
        }
        assert_eq!(resolved["seed"], DRAWN_SEED);
    }
}

#[test]
fn properties_are_numbered_without_gaps_and_job_stands_last() {
    for model in catalog() {
        let properties = properties(model);
        let order: Vec<u64> = properties
            .iter()
            .filter_map(|(_, p)| p["x-order"].as_u64())
            .collect();
        assert_eq!(order, (0..properties.len() as u64).collect::<Vec<_>>());
        assert_eq!(properties.last().unwrap().0, JobOptions::FIELD);
        for (name, property) in &properties {
            assert!(property["title"].is_string(), "{name}");
            assert!(property["description"].is_string(), "{name}");
        }
    }
}

#[test]
fn the_resolved_input_holds_exactly_the_fields_of_the_schema() {
    for model in catalog() {
        let bare = input_with(model, "job", json!({"retention_days": 1}));
        let resolved = model.parse(&bare, DRAWN_SEED).unwrap().input.to_json();
        let mut fields: Vec<String> = properties(model)
            .into_iter()
            .filter(|(_, property)| !is_alias(property))
            .map(|(name, _)| name)
            .collect();
        fields.retain(|name| name != JobOptions::FIELD);
        fields.sort();
        let mut stored: Vec<String> = resolved.as_object().unwrap().keys().cloned().collect();
        stored.sort();
        assert_eq!(stored, fields);
    }
}

#[test]
fn every_model_is_found_by_its_slug_and_by_nothing_else() {
    for model in catalog() {
        assert_eq!(model.slug(), format!("{}/{}", model.owner, model.name));
        assert!(std::ptr::eq(find(model.owner, model.name).unwrap(), model));
    }
    assert!(find("ryla", "flux-pro").is_none());
    assert!(find("someone", "flux-dev").is_none());
    assert!(find("ryla", "Flux-Dev").is_none());
}

#[test]
fn version_ids_are_64_lower_case_hex_digits_and_all_different() {
    let mut ids: Vec<String> = catalog().iter().map(Model::version_id).collect();
    for id in &ids {
        assert_eq!(id.len(), 64);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), catalog().len());
}

#[test]
fn a_list_output_is_announced_as_an_iterator_of_urls() {
    let schema = Model {
        output: OutputKind::List,
        ..flux_dev::model()
    }
    .openapi_schema();
    let output = &schema["components"]["schemas"]["Output"];
    assert_eq!(output["type"], "array");
    assert_eq!(output["items"], json!({"type": "string", "format": "uri"}));
    assert_eq!(output["x-cog-array-type"], "iterator");
}

#[test]
fn a_reworded_sentence_is_no_new_version_and_a_changed_field_is() {
    let mut schema = serde_json::json!({
        "title": "Input", "description": "Words.",
        "properties": { "title": { "type": "string", "description": "A field of that name." } },
    });
    super::remove_words(&mut schema);
    assert_eq!(
        schema,
        serde_json::json!({ "properties": { "title": { "type": "string" } } })
    );
}

#[test]
fn every_model_of_the_list_is_there_with_what_it_makes_and_its_pictures() {
    let listed: Vec<String> = catalog()
        .iter()
        .map(|model| {
            let pictures = model.picture_fields().join(" ");
            let format = model.parse(&smallest(model), 1).unwrap().input.format();
            assert_eq!(format == Format::Mp4, model.media == Media::Video);
            format!("{} {} {pictures}", model.name, format.extension())
        })
        .collect();
    assert_eq!(
        listed,
        [
            "flux-dev jpg ",
            "flux jpg ",
            "flux-lora jpg ",
            "flux-instantid jpg reference_image",
            "flux-ipadapter-faceid jpg reference_image",
            "sdxl png ",
            "sdxl-instantid jpg reference_image",
            "z-image-simple jpg ",
            "z-image-danrisi jpg ",
            "z-image-instantid jpg reference_image",
            "z-image-pulid jpg reference_image",
            "face-swap jpg base_image reference_image",
            "live-portrait mp4 reference_image",
            "wan2 mp4 ",
        ]
    );
}

#[test]
fn what_was_accepted_comes_back_from_storage_unchanged() {
    for model in catalog() {
        let input = model.parse(&smallest(model), DRAWN_SEED).unwrap().input;
        let stored: Value = serde_json::from_str(&input.to_json().to_string()).unwrap();
        assert_eq!(model.decode_stored(&stored), Ok(input), "{}", model.name);
    }
}

#[test]
fn every_description_says_what_runs_and_whether_it_may_be_sold() {
    for model in catalog() {
        let note = model.license_note;
        let restricted = ["Non-Commercial", "non-commercial", "AGPL"]
            .iter()
            .any(|word| note.contains(word));
        let said = ["non-commercial", "Not for commercial use", "AGPL-3.0"]
            .iter()
            .any(|word| model.description.contains(word));
        assert_eq!(restricted, said, "{}", model.name);
        let runs = [
            "FLUX.1",
            "SDXL",
            "Stable Diffusion XL",
            "Z-Image",
            "Wan",
            "LivePortrait",
        ];
        assert!(
            runs.iter().any(|name| model.description.contains(name)),
            "{}",
            model.name
        );
    }
}

#[test]
fn a_length_in_frames_is_kept_in_seconds_and_never_beside_them() {
    let model = find("ryla", "live-portrait").unwrap();
    let parse = |field: &str, value: Value| {
        let input = input_with(model, field, value);
        model.parse(&input, DRAWN_SEED)
    };
    let stored = parse("duration_frames", json!(450)).unwrap().input;
    assert_eq!(stored.to_json()["duration_seconds"], 15.0);
    assert_eq!(stored.to_json().get("duration_frames"), None);
    let InvalidInput(problems) = parse("duration_frames", json!(299)).unwrap_err();
    assert_eq!(problems[0].field, "input.duration_frames");
    assert_eq!(
        problems[0].message,
        "must be a whole number from 300 to 600, not 299"
    );
    let mut both = input_with(model, "duration_frames", json!(450));
    both.insert("duration_seconds".to_owned(), json!(15));
    let InvalidInput(problems) = model.parse(&both, DRAWN_SEED).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].field, "input.duration_frames");
    assert!(problems[0].message.contains("duration_seconds"));
}

#[test]
fn every_class_has_the_form_of_a_class() {
    for model in catalog() {
        assert_eq!(model.gpu_class().as_str(), model.class, "{}", model.name);
    }
}

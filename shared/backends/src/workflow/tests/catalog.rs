//! The models of the domain against the workflows that they run: neither knows the other, so this is what
//! keeps ranges, defaults, choices, licences and families from drifting apart.

use super::{Workflow, names, no_files, object, repository};
use ryla_domain::input::FileRef;
use ryla_domain::model::{Media, Model, catalog};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn file(model: &Model) -> Value {
    let path = repository().join(format!("infra/workflows/{}.json", model.workflow));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn properties(model: &Model) -> Map<String, Value> {
    let mut properties = object(model.input_schema()["properties"].clone());
    properties.remove("job");
    properties
}

/// What a client has to send.
fn smallest(model: &Model) -> Map<String, Value> {
    let schema = model.input_schema();
    let required = schema["required"].as_array().unwrap().iter();
    required
        .map(|name| {
            let name = name.as_str().unwrap();
            (name.to_owned(), value_of(model, name))
        })
        .collect()
}

fn value_of(model: &Model, name: &str) -> Value {
    match name {
        "lora_id" => json!("my-face"),
        name if model.picture_fields().iter().any(|field| field == name) => {
            json!("https://pictures.example/me.jpg")
        }
        _ => json!("a lighthouse"),
    }
}

/// Names under which `ComfyUI` would know the files.
fn files(workflow: &Workflow) -> BTreeMap<String, String> {
    let files = workflow.file_params();
    files
        .map(|name| (name.to_owned(), format!("{name}.png")))
        .collect()
}

fn graph(model: &Model, input: &Map<String, Value>) -> Value {
    let workflow = Workflow::load(model.workflow).unwrap();
    let parsed = model.parse(input, 7).unwrap();
    let params = object(parsed.input.params());
    let graph = workflow.fill(&params, &files(&workflow), "p");
    graph.unwrap_or_else(|error| panic!("{}: {error}", model.name))
}

#[test]
fn every_workflow_has_its_model() {
    let mut models: Vec<&str> = catalog().iter().map(|model| model.workflow).collect();
    models.sort_unstable();
    assert_eq!(models, names().collect::<Vec<_>>());
}

#[test]
fn fields_ranges_defaults_and_choices_are_the_workflows() {
    for model in catalog() {
        let workflow = file(model);
        let inputs = object(workflow["inputs"].clone());
        let mut properties = properties(model);
        for (name, spec) in inputs {
            let place = format!("{}: {name}", model.name);
            let property = properties
                .remove(&name)
                .unwrap_or_else(|| panic!("{place}"));
            let number = |value: &Value| value.as_f64();
            match spec["type"].as_str().unwrap() {
                "text" => {
                    assert_eq!(property["type"], "string", "{place}");
                    assert_eq!(property["maxLength"], spec["max_chars"], "{place}");
                }
                "choice" => assert_eq!(property["enum"], spec["choices"], "{place}"),
                "file" if spec["file"] == "image" => {
                    assert_eq!(property["format"], "uri", "{place}");
                }
                "file" => assert_eq!((&*name, &spec["file"]), ("lora_id", &json!("lora"))),
                kind => {
                    let whole = if kind == "whole" { "integer" } else { "number" };
                    assert_eq!(property["type"], whole, "{place}");
                    assert_eq!(
                        number(&property["minimum"]),
                        number(&spec["min"]),
                        "{place}"
                    );
                    assert_eq!(
                        number(&property["maximum"]),
                        number(&spec["max"]),
                        "{place}"
                    );
                    let step = property.get("multipleOf").unwrap_or(&json!(1)).clone();
                    if kind == "whole" {
                        assert_eq!(step, spec["step"], "{place}");
                        let least = spec["min"].as_u64().unwrap();
                        let step = step.as_u64().unwrap();
                        assert!(step == 1 || least.is_multiple_of(step), "{place}");
                    }
                }
            }
            // The server draws the seed, so for the worker alone it is required.
            if name != "seed" {
                let required = model.input_schema()["required"].clone();
                let required = required.as_array().unwrap().contains(&json!(name));
                assert_eq!(required, spec.get("default").is_none(), "{place}");
            }
            match (property.get("default"), spec.get("default")) {
                (Some(ours), Some(theirs)) if ours.is_number() => {
                    assert_eq!(number(ours), number(theirs), "{place}");
                }
                (ours, theirs) => assert_eq!(ours, theirs, "{place}"),
            }
        }
        let aliases = workflow
            .get("aliases")
            .cloned()
            .unwrap_or_else(|| json!({}));
        for (alias, rule) in object(aliases) {
            let property = properties.remove(&alias).unwrap();
            assert_eq!(property["x-alias-of"], rule["for"], "{alias}");
        }
        assert!(properties.is_empty(), "{}: {properties:?}", model.name);
    }
}

#[test]
fn family_licence_and_kind_of_output_are_the_workflows() {
    for model in catalog() {
        let workflow = file(model);
        assert_eq!(workflow["family"], model.class, "{}", model.name);
        assert_eq!(
            workflow["license"]["note"], model.license_note,
            "{}",
            model.name
        );
        let kind = match model.media {
            Media::Picture => "image",
            Media::Video => "video",
        };
        assert_eq!(workflow["outputs"].as_array().unwrap().len(), 1);
        assert_eq!(workflow["outputs"][0]["kind"], kind, "{}", model.name);
    }
}

#[test]
fn what_the_reader_fills_in_is_what_the_workflow_would() {
    for model in catalog() {
        let workflow = Workflow::load(model.workflow).unwrap();
        let mut bare = smallest(model);
        bare.insert("seed".to_owned(), json!(7));
        let bare = workflow.fill(&bare, &files(&workflow), "p").unwrap();
        assert_eq!(graph(model, &smallest(model)), bare, "{}", model.name);
    }
}

/// Another value that the field takes.
fn another(property: &Value, value: &Value) -> Value {
    if let Some(choices) = property["enum"].as_array() {
        // Not the nearest one: SDXL's 1:1 is what it paints anyway.
        return choices
            .iter()
            .rfind(|choice| *choice != value)
            .unwrap()
            .clone();
    }
    match property["type"].as_str().unwrap() {
        "integer" | "number" if *value != property["minimum"] => property["minimum"].clone(),
        "integer" | "number" => property["maximum"].clone(),
        _ if property.get("pattern").is_some() => json!("another"),
        _ => json!("quite something else"),
    }
}

/// The one field whose value is the worker's to heed, after the graph has run.
const DELIVERY: &str = "output_format";

#[test]
fn every_documented_input_changes_what_the_backend_is_asked_to_do() {
    for model in catalog() {
        let smallest = smallest(model);
        let before = graph(model, &smallest);
        let resolved = model.parse(&smallest, 7).unwrap().input;
        for (name, property) in properties(model) {
            let place = format!("{}: {name}", model.name);
            let mut input = smallest.clone();
            if model.picture_fields().contains(&name) {
                input.insert(name.clone(), json!("https://pictures.example/other.jpg"));
                let other = model.parse(&input, 7).unwrap().input;
                assert_ne!(other.params(), resolved.params(), "{place}");
                continue;
            }
            let stored = &resolved.params()[&name];
            input.insert(name.clone(), another(&property, stored));
            if property.get("x-alias-of").is_some() {
                input.insert(name.clone(), property["maximum"].clone());
            }
            let other = model.parse(&input, 7).unwrap().input;
            if name == DELIVERY {
                assert_ne!(other.format(), resolved.format(), "{place}");
            } else if name == "lora_id" {
                assert_ne!(other.params(), resolved.params(), "{place}");
            } else {
                assert_ne!(graph(model, &input), before, "{place}");
            }
        }
    }
}

#[test]
fn a_file_in_the_bucket_is_named_by_the_worker_and_its_hash_is_no_part_of_the_graph() {
    let model = ryla_domain::model::find("ryla", "face-swap").unwrap();
    let mut input = smallest(model);
    let params = model.parse(&input, 7).unwrap().input.params();
    let kept = FileRef::kept(&[0xab; 32]);
    let mut with_hash = object(params);
    with_hash.insert("base_image".to_owned(), kept.as_str().into());
    let workflow = Workflow::load(model.workflow).unwrap();
    let filled = workflow.fill(&with_hash, &files(&workflow), "p").unwrap();
    assert_eq!(filled, graph(model, &input));
    assert!(!filled.to_string().contains(kept.as_str()));
    input.remove("base_image");
    assert!(model.parse(&input, 7).is_err());
    assert!(workflow.fill(&with_hash, &no_files(), "p").is_err());
}

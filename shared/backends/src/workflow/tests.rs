mod catalog;

use super::{FillError, Kind, Workflow, names};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn no_files() -> BTreeMap<String, String> {
    BTreeMap::new()
}

fn problem_of(name: &str, params: Value) -> String {
    let workflow = Workflow::load(name).unwrap();
    let files = workflow
        .file_params()
        .map(|name| (name.to_owned(), "a.png".to_owned()));
    workflow
        .fill(&object(params), &files.collect(), "p")
        .unwrap_err()
        .to_string()
}

#[test]
fn the_files_of_the_folder_are_those_that_were_compiled_in() {
    let mut folder: Vec<String> = std::fs::read_dir(repository().join("infra/workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    folder.sort();
    assert_eq!(names().collect::<Vec<_>>(), folder);
}

#[test]
fn graphs_are_byte_for_byte_those_that_python_fills() {
    for name in names() {
        let workflow = Workflow::load(name).unwrap();
        let file = repository().join(format!("tests/fixtures/v1/workflows/{name}.json"));
        let cases: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert!(cases.len() > 5, "{name}");
        for case in cases {
            let files = serde_json::from_value(case["files"].clone()).unwrap();
            let prefix = case["prefix"].as_str().unwrap();
            let graph = workflow
                .fill(&object(case["params"].clone()), &files, prefix)
                .unwrap();
            assert_eq!(
                graph.to_string(),
                case["graph"].as_str().unwrap(),
                "{name}: {}",
                case["params"]
            );
        }
    }
}

#[test]
fn params_that_the_file_does_not_allow_are_refused_by_name() {
    let with = |field: &str, value: Value| {
        let mut params = object(json!({"prompt": "a lighthouse", "seed": 7}));
        params.insert(field.to_owned(), value);
        Value::Object(params)
    };
    for (field, value, problem) in [
        ("width", json!(2064), "is outside its range"),
        ("width", json!(257), "does not fit its step"),
        ("steps", json!(20.0), "must be a whole number"),
        ("cfg", json!("3.5"), "must be a number"),
        ("cfg", json!(20.5), "is outside its range"),
        ("prompt", json!(" \n"), "must not be empty"),
        ("prompt", json!("x".repeat(4001)), "has too many characters"),
        ("seed", json!(null), "is required"),
        ("output_format", json!("gif"), "is none of the choices"),
        ("sead", json!(7), "is no parameter of this model"),
    ] {
        assert_eq!(
            problem_of("flux-dev", with(field, value)),
            format!("{field} {problem}")
        );
    }
    for frames in [json!(450.0), json!(true), json!(-1)] {
        let problem = problem_of(
            "live-portrait",
            json!({"seed": 7, "duration_frames": frames}),
        );
        assert_eq!(problem, "duration_frames must be a whole number");
    }
    let both = json!({"seed": 7, "duration_frames": 450, "duration_seconds": 15});
    assert!(problem_of("live-portrait", both).starts_with("duration_frames says the same"));
}

/// `infra/modal/tests/test_workflow.py` does the same.
#[test]
fn numbers_that_python_would_write_in_another_way_are_refused_or_made_plain() {
    let with = |scale: f64| -> Result<String, FillError> {
        let workflow = Workflow::load("live-portrait").unwrap();
        let files = BTreeMap::from([("reference_image".to_owned(), "a.png".to_owned())]);
        let params = object(json!({"seed": 7, "expression_scale": scale}));
        Ok(workflow.fill(&params, &files, "p")?.to_string())
    };
    for scale in [1e-5, 9.99e-4, 5e-324] {
        let problem = with(scale).unwrap_err().to_string();
        assert_eq!(problem, "expression_scale is too near to zero");
    }
    assert_eq!(with(-0.0), with(0.0));
    assert!(with(0.001).unwrap().contains("0.0009"));
}

#[test]
fn a_missing_file_and_an_unknown_name_are_errors() {
    let workflow = Workflow::load("flux-lora").unwrap();
    let params = object(json!({"prompt": "a lighthouse", "seed": 7}));
    let missing = workflow.fill(&params, &no_files(), "p").unwrap_err();
    assert_eq!(missing, FillError::param("lora_id", "is required"));
    assert_eq!(
        Workflow::load("../flux-dev").unwrap_err(),
        FillError::Unknown("../flux-dev".to_owned())
    );
}

#[test]
fn outputs_name_nodes_of_the_graph() {
    for name in names() {
        let workflow = Workflow::load(name).unwrap();
        let video = ["live-portrait", "wan2"].contains(&name);
        for output in workflow.outputs() {
            assert!(workflow.graph.contains_key(&output.node));
            assert_eq!(output.kind == Kind::Video, video, "{name}");
        }
    }
}

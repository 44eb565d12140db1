use super::*;
use serde_json::json;

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["prompt"],
        "properties": {
            "cfg": { "type": "number", "minimum": 1.0, "maximum": 20.0, "default": 3.5, "description": "Guidance.", "x-order": 4 },
            "face_fix": { "type": "boolean", "default": false, "x-order": 6 },
            "height": { "type": "integer", "x-order": 3 },
            "job": { "type": "object", "x-order": 9, "properties": {
                "retention_days": { "type": "integer", "enum": [1, 7], "x-order": 0 } } },
            "negative_prompt": { "type": "string", "default": "", "description": "Keep out.", "x-order": 1 },
            "out": { "type": "string", "x-order": 8 },
            "output_format": { "type": "string", "enum": ["jpg", "png"], "default": "jpg", "x-order": 7 },
            "prompt": { "type": "string", "description": "What the picture shows.", "x-order": 0 },
            "seed": { "type": "integer", "minimum": 0, "maximum": u64::MAX, "x-order": 5 },
            "width": { "type": "integer", "minimum": 256, "maximum": 2048, "multipleOf": 16, "default": 1024,
                       "description": "Width in pixels.", "x-order": 2 },
        }
    })
}

fn flags() -> InputFlags {
    InputFlags::of(&schema(), &["out".to_owned(), "json".to_owned()])
}

fn command() -> Command {
    flags().add_to(Command::new("generate").no_binary_name(true), "Input")
}

fn typed(args: &[&str]) -> Result<Value, clap::Error> {
    let matches = command().try_get_matches_from(args)?;
    Ok(Value::Object(flags().read(&matches)))
}

#[test]
fn what_is_typed_becomes_json_of_the_schemas_types() {
    let input = typed(&[
        "a lighthouse",
        "--width",
        "512",
        "--cfg",
        "4",
        "--negative-prompt",
        "fog",
        "--seed",
        "18446744073709551615",
        "--face-fix",
        "--output-format=png",
    ]);
    assert_eq!(
        input.unwrap(),
        json!({
            "prompt": "a lighthouse", "width": 512, "cfg": 4, "negative_prompt": "fog",
            "seed": u64::MAX, "face_fix": true, "output_format": "png",
        })
    );
}

#[test]
fn what_is_not_typed_is_not_sent_so_that_defaults_stay_the_models() {
    assert_eq!(typed(&["x"]).unwrap(), json!({ "prompt": "x" }));
}

#[test]
fn a_prompt_that_looks_like_a_number_stays_text() {
    assert_eq!(typed(&["42"]).unwrap(), json!({ "prompt": "42" }));
    assert_eq!(
        typed(&["--", "--width"]).unwrap(),
        json!({ "prompt": "--width" })
    );
}

#[test]
fn ranges_and_choices_are_left_to_the_system() {
    let input = typed(&[
        "x",
        "--width",
        "7",
        "--seed",
        "-1",
        "--output-format",
        "gif",
    ]);
    assert_eq!(
        input.unwrap(),
        json!({ "prompt": "x", "width": 7, "seed": -1, "output_format": "gif" })
    );
    let beyond = typed(&["x", "--seed", "36893488147419103232"]).unwrap();
    assert_eq!(beyond["seed"].as_f64(), Some(36_893_488_147_419_103_232.0));
}

#[test]
fn wrong_types_are_refused_and_named() {
    for (flag, value) in [
        ("--width", "big"),
        ("--width", "1.5"),
        ("--cfg", "NaN"),
        ("--seed", "-"),
        ("--seed", ""),
    ] {
        let text = typed(&["x", flag, value]).unwrap_err().to_string();
        assert!(text.contains(flag), "{flag} {value}: {text}");
    }
    assert!(typed(&["x", "--face-fix=maybe"]).is_err());
    assert_eq!(
        typed(&["x", "--face-fix=false"]).unwrap()["face_fix"],
        json!(false)
    );
}

#[test]
fn a_wrong_flag_names_the_near_one() {
    let text = typed(&["x", "--widht", "512"]).unwrap_err().to_string();
    assert!(text.contains("'--width'"), "{text}");
}

#[test]
fn a_missing_prompt_is_wrong_use() {
    let text = typed(&["--width", "512"]).unwrap_err().to_string();
    assert!(text.contains("<PROMPT>"), "{text}");
}

#[test]
fn options_of_the_job_are_flags_as_well() {
    let input = typed(&["x", "--job-retention-days", "7"]).unwrap();
    assert_eq!(
        input,
        json!({ "prompt": "x", "job": { "retention_days": 7 } })
    );
}

#[test]
fn a_field_cannot_take_the_name_of_a_flag_of_ours() {
    let input = typed(&["x", "--input-out", "y"]).unwrap();
    assert_eq!(input, json!({ "prompt": "x", "out": "y" }));
}

#[test]
fn help_shows_the_fields_in_the_models_order_with_defaults_and_ranges() {
    let help = command().term_width(200).render_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim).collect();
    let place = |text: &str| {
        let found = lines.iter().position(|line| line.starts_with(text));
        found.unwrap_or_else(|| panic!("{text} in\n{help}"))
    };
    assert!(place("--negative-prompt") < place("--width") && place("--width") < place("--cfg"));
    let squeezed = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "<PROMPT> What the picture shows.",
        "--width <INTEGER> Width in pixels. [256 to 2048 in steps of 16] [default: 1024]",
        "[1.0 to 20.0] [default: 3.5]",
        "[jpg, png] [default: jpg]",
        "--negative-prompt <TEXT> Keep out. --width",
    ] {
        assert!(squeezed.contains(part), "{part} in\n{help}");
    }
}

#[test]
fn an_invalid_field_is_called_by_its_flag() {
    let flags = flags();
    assert_eq!(flags.name("input.negative_prompt"), "--negative-prompt");
    assert_eq!(
        flags.name("input.job.retention_days"),
        "--job-retention-days"
    );
    assert_eq!(flags.name("input.prompt"), "PROMPT");
    assert_eq!(flags.name("input.new_field"), "input.new_field");
}

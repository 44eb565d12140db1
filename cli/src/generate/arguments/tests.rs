use super::*;
use serde_json::json;

fn words(typed: &[&str]) -> Result<Words, Failure> {
    Words::read(&typed.iter().map(OsString::from).collect::<Vec<_>>())
}

#[test]
fn options_are_found_on_both_sides_of_the_model_and_the_prompt() {
    let typed = [
        "--json",
        "flux-dev",
        "--width",
        "512",
        "a lighthouse",
        "--out=x.jpg",
        "--api-url",
        "http://x",
    ];
    let words = words(&typed).unwrap();
    assert_eq!(words.model(), "flux-dev");
    let options = words.options().unwrap();
    assert!(options.json);
    assert_eq!(options.out.as_deref(), Some(Path::new("x.jpg")));
    assert_eq!(options.connection.api_url.as_deref(), Some("http://x"));
    let rest: Vec<_> = words
        .rest
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let expected = [
        "--json",
        "--width",
        "512",
        "a lighthouse",
        "--out=x.jpg",
        "--api-url",
        "http://x",
    ];
    assert_eq!(rest, expected);
}

#[test]
fn what_stands_behind_two_dashes_is_no_option() {
    let words = words(&["flux-dev", "--", "--json"]).unwrap();
    assert!(!words.options().unwrap().json);
    assert_eq!(words.rest.len(), 2);
}

#[test]
fn the_model_stands_before_its_fields() {
    for typed in [
        vec!["--width", "512", "flux-dev", "x"],
        vec![],
        vec!["--json"],
    ] {
        let failure = words(&typed).unwrap_err();
        assert_eq!(failure.exit_status(), 2, "{typed:?}");
        assert!(
            failure.text().contains("name the model first"),
            "{}",
            failure.text()
        );
    }
}

#[test]
fn help_without_a_model_needs_no_system() {
    for typed in [["--help"], ["-h"]] {
        let failure = words(&typed).unwrap_err();
        assert_eq!(failure.exit_status(), 0);
        assert!(failure.text().contains("--preview-run") && failure.text().contains("Exit status"));
    }
}

#[test]
fn a_wrong_value_of_an_option_is_refused_at_once() {
    let words = words(&["flux-dev", "x", "--preview-fail", "2"]).unwrap();
    let failure = words.options().unwrap_err();
    assert_eq!(failure.exit_status(), 2);
    assert!(
        failure.text().contains("--preview-fail"),
        "{}",
        failure.text()
    );
}

#[test]
fn the_ending_of_the_file_chooses_the_format_unless_a_flag_does() {
    let schema = json!({ "properties": { "output_format": { "enum": ["jpg", "png"] } } });
    let chosen = |out: &str, input: Value| {
        let mut input = input.as_object().unwrap().clone();
        format_of(Some(Path::new(out)), &schema, &mut input);
        Value::Object(input)
    };
    assert_eq!(
        chosen("x.PNG", json!({})),
        json!({ "output_format": "png" })
    );
    assert_eq!(
        chosen("x.jpeg", json!({})),
        json!({ "output_format": "jpg" })
    );
    assert_eq!(chosen("x.gif", json!({})), json!({}));
    assert_eq!(chosen("x", json!({})), json!({}));
    assert_eq!(
        chosen("x.png", json!({ "output_format": "jpg" })),
        json!({ "output_format": "jpg" })
    );
}

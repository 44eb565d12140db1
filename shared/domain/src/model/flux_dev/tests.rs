use super::*;
use crate::input::InvalidInput;
use crate::model::{Parsed, UnreadableInput, find};
use proptest::prelude::*;
use serde_json::{Value, json};

fn flux_dev() -> &'static Model {
    find("ryla", "flux-dev").unwrap()
}

fn parse(input: &Value) -> Result<Parsed, InvalidInput> {
    flux_dev().parse(input.as_object().unwrap(), 99)
}

/// The problems of a refused input as `field: message` lines.
fn problems(input: &Value) -> Vec<String> {
    let InvalidInput(problems) = parse(input).unwrap_err();
    problems
        .into_iter()
        .map(|p| format!("{}: {}", p.field, p.message))
        .collect()
}

#[test]
fn a_prompt_alone_is_enough() {
    let parsed = parse(&json!({"prompt": "a lighthouse at dusk"})).unwrap();
    assert_eq!(parsed.options.retention_days, None);
    assert_eq!(parsed.input.format(), Format::Jpg);
    assert_eq!(
        parsed.input.to_json(),
        json!({
            "prompt": "a lighthouse at dusk", "negative_prompt": "", "width": 1024, "height": 1024,
            "steps": 20, "cfg": 3.5, "seed": 99, "output_format": "jpg",
        })
    );
    assert_eq!(parsed.input.params(), parsed.input.to_json());
}

#[test]
fn all_problems_are_told_at_once() {
    let told = problems(&json!({
        "negative_prompt": 7, "width": 100, "height": 1000, "steps": 51, "cfg": 0.5, "seed": -1,
        "output_format": "gif", "num_inference_steps": 4, "job": {"retention_days": 2},
    }));
    assert_eq!(
        told,
        [
            "input.prompt: is required",
            "input.negative_prompt: must be a string of at most 4000 characters, not 7",
            "input.width: must be a whole number from 256 to 2048 in steps of 16, not 100",
            "input.height: must be a whole number from 256 to 2048 in steps of 16, not 1000; \
             near it: 992 or 1008",
            "input.steps: must be a whole number from 1 to 50, not 51",
            "input.cfg: must be a number from 1 to 20, not 0.5",
            "input.seed: must be a whole number from 0 to 18446744073709551615, not -1",
            r#"input.output_format: must be "jpg", "png" or "webp""#,
            "input.job.retention_days: must be 1, 7, 30 or 365, not 2",
            r#"input.num_inference_steps: unknown field; did you mean "steps"?"#,
        ]
    );
}

#[test]
fn wrong_types_are_told_what_was_expected() {
    let told = problems(&json!({
        "prompt": ["a boat"], "width": "1024", "height": true, "steps": 2.5, "cfg": "high",
        "seed": {}, "output_format": 1, "job": 7,
    }));
    assert_eq!(
        told,
        [
            "input.prompt: must be a string of at most 4000 characters, not a list",
            "input.width: must be a whole number from 256 to 2048 in steps of 16, not a string",
            "input.height: must be a whole number from 256 to 2048 in steps of 16, not true",
            "input.steps: must be a whole number from 1 to 50, not 2.5",
            "input.cfg: must be a number from 1 to 20, not a string",
            "input.seed: must be a whole number from 0 to 18446744073709551615, not an object",
            r#"input.output_format: must be "jpg", "png" or "webp", not 1"#,
            "input.job: must be an object, not 7",
        ]
    );
}

#[test]
fn unknown_fields_are_refused_and_the_nearest_field_is_named() {
    let told = problems(&json!({
        "prompt": "a boat", "widht": 512, "negativePrompt": "rain", "outputFormat": "png",
        "num_inference_steps": 4, "guidance_scale": 3,
    }));
    assert_eq!(
        told,
        [
            "input.guidance_scale: unknown field; the fields are prompt, negative_prompt, width, \
             height, steps, cfg, seed, output_format, job",
            r#"input.negativePrompt: unknown field; did you mean "negative_prompt"?"#,
            r#"input.num_inference_steps: unknown field; did you mean "steps"?"#,
            r#"input.outputFormat: unknown field; did you mean "output_format"?"#,
            r#"input.widht: unknown field; did you mean "width"?"#,
        ]
    );
}

#[test]
fn a_misspelt_prompt_is_told_as_missing_and_as_unknown() {
    assert_eq!(
        problems(&json!({"promt": "a boat"})),
        [
            "input.prompt: is required",
            "input.promt: unknown field; did you mean \"prompt\"?"
        ]
    );
}

#[test]
fn prompts_are_limited_in_characters_and_not_in_bytes() {
    for character in ["a", "ü", "\u{1f600}"] {
        let longest = character.repeat(4_000);
        let input = json!({"prompt": longest, "negative_prompt": longest});
        let parsed = parse(&input).unwrap().input;
        assert_eq!(parsed.to_json()["prompt"], longest);
        assert_eq!(parsed.to_json()["negative_prompt"], longest);
        let longer = character.repeat(4_001);
        assert_eq!(
            problems(&json!({"prompt": longer, "negative_prompt": longer})),
            [
                "input.prompt: must be at most 4000 characters long, not 4001",
                "input.negative_prompt: must be at most 4000 characters long, not 4001",
            ]
        );
    }
}

#[test]
fn blank_prompts_are_refused_and_others_are_kept_to_the_letter() {
    for blank in ["", "   ", "\n\t\u{3000}"] {
        assert_eq!(
            problems(&json!({"prompt": blank})),
            ["input.prompt: must not be blank"]
        );
    }
    let kept = parse(&json!({"prompt": "  a boat\n"})).unwrap().input;
    assert_eq!(kept.to_json()["prompt"], "  a boat\n");
}

#[test]
fn nul_is_refused_in_both_prompts() {
    assert_eq!(
        problems(&json!({"prompt": "a\0b", "negative_prompt": "\0"})),
        [
            "input.prompt: must not contain the NUL character (U+0000)",
            "input.negative_prompt: must not contain the NUL character (U+0000)",
        ]
    );
}

#[test]
fn a_clients_own_configuration_is_one_problem_of_the_whole_input() {
    let told = problems(&json!({
        "auth": "r8_token", "userAgent": "replicate-javascript/1.4.0", "baseUrl": "https://x/v1",
        "fileEncodingStrategy": "data-uri", "fetch": {},
    }));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("input: holds an API client's own configuration"));
    assert!(!told[0].contains("r8_token"));
}

#[test]
fn no_message_and_no_debug_form_repeats_a_text_of_the_user() {
    let secret = "my secret plan";
    let refusal = parse(&json!({
        "prompt": format!("{secret}\0"), "negative_prompt": [secret], "width": secret,
        "cfg": secret, "output_format": secret, "job": secret, "widht": secret,
    }))
    .unwrap_err();
    assert_eq!(refusal.0.len(), 7);
    assert!(!format!("{refusal} {refusal:?}").contains("secret"));
    let accepted = parse(&json!({"prompt": secret, "negative_prompt": secret})).unwrap();
    assert!(!format!("{accepted:?}").contains("secret"));
    let unreadable = flux_dev()
        .decode_stored(&json!({"prompt": 1, "width": secret}))
        .unwrap_err();
    assert!(!format!("{unreadable} {unreadable:?}").contains("secret"));
}

#[test]
fn the_largest_seed_survives_as_an_exact_integer() {
    let sent: Value =
        serde_json::from_str(r#"{"prompt": "a", "seed": 18446744073709551615}"#).unwrap();
    let input = parse(&sent).unwrap().input;
    assert_eq!(input.to_json()["seed"], u64::MAX);
    let stored = input.to_json().to_string();
    assert!(stored.contains("18446744073709551615"), "{stored}");
    let read = flux_dev()
        .decode_stored(&serde_json::from_str(&stored).unwrap())
        .unwrap();
    assert_eq!(read, input);
}

#[test]
fn null_means_the_default_for_every_optional_field() {
    let sent = json!({
        "prompt": "a", "negative_prompt": null, "width": null, "height": null, "steps": null,
        "cfg": null, "seed": null, "output_format": null, "job": null,
    });
    assert_eq!(parse(&sent), parse(&json!({"prompt": "a"})));
    assert_eq!(
        problems(&json!({"prompt": null})),
        ["input.prompt: is required"]
    );
}

#[test]
fn retention_is_an_option_of_the_job_and_no_part_of_the_models_input() {
    let parsed = parse(&json!({"prompt": "a", "job": {"retention_days": 30}})).unwrap();
    assert_eq!(parsed.options.retention_days, Some(30));
    assert_eq!(parsed.input.to_json().get("job"), None);
}

#[test]
fn a_stored_input_is_read_even_where_ranges_have_narrowed_since() {
    let mut stored = parse(&json!({"prompt": "a"})).unwrap().input.to_json();
    stored["steps"] = json!(80);
    stored["field_of_a_newer_build"] = json!(1);
    assert_eq!(
        flux_dev()
            .decode_stored(&stored)
            .map(|input| input.to_json()["steps"].clone()),
        Ok(json!(80))
    );
}

#[test]
fn a_stored_input_without_one_of_its_fields_is_unreadable() {
    let whole = parse(&json!({"prompt": "a"})).unwrap().input.to_json();
    for field in whole.as_object().unwrap().keys() {
        let mut torn = whole.clone();
        torn.as_object_mut().unwrap().remove(field);
        assert_eq!(
            flux_dev().decode_stored(&torn),
            Err(UnreadableInput { model: "flux-dev" }),
            "{field}"
        );
    }
    assert!(flux_dev().decode_stored(&Value::Null).is_err());
}

#[test]
fn description_and_licence_note_say_that_the_weights_are_not_commercial() {
    for text in [flux_dev().description, flux_dev().license_note] {
        assert!(
            text.to_lowercase().contains("non-commercial") && text.contains("Black Forest Labs"),
            "{text}"
        );
    }
}

/// Clients pin versions: a change here is a new version for all of them, so make it on purpose.
#[test]
fn the_published_schema_and_version_stay_as_they_are() {
    insta::with_settings!({sort_maps => true}, {
        insta::assert_json_snapshot!("openapi_schema", flux_dev().openapi_schema());
    });
    assert_eq!(
        flux_dev().version_id(),
        "215dec7a2ea0ce830e894a9e699715d7fb3ca7bd6483c884658a9d12940c120d"
    );
}

proptest! {
    #[test]
    fn what_was_accepted_comes_back_from_storage_unchanged(
        prompt in "[^\0]{0,40}x",
        negative_prompt in "[^\0]{0,40}",
        (width, height) in (16_u32..=128, 16_u32..=128),
        steps in 1_u32..=50,
        cfg in (100_u32..=2_000).prop_map(|n| f64::from(n) / 100.0),
        seed in any::<u64>(),
        output_format in proptest::sample::select(vec!["jpg", "png", "webp"]),
    ) {
        let model = flux_dev();
        let (width, height) = (width * 16, height * 16);
        let sent = json!({
            "prompt": prompt, "negative_prompt": negative_prompt, "width": width, "height": height,
            "steps": steps, "cfg": cfg, "seed": seed, "output_format": output_format,
        });
        let input = model.parse(sent.as_object().unwrap(), 99).unwrap().input;
        prop_assert_eq!(input.to_json(), sent);
        let stored: Value = serde_json::from_str(&input.to_json().to_string()).unwrap();
        prop_assert_eq!(model.decode_stored(&stored), Ok(input.clone()));
        prop_assert_eq!(input.format().extension(), output_format);
    }
}

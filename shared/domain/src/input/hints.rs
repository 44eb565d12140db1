//! "Did you mean ...?": the known name that is nearest to a misspelt one, or none where nothing is
//! near. Also what stands in sentences: lists and kinds of values.

use serde_json::Value;

/// Longer names get no hint: the comparison costs the product of both lengths, and nobody mistypes
/// that much.
const MAX_COMPARED_BYTES: usize = 64;

/// Below this Jaro-Winkler similarity two names only look alike: `size` and `seed` have 0.67,
/// `promt` and `prompt` 0.97.
const NEAR: f64 = 0.85;

/// The one of `known` that `name` most probably means. Knows camelCase, one slip of the fingers,
/// similar spellings, and names that hold a known one as whole words (`num_inference_steps` means
/// `steps`).
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let name = snake_case(name);
    let mut best: Option<(f64, &'k str)> = None;
    for candidate in known {
        let similarity = similarity(&name, candidate);
        if similarity >= NEAR && best.is_none_or(|(so_far, _)| similarity > so_far) {
            best = Some((similarity, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn similarity(name: &str, candidate: &str) -> f64 {
    let spelling = strsim::jaro_winkler(name, candidate);
    if candidate.len() > 2 && strsim::damerau_levenshtein(name, candidate) == 1 {
        return spelling.max(0.98); // Jaro-Winkler calls `cgf` and `cfg` strangers
    }
    let shared = name
        .split('_')
        .filter(|word| candidate.split('_').any(|other| other == *word))
        .count();
    let whole =
        shared > 0 && (shared == name.split('_').count() || shared == candidate.split('_').count());
    match (whole, shared) {
        (false, _) => spelling,
        (true, 1) => spelling.max(0.90),
        (true, _) => spelling.max(0.95),
    }
}

/// `negativePrompt`, `Negative-Prompt` and `negative prompt` are all `negative_prompt`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        match c {
            '-' | ' ' | '.' => snake.push('_'),
            _ => snake.extend(c.to_lowercase()),
        }
    }
    snake
}

/// `a, b or c`
pub(super) fn any_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What `value` is, for the end of "must be ..., not". Texts are never repeated: they may be
/// anything.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => {
            let digits = number.to_string();
            if digits.len() <= 32 {
                digits
            } else {
                "a number of that length".to_owned()
            }
        }
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 9] = [
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "steps",
        "cfg",
        "seed",
        "output_format",
        "job",
    ];

    #[test]
    fn misspelt_names_lead_to_the_field_that_was_meant() {
        for (name, meant) in [
            ("promt", "prompt"),
            ("Prompt", "prompt"),
            ("heigth", "height"),
            ("widht", "width"),
            ("with", "width"),
            ("cgf", "cfg"),
            ("sed", "seed"),
            ("step", "steps"),
            ("negativePrompt", "negative_prompt"),
            ("negative-prompt", "negative_prompt"),
            ("prompt_negative", "negative_prompt"),
            ("negative", "negative_prompt"),
            ("outputFormat", "output_format"),
            ("format", "output_format"),
            ("num_inference_steps", "steps"),
            ("numInferenceSteps", "steps"),
            ("image_width", "width"),
        ] {
            assert_eq!(nearest(name, &KNOWN), Some(meant), "{name}");
        }
    }

    #[test]
    fn names_that_resemble_nothing_get_no_hint() {
        for name in [
            "guidance_scale",
            "lora",
            "style",
            "n",
            "",
            "_",
            "aspect_ratio",
            "\u{1f600}",
            &"prompt".repeat(99),
        ] {
            assert_eq!(nearest(name, &KNOWN), None, "{name}");
        }
    }

    #[test]
    fn texts_are_described_and_never_repeated() {
        assert_eq!(describe(&Value::from("my secret")), "a string");
        assert_eq!(describe(&Value::from(-3)), "-3");
    }
}

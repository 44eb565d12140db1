use super::*;
use serde_json::json;

const SIDE: Whole<u32> = Whole {
    min: 256,
    max: 2048,
    step: 16,
};
const SEED: Whole<u64> = Whole {
    min: 0,
    max: u64::MAX,
    step: 1,
};
const GUIDANCE: Real = Real {
    min: 1.0,
    max: 20.0,
};
const CHOICES: [(&str, u8); 3] = [("jpg", 0), ("png", 1), ("webp", 2)];

/// Runs one reader over `{"field": value}`: what it read, or the one message about the field.
fn read<T>(value: Value, reader: impl FnOnce(&mut Fields<'_>) -> T) -> Result<T, String> {
    let object = Map::from_iter([("field".to_owned(), value)]);
    let mut fields = Fields::new(&object);
    let read = reader(&mut fields);
    match fields.finish() {
        Ok(()) => Ok(read),
        Err(InvalidInput(problems)) => {
            assert!(
                problems
                    .iter()
                    .all(|problem| problem.field == "input.field"),
                "{problems:?}"
            );
            Err(problems
                .into_iter()
                .map(|p| p.message)
                .collect::<Vec<_>>()
                .join(" | "))
        }
    }
}

fn side(value: Value) -> Result<u32, String> {
    read(value, |fields| fields.whole("field", &SIDE, 1024))
}

fn seed(value: Value) -> Result<u64, String> {
    read(value, |fields| fields.whole("field", &SEED, 7))
}

fn guidance(value: Value) -> Result<f64, String> {
    read(value, |fields| fields.real("field", &GUIDANCE, 3.5))
}

#[test]
fn whole_numbers_are_taken_with_or_without_a_decimal_point() {
    assert_eq!(side(json!(256)), Ok(256));
    assert_eq!(side(json!(2048)), Ok(2048));
    assert_eq!(side(json!(1024.0)), Ok(1024));
    assert_eq!(side(Value::Null), Ok(1024), "null means the default");
    assert_eq!(seed(json!(u64::MAX)), Ok(u64::MAX));
    assert_eq!(seed(json!(-0.0)), Ok(0));
}

#[test]
fn what_is_no_whole_number_in_range_is_told_the_range_and_the_step() {
    let range = "must be a whole number from 256 to 2048 in steps of 16, not";
    assert_eq!(side(json!(255)), Err(format!("{range} 255")));
    assert_eq!(side(json!(-16)), Err(format!("{range} -16")));
    assert!(side(json!(1e19)).unwrap_err().starts_with(range));
    assert_eq!(side(json!(512.5)), Err(format!("{range} 512.5")));
    assert_eq!(side(json!("1024")), Err(format!("{range} a string")));
    assert_eq!(side(json!(true)), Err(format!("{range} true")));
    assert_eq!(side(json!([1024])), Err(format!("{range} a list")));
    assert_eq!(side(json!({})), Err(format!("{range} an object")));
    assert_eq!(
        side(json!(1000)),
        Err(format!("{range} 1000; near it: 992 or 1008"))
    );
    assert_eq!(
        side(json!(2047)),
        Err(format!("{range} 2047; near it: 2032 or 2048"))
    );
}

#[test]
fn a_seed_that_may_have_lost_digits_on_its_way_is_refused() {
    let range = "must be a whole number from 0 to 18446744073709551615";
    for text in ["18446744073709551616", "1e19", "9007199254740992.0"] {
        let message = seed(serde_json::from_str(text).unwrap()).unwrap_err();
        assert!(
            message.starts_with(&format!("{range}, written in plain digits, not ")),
            "{message}"
        );
    }
    assert_eq!(seed(json!(-1)), Err(format!("{range}, not -1")));
    assert_eq!(
        seed(json!(9_007_199_254_740_991.0)),
        Ok(9_007_199_254_740_991)
    );
}

#[test]
fn numbers_may_be_whole_and_keep_to_their_range() {
    assert_eq!(guidance(json!(1)), Ok(1.0));
    assert_eq!(guidance(json!(3.25)), Ok(3.25));
    assert_eq!(guidance(json!(20.0)), Ok(20.0));
    assert_eq!(
        guidance(json!(20.5)),
        Err("must be a number from 1 to 20, not 20.5".to_owned())
    );
    assert_eq!(
        guidance(json!("3")),
        Err("must be a number from 1 to 20, not a string".to_owned())
    );
    assert_eq!(
        guidance(json!(false)),
        Err("must be a number from 1 to 20, not false".to_owned())
    );
}

#[test]
fn texts_are_counted_in_characters_and_never_trimmed() {
    let text = |value: Value| {
        let object = Map::from_iter([("field".to_owned(), value)]);
        let mut fields = Fields::new(&object);
        let text = fields.required_text("field", 4).to_owned();
        fields
            .finish()
            .map(|()| text)
            .map_err(|InvalidInput(problems)| problems[0].message.clone())
    };
    assert_eq!(text(json!(" \u{1f600}ü ")), Ok(" \u{1f600}ü ".to_owned()));
    assert_eq!(
        text(json!("\u{1f600}\u{1f600}\u{1f600}\u{1f600}ü")),
        Err("must be at most 4 characters long, not 5".into())
    );
    assert_eq!(
        text(json!("\0")),
        Err("must not contain the NUL character (U+0000)".into())
    );
    assert_eq!(text(json!(" \n\t")), Err("must not be blank".into()));
    assert_eq!(text(json!("")), Err("must not be blank".into()));
    assert_eq!(text(Value::Null), Err("is required".into()));
    assert_eq!(
        text(json!(42)),
        Err("must be a string of at most 4 characters, not 42".into())
    );
}

#[test]
fn two_faults_of_one_text_are_both_told() {
    let told = read(json!("abcd\0"), |fields| fields.text("field", 4, "").len()).unwrap_err();
    assert_eq!(
        told,
        "must be at most 4 characters long, not 5 | must not contain the NUL character (U+0000)"
    );
}

#[test]
fn choices_are_listed_and_the_nearest_is_named_without_repeating_the_text() {
    let choice = |value| read(value, |fields| fields.choice("field", &CHOICES, 9));
    assert_eq!(choice(json!("png")), Ok(1));
    assert_eq!(choice(Value::Null), Ok(9));
    let words = "must be \"jpg\", \"png\" or \"webp\"";
    assert_eq!(
        choice(json!("jpeg")),
        Err(format!("{words}; did you mean \"jpg\"?"))
    );
    assert_eq!(
        choice(json!("PNG")),
        Err(format!("{words}; did you mean \"png\"?"))
    );
    assert_eq!(choice(json!("my secret plan")), Err(words.to_owned()));
    assert_eq!(choice(json!(3)), Err(format!("{words}, not 3")));
}

#[test]
fn flags_are_true_or_false_and_nothing_else() {
    let flag = |value| read(value, |fields| fields.flag("field", true));
    assert_eq!(flag(json!(false)), Ok(false));
    assert_eq!(flag(Value::Null), Ok(true));
    assert_eq!(
        flag(json!(0)),
        Err("must be true or false, not 0".to_owned())
    );
    assert_eq!(
        flag(json!("true")),
        Err("must be true or false, not a string".to_owned())
    );
}

#[test]
fn problems_come_in_the_order_of_reading_and_unknown_fields_last() {
    let object = json!({"a_stray": 1, "width": 1, "inner": {"x": 1, "depth": 0}, "height": 2});
    let mut fields = Fields::new(object.as_object().unwrap());
    fields.required_text("prompt", 9);
    fields.whole("width", &SIDE, 1024);
    fields.whole("height", &SIDE, 1024);
    fields.object("inner", |inner| inner.whole("depth", &SIDE, 1024));
    let InvalidInput(problems) = fields.finish().unwrap_err();
    let paths: Vec<&str> = problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    let expected = [
        "input.prompt",
        "input.width",
        "input.height",
        "input.inner.depth",
        "input.inner.x",
        "input.a_stray",
    ];
    assert_eq!(paths, expected);
    assert_eq!(
        problems[5].message,
        "unknown field; the fields are prompt, width, height, inner"
    );
}

#[test]
fn a_flood_of_unknown_fields_makes_a_short_answer() {
    let name = "x".repeat(1_000);
    let object: Map<String, Value> = (0..1_000)
        .map(|n| (format!("{name}{n}"), Value::Null))
        .collect();
    let InvalidInput(problems) = Fields::new(&object).finish().unwrap_err();
    assert_eq!(problems.len(), MAX_UNKNOWN_NAMED + 1);
    assert_eq!(
        problems[0].field,
        format!("input.{}…", "x".repeat(MAX_NAME_CHARS))
    );
    assert_eq!(problems[MAX_UNKNOWN_NAMED].field, "input");
    assert_eq!(
        problems[MAX_UNKNOWN_NAMED].message,
        "holds 980 more unknown fields"
    );
}

#[test]
fn a_number_is_zero_or_not_nearer_to_it_than_a_thousandth() {
    const STRENGTH: Real = Real { min: 0.0, max: 1.0 };
    let strength = |value| read(value, |fields| fields.real("field", &STRENGTH, 0.5));
    assert_eq!(strength(json!(0.001)), Ok(0.001));
    let zero = strength(json!(-0.0)).unwrap();
    assert!(zero == 0.0 && zero.is_sign_positive());
    assert_eq!(
        strength(json!(0.0001)),
        Err("must be 0 or at least 0.001 away from it, not 1e-4".to_owned())
    );
}

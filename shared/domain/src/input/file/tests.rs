use super::*;
use crate::input::InvalidInput;
use serde_json::{Value, json};

/// 1 x 1 pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 2, 0, 0, 0,
];

/// The header of a PNG of that size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = PNG.to_vec();
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

fn data_url(bytes: &[u8]) -> String {
    InlineFile::to_data_url("image/png", bytes)
}

/// What is made of the field, or the one problem that it has.
fn read(value: &Value) -> Result<(FileRef, Vec<InlineFile>), String> {
    let input = json!({ "face": value });
    let mut fields = Fields::new(input.as_object().unwrap());
    let file = fields.picture("face");
    let files = fields.take_files();
    match fields.finish() {
        Ok(()) => Ok((file, files)),
        Err(InvalidInput(problems)) => {
            assert_eq!(problems.len(), 1);
            assert_eq!(problems[0].field, "input.face");
            Err(problems[0].message.clone())
        }
    }
}

#[test]
fn the_bytes_of_a_data_url_are_handed_over_and_the_input_keeps_their_hash() {
    let (file, files) = read(&data_url(PNG).into()).unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].field, "face");
    assert_eq!(files[0].content_type, "image/png");
    assert_eq!(files[0].bytes, PNG);
    let hash = HEXLOWER.encode(&Sha256::digest(PNG));
    assert_eq!(file.as_str(), format!("sha256:{hash}"));
    assert_eq!(FileRef::hash_in(file.as_str()), Some(hash.as_str()));
    assert!(!format!("{file:?}{files:?}").contains(&hash));
}

#[test]
fn the_bytes_decide_what_a_picture_is_and_not_its_name() {
    for head in [
        "data:image/jpeg",
        "DATA:",
        "data:application/octet-stream;x=y",
    ] {
        let text = format!("{head};base64,{}", BASE64.encode(PNG));
        assert_eq!(read(&text.into()).unwrap().1[0].content_type, "image/png");
    }
}

#[test]
fn an_https_url_is_kept_as_it_is() {
    for url in [
        "https://a.example",
        "HTTPS://a.example:8443/x%20y.jpg?token=s#f",
    ] {
        let (file, files) = read(&url.into()).unwrap();
        assert_eq!(file.as_str(), url);
        assert_eq!(FileRef::hash_in(url), None);
        assert!(files.is_empty());
        assert!(!format!("{file:?}").contains("example"));
    }
}

#[test]
fn whatever_is_no_picture_is_refused_in_words_that_help() {
    let large = data_url(&vec![0; MAX_INLINE_BYTES + 3]);
    let cases: Vec<(Value, &str)> = vec![
        (Value::Null, "is required"),
        (json!(7), "not 7"),
        (json!("me.jpg"), "`ryla generate`"),
        (json!(""), "`ryla generate`"),
        (json!("http://a.example/me.jpg"), "http is not taken"),
        (json!("sha256:00"), "must be a data URL"),
        (json!("data:image/png,abc"), "in base64"),
        (json!("data:image/png;base64"), "in base64"),
        (json!("data:image/png;base64,####"), "cannot be read"),
        (json!("data:image/png;base64,"), "JPEG, PNG or WebP"),
        (data_url(b"GIF89a and so on").into(), "JPEG, PNG or WebP"),
        (data_url(&PNG[..20]).into(), "cannot be read"),
        (
            data_url(&png(8_000, 7_000)).into(),
            "at most 50000000 pixels",
        ),
        (data_url(&png(0, 7)).into(), "pixels"),
        (large.into(), "at most 4194304 bytes"),
        (json!("https://"), "whole https URL"),
        (json!("https://user:secret@a.example/"), "without user name"),
        (json!("https://a.example/a b"), "spaces"),
        (json!("https://a.example\\@b.example"), "whole https URL"),
        (
            format!("https://a.example/{}", "x".repeat(2_048)).into(),
            "at most 2048 bytes",
        ),
    ];
    for (value, words) in cases {
        let problem = read(&value).unwrap_err();
        assert!(problem.contains(words), "{problem}");
        assert!(!problem.contains("secret"), "{problem}");
    }
}

#[test]
fn a_picture_of_exactly_the_limit_is_taken() {
    let mut bytes = PNG.to_vec();
    bytes.resize(MAX_INLINE_BYTES, 0);
    assert_eq!(read(&data_url(&bytes).into()).unwrap().1[0].bytes, bytes);
    bytes.push(0);
    assert!(read(&data_url(&bytes).into()).is_err());
}

#[test]
fn only_a_whole_hash_is_one() {
    for text in [
        "sha256:",
        "sha256:AB",
        "sha1:00",
        &format!("sha256:{}", "A".repeat(64)),
    ] {
        assert_eq!(FileRef::hash_in(text), None, "{text}");
    }
}

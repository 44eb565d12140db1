//! Pictures inside a request: data URLs and https URLs as a model's input reads them. The first byte says
//! whether the rest is the text of the field itself or the bytes of a picture that becomes a data URL.

use data_encoding::BASE64;
use ryla_domain::input::FileRef;
use ryla_domain::model;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The field of `ryla/sdxl-instantid` that takes a picture.
const FIELD: &str = "reference_image";

pub(crate) fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let whole = first % 2 == 0;
    let text = if whole {
        let Ok(text) = std::str::from_utf8(rest) else {
            return;
        };
        text.to_owned()
    } else {
        format!("data:image/png;base64,{}", BASE64.encode(rest))
    };
    let mut input = Map::new();
    input.insert("prompt".to_owned(), Value::from("a lighthouse"));
    input.insert(FIELD.to_owned(), Value::from(text.clone()));
    let Some(model) = model::find("ryla", "sdxl-instantid") else {
        unreachable!("the catalog has it")
    };
    let parsed = match model.parse(&input, 1) {
        Ok(parsed) => parsed,
        Err(invalid) => {
            let told = format!("{invalid:?}");
            assert!(told.contains(FIELD), "what is wrong is named: {told}");
            return;
        }
    };
    let resolved = json!(parsed.input);
    let kept = resolved[FIELD].as_str().unwrap_or_default();
    match &parsed.files[..] {
        [file] => {
            if !whole {
                assert_eq!(file.bytes, rest, "the bytes that were sent");
            }
            assert!(begins_like(&file.bytes, file.content_type));
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&file.bytes));
            assert_eq!(FileRef::hash_in(kept), Some(hash.as_str()));
        }
        [] => {
            let scheme = text.get(.."https://".len()).unwrap_or_default();
            assert!(scheme.eq_ignore_ascii_case("https://"), "only a URL");
            assert_eq!(kept, text, "as it was sent");
        }
        more => unreachable!("one picture was sent, not {}", more.len()),
    }
}

/// By the magic numbers of the formats' own documents.
fn begins_like(bytes: &[u8], content_type: &str) -> bool {
    match content_type {
        "image/jpeg" => bytes.starts_with(&[0xff, 0xd8, 0xff]),
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice()),
        _ => false,
    }
}

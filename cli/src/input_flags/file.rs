//! What is typed for a field that is a file: a URL goes as it is, a path as the file's bytes. Flags of
//! models and `ryla accept` read it here; the system judges the bytes.

use data_encoding::BASE64;
use ryla_domain::input::MAX_INLINE_BYTES;
use serde_json::Value;
use std::fs::File;
use std::io::Read as _;

/// The field's value.
pub(crate) fn value(typed: &str) -> Result<Value, String> {
    let is_url = ["https://", "http://", "data:"].iter().any(|scheme| {
        let start = typed.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if is_url {
        return Ok(typed.into());
    }
    let bytes = read(typed)?;
    let media = match imagesize::image_type(&bytes) {
        Ok(imagesize::ImageType::Jpeg) => "image/jpeg",
        Ok(imagesize::ImageType::Png) => "image/png",
        Ok(imagesize::ImageType::Webp) => "image/webp",
        _ => return Err("the file is no JPEG, PNG or WebP picture".to_owned()),
    };
    Ok(format!("data:{media};base64,{}", BASE64.encode(&bytes)).into())
}

/// The whole file, if it fits into a request.
fn read(path: &str) -> Result<Vec<u8>, String> {
    let most = MAX_INLINE_BYTES as u64;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("the file cannot be read: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(format!(
            "the file is longer than {most} bytes; make it smaller, or give an https URL of it"
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and more";

    fn typed(bytes: &[u8]) -> Result<Value, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        value(file.path().to_str().unwrap())
    }

    #[test]
    fn a_url_goes_as_it_was_typed() {
        for url in [
            "https://a.example/me.jpg",
            "HTTP://a",
            "data:image/png;base64,AA==",
        ] {
            assert_eq!(value(url), Ok(url.into()));
        }
    }

    #[test]
    fn a_path_goes_as_the_files_bytes() {
        let sent = typed(PNG).unwrap();
        let data = format!("data:image/png;base64,{}", BASE64.encode(PNG));
        assert_eq!(sent, Value::from(data));
    }

    #[test]
    fn a_file_that_cannot_be_sent_is_told_in_words() {
        assert!(
            value("/no/such/file.jpg")
                .unwrap_err()
                .contains("cannot be read")
        );
        assert!(value("/").unwrap_err().contains("cannot be read"));
        assert!(typed(b"GIF89a").unwrap_err().contains("no JPEG"));
        assert!(
            typed(&vec![0; MAX_INLINE_BYTES + 1])
                .unwrap_err()
                .contains("longer than")
        );
        let mut longest = PNG.to_vec();
        longest.resize(MAX_INLINE_BYTES, 0);
        assert!(typed(&longest).is_ok());
    }
}

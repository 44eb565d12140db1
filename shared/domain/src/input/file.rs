//! Files that an input names: a picture inside a data URL, which goes into the bucket beside the job, or
//! one behind an https URL, which only the GPU worker fetches. The bytes are judged here, by themselves
//! and not by what the sender calls them; nothing is fetched, and no message repeats a URL.

use super::Fields;
use super::hints::describe;
use crate::output::Format;
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The largest picture inside a data URL: with a third more for base64 it has to fit into one request.
pub const MAX_INLINE_BYTES: usize = 4 * 1024 * 1024;

/// Pictures of more pixels would not fit into the worker's memory once decoded.
pub const MAX_PIXELS: usize = 50_000_000;

/// The longest URL of a file.
const MAX_URL_BYTES: usize = 2_048;

/// What a file that lies in the bucket is called inside the resolved input, followed by its hash.
const KEPT: &str = "sha256:";

/// A file as the resolved input names it: a URL as it was sent, or `sha256:` and the hash of the bytes
/// that lie in the bucket. Its text cannot be printed, since URLs may carry permissions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileRef(String);

impl FileRef {
    /// A file that lies in the bucket beside its job.
    pub fn kept(sha256: &[u8; 32]) -> Self {
        Self(format!("{KEPT}{}", HEXLOWER.encode(sha256)))
    }

    /// The hash of a file that lies in the bucket, in lower-case hexadecimal; `None` for a URL. `text` is
    /// what the resolved input holds.
    pub fn hash_in(text: &str) -> Option<&str> {
        let hash = text.strip_prefix(KEPT)?;
        let plain = hash.len() == 64 && hash.bytes().all(|b| b"0123456789abcdef".contains(&b));
        plain.then_some(hash)
    }

    /// The text of the resolved input. Do not log it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileRef(..)")
    }
}

/// The bytes of a file that came inside the request, checked to be a picture.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineFile {
    /// The input field that names it.
    pub field: &'static str,
    /// Its media type, by its own bytes.
    pub content_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

impl InlineFile {
    /// The data URL that [`Fields::picture`] makes this file of again.
    pub fn to_data_url(content_type: &str, bytes: &[u8]) -> String {
        format!("data:{content_type};base64,{}", BASE64.encode(bytes))
    }
}

impl fmt::Debug for InlineFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, bytes, .. } = self;
        write!(f, "InlineFile({field}, #bytes={})", bytes.len())
    }
}

impl Fields<'_> {
    /// Names of files that a deployment keeps, as JSON Schema has the pattern.
    pub const FILE_NAME_PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";

    /// A picture that must be there. Its bytes are handed over by [`Fields::take_files`].
    pub fn picture(&mut self, name: &'static str) -> FileRef {
        const WANTED: &str = "must be a data URL (data:image/jpeg;base64,...) or an https URL";
        let nothing = FileRef(String::new());
        let Some(value) = self.take(name) else {
            self.refuse(name, format!("is required: it {WANTED}"));
            return nothing;
        };
        let Some(text) = value.as_str() else {
            self.refuse(name, format!("{WANTED}, not {}", describe(value)));
            return nothing;
        };
        if has_scheme(text, "data:") {
            return match inline(name, text) {
                Ok(file) => {
                    let kept = FileRef::kept(&Sha256::digest(&file.bytes).into());
                    self.files.push(file);
                    kept
                }
                Err(problem) => {
                    self.refuse(name, problem);
                    nothing
                }
            };
        }
        if has_scheme(text, "https://") {
            return match url(text) {
                Ok(()) => FileRef(text.to_owned()),
                Err(problem) => {
                    self.refuse(name, problem);
                    nothing
                }
            };
        }
        let hint = if has_scheme(text, "http://") {
            "; http is not taken"
        } else {
            "; the path of a file is understood by `ryla generate` alone, which sends the file itself"
        };
        self.refuse(name, format!("{WANTED}{hint}"));
        nothing
    }

    /// The name of a file that the deployment keeps: no path, no URL.
    pub fn required_file_name(&mut self, name: &'static str) -> &str {
        let Some(value) = self.take(name) else {
            self.refuse(name, "is required");
            return "";
        };
        let plain = |text: &&str| {
            let mut bytes = text.bytes();
            (1..=128).contains(&text.len())
                && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
                && bytes.all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let text = value.as_str().filter(plain);
        if text.is_none() {
            let found = match value.as_str() {
                Some(_) => String::new(),
                None => format!(", not {}", describe(value)),
            };
            self.refuse(
                name,
                format!(
                    "must be a name of 1 to 128 letters, digits, dots, dashes and underscores, a \
                     letter or digit first{found}"
                ),
            );
        }
        text.unwrap_or_default()
    }

    /// The files that were read so far.
    pub fn take_files(&mut self) -> Vec<InlineFile> {
        std::mem::take(&mut self.files)
    }
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// The picture in a data URL. Of the media type that it names nothing is believed.
fn inline(field: &'static str, text: &str) -> Result<InlineFile, String> {
    let (_, body) = text
        .split_once(',')
        .filter(|(head, _)| head.to_ascii_lowercase().ends_with(";base64"))
        .ok_or("must be a data URL in base64: data:image/jpeg;base64,...")?;
    let too_large = || {
        format!(
            "must be at most {MAX_INLINE_BYTES} bytes long as a data URL; larger pictures can be named \
             by an https URL"
        )
    };
    if body.len() > MAX_INLINE_BYTES.div_ceil(3) * 4 {
        return Err(too_large());
    }
    let bytes = BASE64
        .decode(body.as_bytes())
        .map_err(|_| "is a data URL whose base64 cannot be read")?;
    if bytes.len() > MAX_INLINE_BYTES {
        return Err(too_large());
    }
    let format = Format::PICTURES
        .into_iter()
        .find(|format| format.begins(&bytes))
        .ok_or("must be a JPEG, PNG or WebP picture")?;
    let size = imagesize::blob_size(&bytes).map_err(|_| "is a picture that cannot be read")?;
    match size.width.checked_mul(size.height) {
        Some(1..=MAX_PIXELS) => Ok(InlineFile {
            field,
            content_type: format.content_type(),
            bytes,
        }),
        _ => Err(format!(
            "must have at most {MAX_PIXELS} pixels, not {} x {}",
            size.width, size.height
        )),
    }
}

/// Whether a URL can be handed to a worker. Which address it leads to is for the worker to judge, that
/// resolves it.
fn url(text: &str) -> Result<(), String> {
    if text.len() > MAX_URL_BYTES {
        return Err(format!(
            "must be at most {MAX_URL_BYTES} bytes long as a URL"
        ));
    }
    let rest = &text["https://".len()..];
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = !text.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\');
    if !plain || authority.is_empty() || authority.starts_with(':') || authority.contains('@') {
        return Err("must be a whole https URL without user name and spaces".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Fetches the photos of a run, as the Modal app does: by the URLs of the submit message, checked against
//! their hashes. A photo that the input names by an https URL is not fetched: a preview needs no network.

use super::Shared;
use super::draw::Photos;
use bytes::{Bytes, BytesMut};
use reqwest::StatusCode;
use ryla_backends::modal::wire::{InputFile, Submit};
use ryla_domain::failure::Code;
use ryla_domain::input::MAX_INLINE_BYTES;
use ryla_domain::model::{Model, catalog};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long the fetch of one file may take.
const FETCH_LIMIT: Duration = Duration::from_secs(30);

/// The run's photos; `invalid_input` where one is missing, not there, or not the one that was meant.
pub(super) async fn of(shared: &Shared, submit: &Submit, params: &Value) -> Result<Photos, Code> {
    let model = catalog()
        .iter()
        .find(|model| model.workflow == submit.workflow);
    let wanted = model.map_or(&[] as &[_], Model::picture_fields);
    if submit
        .inputs
        .iter()
        .any(|file| !wanted.contains(&file.name))
    {
        return Err(Code::InvalidInput);
    }
    let mut photos = Photos::default();
    for field in wanted {
        let photo = match submit.inputs.iter().find(|file| file.name == *field) {
            Some(file) => Some(fetch(shared, file).await?),
            None if is_url(&params[field]) => None,
            None => return Err(Code::InvalidInput),
        };
        match field.as_str() {
            "base_image" => photos.base = photo,
            _ => photos.reference = photo,
        }
    }
    Ok(photos)
}

fn is_url(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

async fn fetch(shared: &Shared, file: &InputFile) -> Result<Bytes, Code> {
    let get = shared.http.get(file.get_url.expose()).timeout(FETCH_LIMIT);
    let mut response = get.send().await.map_err(|_| Code::GpuError)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => return Err(Code::InvalidInput),
        _ => return Err(Code::GpuError),
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Code::GpuError)? {
        if bytes.len() + chunk.len() > MAX_INLINE_BYTES {
            return Err(Code::InvalidInput);
        }
        bytes.extend_from_slice(&chunk);
    }
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    if hash == file.sha256 {
        Ok(bytes.freeze())
    } else {
        Err(Code::InvalidInput)
    }
}

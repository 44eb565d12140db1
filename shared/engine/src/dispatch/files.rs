//! Files that a run needs and that lie in the bucket beside its job: permission for the worker to read
//! each, with the hash that its bytes must have. Called by dispatch alone; reads no file.

use crate::port::{ImageError, ImageStore, InputFile};
use crate::read::long_input;
use ryla_domain::input::FileRef;
use ryla_domain::job::{Job, StoredInput};
use ryla_domain::model::Model;
use ryla_domain::time::Ms;

/// The files of the job's input, in the order of its fields. A model without pictures costs nothing.
pub(super) async fn of(
    images: &dyn ImageStore,
    model: Option<&Model>,
    job: &Job,
    lifetime: Ms,
) -> Result<Vec<InputFile>, ImageError> {
    let fields = model.map_or(&[] as &[_], Model::picture_fields);
    let long;
    let input = match &job.input {
        _ if fields.is_empty() => return Ok(Vec::new()),
        StoredInput::Inline(input) => input,
        StoredInput::Removed => return Ok(Vec::new()),
        StoredInput::InBucket => match long_input(images, job).await? {
            Some(input) => {
                long = input;
                &long
            }
            None => return Ok(Vec::new()),
        },
    };
    let mut files = Vec::new();
    for field in fields {
        let text = input.get(field).and_then(serde_json::Value::as_str);
        let Some(sha256) = text.and_then(FileRef::hash_in) else {
            continue;
        };
        let key = job.input_file_key(field);
        files.push(InputFile {
            field: field.clone(),
            get: images.sign_get(&key, lifetime).await?,
            sha256: sha256.to_owned(),
        });
    }
    Ok(files)
}

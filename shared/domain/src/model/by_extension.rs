//! [`Format`] in the JSON of inputs: its file ending. For `#[serde(with = "by_extension")]`.

use crate::output::Format;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `with` hands over a reference"
)]
pub(super) fn serialize<S: Serializer>(format: &Format, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(format.extension())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Format, D::Error> {
    let extension = String::deserialize(deserializer)?;
    Format::of_extension(&extension).ok_or_else(|| D::Error::custom("not a picture format"))
}

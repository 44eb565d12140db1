//! Arrays of a stored state whose length may change from build to build. What an older build did not know
//! is as it is at the beginning; what only a newer one knows is passed over. Used by the parts of a history.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// As many as there are.
pub(super) fn serialize<T: Serialize, S: Serializer, const N: usize>(
    array: &[T; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    array.as_slice().serialize(serializer)
}

/// As many as this build has, from however many there are.
pub(super) fn deserialize<'de, T, D, const N: usize>(deserializer: D) -> Result<[T; N], D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    let mut stored = Vec::<T>::deserialize(deserializer)?.into_iter();
    Ok(std::array::from_fn(|_| stored.next().unwrap_or_default()))
}

//! The bucket: signed URLs for the workers, a glimpse of what they put there, and the inputs that are
//! too long for a row. Picture bytes pass through here only where a backend cannot upload.

use async_trait::async_trait;
use ryla_domain::output::ObjectKey;
use ryla_domain::time::Ms;
use std::fmt;

/// The bucket did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// An object lies there already and was not replaced.
    #[error("an object with this key exists")]
    Exists,
    /// The bucket cannot be reached or refuses for now.
    #[error("the bucket is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A URL that carries its own permission; cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// Wraps a URL that carries a signature.
    pub const fn new(url: String) -> Self {
        Self(url)
    }

    /// The URL, for the one message that hands it to a worker.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedUrl(..)")
    }
}

/// Permission to put one object once: the headers are signed and must be sent as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPut {
    /// Where to.
    pub url: SignedUrl,
    /// Header name and value, exactly as signed.
    pub headers: Vec<(String, String)>,
}

/// The beginning of an object and what the bucket says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// Size of the whole object.
    pub bytes: u64,
    /// Its media type.
    pub content_type: String,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its first bytes, at most [`Glimpse::HEAD_BYTES`].
    pub head: Vec<u8>,
}

impl Glimpse {
    /// How much of an object a glimpse reads.
    pub const HEAD_BYTES: usize = 4096;
}

/// The bucket of outputs and long inputs.
#[async_trait]
pub trait ImageStore: Send + Sync {
    /// Permission for a worker to put one object of that type, where none lies yet.
    async fn sign_put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        lifetime: Ms,
    ) -> Result<SignedPut, ImageError>;
    /// Permission to read one object.
    async fn sign_get(&self, key: &ObjectKey, lifetime: Ms) -> Result<SignedUrl, ImageError>;
    /// One GET of the first [`Glimpse::HEAD_BYTES`]; `None` where no object lies (403 and 404 alike).
    async fn glimpse(&self, key: &ObjectKey) -> Result<Option<Glimpse>, ImageError>;
    /// The whole object and its media type, if it is at most `max_bytes` long.
    async fn get(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
    ) -> Result<Option<(String, Vec<u8>)>, ImageError>;
    /// Puts an object where none lies; [`ImageError::Exists`] otherwise.
    async fn put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ImageError>;
    /// Removes objects; those that do not exist count as removed.
    async fn delete(&self, keys: &[ObjectKey]) -> Result<(), ImageError>;
}

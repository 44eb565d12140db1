//! The bucket in memory. Signed URLs work on it through [`crate::contract::images::Web`], which is
//! how a test plays the worker.

use super::lock;
use crate::contract::images::{Reply, Web};
use async_trait::async_trait;
use ryla_domain::output::ObjectKey;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{Clock, Glimpse, ImageError, ImageStore, SignedPut, SignedUrl};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// An object of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its media type.
    pub content_type: String,
    /// The whole object.
    pub bytes: Vec<u8>,
}

impl StoredObject {
    /// A tag that differs where the bytes do (FNV-1a).
    fn etag(&self) -> String {
        let hash = self
            .bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        format!("{hash:016x}")
    }
}

/// A bucket in memory; its signed URLs run out by the clock.
pub struct MemoryImageStore {
    clock: Arc<dyn Clock>,
    objects: Mutex<BTreeMap<String, StoredObject>>,
    puts: AtomicU64,
}

impl MemoryImageStore {
    /// An empty bucket.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            objects: Mutex::default(),
            puts: AtomicU64::new(0),
        }
    }

    /// How often the port was asked to put an object; what workers put by URL does not count.
    pub fn puts(&self) -> u64 {
        self.puts.load(Ordering::Relaxed)
    }

    /// What lies there.
    pub fn object(&self, key: &ObjectKey) -> Option<StoredObject> {
        lock(&self.objects).get(key.as_str()).cloned()
    }

    /// Puts an object there, whatever lay there before.
    pub fn place(&self, key: &ObjectKey, content_type: &str, bytes: Vec<u8>) {
        let content_type = content_type.to_owned();
        let object = StoredObject {
            content_type,
            bytes,
        };
        lock(&self.objects).insert(key.as_str().to_owned(), object);
    }

    /// The keys of all objects, in order.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.objects).keys().cloned().collect()
    }

    fn sign(&self, verb: &str, key: &ObjectKey, lifetime: Ms, content_type: &str) -> SignedUrl {
        let until = self.clock.now() + lifetime;
        SignedUrl::new(format!(
            "memory://{verb}/{key}?until={until}&type={content_type}"
        ))
    }

    /// Key and content type that a URL of ours permits now.
    fn permitted(&self, verb: &str, url: &SignedUrl) -> Option<(String, String)> {
        let rest = url.expose().strip_prefix("memory://")?.strip_prefix(verb)?;
        let (key, query) = rest.strip_prefix('/')?.split_once("?until=")?;
        let (until, content_type) = query.split_once("&type=")?;
        let until = UnixMs(until.parse().ok()?);
        (self.clock.now() <= until).then(|| (key.to_owned(), content_type.to_owned()))
    }
}

#[async_trait]
impl ImageStore for MemoryImageStore {
    async fn sign_put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        lifetime: Ms,
    ) -> Result<SignedPut, ImageError> {
        Ok(SignedPut {
            url: self.sign("put", key, lifetime, content_type),
            headers: vec![
                ("content-type".to_owned(), content_type.to_owned()),
                ("if-none-match".to_owned(), "*".to_owned()),
            ],
        })
    }

    async fn sign_get(&self, key: &ObjectKey, lifetime: Ms) -> Result<SignedUrl, ImageError> {
        Ok(self.sign("get", key, lifetime, ""))
    }

    async fn glimpse(&self, key: &ObjectKey) -> Result<Option<Glimpse>, ImageError> {
        Ok(self.object(key).map(|object| Glimpse {
            bytes: object.bytes.len() as u64,
            etag: object.etag(),
            content_type: object.content_type,
            head: object.bytes.into_iter().take(Glimpse::HEAD_BYTES).collect(),
        }))
    }

    async fn get(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
    ) -> Result<Option<(String, Vec<u8>)>, ImageError> {
        Ok(self
            .object(key)
            .filter(|object| object.bytes.len() as u64 <= max_bytes)
            .map(|object| (object.content_type, object.bytes)))
    }

    async fn put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ImageError> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        let mut objects = lock(&self.objects);
        if objects.contains_key(key.as_str()) {
            return Err(ImageError::Exists);
        }
        let content_type = content_type.to_owned();
        let object = StoredObject {
            content_type,
            bytes,
        };
        objects.insert(key.as_str().to_owned(), object);
        Ok(())
    }

    async fn delete(&self, keys: &[ObjectKey]) -> Result<(), ImageError> {
        lock(&self.objects).retain(|kept, _| keys.iter().all(|key| key.as_str() != kept));
        Ok(())
    }
}

#[async_trait]
impl Web for MemoryImageStore {
    async fn put(&self, url: &SignedUrl, headers: &[(String, String)], bytes: Vec<u8>) -> Reply {
        let status = |status| Reply {
            status,
            etag: None,
            body: Vec::new(),
        };
        let Some((key, content_type)) = self.permitted("put", url) else {
            return status(403);
        };
        let sent = |name: &str| {
            let header = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            header.map(|(_, value)| value.as_str())
        };
        if sent("content-type") != Some(&content_type) || sent("if-none-match") != Some("*") {
            return status(403);
        }
        let mut objects = lock(&self.objects);
        if objects.contains_key(&key) {
            return status(412);
        }
        let object = StoredObject {
            content_type,
            bytes,
        };
        let etag = Some(object.etag());
        objects.insert(key, object);
        Reply {
            etag,
            ..status(200)
        }
    }

    async fn get(&self, url: &SignedUrl) -> Reply {
        let permitted = self.permitted("get", url);
        let object = permitted
            .as_ref()
            .and_then(|(key, _)| lock(&self.objects).get(key).cloned());
        match (permitted, object) {
            (None, _) => Reply {
                status: 403,
                etag: None,
                body: Vec::new(),
            },
            (Some(_), None) => Reply {
                status: 404,
                etag: None,
                body: Vec::new(),
            },
            (Some(_), Some(object)) => Reply {
                status: 200,
                etag: Some(object.etag()),
                body: object.bytes,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, contract};

    #[tokio::test]
    async fn the_memory_bucket_keeps_the_contract() {
        let store = MemoryImageStore::new(Arc::new(ManualClock::at(UnixMs(0))));
        contract::images::all(&store, &store).await;
    }

    #[tokio::test]
    async fn a_signed_url_runs_out() {
        let clock = Arc::new(ManualClock::at(UnixMs(0)));
        let store = MemoryImageStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let key = contract::images::fresh_key("jpg");
        let put = store
            .sign_put(&key, "image/jpeg", Ms::seconds(60))
            .await
            .unwrap();
        clock.advance(Ms::seconds(61));
        let reply = Web::put(&store, &put.url, &put.headers, vec![1]).await;
        assert_eq!(reply.status, 403);
    }
}

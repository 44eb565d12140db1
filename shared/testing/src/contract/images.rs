//! What every [`ImageStore`] does, signed URLs included: a worker knows nothing but them.

use super::fresh_bytes;
use async_trait::async_trait;
use futures_util::future::join_all;
use ryla_domain::id::{Attempt, OutputToken};
use ryla_domain::output::{ObjectKey, Retention};
use ryla_domain::time::Ms;
use ryla_engine::port::{Glimpse, ImageError, ImageStore, SignedPut, SignedUrl};

/// What came back for a signed URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The `ETag` header, without quotes.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whatever a worker sends HTTP requests with.
#[async_trait]
pub trait Web: Send + Sync {
    /// PUT with exactly these headers.
    async fn put(&self, url: &SignedUrl, headers: &[(String, String)], bytes: Vec<u8>) -> Reply;
    /// GET without headers.
    async fn get(&self, url: &SignedUrl) -> Reply;
}

const JPEG: &str = "image/jpeg";
const HOUR: Ms = Ms::seconds(3_600);

/// The whole contract.
pub async fn all(store: &dyn ImageStore, web: &dyn Web) {
    what_is_not_there_is_not_an_error(store).await;
    a_glimpse_shows_the_beginning_and_the_whole_size(store).await;
    nothing_is_put_over_an_object(store).await;
    an_object_is_only_read_up_to_a_limit(store).await;
    removed_objects_are_gone(store).await;
    a_worker_puts_by_its_url_once(store, web).await;
    a_put_must_be_as_it_was_signed(store, web).await;
    of_two_signed_puts_one_wins(store, web).await;
    a_signed_url_reads_one_object(store, web).await;
}

/// A key of an output that no other case uses.
pub fn fresh_key(extension: &str) -> ObjectKey {
    let token = OutputToken::generated(&fresh_bytes());
    ObjectKey::output(Retention::Day, &token, Attempt::FIRST, 0, extension)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

async fn glimpse(store: &dyn ImageStore, key: &ObjectKey) -> Glimpse {
    let glimpse = store.glimpse(key).await.unwrap();
    glimpse.unwrap_or_else(|| panic!("a glimpse of {key} finds it"))
}

async fn sign(store: &dyn ImageStore, key: &ObjectKey) -> SignedPut {
    store.sign_put(key, JPEG, HOUR).await.unwrap()
}

/// A worker may not be done yet: look-ups answer `None`.
pub async fn what_is_not_there_is_not_an_error(store: &dyn ImageStore) {
    let key = fresh_key("jpg");
    assert_eq!(
        store.glimpse(&key).await.unwrap(),
        None,
        "glimpse of nothing"
    );
    assert_eq!(store.get(&key, 1).await.unwrap(), None, "get of nothing");
}

/// Sizes on both sides of what a glimpse reads, and none at all.
pub async fn a_glimpse_shows_the_beginning_and_the_whole_size(store: &dyn ImageStore) {
    for length in [0, 1, 100, 4_095, 4_096, 4_097, 100_000] {
        let key = fresh_key("jpg");
        store.put(&key, JPEG, bytes(length)).await.unwrap();
        let seen = glimpse(store, &key).await;
        assert_eq!(seen.bytes, length as u64, "size of {length} bytes");
        assert_eq!(
            seen.head,
            bytes(length.min(Glimpse::HEAD_BYTES)),
            "head of {length} bytes"
        );
        if length > 0 {
            assert_eq!(seen.content_type, JPEG, "type of {length} bytes");
            assert!(
                !seen.etag.is_empty() && !seen.etag.contains('"'),
                "tag: {}",
                seen.etag
            );
        }
    }
}

/// Neither by the system nor, see below, by a worker.
pub async fn nothing_is_put_over_an_object(store: &dyn ImageStore) {
    let key = fresh_key("jpg");
    store.put(&key, JPEG, bytes(10)).await.unwrap();
    let again = store.put(&key, "image/png", bytes(20)).await;
    assert!(
        matches!(again, Err(ImageError::Exists)),
        "second put: {again:?}"
    );
    let kept = store.get(&key, 100).await.unwrap();
    assert_eq!(
        kept,
        Some((JPEG.to_owned(), bytes(10))),
        "what lies there after it"
    );
}

/// A Lambda's memory and its reply have a limit.
pub async fn an_object_is_only_read_up_to_a_limit(store: &dyn ImageStore) {
    let key = fresh_key("jpg");
    store.put(&key, JPEG, bytes(5_000)).await.unwrap();
    let whole = store.get(&key, 5_000).await.unwrap();
    assert_eq!(
        whole,
        Some((JPEG.to_owned(), bytes(5_000))),
        "get at the limit"
    );
    assert_eq!(
        store.get(&key, 4_999).await.unwrap(),
        None,
        "get beyond the limit"
    );
}

/// Removing twice, or nothing, is no error.
pub async fn removed_objects_are_gone(store: &dyn ImageStore) {
    let keys = [fresh_key("jpg"), fresh_key("png"), fresh_key("webp")];
    let kept = fresh_key("jpg");
    for key in [&keys[0], &keys[1], &kept] {
        store.put(key, JPEG, bytes(10)).await.unwrap();
    }
    for _ in 0..2 {
        store.delete(&keys).await.unwrap();
    }
    store.delete(&[]).await.unwrap();
    for key in &keys {
        assert_eq!(
            store.glimpse(key).await.unwrap(),
            None,
            "glimpse of a removed object"
        );
    }
    assert_eq!(
        glimpse(store, &kept).await.bytes,
        10,
        "an object that was not removed"
    );
}

/// The URL and the headers that came with it are all that a worker needs; nothing else is signed.
pub async fn a_worker_puts_by_its_url_once(store: &dyn ImageStore, web: &dyn Web) {
    let key = fresh_key("jpg");
    let put = sign(store, &key).await;
    let names: Vec<&str> = put.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["content-type", "if-none-match"],
        "headers that a worker must send"
    );
    let first = web.put(&put.url, &put.headers, bytes(9_000)).await;
    assert_eq!(first.status, 200, "first put");
    let seen = glimpse(store, &key).await;
    assert_eq!(
        (seen.bytes, seen.content_type.as_str()),
        (9_000, JPEG),
        "what it put"
    );
    assert_eq!(
        Some(seen.etag),
        first.etag,
        "the tag that the worker read from its put"
    );
    let second = web.put(&put.url, &put.headers, bytes(10)).await;
    assert!(
        matches!(second.status, 409 | 412),
        "second put: {}",
        second.status
    );
    assert_eq!(
        glimpse(store, &key).await.bytes,
        9_000,
        "what lies there after it"
    );
}

/// Another type, or without the condition: refused, and nothing is stored.
pub async fn a_put_must_be_as_it_was_signed(store: &dyn ImageStore, web: &dyn Web) {
    let key = fresh_key("jpg");
    let put = sign(store, &key).await;
    let changed = |name: &str, to: Option<&str>| -> Vec<(String, String)> {
        let others = put.headers.iter().filter(|(n, _)| n != name).cloned();
        let new = to.map(|to| (name.to_owned(), to.to_owned()));
        others.chain(new).collect()
    };
    for headers in [
        changed("content-type", Some("text/html")),
        changed("content-type", None),
        changed("if-none-match", None),
    ] {
        let reply = web.put(&put.url, &headers, bytes(10)).await;
        assert!(
            (400..500).contains(&reply.status),
            "{headers:?}: {}",
            reply.status
        );
    }
    let elsewhere = put.url.expose().replace("1-0.jpg", "2-0.jpg");
    let reply = web
        .put(&SignedUrl::new(elsewhere), &put.headers, bytes(10))
        .await;
    // In memory a URL is not signed: there the key is all that is checked.
    if !put.url.expose().starts_with("memory:") {
        assert!(
            (400..500).contains(&reply.status),
            "another key: {}",
            reply.status
        );
    }
    assert_eq!(
        store.glimpse(&key).await.unwrap(),
        None,
        "nothing was stored"
    );
}

/// Two workers of one attempt: the second hears of the first.
pub async fn of_two_signed_puts_one_wins(store: &dyn ImageStore, web: &dyn Web) {
    for _ in 0..10 {
        let key = fresh_key("jpg");
        let put = sign(store, &key).await;
        let replies = join_all((1..=4).map(|n| {
            let body = bytes(20_000 * n);
            web.put(&put.url, &put.headers, body)
        }))
        .await;
        let won = replies.iter().filter(|reply| reply.status == 200).count();
        let lost = replies
            .iter()
            .filter(|reply| matches!(reply.status, 409 | 412));
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!(
            (won, lost.count()),
            (1, 3),
            "racing puts answer {statuses:?}"
        );
        let winner = replies
            .iter()
            .position(|reply| reply.status == 200)
            .unwrap();
        let seen = glimpse(store, &key).await.bytes;
        assert_eq!(
            seen,
            20_000 * (winner as u64 + 1),
            "what lies there is the winner's"
        );
    }
}

/// Long inputs travel to the worker so.
pub async fn a_signed_url_reads_one_object(store: &dyn ImageStore, web: &dyn Web) {
    let key = fresh_key("jpg");
    let url = store.sign_get(&key, HOUR).await.unwrap();
    let early = web.get(&url).await.status;
    assert!(matches!(early, 403 | 404), "get before the put: {early}");
    store.put(&key, JPEG, bytes(5_000)).await.unwrap();
    let reply = web.get(&url).await;
    assert_eq!(
        (reply.status, reply.body),
        (200, bytes(5_000)),
        "get after the put"
    );
    let forged = url.expose().replace("1-0.jpg", "1-1.jpg");
    let reply = web.get(&SignedUrl::new(forged)).await;
    assert_ne!(
        reply.status, 200,
        "get of another key by the same signature"
    );
}

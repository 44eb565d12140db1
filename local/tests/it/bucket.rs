//! The embedded S3: conditional PUTs, preflights, presigned URLs, deletion.

use crate::support::{http, in_time, send_then_read};
use aws_sdk_s3::presigning::PresigningConfig;
use futures_util::future::join_all;
use http::StatusCode;
use ryla_local::{Embedded, EmbeddedOptions};
use std::time::Duration;

async fn put_url(embedded: &Embedded, key: &str) -> (String, Vec<(String, String)>) {
    let lifetime = PresigningConfig::expires_in(Duration::from_mins(10)).unwrap();
    let put = embedded
        .aws()
        .s3()
        .put_object()
        .bucket(embedded.bucket())
        .key(key);
    let signed = put
        .content_type("image/jpeg")
        .if_none_match("*")
        .presigned(lifetime)
        .await
        .unwrap();
    let headers = signed
        .headers()
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    (signed.uri().to_owned(), headers)
}

async fn put(url: &str, headers: &[(String, String)], body: Vec<u8>) -> StatusCode {
    let mut request = http().put(url).body(body);
    for (name, value) in headers.iter().filter(|(name, _)| name != "content-length") {
        request = request.header(name, value);
    }
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_conditional_puts_at_once_exactly_one_wins() {
    let embedded = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    for round in 0..10 {
        let key = format!("o/r30/race/{round}.jpg");
        let (url, headers) = put_url(&embedded, &key).await;
        let puts = (0..16_u8).map(|n| put(&url, &headers, vec![n; 50_000]));
        let answers = in_time(join_all(puts)).await;
        let won = answers.iter().filter(|status| **status == 200).count();
        let lost = answers
            .iter()
            .filter(|status| matches!(status.as_u16(), 409 | 412))
            .count();
        assert_eq!((won, lost), (1, 15), "{answers:?}");
        let object = embedded
            .aws()
            .s3()
            .get_object()
            .bucket(embedded.bucket())
            .key(&key);
        let bytes = object
            .send()
            .await
            .unwrap()
            .body
            .collect()
            .await
            .unwrap()
            .into_bytes();
        let winner = answers.iter().position(|status| *status == 200).unwrap();
        assert_eq!(bytes, vec![u8::try_from(winner).unwrap(); 50_000]);
    }
    embedded.stop().await;
}

#[tokio::test]
async fn a_loser_that_sends_megabytes_still_reads_why() {
    let embedded = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    let (url, headers) = put_url(&embedded, "o/r30/big/1-0.jpg").await;
    assert_eq!(put(&url, &headers, vec![1; 100]).await, 200);
    for _ in 0..5 {
        let body = vec![2; 8_000_000];
        let answer = in_time(send_then_read(&url, "PUT", &headers, &body))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 412 "), "{answer}");
    }
    embedded.stop().await;
}

#[tokio::test]
async fn a_signed_put_takes_only_what_was_signed() {
    let embedded = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    let (url, headers) = put_url(&embedded, "o/r30/type/1-0.jpg").await;
    let mut other: Vec<_> = headers.clone();
    for (name, value) in &mut other {
        if name == "content-type" {
            "text/html".clone_into(value);
        }
    }
    assert_ne!(other, headers, "the media type is among the signed headers");
    assert_eq!(put(&url, &other, vec![1]).await, 403);
    let unsigned = url.split('?').next().unwrap();
    assert_eq!(put(unsigned, &headers, vec![1]).await, 403);
    assert_eq!(put(&url, &headers, vec![1]).await, 200);
    embedded.stop().await;
}

#[tokio::test]
async fn a_browsers_preflight_is_answered_before_any_signature() {
    let embedded = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    let (url, _) = put_url(&embedded, "o/r30/cors/1-0.jpg").await;
    let preflight = http()
        .request(http::Method::OPTIONS, &url)
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "PUT")
        .header(
            "access-control-request-headers",
            "content-type,if-none-match",
        )
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 204);
    let header = |name| preflight.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-methods").contains("PUT"));
    assert_eq!(
        header("access-control-allow-headers"),
        "content-type,if-none-match"
    );
    let get = http()
        .get(&url)
        .header("origin", "http://x")
        .send()
        .await
        .unwrap();
    assert_eq!(get.headers()["access-control-allow-origin"], "*");
    embedded.stop().await;
}

#[tokio::test]
async fn a_deleted_object_leaves_nothing_behind_and_can_be_put_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        folder: Some(folder.path().to_owned()),
        ..EmbeddedOptions::default()
    };
    let embedded = Embedded::start(options).await.unwrap();
    let key = "o/r30/gone/1-0.jpg";
    let (url, headers) = put_url(&embedded, key).await;
    assert_eq!(put(&url, &headers, vec![1; 10]).await, 200);
    let s3 = embedded.aws().s3();
    s3.delete_object()
        .bucket(embedded.bucket())
        .key(key)
        .send()
        .await
        .unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path().join("s3"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, [embedded.bucket()]);
    assert!(
        !folder
            .path()
            .join("s3")
            .join(embedded.bucket())
            .join("o/r30/gone")
            .exists()
    );
    assert_eq!(put(&url, &headers, vec![1; 10]).await, 200);
    embedded.stop().await;
}

#[tokio::test]
async fn no_key_leads_out_of_the_bucket() {
    let embedded = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    let s3 = embedded.aws().s3();
    for key in ["../x", "o/../../x", "/etc/x"] {
        let put = s3.put_object().bucket(embedded.bucket()).key(key);
        assert!(put.body(vec![1].into()).send().await.is_err(), "{key}");
    }
    embedded.stop().await;
}

//! The bucket on S3. Signing makes no call; a glimpse is one GET of the first 4 KiB.

use crate::error::bucket_fault;
use crate::{Capacity, Operation};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use ryla_domain::output::ObjectKey;
use ryla_domain::time::Ms;
use ryla_engine::port::{Glimpse, ImageError, ImageStore, SignedPut, SignedUrl};
use std::sync::Arc;

/// The longest life of a presigned URL (Signature Version 4): 7 days.
const MAX_LIFETIME: Ms = Ms::seconds(7 * 86_400);
/// Keys that one `DeleteObjects` takes.
const DELETE_BATCH: usize = 1000;

/// The bucket on S3.
#[derive(Clone, Debug)]
pub struct S3ImageStore {
    client: Client,
    bucket: String,
    capacity: Arc<Capacity>,
}

/// Why a bucket call that "succeeded" did not do what was asked.
#[derive(Debug, thiserror::Error)]
enum BucketFault {
    #[error("{0} objects were not removed; the first refusal was {1}")]
    NotRemoved(usize, String),
}

impl S3ImageStore {
    pub(crate) const fn new(client: Client, bucket: String, capacity: Arc<Capacity>) -> Self {
        Self {
            client,
            bucket,
            capacity,
        }
    }

    async fn get_range(&self, key: &ObjectKey, range: Option<String>) -> Result<Got, ImageError> {
        self.capacity.request(Operation::GetObject);
        let get = self.client.get_object().bucket(&self.bucket);
        let got = get.key(key.as_str()).set_range(range).send().await;
        match got {
            Ok(object) => Ok(Got::Object(Box::new(object))),
            Err(error) => match absence(&error) {
                Some(absence) => Ok(absence),
                None => Err(bucket_fault(error)),
            },
        }
    }
}

/// What a GET brought.
enum Got {
    Object(Box<GetObjectOutput>),
    /// It is there, and there is nothing in it.
    Empty,
    Nothing,
}

/// 404, and 403 as long as it means "you may not know": without the right to list a bucket, S3
/// answers so for a key that does not exist. Other 403 (a wrong signature, a clock that is off) are
/// faults. 416 is what a range of an empty object gets.
fn absence(error: &SdkError<GetObjectError>) -> Option<Got> {
    let status = error.raw_response()?.status().as_u16();
    match (status, error.code()) {
        (404, code) if code != Some("NoSuchBucket") => Some(Got::Nothing),
        (403, None | Some("AccessDenied" | "Forbidden")) => Some(Got::Nothing),
        (416, _) => Some(Got::Empty),
        _ => None,
    }
}

fn presigning(lifetime: Ms) -> Result<PresigningConfig, ImageError> {
    PresigningConfig::expires_in(lifetime.min(MAX_LIFETIME).duration()).map_err(bucket_fault)
}

/// An entity tag without its quotes.
fn bare(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

/// The total in `bytes 0-4095/187342`.
fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

/// By way of `into_bytes`: the collection's own `to_vec` takes every byte by itself, at twenty
/// instructions each.
async fn bytes_of(body: ByteStream) -> Result<Vec<u8>, ImageError> {
    let collected = body.collect().await.map_err(bucket_fault)?;
    Ok(collected.into_bytes().into())
}

#[async_trait]
impl ImageStore for S3ImageStore {
    async fn sign_put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        lifetime: Ms,
    ) -> Result<SignedPut, ImageError> {
        let put = self.client.put_object().bucket(&self.bucket);
        let signed = put
            .key(key.as_str())
            .content_type(content_type)
            .if_none_match("*")
            .presigned(presigning(lifetime)?)
            .await
            .map_err(bucket_fault)?;
        let mut headers: Vec<(String, String)> = signed
            .headers()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.sort();
        let url = SignedUrl::new(signed.uri().to_owned());
        Ok(SignedPut { url, headers })
    }

    async fn sign_get(&self, key: &ObjectKey, lifetime: Ms) -> Result<SignedUrl, ImageError> {
        let get = self.client.get_object().bucket(&self.bucket);
        let get = get.key(key.as_str()).presigned(presigning(lifetime)?);
        let signed = get.await.map_err(bucket_fault)?;
        Ok(SignedUrl::new(signed.uri().to_owned()))
    }

    async fn glimpse(&self, key: &ObjectKey) -> Result<Option<Glimpse>, ImageError> {
        let range = format!("bytes=0-{}", Glimpse::HEAD_BYTES - 1);
        let object = match self.get_range(key, Some(range)).await? {
            Got::Nothing => return Ok(None),
            Got::Empty => {
                return Ok(Some(Glimpse {
                    bytes: 0,
                    content_type: String::new(),
                    etag: String::new(),
                    head: Vec::new(),
                }));
            }
            Got::Object(object) => object,
        };
        let whole = object.content_length().and_then(|n| u64::try_from(n).ok());
        let bytes = object.content_range().and_then(total_of).or(whole);
        let content_type = object.content_type().unwrap_or_default().to_owned();
        let etag = bare(object.e_tag());
        let mut head = bytes_of(object.body).await?;
        let bytes = bytes.unwrap_or(head.len() as u64);
        head.truncate(Glimpse::HEAD_BYTES);
        Ok(Some(Glimpse {
            bytes,
            content_type,
            etag,
            head,
        }))
    }

    async fn get(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
    ) -> Result<Option<(String, Vec<u8>)>, ImageError> {
        let Got::Object(object) = self.get_range(key, None).await? else {
            return Ok(None);
        };
        let length = object.content_length().and_then(|n| u64::try_from(n).ok());
        if length.is_none_or(|length| length > max_bytes) {
            return Ok(None);
        }
        let content_type = object.content_type().unwrap_or_default().to_owned();
        Ok(Some((content_type, bytes_of(object.body).await?)))
    }

    async fn put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), ImageError> {
        self.capacity.request(Operation::PutObject);
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .content_type(content_type)
            .if_none_match("*")
            .body(ByteStream::from(bytes));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_response().map(|raw| raw.status().as_u16()) {
                // 409: another conditional put of the same key is under way.
                Some(409 | 412) => Err(ImageError::Exists),
                _ => Err(bucket_fault(error)),
            },
        }
    }

    async fn delete(&self, keys: &[ObjectKey]) -> Result<(), ImageError> {
        for keys in keys.chunks(DELETE_BATCH) {
            self.capacity.request(Operation::DeleteObjects);
            let objects: Result<Vec<_>, _> = keys
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key.as_str()).build())
                .collect();
            let objects = objects.map_err(bucket_fault)?;
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true);
            let delete = delete.build().map_err(bucket_fault)?;
            let request = self.client.delete_objects().bucket(&self.bucket);
            let done = request.delete(delete).send().await.map_err(bucket_fault)?;
            let kept = done
                .errors()
                .iter()
                .filter(|one| one.code() != Some("NoSuchKey"));
            let codes: Vec<&str> = kept.filter_map(|one| one.code()).collect();
            if let Some(first) = codes.first() {
                let fault = BucketFault::NotRemoved(codes.len(), (*first).to_owned());
                return Err(bucket_fault(fault));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Aws, Endpoint, Endpoints};
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    #[test]
    fn the_size_of_an_object_is_read_behind_the_slash() {
        assert_eq!(total_of("bytes 0-4095/187342"), Some(187_342));
        assert_eq!(total_of("bytes 0-9/*"), None);
    }

    fn refused(status: u16, code: Option<&str>) -> SdkError<GetObjectError> {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        SdkError::service_error(GetObjectError::generic(metadata.build()), response)
    }

    #[test]
    fn not_there_yet_is_told_apart_from_a_fault() {
        let nothing = [
            (404, Some("NoSuchKey")),
            (404, None),
            (403, Some("AccessDenied")),
            (403, None),
        ];
        for (status, code) in nothing {
            let absence = absence(&refused(status, code));
            assert!(matches!(absence, Some(Got::Nothing)), "{status} {code:?}");
        }
        let empty = absence(&refused(416, Some("InvalidRange")));
        assert!(matches!(empty, Some(Got::Empty)));
        let faults = [
            (404, "NoSuchBucket"),
            (403, "SignatureDoesNotMatch"),
            (403, "RequestTimeTooSkewed"),
            (403, "ExpiredToken"),
            (503, "SlowDown"),
            (500, "InternalError"),
        ];
        for (status, code) in faults {
            assert!(
                absence(&refused(status, Some(code))).is_none(),
                "{status} {code}"
            );
        }
    }

    #[tokio::test]
    async fn a_worker_must_send_no_header_beyond_those_it_is_given() {
        let endpoint = || Endpoint::at("http://127.0.0.1:9");
        let aws = Aws::at(&Endpoints {
            region: "eu-central-1".to_owned(),
            access_key_id: "key".to_owned(),
            secret_access_key: "secret".to_owned(),
            dynamodb: endpoint(),
            s3: endpoint(),
            sqs: endpoint(),
        });
        let store = aws.images("bucket");
        let key = ryla_testing::contract::images::fresh_key("jpg");
        let put = store
            .sign_put(&key, "image/jpeg", Ms::seconds(60))
            .await
            .unwrap();
        let url = put.url.expose();
        assert!(
            url.contains("X-Amz-SignedHeaders=content-type%3Bhost%3Bif-none-match&"),
            "{url}"
        );
        let headers = [("content-type", "image/jpeg"), ("if-none-match", "*")];
        assert_eq!(
            put.headers,
            headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let get = store.sign_get(&key, Ms::seconds(60)).await.unwrap();
        assert!(
            get.expose().contains("X-Amz-SignedHeaders=host&"),
            "{}",
            get.expose()
        );
        for url in [url, get.expose()] {
            assert!(!url.to_ascii_lowercase().contains("checksum"), "{url}");
        }
        let longest = store.sign_get(&key, Ms(u64::MAX)).await.unwrap();
        assert!(
            longest.expose().contains("X-Amz-Expires=604800"),
            "7 days at most"
        );
    }

    #[test]
    fn entity_tags_lose_their_quotes() {
        assert_eq!(bare(Some("\"abc\"")), "abc");
        assert_eq!(bare(None), "");
    }
}

//! The object operations that RYLA uses, on files, with S3's promise that of two conditional PUTs one
//! wins: s3s-fs looks and writes in two steps, so every operation here holds the object's lock.

use super::key_locks::KeyLocks;
use futures_util::TryStreamExt;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, ETagCondition,
    GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use std::path::{Component, Path, PathBuf};

/// Objects as files below a folder.
pub(super) struct Objects {
    files: FileSystem,
    root: PathBuf,
    locks: KeyLocks,
}

impl Objects {
    pub(super) fn new(files: FileSystem, root: &Path) -> Self {
        Self {
            files,
            root: root.to_owned(),
            locks: KeyLocks::default(),
        }
    }

    /// The file of an object; keys that would lead out of the bucket are refused.
    fn file(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        let plain = |text: &str| {
            Path::new(text)
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
        };
        if plain(bucket) && plain(key) {
            Ok(self.root.join(bucket).join(key))
        } else {
            Err(s3_error!(
                InvalidArgument,
                "the key leads out of the bucket"
            ))
        }
    }

    /// s3s-fs leaves what it noted of an object beside the bucket, and the folder that it was in.
    async fn remove_traces(&self, bucket: &str, key: &str, file: &Path) {
        let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        let stem = format!(".bucket-{}.object-{}", encode(bucket), encode(key));
        for ending in ["metadata.json", "internal.json"] {
            let _ = tokio::fs::remove_file(self.root.join(format!("{stem}.{ending}"))).await;
        }
        if let Some(folder) = file
            .parent()
            .filter(|folder| *folder != self.root.join(bucket))
        {
            // Succeeds only where it is empty.
            let _ = tokio::fs::remove_dir(folder).await;
        }
    }
}

/// An object whose writer died between the file and its notes has no media type; its name tells it.
fn type_by_name(key: &str) -> Option<String> {
    let (_, ending) = key.rsplit_once('.')?;
    if ending == "json" {
        return Some("application/json".to_owned());
    }
    let format = ryla_domain::output::Format::of_extension(ending)?;
    Some(format.content_type().to_owned())
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn head_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(req).await
    }

    async fn put_object(
        &self,
        mut req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let file = self.file(&req.input.bucket, &req.input.key)?;
        let lock = self.locks.write(&file.to_string_lossy()).await;
        let condition = req.input.if_none_match.as_ref();
        let only_new = condition.is_some_and(ETagCondition::is_any);
        if only_new && file.exists() {
            drop(lock);
            // A client that is still sending must be able to read the answer.
            if let Some(body) = req.input.body.take() {
                let _ = body.try_for_each(|_| async { Ok(()) }).await;
            }
            return Err(s3_error!(
                PreconditionFailed,
                "an object with this key exists"
            ));
        }
        self.files.put_object(req).await
    }

    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let file = self.file(&req.input.bucket, &req.input.key)?;
        let key = req.input.key.clone();
        let _lock = self.locks.read(&file.to_string_lossy()).await;
        let mut response = self.files.get_object(req).await?;
        let content_type = &mut response.output.content_type;
        *content_type = content_type.take().or_else(|| type_by_name(&key));
        Ok(response)
    }

    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let file = self.file(&req.input.bucket, &req.input.key)?;
        let key = req.input.key.clone();
        let _lock = self.locks.read(&file.to_string_lossy()).await;
        let mut response = self.files.head_object(req).await?;
        let content_type = &mut response.output.content_type;
        *content_type = content_type.take().or_else(|| type_by_name(&key));
        Ok(response)
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let file = self.file(&bucket, &key)?;
        let _lock = self.locks.write(&file.to_string_lossy()).await;
        let response = self.files.delete_object(req).await?;
        self.remove_traces(&bucket, &key, &file).await;
        Ok(response)
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let bucket = req.input.bucket.clone();
        let objects = &req.input.delete.objects;
        let keys: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
        let mut files = Vec::with_capacity(keys.len());
        for key in &keys {
            files.push(self.file(&bucket, key)?);
        }
        let response = self.files.delete_objects(req).await?;
        for (key, file) in keys.iter().zip(&files) {
            let _lock = self.locks.write(&file.to_string_lossy()).await;
            if !file.exists() {
                self.remove_traces(&bucket, key, file).await;
            }
        }
        Ok(response)
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(req).await
    }
}

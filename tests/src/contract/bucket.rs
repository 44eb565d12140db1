//! Pictures on the embedded S3, by the SDK and by presigned URLs.

use super::embedded;
use async_trait::async_trait;
use reqwest::Response;
use ryla_domain::time::Ms;
use ryla_engine::port::SignedUrl;
use ryla_testing::contract;
use ryla_testing::contract::images::{Reply, Web};

/// A worker: it knows a URL and its headers and nothing else.
struct Worker(reqwest::Client);

async fn reply(response: Response) -> Reply {
    let etag = response
        .headers()
        .get("etag")
        .map(|tag| tag.to_str().unwrap().trim_matches('"'));
    Reply {
        status: response.status().as_u16(),
        etag: etag.map(str::to_owned),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

#[async_trait]
impl Web for Worker {
    async fn put(&self, url: &SignedUrl, headers: &[(String, String)], bytes: Vec<u8>) -> Reply {
        let put = self.0.put(url.expose()).body(bytes);
        let put = headers
            .iter()
            .fold(put, |put, (name, value)| put.header(name, value));
        reply(put.send().await.unwrap()).await
    }

    async fn get(&self, url: &SignedUrl) -> Reply {
        reply(self.0.get(url.expose()).send().await.unwrap()).await
    }
}

/// Among its cases: of racing presigned PUTs one wins, the others get 412 or 409.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bucket_keeps_its_contract() {
    let embedded = embedded().await;
    let worker = Worker(ryla_backends::http::client(Ms::seconds(5), None).unwrap());
    contract::images::all(&embedded.aws().images(embedded.bucket()), &worker).await;
    drop(worker);
    embedded.stop().await;
}

//! The SDK clients: built once in `main`, on one HTTPS client with compiled-in root certificates,
//! and handed over. No adapter builds a client or reads the environment.

use crate::environment;
use crate::roots;
use crate::{
    Capacity, DynamoAccountStore, DynamoEndpointStore, DynamoJobStore, S3ImageStore, SqsQueue,
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::sync::Arc;
use std::time::Duration;

const MAX_ATTEMPTS: u32 = 3;

/// How long a service may take.
#[derive(Clone, Copy)]
struct Limits {
    /// The same for every client: the HTTPS client keeps one connection pool per pair of connect and
    /// read time-outs, and there shall be one.
    connect: Duration,
    /// One attempt.
    attempt: Duration,
    /// All attempts and the pauses between them.
    operation: Duration,
}

const TABLE_AND_QUEUE: Limits = Limits {
    connect: Duration::from_millis(1_500),
    attempt: Duration::from_secs(4),
    operation: Duration::from_secs(10),
};
/// S3 moves pictures: it gets more time.
const BUCKET: Limits = Limits {
    attempt: Duration::from_secs(8),
    operation: Duration::from_secs(20),
    ..TABLE_AND_QUEUE
};
/// The embedded services share a laptop's cores with everything else and work on one request at a
/// time: there a late answer is a long line and no lost packet, and asking again makes it longer.
const EMBEDDED: Limits = Limits {
    connect: Duration::from_secs(30),
    attempt: Duration::from_mins(1),
    operation: Duration::from_mins(2),
};

/// Connections to one host that are kept open; a Lambda works on one event at a time.
const IDLE_CONNECTIONS: usize = 64;

/// Where the bucket's name stands in S3's URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `https://bucket.s3.region.amazonaws.com/key`, as AWS wants it.
    VirtualHost,
    /// `http://host:port/bucket/key`, as local servers need it.
    Path,
}

/// The clients and the meter that their adapters share.
#[derive(Clone, Debug)]
pub struct Aws {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    capacity: Arc<Capacity>,
}

/// How one service is reached outside AWS.
#[derive(Clone, Debug)]
pub struct Endpoint {
    url: Option<String>,
    http: Option<SharedHttpClient>,
}

impl Endpoint {
    /// At this URL.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: Some(url.into()),
            http: None,
        }
    }

    /// In this process: the "network" is this client.
    pub const fn in_process(http: SharedHttpClient) -> Self {
        Self {
            url: None,
            http: Some(http),
        }
    }
}

/// Where the services of the embedded stack are, and the key that its S3 signs with.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Any region's name.
    pub region: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// The table's service.
    pub dynamodb: Endpoint,
    /// The bucket's service; addressed by path.
    pub s3: Endpoint,
    /// The queue's service.
    pub sqs: Endpoint,
}

/// What a function will call: each is greeted once while the function starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct WarmUp<'a> {
    /// The table.
    pub table: Option<&'a str>,
    /// The bucket, where the function calls it (signing alone needs no connection).
    pub bucket: Option<&'a str>,
    /// The queue's URL.
    pub queue_url: Option<&'a str>,
}

impl Aws {
    /// Clients from the variables that Lambda sets: credentials, region and, in tests, endpoints.
    pub async fn from_env(addressing: Addressing) -> Self {
        let region = environment::region().await;
        let config = environment::settings()
            .http_client(https(region.as_ref()))
            .region(region)
            .behavior_version(BehaviorVersion::latest())
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .timeout_config(timeouts(TABLE_AND_QUEUE))
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3_config(&config, addressing, BUCKET)),
            sqs: aws_sdk_sqs::Client::new(&config),
            capacity: Arc::default(),
        }
    }

    /// Clients of the embedded stack.
    pub fn at(endpoints: &Endpoints) -> Self {
        let own = https(None);
        let config = |endpoint: &Endpoint| {
            let credentials = Credentials::from_keys(
                &endpoints.access_key_id,
                &endpoints.secret_access_key,
                None,
            );
            let mut config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(endpoints.region.clone()))
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
                .http_client(endpoint.http.clone().unwrap_or_else(|| own.clone()))
                .timeout_config(timeouts(EMBEDDED))
                .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS));
            config.set_endpoint_url(endpoint.url.clone());
            config.build()
        };
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config(&endpoints.dynamodb)),
            s3: aws_sdk_s3::Client::from_conf(s3_config(
                &config(&endpoints.s3),
                Addressing::Path,
                EMBEDDED,
            )),
            sqs: aws_sdk_sqs::Client::new(&config(&endpoints.sqs)),
            capacity: Arc::default(),
        }
    }

    /// The table of jobs.
    pub fn jobs(&self, table: impl Into<String>) -> DynamoJobStore {
        DynamoJobStore::new(self.dynamodb.clone(), table.into(), self.capacity())
    }

    /// The API keys, in the same table.
    pub fn accounts(&self, table: impl Into<String>) -> DynamoAccountStore {
        DynamoAccountStore::new(self.dynamodb.clone(), table.into(), self.capacity())
    }

    /// Counters and states of endpoints, in the same table.
    pub fn endpoints(&self, table: impl Into<String>) -> DynamoEndpointStore {
        DynamoEndpointStore::new(self.dynamodb.clone(), table.into(), self.capacity())
    }

    /// The bucket.
    pub fn images(&self, bucket: impl Into<String>) -> S3ImageStore {
        S3ImageStore::new(self.s3.clone(), bucket.into(), self.capacity())
    }

    /// The dispatch queue.
    pub fn queue(&self, url: impl Into<String>) -> SqsQueue {
        SqsQueue::new(self.sqs.clone(), url.into(), self.capacity())
    }

    /// What all adapters of these clients have used so far.
    pub fn capacity(&self) -> Arc<Capacity> {
        Arc::clone(&self.capacity)
    }

    /// The `DynamoDB` client, for who creates tables.
    pub const fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.dynamodb
    }

    /// The S3 client, for who creates buckets.
    pub const fn s3(&self) -> &aws_sdk_s3::Client {
        &self.s3
    }

    /// The SQS client, for who creates and polls queues.
    pub const fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.sqs
    }

    /// One throw-away signed call per service, all at once: name look-up, TLS and credentials are
    /// then paid while Lambda starts and not by the first request. What comes back, also a refusal,
    /// means nothing; nothing is counted.
    pub async fn warm_up(&self, targets: WarmUp<'_>) {
        let table = async {
            if let Some(table) = targets.table {
                let _ = crate::accounts::greet(&self.dynamodb, table).await;
            }
        };
        let bucket = async {
            if let Some(bucket) = targets.bucket {
                let head = self.s3.head_object().bucket(bucket).key("in/warm-up");
                let _ = head.send().await;
            }
        };
        let queue = async {
            if let Some(url) = targets.queue_url {
                let _ = self.sqs.get_queue_attributes().queue_url(url).send().await;
            }
        };
        // Boxed: the three requests under construction would make every main's future so large.
        futures_util::future::join3(Box::pin(table), Box::pin(bucket), Box::pin(queue)).await;
    }
}

fn timeouts(limits: Limits) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits.connect)
        .operation_attempt_timeout(limits.attempt)
        .operation_timeout(limits.operation)
        .build()
}

/// Checksums only where an operation demands them: a presigned
/// URL must not ask the worker for headers that it does not know of.
fn s3_config(config: &SdkConfig, addressing: Addressing, limits: Limits) -> aws_sdk_s3::Config {
    aws_sdk_s3::config::Builder::from(config)
        .force_path_style(addressing == Addressing::Path)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .timeout_config(timeouts(limits))
        .build()
}

/// The one HTTPS client: rustls with AWS-LC, trusting the authorities of AWS as compiled in.
fn https(region: Option<&Region>) -> SharedHttpClient {
    let provider = Provider::rustls(CryptoMode::AwsLc);
    let mut trust = TrustStore::empty();
    trust.add_pem_certificate(roots::pem(region));
    let client = match TlsContext::builder().with_trust_store(trust).build() {
        Ok(context) => Builder::new()
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .tls_provider(provider)
            .tls_context(context)
            .build_https(),
        // Never so in this version; if it comes to that, the platform's own roots do.
        Err(_) => Builder::new().tls_provider(provider).build_https(),
    };
    SharedHttpClient::new(OnFirstCall(client))
}

/// Connects when there is something to send. The SDK has every service's client try its HTTPS client
/// at once, and each of these tries reads the root certificates again, which together was two thirds
/// of what a cold start computed when they were Mozilla's; the warm-up pays for the one connector that is used.
#[derive(Debug)]
struct OnFirstCall(SharedHttpClient);

impl HttpClient for OnFirstCall {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::box_error::BoxError;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
    use aws_smithy_types::config_bag::ConfigBag;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how often it is tried before there is anything to send.
    #[derive(Clone, Debug, Default)]
    struct Tried(Arc<AtomicUsize>);

    impl HttpClient for Tried {
        fn http_connector(
            &self,
            _: &HttpConnectorSettings,
            _: &RuntimeComponents,
        ) -> SharedHttpConnector {
            unreachable!("nothing is sent")
        }

        fn validate_base_client_config(
            &self,
            _: &RuntimeComponentsBuilder,
            _: &ConfigBag,
        ) -> Result<(), BoxError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    fn tries_of_a_new_client(wrap: impl FnOnce(SharedHttpClient) -> SharedHttpClient) -> usize {
        let tried = Tried::default();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(wrap(SharedHttpClient::new(tried.clone())))
            .build();
        let _client = aws_sdk_dynamodb::Client::new(&config);
        tried.0.load(Ordering::SeqCst)
    }

    #[test]
    fn a_new_client_does_not_try_to_connect() {
        let wrapped = |inner| SharedHttpClient::new(OnFirstCall(inner));
        assert_eq!(tries_of_a_new_client(wrapped), 0);
        assert_eq!(
            tries_of_a_new_client(|inner| inner),
            1,
            "without the wrapper"
        );
    }

    #[test]
    fn the_clients_of_a_lambda_connect_alike_and_so_share_one_pool() {
        assert_eq!(BUCKET.connect, TABLE_AND_QUEUE.connect);
    }
}

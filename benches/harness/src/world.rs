//! One side's surroundings, all in this process and all new: table, bucket, queue, GPU and the four
//! functions' Runtime APIs. Both sides get the same, one after the other.

use crate::dynamodb::{DynamoDb, Index, Item, Projection, Schema};
use crate::gateway::{self, Answer, Call};
use crate::gpu::{Gpu, Output, Reach};
use crate::load::Client;
use crate::runtime::Function;
use crate::s3::S3;
use crate::sqs::{EventSource, Sqs};
use crate::usage::Usage;
use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use ryla_engine::port::KeyHash;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The functions that a job meets.
pub const FUNCTIONS: [&str; 4] = ["submit", "dispatch", "callback", "status"];

/// The API key of the load.
pub const API_KEY: &str = "ryla_00000000000000000000000000bench";

const ACCOUNT: &str = "bench";
const TABLE: &str = "ryla";
/// Where a side keeps its idempotency records, if it keeps them apart.
const IDEMPOTENCY_TABLE: &str = "ryla-idempotency";
const BUCKET: &str = "ryla";
const PUBLIC_URL: &str = "https://api.example.test";
const MASTER_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// What the functions have asked of the services.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Of the table.
    pub dynamodb: Usage,
    /// Of the bucket.
    pub s3: Usage,
    /// Of the queue.
    pub sqs: Usage,
}

impl Asked {
    /// What was added since that earlier state.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            dynamodb: self.dynamodb.since(&before.dynamodb),
            s3: self.s3.since(&before.s3),
            sqs: self.sqs.since(&before.sqs),
        }
    }
}

/// One side's surroundings.
#[derive(Debug)]
pub struct World {
    dynamodb: DynamoDb,
    s3: Arc<S3>,
    sqs: Sqs,
    gpu: Gpu,
    functions: Vec<Arc<Function>>,
}

/// How the GPU stub reaches this world: without a socket of its own.
struct Inside {
    s3: Arc<S3>,
    callback: Arc<Function>,
    /// Callbacks are put here instead of being delivered.
    captured: Option<UnboundedSender<Call>>,
}

#[async_trait]
impl Reach for Inside {
    async fn put(&self, output: &Output, picture: Bytes) -> anyhow::Result<String> {
        self.s3.put_presigned(output, picture)
    }

    async fn call_back(
        &self,
        url: &str,
        signature: String,
        body: Bytes,
    ) -> anyhow::Result<StatusCode> {
        let path = url.strip_prefix(PUBLIC_URL);
        let path = path.with_context(|| format!("{url} is not at {PUBLIC_URL}"))?;
        let call = Call {
            method: "POST",
            path: path.to_owned(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("x-ryla-signature", signature),
            ],
            body,
        };
        if let Some(captured) = &self.captured {
            // Whoever wanted only the first one has gone.
            let _ = captured.send(call);
            return Ok(StatusCode::OK);
        }
        let reply = self.callback.invoke(gateway::event(&call)).await?;
        Ok(gateway::answer(&reply)?.status)
    }
}

impl World {
    /// A world in which callbacks reach their function.
    pub async fn start() -> anyhow::Result<Self> {
        Self::new(None).await
    }

    /// A world in which callbacks are handed to the caller.
    pub async fn capturing() -> anyhow::Result<(Self, UnboundedReceiver<Call>)> {
        let (sender, captured) = unbounded_channel();
        Ok((Self::new(Some(sender)).await?, captured))
    }

    async fn new(captured: Option<UnboundedSender<Call>>) -> anyhow::Result<Self> {
        let dynamodb = DynamoDb::start(tables()).await?;
        let key = json!({
            "pk": {"S": format!("KEY#{}", KeyHash::of(API_KEY))}, "sk": {"S": "KEY"},
            "v": {"N": "1"}, "account": {"S": ACCOUNT},
        });
        dynamodb.plant(TABLE, key.as_object().cloned().unwrap_or_default())?;
        let s3 = Arc::new(S3::start().await?);
        let mut functions = Vec::new();
        for name in FUNCTIONS {
            functions.push(Arc::new(Function::start(name).await?));
        }
        let callback = Arc::clone(named(&functions, "callback")?);
        let reach = Inside {
            s3: Arc::clone(&s3),
            callback,
            captured,
        };
        Ok(Self {
            dynamodb,
            s3,
            sqs: Sqs::start().await?,
            gpu: Gpu::start(Arc::new(reach)).await?,
            functions,
        })
    }

    /// The function of that name.
    pub fn function(&self, name: &str) -> anyhow::Result<&Arc<Function>> {
        named(&self.functions, name)
    }

    /// Messages reach the dispatch function from now on.
    pub fn feed(&self, processes: usize) -> anyhow::Result<EventSource> {
        let dispatch = Arc::clone(self.function("dispatch")?);
        Ok(self.sqs.feed(dispatch, processes))
    }

    /// The GPU.
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The queue.
    pub const fn sqs(&self) -> &Sqs {
        &self.sqs
    }

    /// The rows of jobs.
    pub fn jobs(&self) -> Vec<Item> {
        let mut items = self.dynamodb.items(TABLE);
        items.retain(|item| item.get("sk") == Some(&json!({"S": "JOB"})));
        items
    }

    /// What was asked of the services so far.
    pub fn asked(&self) -> Asked {
        Asked {
            dynamodb: self.dynamodb.usage(),
            s3: self.s3.usage(),
            sqs: self.sqs.usage(),
        }
    }

    /// The environment of a function's process, as Lambda and template.yaml set it.
    pub fn environment(&self, function: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
        let runtime = self.function(function)?.address();
        let text = |name, value: &str| (name, value.to_owned());
        Ok(vec![
            ("AWS_LAMBDA_RUNTIME_API", runtime),
            text("AWS_LAMBDA_FUNCTION_NAME", function),
            text("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            text("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            text("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            text("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            text("AWS_REGION", "us-east-1"),
            text("AWS_DEFAULT_REGION", "us-east-1"),
            text("AWS_ACCESS_KEY_ID", "AKIABENCHBENCHBENCHB"),
            text(
                "AWS_SECRET_ACCESS_KEY",
                "benchbenchbenchbenchbenchbenchbenchbench",
            ),
            text("AWS_SESSION_TOKEN", "bench"),
            text("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.url()),
            ("AWS_ENDPOINT_URL_S3", self.s3.url()),
            ("AWS_ENDPOINT_URL_SQS", self.sqs.url()),
            text("TABLE_NAME", TABLE),
            text("IDEMPOTENCY_TABLE_NAME", IDEMPOTENCY_TABLE),
            text("BUCKET_NAME", BUCKET),
            ("QUEUE_URL", self.sqs.queue_url()),
            text("PUBLIC_URL", PUBLIC_URL),
            ("MASTER_SECRETS", format!("k1:{MASTER_SECRET}")),
            ("MODAL_JOBS_URL", self.gpu.url()),
            // The baseline counts nothing to keep containers warm: both do the same work.
            text("WARM_IDLE_USD_PER_DAY", "0"),
            text("POWERTOOLS_SERVICE_NAME", "bench"),
        ])
    }
}

#[async_trait]
impl Client for World {
    async fn call(&self, call: Call) -> anyhow::Result<Answer> {
        let name = if call.method == "GET" {
            "status"
        } else {
            "submit"
        };
        let reply = self.function(name)?.invoke(gateway::event(&call)).await?;
        gateway::answer(&reply)
    }
}

fn named<'f>(functions: &'f [Arc<Function>], name: &str) -> anyhow::Result<&'f Arc<Function>> {
    let place = FUNCTIONS.iter().position(|function| *function == name);
    let function = place.and_then(|place| functions.get(place));
    function.with_context(|| format!("there is no function {name}"))
}

/// The table of template.yaml, and one for idempotency records.
pub fn tables() -> Vec<Schema> {
    let index = |name: &str, hash: &str, range: &str, projection| Index {
        name: name.to_owned(),
        hash: hash.to_owned(),
        range: range.to_owned(),
        projection,
    };
    let carried = ["deadline_at", "due_tries"].map(str::to_owned).to_vec();
    vec![
        Schema {
            name: TABLE.to_owned(),
            hash: "pk".to_owned(),
            range: Some("sk".to_owned()),
            indexes: vec![
                index("by-account", "gpk", "gsk", Projection::KeysOnly),
                index("due", "due", "due_at", Projection::Include(carried)),
            ],
        },
        Schema {
            name: IDEMPOTENCY_TABLE.to_owned(),
            hash: "id".to_owned(),
            range: None,
            indexes: Vec::new(),
        },
    ]
}

//! The table of settings: names, defaults, what is allowed. `.env.example` is written from it.

/// A setting as it is documented.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Name of the environment variable.
    pub name: &'static str,
    /// Used where it is unset or empty.
    pub default: &'static str,
    /// What it does and what is allowed.
    pub help: &'static str,
    /// The parameter of template.yaml that carries it; `None` where a resource does.
    pub parameter: Option<&'static str>,
}

const fn variable(
    name: &'static str,
    default: &'static str,
    parameter: Option<&'static str>,
    help: &'static str,
) -> Variable {
    Variable {
        name,
        default,
        help,
        parameter,
    }
}

/// Every setting.
pub const VARIABLES: &[Variable] = &[
    variable("TABLE_NAME", "ryla", None, "DynamoDB table."),
    variable(
        "BUCKET_NAME",
        "ryla",
        None,
        "S3 bucket of outputs and long inputs.",
    ),
    variable(
        "QUEUE_URL",
        "",
        None,
        "SQS queue of the dispatcher. An http or https URL.",
    ),
    variable(
        "PUBLIC_URL",
        "",
        None,
        "Where clients and GPU workers reach the API, without /v1. An http or https URL.",
    ),
    variable(
        "OUTPUT_BASE_URL",
        "",
        None,
        "Where outputs are served; PUBLIC_URL if empty. An http or https URL.",
    ),
    variable(
        "MASTER_SECRETS",
        "",
        None,
        "kid:secret[,kid:secret], each secret of at least 32 characters: the first signs, all verify.",
    ),
    variable(
        "LOG_LEVEL",
        "info",
        Some("LogLevel"),
        "error, warn, info, debug or trace.",
    ),
    variable(
        "WAIT_MAX_MS",
        "25000",
        Some("WaitMaxMs"),
        "Longest time that a request is held, 0-55000 ms; 0 switches waiting off.",
    ),
    variable(
        "USE_MODAL",
        "",
        Some("UseModal"),
        "true or empty: Modal where MODAL_JOBS_URL is set; false: not.",
    ),
    variable(
        "MODAL_JOBS_URL",
        "",
        Some("ModalJobsUrl"),
        "Base URL of the Modal app of infra/modal. An http or https URL.",
    ),
    variable(
        "MODAL_KEY",
        "",
        Some("ModalKey"),
        "Proxy-auth token id of Modal (wk-...).",
    ),
    variable(
        "MODAL_SECRET",
        "",
        Some("ModalSecret"),
        "Proxy-auth token secret of Modal (ws-...).",
    ),
    variable(
        "MODAL_TIMEOUT",
        "",
        Some("ModalTimeout"),
        "Run limit on Modal, 1000-3600000 ms; empty: RUN_LIMIT_S.",
    ),
    variable(
        "COMFYUI_TIMEOUT",
        "",
        Some("ComfyuiTimeout"),
        "Run limit on a ComfyUI pod, 1-3600 s; empty: RUN_LIMIT_S. For the adapter to come.",
    ),
    variable(
        "START_LIMIT_S",
        "240",
        Some("StartLimitS"),
        "From claim to the worker's start, 1-3600 s.",
    ),
    variable(
        "SILENCE_S",
        "90",
        Some("SilenceS"),
        "Without a sign of life the backend is asked, 1-3600 s.",
    ),
    variable(
        "RUN_LIMIT_S",
        "200",
        Some("RunLimitS"),
        "How long a picture may run, 1-3600 s.",
    ),
    variable(
        "RUN_LIMIT_VIDEO_S",
        "400",
        Some("RunLimitVideoS"),
        "How long a video may run, 1-3600 s.",
    ),
    variable(
        "CANCEL_LIMIT_S",
        "60",
        Some("CancelLimitS"),
        "How long a cancellation waits for the backend, 1-600 s.",
    ),
    variable(
        "CONNECT_TIMEOUT_S",
        "10",
        Some("ConnectTimeoutS"),
        "Connecting to a backend, 1-60 s.",
    ),
    variable(
        "DOWNLOAD_TIMEOUT_S",
        "60",
        Some("DownloadTimeoutS"),
        "Fetching a result from a backend, 1-600 s. For backends that hand it over, of which none is there yet.",
    ),
    variable(
        "MAX_ATTEMPTS",
        "3",
        Some("MaxAttempts"),
        "Attempts of a job over all backends, 1-9.",
    ),
    variable(
        "DEADLINE_S",
        "900",
        Some("DeadlineS"),
        "From acceptance to the end of a picture, 10-86400 s.",
    ),
    variable(
        "DEADLINE_VIDEO_S",
        "1800",
        Some("DeadlineVideoS"),
        "From acceptance to the end of a video, 10-86400 s.",
    ),
    variable(
        "FIRST_DUE_S",
        "120",
        Some("FirstDueS"),
        "When the sweep first looks at an open job, 1-3600 s.",
    ),
    variable(
        "SWEEP_PERIOD_S",
        "60",
        Some("SweepPeriodS"),
        "How often the sweep comes by, 1-3600 s.",
    ),
    variable(
        "MAX_DUE_TRIES",
        "10",
        Some("MaxDueTries"),
        "Looks of the sweep without progress after which a job is given up, 1-1000.",
    ),
    variable(
        "PROGRESS_INTERVAL_S",
        "10",
        Some("ProgressIntervalS"),
        "Least time between two stored signs of life of a run, 1-60 s.",
    ),
    variable(
        "DISPATCH_TIMEOUT_S",
        "30",
        Some("DispatchTimeoutS"),
        "How long dispatch may take, 5-900 s; a claim holds 15 s longer.",
    ),
    variable(
        "PRESIGN_S",
        "3600",
        Some("PresignS"),
        "Lifetime of signed URLs, 60-43200 s.",
    ),
    variable(
        "RETENTION_DAYS",
        "30",
        Some("RetentionDays"),
        "How long outputs are kept unless the request says otherwise: 1, 7, 30 or 365.",
    ),
    variable(
        "WARM_VALUE_USD",
        "0.05",
        Some("WarmValueUsd"),
        "What a full cold wait costs you, in dollars, 0-1000: the more, the longer containers are held.",
    ),
    variable(
        "WARM_IDLE_USD_PER_DAY",
        "5",
        Some("WarmIdleUsdPerDay"),
        "Dollars for idle containers on one UTC day, 0-100000: beyond, none is held. 0 switches warm off.",
    ),
    variable(
        "WARM_GPU_USD_PER_HOUR",
        "1.95",
        Some("WarmGpuUsdPerHour"),
        "Price of a GPU container, in dollars an hour, 0-1000.",
    ),
    variable(
        "WARM_MAX_FLOOR",
        "2",
        Some("WarmMaxFloor"),
        "Most containers of one GPU class that are held, 0-100.",
    ),
    variable(
        "OPERATOR_ACCOUNTS",
        "",
        Some("OperatorAccounts"),
        "Accounts whose keys may read GET /v1/warm, separated by commas; empty: nobody.",
    ),
    variable(
        "METRICS_NAMESPACE",
        "RYLA",
        None,
        "CloudWatch namespace of the metrics in the log: 1-200 letters, digits and . - _ / #.",
    ),
];

/// .env.example: every variable, commented out, with its default.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Every setting with its default; a value that is not allowed stops the start and is named.\n\
         # Written by `cargo run -p ryla-api --example reference`.\n",
    );
    for Variable {
        name,
        default,
        help,
        ..
    } in VARIABLES
    {
        text.push_str(&["\n# ", help, "\n# ", name, "=", default, "\n"].concat());
    }
    text
}

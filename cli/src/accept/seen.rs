//! What was seen of a system's models: plain figures, which `judge` compares with the list.

/// Requests that come at once.
pub(super) const AT_ONCE: usize = 5;

/// One job as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) succeeded: bool,
    /// The backend had it: a worker began, or the backend itself said why none would.
    pub(super) answered: bool,
    /// It delivered a video.
    pub(super) video: bool,
    /// Files that it delivered.
    pub(super) files: u32,
    /// Why it did not succeed, in a word.
    pub(super) code: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) gpu: Option<String>,
    pub(super) run_s: Option<f64>,
    /// From acceptance until the worker began.
    pub(super) queue_s: Option<f64>,
    /// Above 0 where the container was cold.
    pub(super) boot_s: Option<f64>,
    pub(super) cold_start_s: Option<f64>,
    pub(super) cost_usd: Option<f64>,
    /// Of each picture that was compared with the reference, 0 to 1.
    pub(super) likeness: Vec<f64>,
    pub(super) reply_s: f64,
}

impl Sample {
    /// One of which no job came, or whose job went out of sight.
    pub(super) fn lost(why: String, reply_s: f64) -> Self {
        Self {
            code: Some(why),
            reply_s,
            ..Self::default()
        }
    }
}

/// What the GPU app says of a model and of the class that runs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AppSaid {
    /// Node classes and model files that the model lacks.
    pub(super) missing: Vec<String>,
    pub(super) class: String,
    /// Containers of the class that have started so far.
    pub(super) starts: u64,
    /// What the newest of them downloaded.
    pub(super) downloaded_bytes: Option<u64>,
}

/// What was seen of one model.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) model: String,
    /// The flag without which it could not be asked.
    pub(super) wanting: Option<&'static str>,
    pub(super) uses_lora: bool,
    pub(super) uses_reference: bool,
    /// Samples that were to be taken one after the other.
    pub(super) asked: usize,
    pub(super) samples: Vec<Sample>,
    pub(super) at_once: Vec<Sample>,
    /// What the GPU app says, or why it was not asked.
    pub(super) app: Result<AppSaid, String>,
}

impl Measured {
    /// Nothing seen yet.
    pub(super) fn of(model: &str, asked: usize) -> Self {
        Self {
            model: model.to_owned(),
            wanting: None,
            uses_lora: false,
            uses_reference: false,
            asked,
            samples: Vec::with_capacity(asked),
            at_once: Vec::with_capacity(AT_ONCE),
            app: Err("the GPU app was not asked yet".to_owned()),
        }
    }

    /// Both rounds.
    pub(super) fn all(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().chain(&self.at_once)
    }

    /// Whether everything was seen that was to be seen.
    pub(super) fn is_whole(&self) -> bool {
        self.wanting.is_some()
            || (self.samples.len() == self.asked && self.at_once.len() == AT_ONCE)
    }

    /// On what the samples ran, as far as anybody says.
    pub(super) fn gpu(&self) -> Gpu {
        let said = |word: fn(&Sample) -> Option<&str>, name: &str| {
            self.all()
                .filter_map(word)
                .any(|word| word.eq_ignore_ascii_case(name))
        };
        if said(|sample| sample.provider.as_deref(), "preview") {
            Gpu::Preview
        } else if said(|sample| sample.gpu.as_deref(), "cpu") {
            Gpu::Cpu
        } else {
            Gpu::Real
        }
    }
}

/// On what samples ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gpu {
    Real,
    /// The real software without a GPU: its times and its cost say nothing.
    Cpu,
    /// Pictures that are drawn without any model.
    Preview,
}

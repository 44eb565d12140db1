//! The closed table of failure codes: what each means for the job and the one sentence that the
//! user reads. A backend's own text never reaches a user; what maps to no code is `internal`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why an attempt or a job failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No backend answered.
    BackendUnreachable,
    /// A limit of time passed.
    Timeout,
    /// The GPU or its container failed, or the worker vanished.
    GpuError,
    /// The GPU's memory was too small.
    GpuOom,
    /// The reference picture shows no face.
    FaceNotFound,
    /// The backend refused the input.
    InvalidInput,
    /// A LoRA that the input names does not exist.
    LoraNotFound,
    /// The backend lacks a model file.
    ModelMissing,
    /// The run ended without a picture.
    NoOutput,
    /// A safety check refused the prompt or the picture.
    Unsafe,
    /// No backend is configured for the model.
    NoBackend,
    /// Anything else: our fault until shown otherwise.
    Internal,
}

/// What a code means for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The code as clients read it.
    pub name: &'static str,
    /// Another attempt may succeed.
    pub retry: bool,
    /// Another backend may succeed where this one did not.
    pub fail_over: bool,
    /// The caller pays nothing.
    pub refund: bool,
    /// What happened and what to change: the whole text that the user reads.
    pub sentence: &'static str,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::BackendUnreachable,
        Self::Timeout,
        Self::GpuError,
        Self::GpuOom,
        Self::FaceNotFound,
        Self::InvalidInput,
        Self::LoraNotFound,
        Self::ModelMissing,
        Self::NoOutput,
        Self::Unsafe,
        Self::NoBackend,
        Self::Internal,
    ];

    /// The row of the table.
    pub const fn meaning(self) -> Meaning {
        match self {
            Self::BackendUnreachable => row(
                "backend_unreachable",
                true,
                true,
                "No GPU backend could be reached in time. Nothing was charged; send the request again in a few minutes.",
            ),
            Self::Timeout => row(
                "timeout",
                true,
                true,
                "The picture was not finished within the time limit. Nothing was charged; try again, with fewer steps or a smaller size if it happens twice.",
            ),
            Self::GpuError => row(
                "gpu_error",
                true,
                true,
                "The GPU worker failed or vanished while it made the picture. Nothing was charged; send the request again.",
            ),
            Self::GpuOom => row(
                "gpu_oom",
                false,
                true,
                "The picture does not fit into the memory of the GPU. Ask for a smaller width and height.",
            ),
            Self::FaceNotFound => row(
                "face_not_found",
                false,
                false,
                "No face was found in the reference picture. Use a photo that shows one face from the front, well lit and not cut off.",
            ),
            Self::InvalidInput => row(
                "invalid_input",
                false,
                false,
                "The GPU backend refused the input. Check its fields against the model's schema and send the request again.",
            ),
            Self::LoraNotFound => row(
                "lora_not_found",
                false,
                false,
                "The LoRA named in the input does not exist. Use the name of a LoRA that lies in the deployment.",
            ),
            Self::ModelMissing => row(
                "model_missing",
                false,
                true,
                "No GPU backend has the files of this model at the moment. Nothing was charged; choose another model or try again later.",
            ),
            Self::NoOutput => row(
                "no_output",
                true,
                true,
                "The run ended without a picture. Nothing was charged; send the request again.",
            ),
            Self::Unsafe => row(
                "unsafe",
                false,
                false,
                "The prompt or the picture was refused by the safety check. Change the prompt.",
            ),
            Self::NoBackend => row(
                "no_backend",
                false,
                false,
                "No GPU backend is configured for this model. Set MODAL_JOBS_URL (docs/DEPLOY.md) and send the request again.",
            ),
            Self::Internal => row(
                "internal",
                true,
                true,
                "Something went wrong on our side. Nothing was charged; send the request again, and give the trace id if it happens twice.",
            ),
        }
    }

    /// The code as clients read it.
    pub const fn name(self) -> &'static str {
        self.meaning().name
    }

    /// The code of that name; `None` for a name that is not in the table.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

const fn row(name: &'static str, retry: bool, fail_over: bool, sentence: &'static str) -> Meaning {
    Meaning {
        name,
        retry,
        fail_over,
        refund: true,
        sentence,
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_name_and_no_two_share_one() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
            let json = serde_json::to_value(code).unwrap();
            assert_eq!(json, code.name());
        }
        assert_eq!(Code::from_name("CUDA out of memory"), None);
    }

    #[test]
    fn each_sentence_says_what_happened_and_what_to_do() {
        for code in Code::ALL {
            let sentence = code.meaning().sentence;
            assert!(
                sentence.matches(". ").count() >= 1,
                "{code}: two statements"
            );
            assert!(sentence.len() <= 200 && sentence.ends_with('.'), "{code}");
        }
    }

    #[test]
    fn what_the_input_causes_is_never_tried_again() {
        for code in [
            Code::FaceNotFound,
            Code::InvalidInput,
            Code::LoraNotFound,
            Code::Unsafe,
        ] {
            let meaning = code.meaning();
            assert!(!meaning.retry && !meaning.fail_over, "{code}");
        }
    }
}

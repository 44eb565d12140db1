//! Fields that several models share, written once. What differs from model to model (defaults, ranges) is
//! an argument or a change in the model's own file; `infra/workflows` has the same figures, and a test of
//! ryla-backends holds the two against each other.

use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber, Words};
use crate::input::{Real, Whole};
use crate::output::Format;
use crate::prompt::Prompt;

pub(super) const PROMPT: Text = Text {
    words: Words {
        title: "Prompt",
        about: "What the picture shows, in plain words. At most 4,000 characters.",
    },
    max_chars: Prompt::MAX_CHARS,
    default: None,
};

/// Of models that work with one.
pub(super) const NEGATIVE_PROMPT: Text = negative_prompt("What to keep out of the picture.");

/// Of FLUX.1 by itself.
pub(super) const FLUX_NEGATIVE_PROMPT: Text = negative_prompt(
    "What to keep out of the picture. The model was distilled to work without one, so it has \
     little effect or none.",
);

/// Of models whose picture gets a second pass on the face.
pub(super) const FACE_PASS_NEGATIVE_PROMPT: Text = negative_prompt(
    "What to keep out of the picture. It acts in the pass on the face; the model before that was \
     distilled to work without one.",
);

pub(super) const fn negative_prompt(about: &'static str) -> Text {
    Text {
        words: Words {
            title: "Negative prompt",
            about,
        },
        max_chars: Prompt::MAX_CHARS,
        default: Some(""),
    }
}

pub(super) const fn width(most: u32, step: u32, default: u32) -> WholeNumber {
    side("Width", "Width in pixels.", most, step, default)
}

pub(super) const fn height(most: u32, step: u32, default: u32) -> WholeNumber {
    side("Height", "Height in pixels.", most, step, default)
}

pub(super) const fn side(
    title: &'static str,
    about: &'static str,
    most: u32,
    step: u32,
    default: u32,
) -> WholeNumber {
    WholeNumber {
        words: Words { title, about },
        range: Whole {
            min: 256,
            max: most,
            step,
        },
        default,
    }
}

/// Sides of the models that paint 1024 x 1024 in steps of 16.
pub(super) const WIDTH: WholeNumber = width(2048, 16, 1024);
/// See [`WIDTH`].
pub(super) const HEIGHT: WholeNumber = height(2048, 16, 1024);

pub(super) const fn steps(default: u32) -> WholeNumber {
    WholeNumber {
        words: Words {
            title: "Steps",
            about: "Sampling steps: more take longer and add detail.",
        },
        range: Whole {
            min: 1,
            max: 50,
            step: 1,
        },
        default,
    }
}

pub(super) const fn guidance(about: &'static str, most: f64, default: f64) -> RealNumber {
    RealNumber {
        words: Words {
            title: "Guidance",
            about,
        },
        range: Real {
            min: 1.0,
            max: most,
        },
        default,
    }
}

/// Classifier-free guidance, of the models that need it.
pub(super) const fn cfg(default: f64) -> RealNumber {
    guidance(
        "How closely the picture follows the prompt (classifier-free guidance).",
        20.0,
        default,
    )
}

/// Of FLUX.1 [dev]: `FluxGuidance`, with the value of the template that `ComfyUI` itself ships.
pub(super) const FLUX_CFG: RealNumber = guidance(
    "How closely the picture follows the prompt (distilled guidance).",
    20.0,
    3.5,
);

/// Of Z-Image-Turbo.
pub(super) const TURBO_CFG: RealNumber = guidance(
    "Classifier-free guidance. The turbo model is made for 1; above 1 a step takes twice as long.",
    10.0,
    1.0,
);

pub(super) const SEED: Seed = seed(
    "The same seed and input draw the same picture. Left out: a seed is drawn and shown in the job.",
);

/// The seed, where it means something of its own.
pub(super) const fn seed(about: &'static str) -> Seed {
    Seed {
        words: Words {
            title: "Seed",
            about,
        },
    }
}

pub(super) const fn output_format(default: Format) -> PictureFormat {
    PictureFormat {
        words: Words {
            title: "Output format",
            about: "File format of the picture.",
        },
        default,
    }
}

pub(super) const REFERENCE_IMAGE: Picture = picture(
    "Reference picture",
    "Picture of the face to keep: one face, well lit, from the front. JPEG, PNG or WebP as a data \
     URL of at most 4 MiB, or an https URL.",
);

pub(super) const fn picture(title: &'static str, about: &'static str) -> Picture {
    Picture {
        words: Words { title, about },
    }
}

pub(super) const fn strength(
    title: &'static str,
    about: &'static str,
    range: Real,
    default: f64,
) -> RealNumber {
    RealNumber {
        words: Words { title, about },
        range,
        default,
    }
}

/// How far a face's strengths go.
pub(super) const FACE_STRENGTH: Real = Real { min: 0.0, max: 2.0 };

pub(super) const INSTANTID_STRENGTH: RealNumber = strength(
    "InstantID strength",
    "How strongly the face's identity acts.",
    FACE_STRENGTH,
    0.8,
);

pub(super) const CONTROLNET_STRENGTH: RealNumber = strength(
    "ControlNet strength",
    "How strongly the positions of eyes, nose and mouth act.",
    FACE_STRENGTH,
    0.8,
);

pub(super) const FACE_PROVIDER: Choice = Choice {
    words: Words {
        title: "Face provider",
        about: "Where the face is found and measured; GPU is faster where the worker has \
                onnxruntime with CUDA.",
    },
    choices: &["CPU", "GPU"],
    default: "CPU",
};

//! `ryla/wan2`: a video from a prompt, with Wan 2.1.

use super::common::{PROMPT, guidance, height, negative_prompt, seed, steps, width};
use super::declare::input;
use super::field::{RealNumber, Seed, Text, WholeNumber, Words};
use super::{Facts, Media, Model};
use crate::input::Whole;

const VIDEO_PROMPT: Text = Text {
    words: Words {
        title: "Prompt",
        about: "What the video shows, in plain words. At most 4,000 characters.",
    },
    ..PROMPT
};

const VIDEO_NEGATIVE_PROMPT: Text = negative_prompt("What to keep out of the video.");

const DURATION: WholeNumber = WholeNumber {
    words: Words {
        title: "Duration",
        about: "Length in seconds.",
    },
    range: Whole {
        min: 1,
        max: 5,
        step: 1,
    },
    default: 2,
};

const VIDEO_CFG: RealNumber = guidance(
    "How closely the video follows the prompt (classifier-free guidance).",
    20.0,
    6.0,
);

const VIDEO_SEED: Seed = seed(
    "The same seed and input draw the same video. Left out: a seed is drawn and shown in the job.",
);

input! {
    /// The resolved input of `ryla/wan2`: what the client gave, with every default filled in.
    Wan2Input, "ryla/wan2", makes mp4,
    {
        prompt: Text = VIDEO_PROMPT,
        negative_prompt: Text = VIDEO_NEGATIVE_PROMPT,
        width: WholeNumber = width(1280, 16, 832),
        height: WholeNumber = height(1280, 16, 480),
        duration_seconds: WholeNumber = DURATION,
        steps: WholeNumber = steps(30),
        cfg: RealNumber = VIDEO_CFG,
        seed: Seed = VIDEO_SEED,
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<Wan2Input>(Facts {
        name: "wan2",
        description: "Text to video with Wan 2.1 (1.3B) in ComfyUI. H.264 in MP4, 16 frames a \
                      second and one more. The weights are under Apache-2.0.",
        license_note: "Wan 2.1: Apache-2.0.",
        media: Media::Video,
        typical_s: 90,
        cold_start_s: 45,
        class: "video",
    })
}

//! `ryla/sdxl`: a picture from a prompt, with Stable Diffusion XL.

use super::common::{NEGATIVE_PROMPT, PROMPT, SEED, cfg, output_format, side, steps};
use super::declare::input;
use super::field::{Choice, PictureFormat, RealNumber, Seed, Text, WholeNumber, Words};
use super::{Facts, Media, Model};
use crate::output::Format;

const ASPECT_RATIO: Choice = Choice {
    words: Words {
        title: "Aspect ratio",
        about: "One of SDXL's own sizes by its ratio; custom takes width and height.",
    },
    choices: &[
        "custom", "1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9", "9:21",
    ],
    default: "custom",
};

const WIDTH: WholeNumber = side(
    "Width",
    "Width in pixels; ignored where aspect_ratio names a ratio.",
    2048,
    8,
    1024,
);

const HEIGHT: WholeNumber = side(
    "Height",
    "Height in pixels; ignored where aspect_ratio names a ratio.",
    2048,
    8,
    1024,
);

const SAMPLER: Choice = Choice {
    words: Words {
        title: "Sampler",
        about: "Sampler.",
    },
    choices: &[
        "euler",
        "euler_ancestral",
        "dpmpp_2m",
        "dpmpp_2m_sde",
        "dpmpp_sde",
        "ddim",
        "uni_pc",
    ],
    default: "euler",
};

const SCHEDULER: Choice = Choice {
    words: Words {
        title: "Scheduler",
        about: "Noise schedule.",
    },
    choices: &["normal", "karras", "exponential", "simple", "sgm_uniform"],
    default: "normal",
};

input! {
    /// The resolved input of `ryla/sdxl`: what the client gave, with every default filled in.
    SdxlInput, "ryla/sdxl", makes output_format,
    {
        prompt: Text = PROMPT,
        negative_prompt: Text = NEGATIVE_PROMPT,
        aspect_ratio: Choice = ASPECT_RATIO,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(20),
        cfg: RealNumber = cfg(7.0),
        seed: Seed = SEED,
        sampler: Choice = SAMPLER,
        scheduler: Choice = SCHEDULER,
        output_format: PictureFormat = output_format(Format::Png),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<SdxlInput>(Facts {
        name: "sdxl",
        description: "Text to picture with Stable Diffusion XL base 1.0 in ComfyUI. The weights \
                      may be used commercially, within the use restrictions of CreativeML Open \
                      RAIL++-M.",
        license_note: "SDXL base 1.0: CreativeML Open RAIL++-M (use restrictions).",
        media: Media::Picture,
        typical_s: 6,
        cold_start_s: 25,
        class: "sdxl",
    })
}

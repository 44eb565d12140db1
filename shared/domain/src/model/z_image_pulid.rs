//! `ryla/z-image-pulid`: a picture with the face of a reference: Z-Image-Turbo, then `PuLID` on the face.

use super::common::{
    FACE_PASS_NEGATIVE_PROMPT, FACE_PROVIDER, FACE_STRENGTH, HEIGHT, PROMPT, REFERENCE_IMAGE, SEED,
    TURBO_CFG, WIDTH, output_format, steps, strength,
};
use super::declare::input;
use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::input::Real;
use crate::output::Format;

const PULID_STRENGTH: RealNumber = strength(
    "PuLID strength",
    "How strongly the face's identity acts.",
    FACE_STRENGTH,
    0.8,
);

/// A part of the pass on the face.
const PART: Real = Real { min: 0.0, max: 1.0 };

const PULID_START: RealNumber = strength(
    "PuLID start",
    "Part of the face pass after which PuLID begins to act.",
    PART,
    0.0,
);

const PULID_END: RealNumber = strength(
    "PuLID end",
    "Part of the face pass after which PuLID acts no more.",
    PART,
    1.0,
);

input! {
    /// The resolved input of `ryla/z-image-pulid`: what the client gave, with every default filled in.
    ZImagePulidInput, "ryla/z-image-pulid", makes output_format,
    {
        prompt: Text = PROMPT,
        reference_image: Picture = REFERENCE_IMAGE,
        negative_prompt: Text = FACE_PASS_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(8),
        cfg: RealNumber = TURBO_CFG,
        seed: Seed = SEED,
        pulid_strength: RealNumber = PULID_STRENGTH,
        pulid_start: RealNumber = PULID_START,
        pulid_end: RealNumber = PULID_END,
        face_provider: Choice = FACE_PROVIDER,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<ZImagePulidInput>(Facts {
        name: "z-image-pulid",
        description: "A picture with the face of a reference: Z-Image-Turbo, then a pass with SDXL \
                      and PuLID on the face, since there are no PuLID weights for Z-Image. Not for \
                      commercial use without a licence from InsightFace.",
        license_note: "Z-Image-Turbo and Qwen3-4B: Apache-2.0. SDXL base 1.0: CreativeML Open \
                       RAIL++-M (use restrictions). InsightFace's antelopev2 models, which find \
                       and measure the face, are for non-commercial research only; who sells this \
                       needs a licence from InsightFace.",
        media: Media::Picture,
        typical_s: 20,
        cold_start_s: 50,
        class: "z_image",
    })
}

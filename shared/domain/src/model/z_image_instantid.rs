//! `ryla/z-image-instantid`: a picture with the face of a reference: Z-Image-Turbo, then `InstantID` on the face.

use super::common::{
    CONTROLNET_STRENGTH, FACE_PASS_NEGATIVE_PROMPT, FACE_PROVIDER, HEIGHT, INSTANTID_STRENGTH,
    PROMPT, REFERENCE_IMAGE, SEED, TURBO_CFG, WIDTH, output_format, steps,
};
use super::declare::input;
use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

input! {
    /// The resolved input of `ryla/z-image-instantid`: what the client gave, with every default filled in.
    ZImageInstantIdInput, "ryla/z-image-instantid", makes output_format,
    {
        prompt: Text = PROMPT,
        reference_image: Picture = REFERENCE_IMAGE,
        negative_prompt: Text = FACE_PASS_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(8),
        cfg: RealNumber = TURBO_CFG,
        seed: Seed = SEED,
        instantid_strength: RealNumber = INSTANTID_STRENGTH,
        controlnet_strength: RealNumber = CONTROLNET_STRENGTH,
        face_provider: Choice = FACE_PROVIDER,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<ZImageInstantIdInput>(Facts {
        name: "z-image-instantid",
        description: "A picture with the face of a reference: Z-Image-Turbo, then a pass with SDXL \
                      and InstantID on the face, since there are no InstantID weights for Z-Image; \
                      both strengths act in that pass. Not for commercial use without a licence \
                      from InsightFace.",
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

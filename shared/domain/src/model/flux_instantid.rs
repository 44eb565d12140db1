//! `ryla/flux-instantid`: a picture with the face of a reference. The weights of `InstantID` fit SDXL alone, so
//! the face gets a pass of its own after FLUX.1 [dev].

use super::common::{
    CONTROLNET_STRENGTH, FACE_PASS_NEGATIVE_PROMPT, FACE_PROVIDER, FLUX_CFG, HEIGHT,
    INSTANTID_STRENGTH, PROMPT, REFERENCE_IMAGE, SEED, WIDTH, output_format, steps,
};
use super::declare::input;
use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

input! {
    /// The resolved input of `ryla/flux-instantid`: what the client gave, with every default filled in.
    FluxInstantIdInput, "ryla/flux-instantid", makes output_format,
    {
        prompt: Text = PROMPT,
        reference_image: Picture = REFERENCE_IMAGE,
        negative_prompt: Text = FACE_PASS_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(20),
        cfg: RealNumber = FLUX_CFG,
        seed: Seed = SEED,
        instantid_strength: RealNumber = INSTANTID_STRENGTH,
        controlnet_strength: RealNumber = CONTROLNET_STRENGTH,
        face_provider: Choice = FACE_PROVIDER,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<FluxInstantIdInput>(Facts {
        name: "flux-instantid",
        description: "A picture with the face of a reference: FLUX.1 [dev] (fp8), then a pass with \
                      SDXL and InstantID on the face, since InstantID's weights fit SDXL only; \
                      both strengths act in that pass. Not for commercial use without licences \
                      from Black Forest Labs and InsightFace.",
        license_note: "FLUX.1 [dev] weights: FLUX.1 [dev] Non-Commercial License, neither \
                       commercial nor production use. Who serves them to others needs a licence \
                       from Black Forest Labs. SDXL base 1.0: CreativeML Open RAIL++-M (use \
                       restrictions). InsightFace's antelopev2 models, which find and measure the \
                       face, are for non-commercial research only; who sells this needs a licence \
                       from InsightFace.",
        media: Media::Picture,
        typical_s: 30,
        cold_start_s: 50,
        class: "flux",
    })
}

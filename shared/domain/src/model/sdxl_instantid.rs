//! `ryla/sdxl-instantid`: a picture with the face of a reference, with SDXL and `InstantID`.

use super::common::{
    CONTROLNET_STRENGTH, FACE_PROVIDER, INSTANTID_STRENGTH, NEGATIVE_PROMPT, PROMPT,
    REFERENCE_IMAGE, SEED, cfg, height, output_format, steps, width,
};
use super::declare::input;
use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

input! {
    /// The resolved input of `ryla/sdxl-instantid`: what the client gave, with every default filled in.
    SdxlInstantIdInput, "ryla/sdxl-instantid", makes output_format,
    {
        prompt: Text = PROMPT,
        reference_image: Picture = REFERENCE_IMAGE,
        negative_prompt: Text = NEGATIVE_PROMPT,
        width: WholeNumber = width(2048, 8, 1016),
        height: WholeNumber = height(2048, 8, 1016),
        steps: WholeNumber = steps(30),
        cfg: RealNumber = cfg(4.5),
        seed: Seed = SEED,
        instantid_strength: RealNumber = INSTANTID_STRENGTH,
        controlnet_strength: RealNumber = CONTROLNET_STRENGTH,
        face_provider: Choice = FACE_PROVIDER,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<SdxlInstantIdInput>(Facts {
        name: "sdxl-instantid",
        description: "A picture with the face of a reference: SDXL with InstantID in ComfyUI. The \
                      default size lies just below 1024 x 1024, where InstantID tends to draw \
                      watermarks. Not for commercial use without a licence from InsightFace.",
        license_note: "SDXL base 1.0: CreativeML Open RAIL++-M (use restrictions). InsightFace's \
                       antelopev2 models, which find and measure the face, are for non-commercial \
                       research only; who sells this needs a licence from InsightFace.",
        media: Media::Picture,
        typical_s: 12,
        cold_start_s: 35,
        class: "sdxl",
    })
}

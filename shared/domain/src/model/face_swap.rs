//! `ryla/face-swap`: the face of one picture in another.

use super::common::{
    CONTROLNET_STRENGTH, FACE_PROVIDER, INSTANTID_STRENGTH, NEGATIVE_PROMPT, PROMPT,
    REFERENCE_IMAGE, SEED, cfg, output_format, picture, steps, strength,
};
use super::declare::input;
use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber, Words};
use super::{Facts, Media, Model};
use crate::input::Real;
use crate::output::Format;

const BASE_IMAGE: Picture = picture(
    "Base picture",
    "Picture whose face is replaced. JPEG, PNG or WebP as a data URL of at most 4 MiB, or an https \
     URL.",
);

const FACE_PROMPT: Text = Text {
    words: Words {
        title: "Prompt",
        about: "What the face shows, in plain words.",
    },
    default: Some("portrait photo of a person, natural skin, sharp eyes"),
    ..PROMPT
};

const STRENGTH: RealNumber = strength(
    "Strength",
    "How much of the old face is drawn anew.",
    Real { min: 0.1, max: 1.0 },
    0.75,
);

input! {
    /// The resolved input of `ryla/face-swap`: what the client gave, with every default filled in.
    FaceSwapInput, "ryla/face-swap", makes output_format,
    {
        base_image: Picture = BASE_IMAGE,
        reference_image: Picture = REFERENCE_IMAGE,
        prompt: Text = FACE_PROMPT,
        negative_prompt: Text = NEGATIVE_PROMPT,
        strength: RealNumber = STRENGTH,
        steps: WholeNumber = steps(20),
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
    Model::of::<FaceSwapInput>(Facts {
        name: "face-swap",
        description: "Puts the face of one picture into another: a pass with SDXL and InstantID on \
                      the face of base_image; the rest of it stays as it is, pixel by pixel. Not \
                      for commercial use without a licence from InsightFace.",
        license_note: "SDXL base 1.0: CreativeML Open RAIL++-M (use restrictions). InsightFace's \
                       antelopev2 models, which find and measure the face, are for non-commercial \
                       research only; who sells this needs a licence from InsightFace.",
        media: Media::Picture,
        typical_s: 10,
        cold_start_s: 35,
        class: "sdxl",
    })
}

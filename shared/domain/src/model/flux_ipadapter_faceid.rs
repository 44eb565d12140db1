//! `ryla/flux-ipadapter-faceid`: a picture with the face of a reference, by `PuLID` for Flux: no IP-Adapter for
//! Flux knows a face.

use super::common::{
    FACE_PROVIDER, FACE_STRENGTH, FLUX_CFG, FLUX_NEGATIVE_PROMPT, HEIGHT, PROMPT, REFERENCE_IMAGE,
    SEED, WIDTH, output_format, steps, strength,
};
use super::declare::input;
use super::field::{Choice, Picture, PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

const IPADAPTER_STRENGTH: RealNumber = strength(
    "IP-Adapter strength",
    "How strongly the face's identity acts: the weight of PuLID.",
    FACE_STRENGTH,
    0.8,
);

input! {
    /// The resolved input of `ryla/flux-ipadapter-faceid`: what the client gave, with every default filled in.
    FluxIpAdapterFaceIdInput, "ryla/flux-ipadapter-faceid", makes output_format,
    {
        prompt: Text = PROMPT,
        reference_image: Picture = REFERENCE_IMAGE,
        negative_prompt: Text = FLUX_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(20),
        cfg: RealNumber = FLUX_CFG,
        seed: Seed = SEED,
        ipadapter_strength: RealNumber = IPADAPTER_STRENGTH,
        face_provider: Choice = FACE_PROVIDER,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<FluxIpAdapterFaceIdInput>(Facts {
        name: "flux-ipadapter-faceid",
        description: "A picture with the face of a reference: FLUX.1 [dev] (fp8) with PuLID for \
                      Flux, since no IP-Adapter for Flux knows a face; ipadapter_strength is \
                      PuLID's weight. Not for commercial use without licences from Black Forest \
                      Labs and InsightFace.",
        license_note: "FLUX.1 [dev] weights: FLUX.1 [dev] Non-Commercial License, neither \
                       commercial nor production use. Who serves them to others needs a licence \
                       from Black Forest Labs. InsightFace's antelopev2 models, which find and \
                       measure the face, are for non-commercial research only; who sells this \
                       needs a licence from InsightFace.",
        media: Media::Picture,
        typical_s: 20,
        cold_start_s: 50,
        class: "flux_pulid",
    })
}

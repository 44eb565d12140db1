//! `ryla/flux`: a quick picture from a prompt, with FLUX.1 [schnell].

use super::common::{
    FLUX_NEGATIVE_PROMPT, HEIGHT, PROMPT, SEED, WIDTH, guidance, output_format, steps,
};
use super::declare::input;
use super::field::{PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

/// Taken as in the other Flux models; the weights do not know it.
const CFG: RealNumber = guidance(
    "Sets FluxGuidance, as in the other Flux models, but has no effect on the picture: FLUX.1 \
     [schnell] was distilled without guidance.",
    20.0,
    3.5,
);

input! {
    /// The resolved input of `ryla/flux`: what the client gave, with every default filled in.
    FluxInput, "ryla/flux", makes output_format,
    {
        prompt: Text = PROMPT,
        negative_prompt: Text = FLUX_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(4),
        cfg: RealNumber = CFG,
        seed: Seed = SEED,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<FluxInput>(Facts {
        name: "flux",
        description: "Text to picture in four steps with FLUX.1 [schnell] (fp8) in ComfyUI. The \
                      weights are under Apache-2.0.",
        license_note: "FLUX.1 [schnell] weights: Apache-2.0.",
        media: Media::Picture,
        typical_s: 4,
        cold_start_s: 35,
        class: "flux",
    })
}

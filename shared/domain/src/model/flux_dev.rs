//! `ryla/flux-dev`: a picture from a prompt, with FLUX.1 [dev].

use super::common::{
    FLUX_CFG, FLUX_NEGATIVE_PROMPT, HEIGHT, PROMPT, SEED, WIDTH, output_format, steps,
};
use super::declare::input;
use super::field::{PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

input! {
    /// The resolved input of `ryla/flux-dev`: what the client gave, with every default filled in.
    FluxDevInput, "ryla/flux-dev", makes output_format,
    {
        prompt: Text = PROMPT,
        negative_prompt: Text = FLUX_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(20),
        cfg: RealNumber = FLUX_CFG,
        seed: Seed = SEED,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<FluxDevInput>(Facts {
        name: "flux-dev",
        description: "Text to picture with FLUX.1 [dev] (fp8) in ComfyUI. The weights are \
                      non-commercial: serving them needs a licence from Black Forest Labs.",
        license_note: "FLUX.1 [dev] weights: FLUX.1 [dev] Non-Commercial License, neither \
                       commercial nor production use. Who serves them to others needs a licence \
                       from Black Forest Labs.",
        media: Media::Picture,
        typical_s: 15,
        cold_start_s: 35,
        class: "flux",
    })
}

#[cfg(test)]
mod tests;

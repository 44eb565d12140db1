//! `ryla/z-image-simple` and `ryla/z-image-danrisi`: a picture from a prompt, with Z-Image-Turbo.

use super::common::{
    HEIGHT, PROMPT, SEED, TURBO_CFG, WIDTH, negative_prompt, output_format, steps,
};
use super::declare::input;
use super::field::{PictureFormat, RealNumber, Seed, Text, WholeNumber};
use super::{Facts, Media, Model};
use crate::output::Format;

/// Acts only where `cfg` is above 1.
const TURBO_NEGATIVE_PROMPT: Text = negative_prompt(
    "What to keep out of the picture. Acts only where cfg is above 1, which the turbo model was \
     not made for.",
);

input! {
    /// The resolved input of `ryla/z-image-simple`: what the client gave, with every default filled in.
    ZImageSimpleInput, "ryla/z-image-simple", makes output_format,
    {
        prompt: Text = PROMPT,
        negative_prompt: Text = TURBO_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(8),
        cfg: RealNumber = TURBO_CFG,
        seed: Seed = SEED,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn simple() -> Model {
    Model::of::<ZImageSimpleInput>(Facts {
        name: "z-image-simple",
        description: "Text to picture with Z-Image-Turbo in ComfyUI, in eight steps. The weights \
                      are under Apache-2.0.",
        license_note: "Z-Image-Turbo and Qwen3-4B: Apache-2.0.",
        media: Media::Picture,
        typical_s: 5,
        cold_start_s: 35,
        class: "z_image",
    })
}

input! {
    /// The resolved input of `ryla/z-image-danrisi`: what the client gave, with every default filled in.
    ZImageDanrisiInput, "ryla/z-image-danrisi", makes output_format,
    {
        prompt: Text = PROMPT,
        negative_prompt: Text = TURBO_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(20),
        cfg: RealNumber = TURBO_CFG,
        seed: Seed = SEED,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn danrisi() -> Model {
    Model::of::<ZImageDanrisiInput>(Facts {
        name: "z-image-danrisi",
        description: "Text to picture with Z-Image-Turbo in ComfyUI on the Danrisi schedule: a \
                      rescaled beta schedule and RES4LYF's ralston_2s sampler, slower and finer. \
                      Not for commercial use without the permission of RES4LYF's author, whose \
                      licence forbids a commercial service; the weights are under Apache-2.0.",
        license_note: "Z-Image-Turbo and Qwen3-4B: Apache-2.0. The node pack RES4LYF: AGPL-3.0 \
                       with a clause that forbids its use for a commercial service, such as image \
                       generation, without its author's permission.",
        media: Media::Picture,
        typical_s: 20,
        cold_start_s: 35,
        class: "z_image",
    })
}

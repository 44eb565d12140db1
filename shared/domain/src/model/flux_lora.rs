//! `ryla/flux-lora`: FLUX.1 [dev] with a LoRA of the deployment, such as one trained on a character.

use super::common::{
    FLUX_CFG, FLUX_NEGATIVE_PROMPT, HEIGHT, PROMPT, SEED, WIDTH, output_format, steps, strength,
};
use super::declare::input;
use super::field::{LoraName, PictureFormat, RealNumber, Seed, Text, WholeNumber, Words};
use super::{Facts, Media, Model};
use crate::input::Real;
use crate::output::Format;

const LORA_ID: LoraName = LoraName {
    words: Words {
        title: "LoRA",
        about: "The LoRA: its name in the deployment's folder of LoRAs, without .safetensors.",
    },
};

const LORA_STRENGTH: RealNumber = strength(
    "LoRA strength",
    "How strongly the LoRA acts, on the model and on the text encoder.",
    Real {
        min: -2.0,
        max: 2.0,
    },
    1.0,
);

const TRIGGER_WORD: Text = Text {
    words: Words {
        title: "Trigger word",
        about: "The word that the LoRA was trained on; put before the prompt.",
    },
    max_chars: 100,
    default: Some(""),
};

input! {
    /// The resolved input of `ryla/flux-lora`: what the client gave, with every default filled in.
    FluxLoraInput, "ryla/flux-lora", makes output_format,
    {
        prompt: Text = PROMPT,
        lora_id: LoraName = LORA_ID,
        negative_prompt: Text = FLUX_NEGATIVE_PROMPT,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        steps: WholeNumber = steps(20),
        cfg: RealNumber = FLUX_CFG,
        seed: Seed = SEED,
        lora_strength: RealNumber = LORA_STRENGTH,
        trigger_word: Text = TRIGGER_WORD,
        output_format: PictureFormat = output_format(Format::Jpg),
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<FluxLoraInput>(Facts {
        name: "flux-lora",
        description: "FLUX.1 [dev] (fp8) with one LoRA on the model and on the text encoder, in \
                      ComfyUI. The weights are non-commercial, and so is a LoRA trained on them: \
                      serving them needs a licence from Black Forest Labs.",
        license_note: "FLUX.1 [dev] weights: FLUX.1 [dev] Non-Commercial License, neither \
                       commercial nor production use. Who serves them to others needs a licence \
                       from Black Forest Labs. A LoRA trained on it is under the same licence.",
        media: Media::Picture,
        typical_s: 16,
        cold_start_s: 35,
        class: "flux",
    })
}

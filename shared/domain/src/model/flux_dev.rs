//! `ryla/flux-dev`: a picture from a prompt. Its limits are the constants below; the schema and the
//! reader both name them, and a test of the catalog holds the two against each other.

use super::{Input, Media, Model, OutputKind, PictureInput, by_extension};
use crate::input::{Fields, Real, Whole};
use crate::output::Format;
use crate::prompt::Prompt;
use schemars::JsonSchema;
use schemars::generate::SchemaGenerator;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

const SIDE: Whole<u32> = Whole {
    min: 256,
    max: 2048,
    step: 16,
};
const STEPS: Whole<u32> = Whole {
    min: 1,
    max: 50,
    step: 1,
};
const CFG: Real = Real {
    min: 1.0,
    max: 20.0,
};
const SEED: Whole<u64> = Whole {
    min: 0,
    max: u64::MAX,
    step: 1,
};

const DEFAULT_SIDE: u32 = 1024;
const DEFAULT_STEPS: u32 = 20;
/// `FluxGuidance` in the template that `ComfyUI` itself ships for this model.
const DEFAULT_CFG: f64 = 3.5;
const DEFAULT_FORMAT: Format = Format::Jpg;

/// The resolved input of `ryla/flux-dev`: what the client gave, with every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(
    title = "Input",
    description = "Input of ryla/flux-dev",
    deny_unknown_fields
)]
pub struct FluxDevInput {
    /// What the picture shows, in plain words. At most 4,000 characters.
    #[schemars(
        title = "Prompt",
        length(min = 1, max = Prompt::MAX_CHARS),
        extend("pattern" = r"\S", "x-order" = 0)
    )]
    pub prompt: Prompt,

    /// What to keep out of the picture. The model was distilled to work without one, so it has
    /// little effect or none.
    #[schemars(
        title = "Negative prompt",
        default,
        length(max = Prompt::MAX_CHARS),
        extend("x-order" = 1)
    )]
    pub negative_prompt: Prompt,

    /// Width in pixels.
    #[schemars(
        title = "Width",
        default = "default_side",
        range(min = SIDE.min, max = SIDE.max),
        extend("multipleOf" = SIDE.step, "x-order" = 2)
    )]
    pub width: u32,

    /// Height in pixels.
    #[schemars(
        title = "Height",
        default = "default_side",
        range(min = SIDE.min, max = SIDE.max),
        extend("multipleOf" = SIDE.step, "x-order" = 3)
    )]
    pub height: u32,

    /// Sampling steps: more take longer and add detail.
    #[schemars(
        title = "Steps",
        default = "default_steps",
        range(min = STEPS.min, max = STEPS.max),
        extend("x-order" = 4)
    )]
    pub steps: u32,

    /// How closely the picture follows the prompt (distilled guidance).
    #[schemars(
        title = "Guidance",
        default = "default_cfg",
        range(min = CFG.min, max = CFG.max),
        extend("x-order" = 5)
    )]
    pub cfg: f64,

    /// The same seed and input draw the same picture. Left out: a seed is drawn and shown in the
    /// job.
    #[schemars(
        title = "Seed",
        with = "Option<u64>",
        range(min = SEED.min, max = SEED.max),
        extend("x-order" = 6)
    )]
    pub seed: u64,

    /// File format of the picture.
    #[serde(with = "by_extension")]
    #[schemars(
        title = "Output format",
        with = "String",
        default = "default_format",
        extend("enum" = Format::ALL.map(Format::extension), "x-order" = 7)
    )]
    pub output_format: Format,
}

fn default_side() -> u32 {
    DEFAULT_SIDE
}

fn default_steps() -> u32 {
    DEFAULT_STEPS
}

fn default_cfg() -> f64 {
    DEFAULT_CFG
}

fn default_format() -> Format {
    DEFAULT_FORMAT
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model {
        owner: "ryla",
        name: "flux-dev",
        description: "Text to picture with FLUX.1 [dev] (fp8) in ComfyUI. The weights are \
                      non-commercial: serving them needs a licence from Black Forest Labs.",
        license_note: "FLUX.1 [dev] weights: FLUX.1 [dev] Non-Commercial License, neither \
                       commercial nor production use. Who serves them to others needs a licence \
                       from Black Forest Labs.",
        media: Media::Picture,
        output: OutputKind::Single,
        typical_s: 15,
        cold_start_s: 35,
        class: "flux",
        workflow: "flux-dev",
        schema: SchemaGenerator::into_root_schema_for::<FluxDevInput>,
        read: |fields, drawn_seed| Input::FluxDev(read(fields, drawn_seed)),
        decode: |stored| FluxDevInput::deserialize(stored).map(Input::FluxDev),
        version_id: OnceLock::new(),
    }
}

fn read(fields: &mut Fields<'_>, drawn_seed: u64) -> FluxDevInput {
    let formats = Format::ALL.map(|format| (format.extension(), format));
    FluxDevInput {
        prompt: Prompt::new(fields.required_text("prompt", Prompt::MAX_CHARS)),
        negative_prompt: Prompt::new(fields.text("negative_prompt", Prompt::MAX_CHARS)),
        width: fields.whole("width", &SIDE, DEFAULT_SIDE),
        height: fields.whole("height", &SIDE, DEFAULT_SIDE),
        steps: fields.whole("steps", &STEPS, DEFAULT_STEPS),
        cfg: fields.real("cfg", &CFG, DEFAULT_CFG),
        seed: fields.whole("seed", &SEED, drawn_seed),
        output_format: fields.choice("output_format", &formats, DEFAULT_FORMAT),
    }
}

impl PictureInput for FluxDevInput {
    fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    fn negative_prompt(&self) -> &Prompt {
        &self.negative_prompt
    }

    fn width(&self) -> u32 {
        self.width
    }

    fn height(&self) -> u32 {
        self.height
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn output_format(&self) -> Format {
        self.output_format
    }
}

#[cfg(test)]
mod tests;

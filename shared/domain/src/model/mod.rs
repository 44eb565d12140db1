//! The catalog: which models exist, what they take, what they give. Submit, estimate, the routes
//! under `/v1/models`, the command line and the studio all read it; nothing else lists models. A
//! new model is one new file beside this one and one line of `catalog!`.

mod common;
mod declare;
mod face_swap;
mod field;
mod flux;
mod flux_dev;
mod flux_instantid;
mod flux_ipadapter_faceid;
mod flux_lora;
mod live_portrait;
mod sdxl;
mod sdxl_instantid;
mod wan2;
mod z_image;
mod z_image_instantid;
mod z_image_pulid;

use crate::id::GpuClass;
use crate::input::{self, Fields, InlineFile, InvalidInput, JobOptions};
use crate::output::Format;
use data_encoding::HEXLOWER;
use declare::ModelInput;
use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Lists the models in the order of listings: the variant of [`Input`], its input and its entry.
macro_rules! catalog {
    ($($variant:ident($module:ident::$input:ident) = $entry:ident,)+) => {
        $(pub use $module::$input;)+

        static CATALOG: [Model; [$(stringify!($variant)),+].len()] = [$($module::$entry()),+];

        /// The resolved input of one job. Its JSON is what the row keeps, what replies show as `input`,
        /// and what the worker gets as `params`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Input {
            $(
                #[doc = concat!("[`", stringify!($input), "`].")]
                $variant($input),
            )+
        }

        impl Input {
            /// The file format of what the job makes.
            pub fn format(&self) -> Format {
                match self {
                    $(Self::$variant(input) => input.format(),)+
                }
            }
        }

        $(
            impl From<$input> for Input {
                fn from(input: $input) -> Self {
                    Self::$variant(input)
                }
            }
        )+
    };
}

catalog! {
    FluxDev(flux_dev::FluxDevInput) = model,
    Flux(flux::FluxInput) = model,
    FluxLora(flux_lora::FluxLoraInput) = model,
    FluxInstantId(flux_instantid::FluxInstantIdInput) = model,
    FluxIpAdapterFaceId(flux_ipadapter_faceid::FluxIpAdapterFaceIdInput) = model,
    Sdxl(sdxl::SdxlInput) = model,
    SdxlInstantId(sdxl_instantid::SdxlInstantIdInput) = model,
    ZImageSimple(z_image::ZImageSimpleInput) = simple,
    ZImageDanrisi(z_image::ZImageDanrisiInput) = danrisi,
    ZImageInstantId(z_image_instantid::ZImageInstantIdInput) = model,
    ZImagePulid(z_image_pulid::ZImagePulidInput) = model,
    FaceSwap(face_swap::FaceSwapInput) = model,
    LivePortrait(live_portrait::LivePortraitInput) = model,
    Wan2(wan2::Wan2Input) = model,
}

/// What a model makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Still pictures.
    Picture,
    /// Moving pictures.
    Video,
}

/// The public shape of `output`; inside the system it is always a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// One URL.
    Single,
    /// A list of URLs that only ever grows at its end.
    List,
}

/// One model of the catalog.
#[derive(Debug)]
pub struct Model {
    /// First half of the public name; always `ryla` so far.
    pub owner: &'static str,
    /// Second half of the public name; it also names the model in routes, prices and job rows.
    pub name: &'static str,
    /// What it does and what runs underneath, for people who choose a model.
    pub description: &'static str,
    /// Under which licence the weights are, and what that means for who serves them.
    pub license_note: &'static str,
    /// What it makes.
    pub media: Media,
    /// The public shape of its `output`.
    pub output: OutputKind,
    /// Seconds that a usual run takes on a warm GPU; the bounded wait is decided by it.
    pub typical_s: u32,
    /// Seconds until a cold container of its class can begin.
    pub cold_start_s: u32,
    /// GPU class: models of one class share containers, breaker and floor. It is the family of the
    /// workflow.
    pub class: &'static str,
    /// The graph that backends run: `infra/workflows/{workflow}.json`.
    pub workflow: &'static str,
    schema: fn(SchemaGenerator) -> Schema,
    read: fn(&mut Fields<'_>, u64) -> Input,
    decode: fn(&Value) -> Result<Input, serde_json::Error>,
    version_id: OnceLock<String>,
    picture_fields: OnceLock<Vec<String>>,
}

/// What a model's file says of it besides its fields.
#[derive(Clone, Copy)]
struct Facts {
    name: &'static str,
    description: &'static str,
    license_note: &'static str,
    media: Media,
    typical_s: u32,
    cold_start_s: u32,
    class: &'static str,
}

/// An accepted `input`: what the model gets, and what is ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The resolved input: every default and the seed filled in.
    pub input: Input,
    /// Files that came inside the request; the input names them by their hash.
    pub files: Vec<InlineFile>,
    /// The options of `input.job`.
    pub options: JobOptions,
}

/// A stored input that this build cannot read. Without a source on purpose: decoder messages quote
/// values, and values are prompts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored input is none of model {model} as this build knows it")]
pub struct UnreadableInput {
    /// Name of the model that the row names.
    pub model: &'static str,
}

/// All models, in the order of listings.
pub fn catalog() -> &'static [Model] {
    &CATALOG
}

/// The model `owner/name`.
pub fn find(owner: &str, name: &str) -> Option<&'static Model> {
    CATALOG
        .iter()
        .find(|model| model.owner == owner && model.name == name)
}

impl Model {
    /// The entry of the model whose input is `T`: one picture or video a job, by the workflow of the
    /// same name.
    const fn of<T: ModelInput>(facts: Facts) -> Self {
        Self {
            owner: "ryla",
            name: facts.name,
            description: facts.description,
            license_note: facts.license_note,
            media: facts.media,
            output: OutputKind::Single,
            typical_s: facts.typical_s,
            cold_start_s: facts.cold_start_s,
            class: facts.class,
            workflow: facts.name,
            schema: SchemaGenerator::into_root_schema_for::<T>,
            read: |fields, drawn_seed| T::read(fields, drawn_seed).into(),
            decode: |stored| T::deserialize(stored).map(Into::into),
            version_id: OnceLock::new(),
            picture_fields: OnceLock::new(),
        }
    }

    /// The public name, `ryla/flux-dev`.
    pub fn slug(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The GPU class as a name.
    pub fn gpu_class(&self) -> GpuClass {
        match self.class.parse() {
            Ok(class) => class,
            Err(_) => unreachable!("a test holds every class of the catalog against its form"),
        }
    }

    /// JSON Schema (`OpenAPI` 3.0 dialect) of `input`. `x-order` is the order of forms and flags;
    /// `job` stands last. Null is taken for any optional field although the schema does not say so.
    pub fn input_schema(&self) -> Value {
        let mut schema = (self.schema)(generator()).to_value();
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            let mut job = generator().into_root_schema_for::<JobOptions>();
            job.insert("x-order".to_owned(), json!(properties.len()));
            properties.insert(JobOptions::FIELD.to_owned(), job.to_value());
        }
        schema
    }

    /// The document that replicate's clients expect in a version: `components.schemas.Input` and
    /// `.Output`, no paths.
    pub fn openapi_schema(&self) -> Value {
        let url = json!({"type": "string", "format": "uri"});
        let mut output = match self.output {
            OutputKind::Single => url,
            // `iterator`: clients hand over each element as it appears, since the list only grows.
            OutputKind::List => {
                json!({"type": "array", "items": url, "x-cog-array-type": "iterator"})
            }
        };
        output["title"] = json!("Output");
        json!({
            "openapi": "3.0.2",
            "info": {"title": self.slug(), "version": "1"},
            "paths": {},
            "components": {"schemas": {"Input": self.input_schema(), "Output": output}},
        })
    }

    /// 64 lower-case hex digits: SHA-256 over slug and schema without its titles and descriptions.
    /// Clients pin versions, so a reworded sentence must not make another one; a changed field must.
    pub fn version_id(&self) -> String {
        let version_id = self.version_id.get_or_init(|| {
            let mut schema = self.openapi_schema();
            remove_words(&mut schema);
            schema.sort_all_objects();
            HEXLOWER.encode(&Sha256::digest(format!("{}\n{schema}", self.slug())))
        });
        version_id.clone()
    }

    /// Reads a client's `input` and fills in the defaults; all problems are told at once. Without a
    /// seed of its own the job gets `drawn_seed`, which the caller draws below 2^53, so that
    /// JavaScript can repeat it.
    pub fn parse(
        &self,
        input: &Map<String, Value>,
        drawn_seed: u64,
    ) -> Result<Parsed, InvalidInput> {
        input::refuse_client_configuration(input)?;
        let mut fields = Fields::new(input);
        let input = (self.read)(&mut fields, drawn_seed);
        let options = JobOptions::read(&mut fields);
        let files = fields.take_files();
        fields.finish().map(|()| Parsed {
            input,
            files,
            options,
        })
    }

    /// Input fields that hold pictures, in the order of forms.
    pub fn picture_fields(&self) -> &[String] {
        self.picture_fields.get_or_init(|| {
            let schema = self.input_schema();
            let properties = schema["properties"].as_object();
            let of_files = properties
                .into_iter()
                .flatten()
                .filter(|(_, property)| property["format"] == "uri");
            let mut fields: Vec<(u64, &String)> = of_files
                .map(|(name, property)| (property["x-order"].as_u64().unwrap_or(0), name))
                .collect();
            fields.sort();
            fields.into_iter().map(|(_, name)| name.clone()).collect()
        })
    }

    /// Reads what [`Input::to_json`] made. Ranges are not looked at again: they may have narrowed
    /// since, and the job was accepted.
    pub fn decode_stored(&self, stored: &Value) -> Result<Input, UnreadableInput> {
        (self.decode)(stored).map_err(|_| UnreadableInput { model: self.name })
    }
}

/// Takes titles and descriptions out of a schema; a field may itself be named like one.
fn remove_words(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| {
                !(value.is_string() && matches!(key.as_str(), "title" | "description"))
            });
            object.values_mut().for_each(remove_words);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_words),
        _ => {}
    }
}

impl Input {
    /// The resolved input, for the row and for replies.
    pub fn to_json(&self) -> Value {
        json!(self)
    }

    /// The same JSON as the worker gets it: the workflow's bindings name its fields.
    pub fn params(&self) -> Value {
        self.to_json()
    }
}

/// `OpenAPI` 3.0, since that is what replicate's clients read; without references, which they
/// resolve only in part.
fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    settings
        .with_transform(RecursiveTransform(unwrap_description))
        .into_generator()
}

/// Descriptions are doc comments, wrapped for the source; people read them in forms.
fn unwrap_description(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

#[cfg(test)]
mod tests;

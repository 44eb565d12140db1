//! How a model's input is declared: one list of fields from which its struct, its schema and its reader
//! are made. Used by the files of the models and by nothing else.

use super::Input;
use super::field::Field;
use crate::input::Fields;
use crate::output::Format;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The input of one model.
pub(super) trait ModelInput: JsonSchema + DeserializeOwned + Into<Input> {
    /// Takes the fields out of `input` and fills in the defaults.
    fn read(fields: &mut Fields<'_>, drawn_seed: u64) -> Self;

    /// The file format of what is made.
    fn format(&self) -> Format;
}

/// The properties of an input, in the order of forms.
#[derive(Debug, Default)]
pub(super) struct Properties {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Properties {
    /// Marks a property that is another name for the one that it names; it is never stored.
    pub(super) const ALIAS: &'static str = "x-alias-of";

    pub(super) fn add(&mut self, name: &'static str, field: &impl Field) {
        if field.required() {
            self.required.push(name);
        }
        self.insert(name, field.schema());
        if let Some((alias, mut schema)) = field.alias() {
            schema[Self::ALIAS] = name.into();
            self.insert(alias, schema);
        }
    }

    fn insert(&mut self, name: &str, mut schema: Value) {
        schema["x-order"] = self.properties.len().into();
        self.properties.insert(name.to_owned(), schema);
    }

    pub(super) fn schema(self, slug: &str) -> Schema {
        let schema = json!({
            "title": "Input",
            "description": format!("Input of {slug}"),
            "type": "object",
            "additionalProperties": false,
            "properties": self.properties,
            "required": self.required,
        });
        Schema::try_from(schema).unwrap_or_default()
    }
}

/// Declares the input of a model: `field: Kind = constant`, in the order of forms. What follows `makes`
/// is the file format that the job delivers: `output_format`, if the field of that name says it, or a
/// fixed one.
macro_rules! input {
    (
        $(#[$doc:meta])*
        $input:ident, $slug:literal, makes $format:ident,
        { $($field:ident: $kind:ty = $spec:expr,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $input {
            $($field: <$kind as crate::model::field::Field>::Value,)+
        }

        impl schemars::JsonSchema for $input {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Input".into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut properties = crate::model::declare::Properties::default();
                $({
                    let spec: $kind = $spec;
                    properties.add(stringify!($field), &spec);
                })+
                properties.schema($slug)
            }
        }

        impl crate::model::declare::ModelInput for $input {
            fn read(fields: &mut crate::input::Fields<'_>, drawn_seed: u64) -> Self {
                Self {
                    $($field: {
                        let spec: $kind = $spec;
                        crate::model::field::Field::read(&spec, fields, stringify!($field), drawn_seed)
                    },)+
                }
            }

            fn format(&self) -> crate::output::Format {
                input!(@format self, $format)
            }
        }
    };
    (@format $self:ident, output_format) => { $self.output_format };
    (@format $self:ident, mp4) => { crate::output::Format::Mp4 };
}

pub(super) use input;

//! The kinds of fields that inputs are made of. Each says in one place what its schema is and how it is
//! read, so that the two cannot drift apart; a model's file lists its fields with [`input!`](super::input).
//! The crate's `input` module judges values; nothing here knows a particular model.

use crate::input::{Fields, FileRef, Real, Whole};
use crate::output::Format;
use crate::prompt::Prompt;
use serde_json::{Map, Value, json};

/// A field of an input.
pub(super) trait Field {
    /// What the resolved input holds.
    type Value;

    /// The property's JSON schema, without its place in forms.
    fn schema(&self) -> Value;

    /// Whether a request must name it.
    fn required(&self) -> bool {
        false
    }

    /// Takes it out of `input`; `drawn_seed` stands in for a seed that was left out.
    fn read(&self, fields: &mut Fields<'_>, name: &'static str, drawn_seed: u64) -> Self::Value;

    /// Another name for the same, and that property's schema. It is never stored.
    fn alias(&self) -> Option<(&'static str, Value)> {
        None
    }
}

/// What forms show of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
}

impl Words {
    fn schema(self, keywords: Value) -> Value {
        let mut schema = Map::new();
        schema.insert("title".to_owned(), self.title.into());
        schema.insert("description".to_owned(), self.about.into());
        if let Value::Object(keywords) = keywords {
            schema.extend(keywords);
        }
        Value::Object(schema)
    }
}

/// A text by the user; without a default it is required and must not be blank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) words: Words,
    pub(super) max_chars: usize,
    pub(super) default: Option<&'static str>,
}

impl Field for Text {
    type Value = Prompt;

    fn schema(&self) -> Value {
        let mut schema = json!({"type": "string", "maxLength": self.max_chars});
        if let Some(default) = self.default {
            schema["default"] = default.into();
        } else {
            schema["minLength"] = 1.into();
            schema["pattern"] = r"\S".into();
        }
        self.words.schema(schema)
    }

    fn required(&self) -> bool {
        self.default.is_none()
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> Prompt {
        Prompt::new(match self.default {
            Some(default) => fields.text(name, self.max_chars, default),
            None => fields.required_text(name, self.max_chars),
        })
    }
}

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeNumber {
    pub(super) words: Words,
    pub(super) range: Whole<u32>,
    pub(super) default: u32,
}

impl Field for WholeNumber {
    type Value = u32;

    fn schema(&self) -> Value {
        let Whole { min, max, step } = self.range;
        let mut schema = json!({
            "type": "integer", "format": "uint32",
            "minimum": min, "maximum": max, "default": self.default,
        });
        if step > 1 {
            schema["multipleOf"] = step.into();
        }
        self.words.schema(schema)
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> u32 {
        fields.whole(name, &self.range, self.default)
    }
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub(super) struct RealNumber {
    pub(super) words: Words,
    pub(super) range: Real,
    pub(super) default: f64,
}

impl Field for RealNumber {
    type Value = f64;

    fn schema(&self) -> Value {
        let Real { min, max } = self.range;
        self.words.schema(json!({
            "type": "number", "format": "double",
            "minimum": min, "maximum": max, "default": self.default,
        }))
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> f64 {
        fields.real(name, &self.range, self.default)
    }
}

/// A length in seconds that may be given in frames instead, under a name of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    pub(super) seconds: RealNumber,
    pub(super) frames: &'static str,
    pub(super) frames_words: Words,
    /// Frames a second.
    pub(super) fps: u32,
}

impl Length {
    /// The seconds' range in frames; the ends are whole seconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some seconds of some frames, never below zero"
    )]
    fn range(&self) -> Whole<u32> {
        let frames = |seconds: f64| (seconds * f64::from(self.fps)).round() as u32;
        Whole {
            min: frames(self.seconds.range.min),
            max: frames(self.seconds.range.max),
            step: 1,
        }
    }
}

impl Field for Length {
    type Value = f64;

    fn schema(&self) -> Value {
        self.seconds.schema()
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, drawn_seed: u64) -> f64 {
        if fields.only_the_second(name, self.frames) {
            let frames = fields.whole(self.frames, &self.range(), self.range().min);
            f64::from(frames) / f64::from(self.fps)
        } else {
            self.seconds.read(fields, name, drawn_seed)
        }
    }

    fn alias(&self) -> Option<(&'static str, Value)> {
        let Whole { min, max, .. } = self.range();
        let schema = json!({
            "type": "integer", "format": "uint32", "minimum": min, "maximum": max,
        });
        Some((self.frames, self.frames_words.schema(schema)))
    }
}

/// The seed; one that is left out is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed {
    pub(super) words: Words,
}

impl Seed {
    const RANGE: Whole<u64> = Whole {
        min: 0,
        max: u64::MAX,
        step: 1,
    };
}

impl Field for Seed {
    type Value = u64;

    fn schema(&self) -> Value {
        self.words.schema(json!({
            "type": "integer", "format": "uint64", "nullable": true,
            "minimum": Self::RANGE.min, "maximum": Self::RANGE.max,
        }))
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, drawn_seed: u64) -> u64 {
        fields.whole(name, &Self::RANGE, drawn_seed)
    }
}

/// One of a few words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) words: Words,
    pub(super) choices: &'static [&'static str],
    pub(super) default: &'static str,
}

impl Field for Choice {
    type Value = String;

    fn schema(&self) -> Value {
        self.words.schema(json!({
            "type": "string", "enum": self.choices, "default": self.default,
        }))
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> String {
        let choices: Vec<_> = self.choices.iter().map(|word| (*word, *word)).collect();
        fields.choice(name, &choices, self.default).to_owned()
    }
}

/// The file format of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct PictureFormat {
    pub(super) words: Words,
    pub(super) default: Format,
}

impl Field for PictureFormat {
    type Value = Format;

    fn schema(&self) -> Value {
        self.words.schema(json!({
            "type": "string", "enum": Format::PICTURES.map(Format::extension),
            "default": self.default.extension(),
        }))
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> Format {
        let choices = Format::PICTURES.map(|format| (format.extension(), format));
        fields.choice(name, &choices, self.default)
    }
}

/// A picture that the user hands over. Required.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    pub(super) words: Words,
}

impl Field for Picture {
    type Value = FileRef;

    fn schema(&self) -> Value {
        self.words
            .schema(json!({"type": "string", "format": "uri"}))
    }

    fn required(&self) -> bool {
        true
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> FileRef {
        fields.picture(name)
    }
}

/// The name of a LoRA that the deployment has. Required.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoraName {
    pub(super) words: Words,
}

impl Field for LoraName {
    type Value = String;

    fn schema(&self) -> Value {
        let keywords = json!({"type": "string", "pattern": Fields::FILE_NAME_PATTERN});
        self.words.schema(keywords)
    }

    fn required(&self) -> bool {
        true
    }

    fn read(&self, fields: &mut Fields<'_>, name: &'static str, _: u64) -> String {
        fields.required_file_name(name).to_owned()
    }
}

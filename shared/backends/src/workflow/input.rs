//! What a workflow says about one input, and whether a value holds to it. The domain has checked what users send; this refuses
//! a graph that the file's ranges do not allow, whoever made the params.

use ryla_domain::input::Real;
use serde::Deserialize;
use serde_json::Value;

/// One input of a workflow.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Spec {
    Text {
        max_chars: usize,
        #[serde(default)]
        required: bool,
        default: Option<String>,
    },
    Whole {
        min: u64,
        max: u64,
        step: u64,
        default: Option<u64>,
    },
    Real {
        min: f64,
        max: f64,
        default: Option<f64>,
    },
    Choice {
        choices: Vec<String>,
        default: String,
    },
    File {},
}

impl Spec {
    /// The value of an input that was left out; none where it is required.
    pub(super) fn default_value(&self) -> Option<Value> {
        match self {
            Self::Text { default, .. } => default.clone().map(Value::from),
            Self::Whole { default, .. } => default.map(Value::from),
            Self::Real { default, .. } => default.map(Value::from),
            Self::Choice { default, .. } => Some(default.as_str().into()),
            Self::File {} => None,
        }
    }

    /// The value as the graph takes it, or what is wrong with it.
    pub(super) fn check(&self, value: Value) -> Result<Value, &'static str> {
        match self {
            Self::Text {
                max_chars,
                required,
                ..
            } => {
                let text = value.as_str().ok_or("must be a text")?;
                if text.chars().count() > *max_chars {
                    return Err("has too many characters");
                }
                if *required && text.trim().is_empty() {
                    return Err("must not be empty");
                }
                Ok(value)
            }
            Self::Whole { min, max, step, .. } => {
                let number = value.as_u64().ok_or("must be a whole number")?;
                if !(*min..=*max).contains(&number) {
                    return Err("is outside its range");
                }
                if !(number - min).is_multiple_of(*step) {
                    return Err("does not fit its step");
                }
                Ok(value)
            }
            Self::Real { min, max, .. } => {
                let number = value.as_f64().ok_or("must be a number")?;
                if !(*min..=*max).contains(&number) {
                    return Err("is outside its range");
                }
                if number != 0.0 && number.abs() < Real::SMALLEST {
                    return Err("is too near to zero");
                }
                // A whole number is written as a real one and minus zero as zero, as in Python.
                Ok((number + 0.0).into())
            }
            Self::Choice { choices, .. } => {
                let chosen = value.as_str().ok_or("must be a text")?;
                if !choices.iter().any(|choice| choice == chosen) {
                    return Err("is none of the choices");
                }
                Ok(value)
            }
            Self::File {} => Err("is a file"),
        }
    }
}

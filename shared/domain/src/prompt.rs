//! Text that a user wrote, in a type that cannot be printed by accident. Every model's prompts are
//! this type; the text leaves it only through `as_str` and serialisation, never through `Debug`,
//! and there is no `Display`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A prompt or negative prompt. Its `Debug` form says how long it is and nothing else:
/// `Prompt(#chars=23)`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Prompt(String);

impl Prompt {
    /// The longest prompt that any model takes, in characters (not bytes).
    pub const MAX_CHARS: usize = 4_000;

    /// Wraps `text` as it is: limits are checked where input is read, not here.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Do not log it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt(#chars={})", self.0.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_the_text() {
        assert_eq!(format!("{:?}", Prompt::new("größer")), "Prompt(#chars=6)");
        assert_eq!(
            format!("{:#?}", Some(Prompt::default())),
            "Some(\n    Prompt(#chars=0),\n)"
        );
    }

    #[test]
    fn is_a_plain_string_in_json() {
        let prompt: Prompt = serde_json::from_str("\"a lighthouse\"").unwrap();
        assert_eq!(prompt.as_str(), "a lighthouse");
        assert_eq!(serde_json::to_string(&prompt).unwrap(), "\"a lighthouse\"");
    }
}

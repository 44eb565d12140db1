//! From a run's parameters to the bytes of a picture, on the CPU.

use ryla_domain::output::Format;
use ryla_domain::prompt::Prompt;

/// What the preview GPU reads of a workflow's parameters; steps and guidance change nothing here.
#[derive(Clone, Debug)]
pub(super) struct Params {
    prompt: Prompt,
    negative_prompt: Prompt,
    pub(super) width: u32,
    pub(super) height: u32,
    seed: u64,
}

/// Parameters that cannot be drawn.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("params.{0}")]
pub(super) struct BadParams(pub(super) &'static str);

impl Params {
    /// Reads the parameters; the error names the first field that is missing or wrong, never a value.
    pub(super) fn read(params: &serde_json::Value) -> Result<Self, BadParams> {
        let whole = |field: &'static str| {
            let number = params.get(field).and_then(serde_json::Value::as_u64);
            number.ok_or(BadParams(field))
        };
        let side = |field| u32::try_from(whole(field)?).map_err(|_| BadParams(field));
        let text = |field: &'static str| match params.get(field) {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(BadParams(field)),
        };
        Ok(Self {
            prompt: Prompt::new(text("prompt")?.ok_or(BadParams("prompt"))?),
            negative_prompt: Prompt::new(text("negative_prompt")?.unwrap_or_default()),
            width: side("width")?,
            height: side("height")?,
            seed: whole("seed")?,
        })
    }

    /// The picture for a slot: its bytes depend on the parameters, the slot and the format alone.
    pub(super) fn draw(&self, slot: u8, format: Format) -> Result<Vec<u8>, ryla_scene::SceneError> {
        let seed = self.seed.wrapping_add(u64::from(slot));
        let (prompt, negative) = (self.prompt.as_str(), self.negative_prompt.as_str());
        let picture = ryla_scene::draw(prompt, negative, seed, self.width, self.height)?;
        ryla_scene::encode(&picture, file_format(format))
    }
}

const fn file_format(format: Format) -> ryla_scene::Format {
    match format {
        Format::Jpg => ryla_scene::Format::Jpeg,
        Format::Png => ryla_scene::Format::Png,
        Format::Webp => ryla_scene::Format::WebP,
    }
}

/// The format that an upload URL was signed for.
pub(super) fn format_of(content_type: &str) -> Option<Format> {
    Format::ALL
        .into_iter()
        .find(|format| format.content_type() == content_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_field_that_is_wrong_is_named_and_its_value_is_not() {
        let good = json!({"prompt": "a fox", "width": 64, "height": 64, "seed": 1});
        assert!(Params::read(&good).is_ok());
        for (field, wrong) in [
            ("prompt", json!(null)),
            ("prompt", json!(7)),
            ("negative_prompt", json!(["secret"])),
            ("width", json!(-64)),
            ("height", json!("secret")),
            ("seed", json!(0.5)),
        ] {
            let mut params = good.clone();
            params[field] = wrong;
            let error = Params::read(&params).unwrap_err();
            assert_eq!(error.to_string(), format!("params.{field}"));
        }
    }

    #[test]
    fn each_slot_has_its_own_picture_and_always_the_same() {
        let params = json!({"prompt": "a fox", "width": 64, "height": 48, "seed": u64::MAX});
        let params = Params::read(&params).unwrap();
        let draw = |slot| params.draw(slot, Format::Png).unwrap();
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
    }
}

//! From a run's parameters and photos to the bytes of a picture or a video, on the CPU.

use ryla_backends::workflow::{Kind, Workflow};
use ryla_domain::output::Format;
use ryla_domain::prompt::Prompt;
use ryla_scene::{Photo, Picture, SceneError};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a model has no prompt, or its photo lies behind a URL that the preview GPU does not fetch.
const NO_PROMPT: &str = "portrait of a person";

/// The size of a picture that would have its size from a photo which is not there.
const NO_SIZE: (u32, u32) = (768, 768);

/// No workflow makes a longer video.
const LONGEST_S: f64 = 60.0;

/// What the preview GPU reads of a workflow's parameters; steps and guidance change nothing here.
#[derive(Clone, Debug)]
pub(super) struct Params {
    prompt: Prompt,
    negative_prompt: Prompt,
    /// `None` where the size is the photo's.
    size: Option<(u32, u32)>,
    seed: u64,
    /// Of workflows that make a video.
    film: Option<Film>,
    /// The workflow shows the photo itself and no drawing.
    shows_photo: bool,
}

/// How long a video is, and how much it moves.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Film {
    frames: u32,
    fps: u32,
    sway: f64,
}

impl Film {
    /// Of a picture that is asked for as a video.
    const STILL: Self = Self {
        frames: 1,
        fps: 1,
        sway: 0.0,
    };
}

/// The photos of a run, as they were fetched; none where the input names a URL.
#[derive(Clone, Debug, Default)]
pub(super) struct Photos {
    /// What the face is put into.
    pub(super) base: Option<bytes::Bytes>,
    /// Whose face.
    pub(super) reference: Option<bytes::Bytes>,
}

/// What was drawn.
pub(super) struct Drawn {
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Parameters that cannot be drawn.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("params.{0}")]
pub(super) struct BadParams(pub(super) &'static str);

impl Params {
    /// Reads the parameters of that workflow; the error names the first field that is missing or wrong,
    /// never a value.
    pub(super) fn read(workflow: &str, params: &Value) -> Result<Self, BadParams> {
        let workflow = Workflow::load(workflow).map_err(|_| BadParams("workflow"))?;
        let whole = |field: &'static str| {
            let number = params.get(field).and_then(Value::as_u64);
            number.ok_or(BadParams(field))
        };
        let pixels = |field| u32::try_from(whole(field)?).map_err(|_| BadParams(field));
        let text = |field: &'static str| match params.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(BadParams(field)),
        };
        let prompt = match text("prompt")? {
            Some(prompt) => prompt,
            None if workflow.takes("prompt") => return Err(BadParams("prompt")),
            None => NO_PROMPT,
        };
        let size = match text("aspect_ratio")? {
            Some(ratio) if ratio != "custom" => {
                Some(size_of_ratio(&workflow, params).ok_or(BadParams("aspect_ratio"))?)
            }
            _ if workflow.takes("width") => Some((pixels("width")?, pixels("height")?)),
            _ => None,
        };
        Ok(Self {
            prompt: Prompt::new(prompt),
            negative_prompt: Prompt::new(text("negative_prompt")?.unwrap_or_default()),
            size,
            seed: whole("seed")?,
            film: film(&workflow, params)?,
            shows_photo: workflow.takes("base_image") || !workflow.takes("prompt"),
        })
    }

    /// The picture for a slot: its bytes depend on the parameters, the photos, the slot and the format
    /// alone.
    pub(super) fn draw(
        &self,
        photos: &Photos,
        slot: u8,
        format: Format,
    ) -> Result<Drawn, SceneError> {
        let picture = self.picture(photos, slot)?;
        let bytes = if let Some(format) = file_format(format) {
            ryla_scene::encode(&picture, format)?
        } else {
            let Film { frames, fps, sway } = self.film.unwrap_or(Film::STILL);
            ryla_scene::film(&picture, frames, fps, sway)?
        };
        Ok(Drawn {
            bytes,
            width: picture.width,
            height: picture.height,
        })
    }

    fn picture(&self, photos: &Photos, slot: u8) -> Result<Picture, SceneError> {
        let read = |photo: &Option<bytes::Bytes>| {
            let photo = photo.as_ref();
            photo.map(|file| Photo::read(file)).transpose()
        };
        let (base, reference) = (read(&photos.base)?, read(&photos.reference)?);
        let of_photo = |photo: &Photo| {
            let (width, height) = self.size.unwrap_or_else(|| photo.size());
            photo.cut(width, height)
        };
        match (&base, &reference) {
            (Some(base), Some(reference)) => reference.beside(&of_photo(base)?),
            (Some(base), None) => of_photo(base),
            (None, Some(photo)) if self.shows_photo && self.size.is_some() => of_photo(photo),
            (None, Some(photo)) => photo.beside(&self.scene(slot)?),
            (None, None) => self.scene(slot),
        }
    }

    fn scene(&self, slot: u8) -> Result<Picture, SceneError> {
        let seed = self.seed.wrapping_add(u64::from(slot));
        let (prompt, negative) = (self.prompt.as_str(), self.negative_prompt.as_str());
        let (width, height) = self.size.unwrap_or(NO_SIZE);
        ryla_scene::draw(prompt, negative, seed, width, height)
    }
}

/// The size that stands for a ratio is the workflow's to say: it is what its graph would paint.
fn size_of_ratio(workflow: &Workflow, params: &Value) -> Option<(u32, u32)> {
    let graph = workflow
        .fill(params.as_object()?, &BTreeMap::new(), "preview")
        .ok()?;
    let mut nodes = graph.as_object()?.values();
    let latent = nodes.find(|node| node["class_type"] == "EmptyLatentImage")?;
    let side = |name: &str| u32::try_from(latent["inputs"][name].as_u64()?).ok();
    side("width").zip(side("height"))
}

/// The length of the video that a workflow makes; `None` for pictures.
fn film(workflow: &Workflow, params: &Value) -> Result<Option<Film>, BadParams> {
    let videos = workflow.outputs().iter();
    if videos.filter(|output| output.kind == Kind::Video).count() == 0 {
        return Ok(None);
    }
    let real = |field: &'static str| {
        let number = params.get(field).and_then(Value::as_f64);
        let sane = number.filter(|number| (0.0..=LONGEST_S).contains(number));
        sane.ok_or(BadParams(field))
    };
    let seconds = real("duration_seconds")?;
    // Wan paints one frame more than its seconds have.
    let (fps, more) = if workflow.takes("expression_scale") {
        (30, 0)
    } else {
        (16, 1)
    };
    let sway = if fps == 30 {
        real("expression_scale")?
    } else {
        1.0
    };
    Ok(Some(Film {
        frames: whole(seconds * f64::from(fps)) + more,
        fps,
        sway,
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some seconds of some frames"
)]
fn whole(number: f64) -> u32 {
    number.round() as u32
}

/// The still picture that a format is; `None` for a video.
const fn file_format(format: Format) -> Option<ryla_scene::Format> {
    match format {
        Format::Jpg => Some(ryla_scene::Format::Jpeg),
        Format::Png => Some(ryla_scene::Format::Png),
        Format::Webp => Some(ryla_scene::Format::WebP),
        Format::Mp4 => None,
    }
}

/// The format that an upload URL was signed for.
pub(super) fn format_of(content_type: &str) -> Option<Format> {
    Format::ALL
        .into_iter()
        .find(|format| format.content_type() == content_type)
}

#[cfg(test)]
mod tests;

//! Draws the picture of the preview GPU: a scene made of the prompt's words, on the CPU, in some tens of
//! milliseconds. The laptop's backend calls it where no real GPU is configured.
//!
//! A picture is a pure function of its arguments: no clock, no ambient randomness, no threads, no maps in hash
//! order. It shows what was understood of a prompt and says so in its corner; it must never pass for a model's.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixel maths: coordinates are below 4097 and colours between 0 and 1, both exact in an f32"
)]
#![expect(
    clippy::unreadable_literal,
    reason = "colours are written as style sheets write them: 0xRRGGBB"
)]
#![expect(
    clippy::many_single_char_names,
    reason = "x, y, u, v, t, r, g, b are the names of the field"
)]

mod brief;
mod brush;
mod canvas;
mod chance;
mod clouds;
mod color;
mod curve;
mod error;
mod film;
mod finish;
mod format;
mod glow;
mod lettering;
mod light;
mod mark;
mod medium;
mod noise;
mod palette;
mod photo;
mod picture;
mod place;
mod scene;
mod shape;
mod sky;
mod stage;
mod subject;
mod terrain;
mod view;
mod vocabulary;
mod weather;

pub use error::SceneError;
pub use film::film;
pub use format::{Format, encode};
pub use photo::Photo;
pub use picture::Picture;

/// Fewer pixels than this a side hold no picture.
const SMALLEST_SIDE: u32 = 16;

/// The longest side; it bounds the memory of one picture to about 200 MB.
const LARGEST_SIDE: u32 = 4096;

/// Draws the picture of a prompt.
///
/// Words of the prompt decide what is shown, words of the negative prompt remove what they name, `seed` decides
/// the composition. `width` and `height` are pixels, 16 to 4096 each. The same arguments give the same picture.
pub fn draw(
    prompt: &str,
    negative_prompt: &str,
    seed: u64,
    width: u32,
    height: u32,
) -> Result<Picture, SceneError> {
    let sides = SMALLEST_SIDE..=LARGEST_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(SceneError::Size { width, height });
    }
    scene::paint(
        &brief::Brief::read(prompt, negative_prompt),
        seed,
        width,
        height,
    )
}

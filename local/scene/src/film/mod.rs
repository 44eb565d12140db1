//! A video of one picture that sways, as H.264 in MP4: what the preview GPU delivers for models that make
//! videos. One still frame, uncompressed, and moved copies of it: valid for every player, drawn in
//! milliseconds, and nothing that could pass for a model's video.

mod bits;
mod h264;
mod mp4;

use crate::{Picture, SceneError};
use std::f64::consts::TAU;

/// How far the picture sways to either side, as a part of its width.
const REACH: f64 = 0.02;

/// Seconds from one side to the other and back.
const PERIOD_S: f64 = 4.0;

/// A video of `frames` frames, `fps` a second. `sway` scales the movement, 0 for none. Both sides of the
/// picture must be multiples of 16, as the blocks of H.264 are. The same arguments give the same bytes.
pub fn film(picture: &Picture, frames: u32, fps: u32, sway: f64) -> Result<Vec<u8>, SceneError> {
    let (width, height) = (picture.width, picture.height);
    let blocks = width.is_multiple_of(16) && height.is_multiple_of(16);
    let (Ok(wide), Ok(tall)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(SceneError::Size { width, height });
    };
    if !blocks || wide == 0 || tall == 0 {
        return Err(SceneError::Size { width, height });
    }
    let stream = h264::Stream::new(picture);
    let mut samples = vec![stream.still()];
    for frame in 1..frames.max(1) {
        let turn = TAU * f64::from(frame) / (f64::from(fps.max(1)) * PERIOD_S);
        let reach = REACH * f64::from(width) * sway;
        let quarters = |pixels: f64| (pixels * 4.0).round() as i32;
        let (x, y) = (
            quarters(turn.sin() * reach),
            quarters((2.0 * turn).sin() * reach / 4.0),
        );
        samples.push(stream.moved(frame, x, y));
    }
    Ok(mp4::file(&stream, &samples, fps.max(1), (wide, tall)))
}

#[cfg(test)]
mod tests;

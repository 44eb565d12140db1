//! Why a picture was not drawn or not encoded.

use crate::{LARGEST_SIDE, SMALLEST_SIDE};

/// The ways in which drawing can fail. A prompt is never one of them: every text has a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// A side is outside `SMALLEST_SIDE..=LARGEST_SIDE`.
    #[error(
        "a picture of {width}x{height} cannot be drawn: each side must be from {SMALLEST_SIDE} to {LARGEST_SIDE} pixels"
    )]
    Size {
        /// Asked for, in pixels.
        width: u32,
        /// Asked for, in pixels.
        height: u32,
    },
    /// The bytes of a photo cannot be decoded.
    #[error("the photo cannot be read")]
    Photo(#[source] image::ImageError),
    /// The encoder of the format refused the picture.
    #[error("the picture could not be encoded as {format}")]
    Encode {
        /// The format's file extension.
        format: &'static str,
        /// What the encoder said.
        #[source]
        source: image::ImageError,
    },
}

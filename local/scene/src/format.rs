//! From pixels to the bytes of an image file.

use image::codecs::{jpeg::JpegEncoder, png, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::{Picture, SceneError};

/// JPEG quality out of 100: grain survives, skies do not band.
const JPEG_QUALITY: u8 = 90;

/// The file formats in which a picture can be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lossy, smallest.
    Jpeg,
    /// Lossless.
    Png,
    /// WebP in its lossless form, the only one that a pure Rust encoder writes.
    WebP,
}

impl Format {
    /// The value of a `content-type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    /// The end of a file name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }
}

/// The bytes of an image file that holds `picture`. The same picture gives the same bytes.
pub fn encode(picture: &Picture, format: Format) -> Result<Vec<u8>, SceneError> {
    let mut file = Vec::new();
    let (rgb, width, height) = (picture.as_rgb(), picture.width, picture.height);
    let written = match format {
        Format::Jpeg => JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(
            rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
        Format::Png => png::PngEncoder::new_with_quality(
            &mut file,
            png::CompressionType::Fast,
            png::FilterType::Adaptive,
        )
        .write_image(rgb, width, height, ExtendedColorType::Rgb8),
        Format::WebP => WebPEncoder::new_lossless(&mut file).write_image(
            rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
    };
    match written {
        Ok(()) => Ok(file),
        Err(source) => Err(SceneError::Encode {
            format: format.extension(),
            source,
        }),
    }
}

//! Photos that a user hands over, as the preview GPU shows them: cut to a size, or small in the corner of
//! a drawn picture, so that one sees which photo arrived where. No face is looked for.

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::{LARGEST_SIDE, Picture, SMALLEST_SIDE, SceneError, mark};
use image::imageops::{self, FilterType};
use image::{ImageReader, RgbImage};
use std::io::Cursor;

/// The longest side of a decoded photo; it bounds the memory of a small file that claims to be huge.
const LARGEST_PHOTO: u32 = 10_000;

/// A photo, decoded.
#[derive(Clone, Debug)]
pub struct Photo(RgbImage);

impl Photo {
    /// Decodes a JPEG, PNG or WebP file.
    pub fn read(file: &[u8]) -> Result<Self, SceneError> {
        let read = || {
            let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format()?;
            let mut limits = image::Limits::default();
            limits.max_image_width = Some(LARGEST_PHOTO);
            limits.max_image_height = Some(LARGEST_PHOTO);
            reader.limits(limits);
            reader.decode()
        };
        read()
            .map(|image| Self(image.to_rgb8()))
            .map_err(SceneError::Photo)
    }

    /// Width and height, made smaller where a picture of that size could not be drawn.
    pub fn size(&self) -> (u32, u32) {
        let (width, height) = self.0.dimensions();
        let longest = width.max(height).max(1);
        let scaled = |side: u32| {
            let side =
                u64::from(side) * u64::from(longest.min(LARGEST_SIDE / 2)) / u64::from(longest);
            (side as u32).max(SMALLEST_SIDE)
        };
        (scaled(width), scaled(height))
    }

    /// The photo cut to that size around its middle, and marked as a preview.
    pub fn cut(&self, width: u32, height: u32) -> Result<Picture, SceneError> {
        let sides = SMALLEST_SIDE..=LARGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(SceneError::Size { width, height });
        }
        let mut canvas = Canvas::opaque(width, height)?;
        paint(&mut canvas, &self.filling(width, height), (0, 0));
        mark::paint(&mut canvas);
        Ok(canvas.finish())
    }

    /// The picture with this photo in a frame in its lower left corner.
    pub fn beside(&self, picture: &Picture) -> Result<Picture, SceneError> {
        let mut canvas = Canvas::opaque(picture.width, picture.height)?;
        for y in 0..picture.height {
            for x in 0..picture.width {
                let [r, g, b] = picture.pixel(x, y).unwrap_or_default();
                canvas.set(x as usize, y as usize, Rgb::from_bytes(r, g, b));
            }
        }
        let side = picture.width.min(picture.height);
        let (inset, border) = ((side / 4).max(8), (side / 128).max(1));
        let (left, top) = (side / 24, picture.height - side / 24 - inset - 2 * border);
        for y in top..top + inset + 2 * border {
            for x in left..left + inset + 2 * border {
                canvas.set(x as usize, y as usize, Rgb::WHITE);
            }
        }
        let photo = self.filling(inset, inset);
        paint(&mut canvas, &photo, (left + border, top + border));
        Ok(canvas.finish())
    }

    /// The middle of the photo, at exactly that size.
    fn filling(&self, width: u32, height: u32) -> RgbImage {
        let (wide, tall) = self.0.dimensions();
        let (wide64, tall64) = (u64::from(wide), u64::from(tall));
        let (width64, height64) = (u64::from(width), u64::from(height));
        let (cut_wide, cut_tall) = if wide64 * height64 > tall64 * width64 {
            ((tall64 * width64 / height64).max(1), tall64)
        } else {
            (wide64, (wide64 * height64 / width64).max(1))
        };
        let (cut_wide, cut_tall) = (cut_wide as u32, cut_tall as u32);
        let (left, top) = ((wide - cut_wide) / 2, (tall - cut_tall) / 2);
        let cut = imageops::crop_imm(&self.0, left, top, cut_wide, cut_tall).to_image();
        imageops::resize(&cut, width, height, FilterType::Triangle)
    }
}

fn paint(canvas: &mut Canvas, photo: &RgbImage, (left, top): (u32, u32)) {
    for (x, y, pixel) in photo.enumerate_pixels() {
        let [r, g, b] = pixel.0;
        canvas.set(
            (left + x) as usize,
            (top + y) as usize,
            Rgb::from_bytes(r, g, b),
        );
    }
}

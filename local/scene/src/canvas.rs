//! The sheet that every layer paints on: tiny-skia's pixels with colours instead of bytes.

use tiny_skia::Pixmap;

use crate::color::Rgb;
use crate::{Picture, SceneError};

/// An 8-bit picture under work. [`Canvas::opaque`] starts black, [`Canvas::clear`] starts transparent.
pub(crate) struct Canvas {
    pub(crate) pixels: Pixmap,
}

impl Canvas {
    pub(crate) fn clear(width: u32, height: u32) -> Result<Self, SceneError> {
        let pixels = Pixmap::new(width, height).ok_or(SceneError::Size { width, height })?;
        Ok(Self { pixels })
    }

    pub(crate) fn opaque(width: u32, height: u32) -> Result<Self, SceneError> {
        let mut canvas = Self::clear(width, height)?;
        canvas.pixels.fill(tiny_skia::Color::BLACK);
        Ok(canvas)
    }

    pub(crate) fn columns(&self) -> usize {
        self.pixels.width() as usize
    }

    pub(crate) fn rows(&self) -> usize {
        self.pixels.height() as usize
    }

    pub(crate) fn width(&self) -> f32 {
        self.pixels.width() as f32
    }

    pub(crate) fn height(&self) -> f32 {
        self.pixels.height() as f32
    }

    /// The colour at a pixel, black outside. On a clear canvas it is premultiplied by [`Canvas::cover`].
    pub(crate) fn get(&self, x: usize, y: usize) -> Rgb {
        let at = (y * self.columns() + x) * 4;
        match self.pixels.data().get(at..at + 4) {
            Some(&[r, g, b, _]) => Rgb::from_bytes(r, g, b),
            _ => Rgb::BLACK,
        }
    }

    /// How much of the pixel is covered, 0.0..=1.0.
    pub(crate) fn cover(&self, x: usize, y: usize) -> f32 {
        let at = (y * self.columns() + x) * 4 + 3;
        self.pixels
            .data()
            .get(at)
            .map_or(0.0, |alpha| f32::from(*alpha) / 255.0)
    }

    /// Overwrites a pixel of an opaque canvas.
    pub(crate) fn set(&mut self, x: usize, y: usize, color: Rgb) {
        let at = (y * self.columns() + x) * 4;
        if let Some(pixel) = self.pixels.data_mut().get_mut(at..at + 3) {
            pixel.copy_from_slice(&color.bytes());
        }
    }

    /// Lays `color` over a pixel of an opaque canvas with opacity `alpha`.
    pub(crate) fn lay(&mut self, x: usize, y: usize, color: Rgb, alpha: f32) {
        if alpha > 0.0 {
            let under = self.get(x, y);
            self.set(x, y, under.mix(color, alpha.min(1.0)));
        }
    }

    /// Adds light to a pixel of an opaque canvas.
    pub(crate) fn shine(&mut self, x: usize, y: usize, light: Rgb) {
        let under = self.get(x, y);
        self.set(x, y, under.screen(light));
    }

    /// Replaces every pixel of an opaque canvas by a function of its place and colour.
    pub(crate) fn map(&mut self, mut change: impl FnMut(usize, usize, Rgb) -> Rgb) {
        let columns = self.columns();
        for (y, row) in self
            .pixels
            .data_mut()
            .chunks_exact_mut(columns * 4)
            .enumerate()
        {
            for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                if let [r, g, b, _] = pixel {
                    let [red, green, blue] = change(x, y, Rgb::from_bytes(*r, *g, *b)).bytes();
                    (*r, *g, *b) = (red, green, blue);
                }
            }
        }
    }

    /// Lays a clear canvas of the same size over this one.
    pub(crate) fn cover_with(&mut self, layer: &Self) {
        let paint = tiny_skia::PixmapPaint::default();
        self.pixels.draw_pixmap(
            0,
            0,
            layer.pixels.as_ref(),
            &paint,
            tiny_skia::Transform::identity(),
            None,
        );
    }

    pub(crate) fn finish(self) -> Picture {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let rgb = self
            .pixels
            .data()
            .chunks_exact(4)
            .flat_map(|pixel| pixel.iter().take(3).copied())
            .collect();
        Picture::from_rgb(width, height, rgb)
    }
}

//! Watercolour: edges that bleed and darken, pigment that settles in the paper, an unpainted border.

use super::edges::Plane;
use crate::SceneError;
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::{mix, smooth};
use crate::noise::{field, fractal, speck};
use crate::view::View;

const PAPER: Rgb = Rgb::hex(0xfaf6ec);

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Result<(), SceneError> {
    let mut source = Canvas::clear(canvas.pixels.width(), canvas.pixels.height())?;
    source.cover_with(canvas);
    let luma = Plane::luma(&source);
    let mut dice = view.detail("watercolor");
    let (key, wash) = (dice.key(), dice.key());
    let scale = 1.0 / view.unit;
    let bleed = view.unit * 0.0075;
    let reach = (view.unit * 0.0022).max(1.0) as i32;
    let (last_x, last_y) = (canvas.width() - 1.0, canvas.height() - 1.0);
    canvas.map(|x, y, _| {
        let (u, v) = (x as f32 * scale, y as f32 * scale);
        let dx = (field(u * 38.0, v * 38.0, key) - 0.5) * bleed * 2.0;
        let dy = (field(u * 38.0 + 50.0, v * 38.0, key) - 0.5) * bleed * 2.0;
        let (sx, sy) = (
            (x as f32 + dx).clamp(0.0, last_x),
            (y as f32 + dy).clamp(0.0, last_y),
        );
        let (px, py) = (sx as usize, sy as usize);
        let spread = (reach as usize).max(1);
        let soft = source
            .get(px, py)
            .plus(source.get((px + spread).min(last_x as usize), py))
            .plus(source.get(px, (py + spread).min(last_y as usize)))
            .scale(1.0 / 3.0);
        let edge = luma.edge(px, py, reach);
        let pool = fractal(u * 3.2, v * 3.2, 2, wash);
        let paper =
            0.5 * speck(x as i32, y as i32, key) + 0.5 * speck(x as i32 / 3, y as i32 / 3, key);
        let pigment = 0.12 + 0.20 * smooth(0.36, 0.84, pool) + 0.10 * (paper - 0.5);
        let painted = soft
            .saturate(1.28)
            .mix(PAPER, pigment)
            .scale(1.0 - (edge * 0.75).min(0.34))
            .scale(0.965 + 0.06 * paper);
        // The border: distance to the nearest side, torn by noise.
        let side = (x as f32)
            .min(last_x - x as f32)
            .min((y as f32).min(last_y - y as f32))
            * scale;
        if side > 0.075 {
            // Far inside the border its noise, the dear part, cannot be seen.
            return painted;
        }
        let torn = side - 0.030 - 0.028 * (fractal(u * 9.0, v * 9.0, 3, wash ^ 3) - 0.5);
        let inside = smooth(-0.0025, 0.004, torn);
        let rim = 1.0 - 0.16 * (1.0 - smooth(0.0, 0.012, torn.abs()));
        let sheet = PAPER.scale(mix(0.985, 1.0, paper));
        sheet.mix(painted.scale(rim), inside)
    });
    Ok(())
}

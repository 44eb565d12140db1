//! The last touch on every picture: darker corners and a fine grain that keeps skies from banding.

use crate::canvas::Canvas;
use crate::curve::smooth;
use crate::noise::speck;
use crate::view::View;

/// `strength` 1.0 is the ordinary amount of grain.
pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>, strength: f32) {
    let key = view.detail("grain").key();
    let (half_width, half_height) = (view.width / 2.0, view.height / 2.0);
    let amount = 0.022 * strength;
    canvas.map(|x, y, color| {
        let (dx, dy) = (
            (x as f32 - half_width) / half_width,
            (y as f32 - half_height) / half_height,
        );
        let corner = smooth(0.75, 2.1, dx * dx + dy * dy);
        let grain =
            (speck(x as i32, y as i32, key) + speck(x as i32, y as i32, key ^ 1) - 1.0) * amount;
        let color = color.scale(1.0 - 0.16 * corner);
        crate::color::Rgb::new(color.r + grain, color.g + grain, color.b + grain)
    });
}

//! Light that things give off, added once everything solid is painted.

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::smooth;

/// A round light. Lengths in pixels, `strength` 0.0..=1.0 at the centre.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glow {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
    pub(crate) color: Rgb,
    pub(crate) strength: f32,
}

/// Adds one light to an opaque canvas. Touches only the square of its radius.
pub(crate) fn shine(canvas: &mut Canvas, glow: &Glow) {
    let reach = glow.radius.max(1.0);
    let (top, bottom) = span(glow.y, reach, canvas.rows());
    let (left, right) = span(glow.x, reach, canvas.columns());
    for y in top..bottom {
        for x in left..right {
            let (dx, dy) = (x as f32 - glow.x, y as f32 - glow.y);
            let near = 1.0 - (dx * dx + dy * dy) / (reach * reach);
            if near > 0.0 {
                canvas.shine(x, y, glow.color.scale(glow.strength * near * near * near));
            }
        }
    }
}

/// A cone of light from (`x`, `y`) towards `direction` (a unit vector), fading over `reach` pixels.
pub(crate) fn beam(
    canvas: &mut Canvas,
    from: (f32, f32),
    direction: (f32, f32),
    reach: f32,
    light: Rgb,
) {
    let spread = 0.075;
    for y in 0..canvas.rows() {
        let dy = y as f32 - from.1;
        // Rows that the cone cannot reach are most of the picture.
        if dy.abs() > reach * (direction.1.abs() + spread * 1.2) {
            continue;
        }
        for x in 0..canvas.columns() {
            let dx = x as f32 - from.0;
            let along = dx * direction.0 + dy * direction.1;
            if along <= 0.0 || along >= reach {
                continue;
            }
            let across = (dx * direction.1 - dy * direction.0).abs();
            let edge = along * spread + reach * 0.006;
            if across < edge {
                let fade = 1.0 - along / reach;
                let core = 1.0 - smooth(0.15, 1.0, across / edge);
                canvas.shine(x, y, light.scale(core * fade * fade));
            }
        }
    }
}

fn span(centre: f32, reach: f32, limit: usize) -> (usize, usize) {
    let low = (centre - reach).max(0.0) as usize;
    let high = (centre + reach + 1.0).clamp(0.0, limit as f32) as usize;
    (low.min(high), high)
}

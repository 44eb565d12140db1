//! The word "preview" in the corner: no one may take this picture for a model's.

use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Shader, Stroke, Transform};

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::lettering;

const WORD: &str = "preview";

/// Writes the mark into the lower right corner, scaled with the picture, never too small to read.
pub(crate) fn paint(canvas: &mut Canvas) {
    let (width, height) = (canvas.width(), canvas.height());
    let grid = (width.min(height) * 0.0026).max(1.15).min(width / 60.0);
    let pad = grid * 4.0;
    let (wide, tall) = (lettering::width(WORD) * grid, lettering::TALL * grid);
    let (left, top) = (
        width - wide - pad * 2.0 - pad * 0.6,
        height - tall - pad * 1.1 - pad * 0.6,
    );
    let ink = |color: Rgb, alpha: f32| Paint {
        shader: Shader::SolidColor(color.ink(alpha)),
        anti_alias: true,
        ..Paint::default()
    };
    let identity = Transform::identity();
    let (right, bottom) = (width - pad * 0.6, height - pad * 0.6);
    let radius = (bottom - top) / 2.0;
    let pill = crate::shape::pill(left, top, right, bottom, radius);
    if let Some(pill) = pill {
        canvas.pixels.fill_path(
            &pill,
            &ink(Rgb::hex(0x10121c), 0.38),
            FillRule::Winding,
            identity,
            None,
        );
    }
    if let Some(word) = lettering::line(WORD) {
        let place = Transform::from_row(grid, 0.0, 0.0, grid, left + pad, top + pad * 0.55);
        let stroke = Stroke {
            width: 0.95,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        canvas
            .pixels
            .stroke_path(&word, &ink(Rgb::WHITE, 0.92), &stroke, place, None);
    }
}

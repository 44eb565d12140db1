//! Stained glass: panes of one colour each, held by lead.

use crate::SceneError;
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::smooth;
use crate::noise::{field, speck};
use crate::view::View;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Result<(), SceneError> {
    let mut source = Canvas::clear(canvas.pixels.width(), canvas.pixels.height())?;
    source.cover_with(canvas);
    let key = view.detail("glass").key();
    let cell = (view.unit / 34.0).max(5.0);
    let lead = (view.unit * 0.0030 / cell).max(0.09);
    let limit = (canvas.width() - 1.0, canvas.height() - 1.0);
    let site = |column: i32, row: i32| {
        (
            column as f32 + 0.12 + 0.76 * speck(column, row, key),
            row as f32 + 0.12 + 0.76 * speck(column, row, key ^ 1),
        )
    };
    canvas.map(|x, y, own| {
        let (u, v) = (x as f32 / cell, y as f32 / cell);
        let (column, row) = (u.floor() as i32, v.floor() as i32);
        let (mut nearest, mut second, mut pane) = (f32::MAX, f32::MAX, (0.0, 0.0));
        for near_row in row - 1..=row + 1 {
            for near_column in column - 1..=column + 1 {
                let (sx, sy) = site(near_column, near_row);
                let distance = (sx - u) * (sx - u) + (sy - v) * (sy - v);
                if distance < nearest {
                    (second, nearest, pane) = (nearest, distance, (sx, sy));
                } else if distance < second {
                    second = distance;
                }
            }
        }
        let (px, py) = (
            (pane.0 * cell).clamp(0.0, limit.0) as usize,
            (pane.1 * cell).clamp(0.0, limit.1) as usize,
        );
        let glass = source.get(px, py).mix(own, 0.25).saturate(1.6).scale(1.08);
        let bubble = 0.90 + 0.22 * field(u * 1.7, v * 1.7, key ^ 4);
        let bevel = second.sqrt() - nearest.sqrt();
        let lit = glass
            .scale(bubble)
            .mix(Rgb::WHITE, 0.10 * smooth(0.6, 0.2, bevel).min(1.0));
        Rgb::hex(0x16151c).mix(lit, smooth(lead * 0.7, lead * 1.3, bevel))
    });
    Ok(())
}

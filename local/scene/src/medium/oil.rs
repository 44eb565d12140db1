//! Oil: the picture laid down again in short overlapping strokes that follow its outlines.

use super::edges::Plane;
use crate::SceneError;
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::smooth;
use crate::noise::{field, speck};
use crate::view::View;

/// One stroke: where it lies, which way it runs, and which of two strokes is on top.
struct Dab {
    x: f32,
    y: f32,
    along: (f32, f32),
    color: Rgb,
    height: f32,
}

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Result<(), SceneError> {
    let mut source = Canvas::clear(canvas.pixels.width(), canvas.pixels.height())?;
    source.cover_with(canvas);
    let luma = Plane::luma(&source);
    let key = view.detail("oil").key();
    for cell in [view.unit * 0.0125, view.unit * 0.0060] {
        strokes(canvas, &source, &luma, cell.max(2.0), key, view.unit);
    }
    Ok(())
}

fn strokes(canvas: &mut Canvas, source: &Canvas, luma: &Plane, cell: f32, key: u32, unit: f32) {
    let (across, down) = (
        (canvas.width() / cell) as i32 + 3,
        (canvas.height() / cell) as i32 + 3,
    );
    let fine = cell < unit * 0.009;
    let mut dabs = Vec::with_capacity((across * down) as usize);
    for row in 0..down {
        for column in 0..across {
            let x = (column as f32 - 0.5 + speck(column, row, key)) * cell;
            let y = (row as f32 - 0.5 + speck(column, row, key ^ 1)) * cell;
            let (px, py) = (
                x.clamp(0.0, canvas.width() - 1.0) as usize,
                y.clamp(0.0, canvas.height() - 1.0) as usize,
            );
            let reach = cell.max(1.0) as i32;
            let (cx, cy) = (px as i32, py as i32);
            let gx = luma.at(cx + reach, cy) - luma.at(cx - reach, cy);
            let gy = luma.at(cx, cy + reach) - luma.at(cx, cy - reach);
            let strength = (gx * gx + gy * gy).sqrt();
            let drift =
                crate::curve::around(0.5 * field(x / unit * 3.0, y / unit * 3.0, key ^ 9) - 0.25);
            let along = if strength > 0.05 {
                (-gy / strength, gx / strength)
            } else {
                drift
            };
            // The fine layer is kept for detail; elsewhere the broad strokes stay.
            let height = if fine && strength < 0.045 {
                -1.0
            } else {
                speck(column, row, key ^ 2)
            };
            let vary = 0.94 + 0.12 * speck(column, row, key ^ 3);
            dabs.push(Dab {
                x,
                y,
                along,
                color: source.get(px, py).saturate(1.12).scale(vary),
                height,
            });
        }
    }
    canvas.map(|x, y, under| {
        let (fx, fy) = (x as f32, y as f32);
        let (column, row) = ((fx / cell) as i32 + 1, (fy / cell) as i32 + 1);
        let mut best: Option<(&Dab, f32, f32)> = None;
        for near_row in row - 1..=row + 1 {
            for near_column in column - 1..=column + 1 {
                let index =
                    near_row.max(0) as usize * across as usize + near_column.max(0) as usize;
                let Some(dab) = dabs.get(index) else { continue };
                if dab.height < best.map_or(0.0, |(top, _, _)| top.height) {
                    continue;
                }
                let (dx, dy) = (fx - dab.x, fy - dab.y);
                let (long, wide) = (
                    dx * dab.along.0 + dy * dab.along.1,
                    dy * dab.along.0 - dx * dab.along.1,
                );
                let inside = (long / (cell * 1.25)) * (long / (cell * 1.25))
                    + (wide / (cell * 0.62)) * (wide / (cell * 0.62));
                if inside < 1.0 {
                    best = Some((dab, wide / cell, inside));
                }
            }
        }
        best.map_or(under, |(dab, wide, inside)| {
            // Bristles run along the stroke; its lit edge stands up from the canvas.
            let bristle = field(wide * 9.0 + dab.x, dab.y * 0.1, key ^ 5) - 0.5;
            let relief = 1.0 + 0.07 * bristle - 0.07 * wide.clamp(-1.0, 1.0);
            under.mix(
                dab.color.scale(relief),
                1.0 - 0.7 * smooth(0.7, 1.0, inside),
            )
        })
    });
}

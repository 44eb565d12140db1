//! A photograph: light that blooms in the lens, deeper contrast, darker corners.

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::{mix, smooth};
use crate::view::View;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    let block = ((view.unit / 64.0) as usize).max(1);
    let (columns, rows) = (
        canvas.columns().div_ceil(block) + 1,
        canvas.rows().div_ceil(block) + 1,
    );
    let mut bright = vec![Rgb::BLACK; columns * rows];
    for row in 0..rows {
        for column in 0..columns {
            let color = canvas.get(
                (column * block).min(canvas.columns() - 1),
                (row * block).min(canvas.rows() - 1),
            );
            if let Some(cell) = bright.get_mut(row * columns + column) {
                *cell = color.scale(smooth(0.55, 0.95, color.luma()));
            }
        }
    }
    for _ in 0..3 {
        bright = softened(&bright, columns, rows);
    }
    let (half_width, half_height) = (view.width / 2.0, view.height / 2.0);
    canvas.map(|x, y, color| {
        let (column, row) = (x / block, y / block);
        let (across, down) = (
            (x % block) as f32 / block as f32,
            (y % block) as f32 / block as f32,
        );
        let at = |row: usize, column: usize| {
            bright
                .get(row * columns + column)
                .copied()
                .unwrap_or(Rgb::BLACK)
        };
        let upper = at(row, column).mix(at(row, column + 1), across);
        let lower = at(row + 1, column).mix(at(row + 1, column + 1), across);
        let bloomed = color.screen(upper.mix(lower, down).scale(0.45));
        let curve = |level: f32| mix(level, smooth(-0.04, 1.04, level), 0.65);
        let (dx, dy) = (
            (x as f32 - half_width) / half_width,
            (y as f32 - half_height) / half_height,
        );
        let corner = 1.0 - 0.42 * smooth(0.35, 2.0, dx * dx + dy * dy);
        let toned = Rgb::new(
            curve(bloomed.r) * 1.02,
            curve(bloomed.g),
            mix(curve(bloomed.b), 0.5, 0.07),
        );
        toned.scale(corner)
    });
}

fn softened(cells: &[Rgb], columns: usize, rows: usize) -> Vec<Rgb> {
    let at = |row: usize, column: usize| {
        cells
            .get(row.min(rows - 1) * columns + column.min(columns - 1))
            .copied()
            .unwrap_or(Rgb::BLACK)
    };
    let mut soft = Vec::with_capacity(cells.len());
    for row in 0..rows {
        for column in 0..columns {
            let sides = at(row, column + 1)
                .plus(at(row + 1, column))
                .plus(at(row, column.saturating_sub(1)))
                .plus(at(row.saturating_sub(1), column));
            soft.push(at(row, column).scale(0.36).plus(sides.scale(0.16)));
        }
    }
    soft
}

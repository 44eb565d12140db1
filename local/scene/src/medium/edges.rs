//! Where a picture changes: its brightness as a plane, and the strength of its outlines.

use crate::canvas::Canvas;

/// One number a pixel, rows from the top.
pub(crate) struct Plane {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

impl Plane {
    pub(crate) fn luma(canvas: &Canvas) -> Self {
        let (columns, rows) = (canvas.columns(), canvas.rows());
        let weigh = |pixel: &[u8]| match pixel {
            [r, g, b, _] => {
                (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)) / 255.0
            }
            _ => 0.0,
        };
        Self {
            columns,
            rows,
            values: canvas.pixels.data().chunks_exact(4).map(weigh).collect(),
        }
    }

    /// The value at a pixel; beyond an edge, that of the edge.
    pub(crate) fn at(&self, x: i32, y: i32) -> f32 {
        let x = (x.max(0) as usize).min(self.columns - 1);
        let y = (y.max(0) as usize).min(self.rows - 1);
        self.values
            .get(y * self.columns + x)
            .copied()
            .unwrap_or(0.0)
    }

    /// The dark and the light end of the tones, without the extreme twentieths.
    pub(crate) fn span(&self) -> (f32, f32) {
        let mut tones: Vec<f32> = self
            .values
            .iter()
            .copied()
            .step_by((self.values.len() / 900).max(1))
            .collect();
        tones.sort_by(f32::total_cmp);
        let part = |share: usize| tones.get(tones.len() * share / 100).copied().unwrap_or(0.5);
        let (dark, light) = (part(5), part(95));
        (dark, light.max(dark + 0.08))
    }

    /// How strongly the plane changes around a pixel, compared `reach` pixels apart. About 0.0..=1.0.
    pub(crate) fn edge(&self, x: usize, y: usize, reach: i32) -> f32 {
        let (x, y) = (x as i32, y as i32);
        let across = self.at(x + reach, y) - self.at(x - reach, y);
        let down = self.at(x, y + reach) - self.at(x, y - reach);
        (across * across + down * down).sqrt()
    }
}

//! Pixel art: large square pixels, few colours, ordered dithering.

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::view::View;

/// Thresholds of ordered dithering (Bayer, 4x4), in sixteenths.
const DITHER: [[f32; 4]; 4] = [
    [0.0, 8.0, 2.0, 10.0],
    [12.0, 4.0, 14.0, 6.0],
    [3.0, 11.0, 1.0, 9.0],
    [15.0, 7.0, 13.0, 5.0],
];

/// Steps of one channel.
const LEVELS: f32 = 8.0;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    let block = ((view.unit / 116.0) as usize).max(2);
    let (columns, rows) = (canvas.columns(), canvas.rows());
    for top in (0..rows).step_by(block) {
        for left in (0..columns).step_by(block) {
            let (right, bottom) = ((left + block).min(columns), (top + block).min(rows));
            let mut sum = Rgb::BLACK;
            for y in top..bottom {
                for x in left..right {
                    sum = sum.plus(canvas.get(x, y));
                }
            }
            let mean = sum
                .scale(1.0 / ((right - left) * (bottom - top)) as f32)
                .saturate(1.25);
            let threshold = (DITHER[top / block % 4][left / block % 4] + 0.5) / 16.0 - 0.5;
            let step = |level: f32| {
                ((level.clamp(0.0, 1.0) * LEVELS + threshold * 0.5 + 0.5).floor() / LEVELS)
                    .clamp(0.0, 1.0)
            };
            let flat = Rgb::new(step(mean.r), step(mean.g), step(mean.b));
            for y in top..bottom {
                for x in left..right {
                    canvas.set(x, y, flat);
                }
            }
        }
    }
}

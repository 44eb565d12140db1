//! Still water: a rippled mirror of everything above it, with the light's path across.

use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::{mix, smooth, wave};
use crate::noise::field;
use crate::view::View;
use crate::vocabulary::Weather;

/// Things that stand in the water, on a clear layer, and for each column the y at which they meet it.
pub(crate) struct Afloat {
    pub(crate) layer: Canvas,
    pub(crate) lines: Vec<f32>,
}

/// Paints everything from the horizon down: the mirrored canvas, then the mirrored layer over it.
pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>, afloat: &Afloat) {
    let mut dice = view.chance("water");
    let (key, fine) = (dice.key(), view.detail("water").key());
    let light = &view.light;
    let rough = if view.brief.has(Weather::Storm) {
        2.6
    } else if view.brief.has(Weather::Wind) || view.brief.has(Weather::Rain) {
        1.7
    } else {
        1.0
    };
    let deep = light.sky[0].mix(light.on(Rgb::hex(0x2b6f8f), 0.6), 0.55);
    let below = (view.height - view.horizon).max(1.0);
    let squeeze = (view.horizon / below).min(1.15);
    let glitter = if light.body_height > -0.03 {
        light.glow_strength * light.glow.luma()
    } else {
        0.0
    };
    let first = view.horizon.max(0.0) as usize;
    let (rows, columns) = (canvas.rows(), canvas.columns());
    for y in first..rows {
        let depth = (y as f32 - view.horizon) / below;
        // Ripples are wide near the viewer and thin far away.
        let (tall, wide) = (
            mix(0.0035, 0.030, depth) * view.unit,
            mix(0.03, 0.20, depth) * view.unit,
        );
        let v = (1.0 / (depth + 0.05)) * 9.0;
        for x in 0..columns {
            let swell = field(x as f32 / wide, v * 2.2, key) - 0.5;
            let chop = field(x as f32 / wide * 3.3 + 31.0, v * 6.0, fine) - 0.5;
            let ripple = swell + 0.6 * chop;
            let slide = ripple * wide * 0.22 * rough;
            let lift = ripple * tall * 2.2 * rough;
            let source_y =
                view.horizon - 1.0 - ((y as f32 - view.horizon) * squeeze + lift).max(0.0);
            let source_x = (x as f32 + slide).clamp(0.0, columns as f32 - 1.0) as usize;
            let mut color = canvas.get(source_x, source_y.max(0.0) as usize);
            let line = afloat.lines.get(source_x).copied().unwrap_or(0.0);
            if line > 0.0 && y as f32 > line {
                let above = (line - (y as f32 - line) * 0.92 - lift.abs() * 0.8).max(0.0) as usize;
                let cover = afloat.layer.cover(source_x, above);
                if cover > 0.0 {
                    let thing = afloat.layer.get(source_x, above);
                    color = color.scale(1.0 - cover * 0.9).plus(thing.scale(0.9));
                }
            }
            color = color.mix(deep, mix(0.10, 0.52, depth) + 0.16 * ripple);
            let crest = smooth(0.18, 0.42, ripple);
            color = color.mix(
                light.sky[3].mix(color, 0.35),
                crest * 0.28 * (1.0 - depth * 0.5),
            );
            if glitter > 0.0 {
                let spread = view.unit * mix(0.035, 0.15, depth);
                let away = (x as f32 - view.body.0) / spread;
                let path = glitter / (1.0 + away * away * away * away);
                let spark = smooth(0.02, 0.30, ripple) * (1.0 - 0.35 * depth);
                color = color.screen(light.glow.mix(light.disc, 0.4).scale(path * spark * 0.8));
            }
            canvas.set(x, y, color);
        }
    }
    far_line(canvas, view, first);
    if view.brief.has(Weather::Storm) {
        breakers(canvas, view);
    }
}

/// A thin bright line where water and land meet.
fn far_line(canvas: &mut Canvas, view: &View<'_>, first: usize) {
    let thick = (view.unit * 0.003).max(1.0);
    for row in 0..=(thick as usize) {
        for x in 0..canvas.columns() {
            canvas.lay(
                x,
                first + row,
                view.light.haze(),
                0.35 * (1.0 - row as f32 / (thick + 1.0)),
            );
        }
    }
}

/// Foam on the crests of a rough sea.
fn breakers(canvas: &mut Canvas, view: &View<'_>) {
    let key = view.chance("foam").key();
    let below = view.height - view.horizon;
    let foam = view.light.on(Rgb::hex(0xf2f7f7), 0.75);
    for y in view.horizon as usize..canvas.rows() {
        let depth = (y as f32 - view.horizon) / below;
        let wide = mix(0.05, 0.28, depth) * view.unit;
        let v = 26.0 / (depth + 0.14);
        for x in 0..canvas.columns() {
            let u = x as f32 / wide;
            let crest = field(u, v * 0.18 + 0.08 * wave(u * 0.3), key);
            let torn = field(u * 7.0, v * 0.9, key ^ 5);
            canvas.lay(
                x,
                y,
                foam,
                smooth(0.66, 0.86, crest) * smooth(0.35, 0.75, torn) * 0.75,
            );
        }
    }
}

//! Clouds: soft streaks from noise, heaped banks from circles, and curtains of aurora.

use tiny_skia::{
    FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Point, SpreadMode, Transform,
};

use crate::canvas::Canvas;
use crate::color::{Rgb, ramp};
use crate::curve::{mix, smooth, wave};
use crate::noise::{field, fractal};
use crate::view::View;
use crate::vocabulary::{Meaning, Place, Weather};

/// Pixels per sample of the streaks: clouds have no finer detail, and the noise is the dear part.
const COARSE: usize = 4;

/// Paints what the weather asks for, or a few streaks on an ordinary day.
pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    let brief = view.brief;
    if matches!(view.place, Place::Underwater | Place::Space) {
        return;
    }
    if brief.has(Weather::Aurora) {
        aurora(canvas, view);
    }
    if brief.lacks(Meaning::Weather(Weather::Clouds)) {
        return;
    }
    let cover = if brief.has(Weather::Storm) {
        0.92
    } else if brief.has(Weather::Clouds) || brief.has(Weather::Rain) {
        0.66
    } else if brief.has(Weather::Snow) {
        0.5
    } else if brief.has(Weather::Clear) || brief.has(Weather::Stars) || brief.has(Weather::Aurora) {
        0.0
    } else {
        view.chance("cover").between(0.26, 0.42)
    };
    if cover > 0.0 {
        streaks(canvas, view, cover);
    }
    let heaps = if brief.has(Weather::Clouds) {
        5
    } else if cover > 0.0 && cover < 0.5 && view.light.stars < 0.3 {
        2
    } else {
        0
    };
    for bank in 0..heaps {
        heap(canvas, view, bank, heaps);
    }
}

/// The colours of a cloud: its lit edge and its body.
fn colors(view: &View<'_>) -> (Rgb, Rgb) {
    let light = &view.light;
    let day = smooth(0.2, 0.75, light.sky[2].luma());
    let high = smooth(0.15, 0.5, light.body_height);
    let lit = light.sky[3]
        .mix(light.disc, 0.75 * day)
        .mix(light.glow, 0.35 * (1.0 - high) * day);
    let body = light.sky[1]
        .mix(light.sky[2], 0.55)
        .mix(light.sky[3], 0.45 * high * day);
    if view.brief.has(Weather::Storm) {
        let dark = light.sky[1].saturate(0.4).scale(0.42);
        return (lit.mix(dark, 0.5), dark);
    }
    if view.brief.has(Weather::Rain) {
        let gray = light.sky[1].saturate(0.4).scale(0.75);
        return (lit.saturate(0.5).mix(gray, 0.35), body.mix(gray, 0.7));
    }
    (lit, body)
}

fn streaks(canvas: &mut Canvas, view: &View<'_>, cover: f32) {
    let mut dice = view.chance("clouds");
    let (key, shift) = (dice.key(), view.detail("clouds").between(0.0, 0.6));
    let stretch = dice.between(1.2, 1.9);
    let (lit, body) = colors(view);
    let columns = canvas.columns() / COARSE + 2;
    let rows = (view.horizon as usize) / COARSE + 2;
    let scale = COARSE as f32 / view.unit;
    let (sun_x, sun_y) = (view.body.0 / view.unit, view.body.1 / view.unit);
    let (low, high) = (0.74 - 0.5 * cover, 0.98 - 0.5 * cover);
    let density = |u: f32, v: f32| {
        // Rows nearer the horizon are farther away: flatter and denser.
        let depth = 1.0 / (1.25 - v.min(1.0));
        smooth(
            low,
            high,
            fractal(u * stretch * depth + shift, v * 5.2 * depth, 5, key),
        )
    };
    let mut samples = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (u, v) = (column as f32 * scale, row as f32 * scale);
            let thick = density(u, v);
            let edge = if thick > 0.0 {
                let (dx, dy) = (sun_x - u, sun_y - v);
                let length = (dx * dx + dy * dy).sqrt().max(0.05);
                (0.5 + 1.3 * (thick - density(u + dx / length * 0.03, v + dy / length * 0.022)))
                    .clamp(0.0, 1.0)
            } else {
                0.0
            };
            samples.push((thick, edge));
        }
    }
    let limit = (view.horizon as usize + 1).min(canvas.rows());
    for y in 0..limit {
        let fade = 1.0 - smooth(0.86, 1.0, y as f32 / view.horizon);
        let (row, down) = (y / COARSE, (y % COARSE) as f32 / COARSE as f32);
        for x in 0..canvas.columns() {
            let (column, across) = (x / COARSE, (x % COARSE) as f32 / COARSE as f32);
            let at = |row: usize, column: usize| {
                samples
                    .get(row * columns + column)
                    .copied()
                    .unwrap_or((0.0, 0.0))
            };
            let (a, b, c, d) = (
                at(row, column),
                at(row, column + 1),
                at(row + 1, column),
                at(row + 1, column + 1),
            );
            let blend =
                |a: f32, b: f32, c: f32, d: f32| mix(mix(a, b, across), mix(c, d, across), down);
            let thick = blend(a.0, b.0, c.0, d.0);
            if thick > 0.004 {
                let edge = blend(a.1, b.1, c.1, d.1);
                canvas.lay(
                    x,
                    y,
                    body.mix(lit, edge),
                    thick * fade * mix(0.55, 0.95, cover),
                );
            }
        }
    }
}

/// A heaped bank with a flat foot that dissolves into the sky.
fn heap(canvas: &mut Canvas, view: &View<'_>, index: usize, count: usize) {
    let mut dice = view.chance(if index.is_multiple_of(2) {
        "heap"
    } else {
        "bank"
    });
    for _ in 0..index {
        dice.bits();
    }
    let depth = index as f32 / count.max(1) as f32;
    let foot = view.horizon * mix(0.93, 0.55, depth) - view.unit * dice.between(0.0, 0.05);
    let size = view.unit * mix(0.035, 0.075, depth) * if count > 2 { 1.25 } else { 1.0 };
    let centre = view.width * dice.between(-0.05, 1.05);
    let (lit, body) = colors(view);
    let mut path = PathBuilder::new();
    let puffs = 7 + dice.index(5);
    let mut top = foot;
    for puff in 0..puffs {
        let t = puff as f32 / (puffs - 1) as f32 * 2.0 - 1.0;
        let swell = 1.0 - t * t;
        let radius = size * (0.35 + 0.85 * swell * dice.between(0.55, 1.0));
        let (x, y) = (
            centre + t * size * 2.9,
            foot - radius * 0.55 * dice.between(0.6, 1.3),
        );
        path.push_circle(x, y, radius);
        top = top.min(y - radius);
    }
    let stop = |at: f32, color: Rgb, alpha: f32| GradientStop::new(at, color.ink(alpha));
    let gradient = LinearGradient::new(
        Point::from_xy(0.0, top),
        Point::from_xy(0.0, foot + size * 0.35),
        vec![
            stop(0.0, lit, 0.95),
            stop(0.45, lit.mix(body, 0.5), 0.8),
            stop(1.0, body, 0.0),
        ],
        SpreadMode::Pad,
        Transform::identity(),
    );
    if let (Some(path), Some(shader)) = (path.finish(), gradient) {
        let paint = Paint {
            shader,
            anti_alias: true,
            ..Paint::default()
        };
        canvas.pixels.fill_path(
            &path,
            &paint,
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
}

/// Two or three curtains: bright at a wandering lower edge, fading upwards in rays.
fn aurora(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("aurora");
    let hues = [
        Rgb::hex(0x3dffa2),
        Rgb::hex(0x35e0c8),
        Rgb::hex(0x7a6cff),
        Rgb::hex(0xd05cff),
    ];
    for curtain in 0..3_u8 {
        let key = dice.key();
        let depth = f32::from(curtain) / 3.0;
        let base = view.horizon * mix(0.78, 0.46, depth);
        let tall = view.horizon * dice.between(0.34, 0.55);
        let (phase, swing) = (dice.unit(), dice.between(0.11, 0.20) * view.unit);
        let strength = mix(0.85, 0.5, depth);
        for x in 0..canvas.columns() {
            let u = x as f32 / view.unit;
            let fold = u * 0.9 + phase + 0.25 * wave(u * 0.7 + phase);
            let edge = base + swing * wave(fold) + swing * 0.35 * wave(fold * 2.7 + 0.3);
            let rays = 0.35 + 0.65 * field(u * 34.0 + 3.0 * wave(fold), 0.0, key);
            let patch = smooth(0.25, 0.7, field(u * 2.2, 4.0, key));
            let height = tall * (0.55 + 0.45 * field(u * 9.0, 1.0, key));
            let (from, to) = (
                (edge - height).max(0.0) as usize,
                ((edge + tall * 0.06).max(0.0) as usize).min(canvas.rows()),
            );
            for y in from..to {
                let up = (edge - y as f32) / height;
                let body = if up < 0.0 {
                    smooth(-0.06 * tall / height, 0.0, up)
                } else {
                    (1.0 - up) * (1.0 - up)
                };
                let hue = ramp(&hues, up.max(0.0) * 1.15 + depth * 0.2);
                canvas.shine(x, y, hue.scale(body * rays * patch * strength));
            }
        }
    }
}

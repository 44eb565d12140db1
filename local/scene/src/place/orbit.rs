//! Space: clouds of a nebula, and the cratered ground of a small world to stand on.

use crate::canvas::Canvas;
use crate::color::{Rgb, ramp};
use crate::curve::{mix, smooth};
use crate::noise::{crests, fractal};
use crate::terrain::Ridge;
use crate::view::View;

use super::soil;

/// Pixels per sample of the nebula.
const COARSE: usize = 4;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Ridge {
    nebula(canvas, view);
    let mut dice = view.chance("ground of a moon");
    let (middle, bulge) = (view.width * dice.between(0.3, 0.7), view.unit * 0.10);
    let key = dice.key();
    let ridge = Ridge(
        (0..canvas.columns())
            .map(|x| {
                let away = (x as f32 - middle) / (view.width * 0.75);
                let bumps = fractal(x as f32 / view.unit * 5.0, 0.5, 4, key);
                view.horizon + away * away * bulge - view.unit * 0.03 * bumps
            })
            .collect(),
    );
    let top = view.light.on(soil(view), 0.9).scale(0.95);
    ridge.fill(
        canvas,
        top,
        top.scale(0.35),
        (view.height - view.horizon) * 1.05,
    );
    craters(canvas, view, &ridge, top);
    ridge
}

fn nebula(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("nebula");
    let key = dice.key();
    let hues = [
        [0x2a1a6e, 0xb0387f, 0xffa36b],
        [0x0f3d6e, 0x2aa0a8, 0xf7e3a1],
        [0x3c1361, 0x5a52d6, 0x7fe3ff],
    ][dice.index(3)]
    .map(Rgb::hex);
    let day = smooth(0.1, 0.6, view.light.lit.luma());
    let columns = canvas.columns() / COARSE + 2;
    let scale = COARSE as f32 / view.unit;
    let row_at = |row: usize| -> Vec<Rgb> {
        let v = row as f32 * scale;
        (0..columns)
            .map(|column| {
                let u = column as f32 * scale;
                let bend = fractal(u * 1.6, v * 1.6, 3, key) - 0.5;
                let (du, dv) = (u * 1.5 + bend * 2.0, v * 1.5 - bend * 1.4);
                let gas = smooth(0.42, 0.92, fractal(du, dv, 5, key ^ 0x4d));
                let veins = crests(u * 1.9 + bend, v * 1.9, 3, key ^ 5);
                let bright = gas * mix(0.35, 1.0, veins) * mix(0.75, 1.15, day);
                ramp(&hues, gas * 1.2).scale(bright)
            })
            .collect()
    };
    let (mut upper, mut lower) = (Vec::new(), row_at(0));
    for y in 0..canvas.rows() {
        if y.is_multiple_of(COARSE) {
            upper = std::mem::replace(&mut lower, row_at(y / COARSE + 1));
        }
        let down = (y % COARSE) as f32 / COARSE as f32;
        for x in 0..canvas.columns() {
            let across = (x % COARSE) as f32 / COARSE as f32;
            let at = |row: &[Rgb], column: usize| row.get(column).copied().unwrap_or(Rgb::BLACK);
            let blend = |row: &[Rgb]| at(row, x / COARSE).mix(at(row, x / COARSE + 1), across);
            canvas.shine(x, y, blend(&upper).mix(blend(&lower), down));
        }
    }
}

fn craters(canvas: &mut Canvas, view: &View<'_>, ridge: &Ridge, ground: Rgb) {
    let mut dice = view.chance("craters");
    let below = view.height - view.horizon;
    for _ in 0..14 {
        let x = dice.between(0.0, view.width);
        let depth = dice.between(0.1, 1.0);
        let y = ridge.at(x) + below * depth * 0.8 + view.unit * 0.02;
        let rx = view.unit * mix(0.012, 0.07, depth * depth);
        for (shift, tone) in [(0.0, 0.48), (rx * 0.12, 0.66)] {
            if let Some(path) =
                crate::shape::oval(x, y + shift, rx, (rx * 0.3 - shift * 0.4).max(0.5))
            {
                let paint = tiny_skia::Paint {
                    shader: tiny_skia::Shader::SolidColor(ground.scale(tone).ink(0.55)),
                    anti_alias: true,
                    ..tiny_skia::Paint::default()
                };
                let identity = tiny_skia::Transform::identity();
                canvas.pixels.fill_path(
                    &path,
                    &paint,
                    tiny_skia::FillRule::Winding,
                    identity,
                    None,
                );
            }
        }
    }
}

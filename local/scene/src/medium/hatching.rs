//! Drawing with lines: ink in hatched strokes, pencil in grainy ones, and a blueprint's white outlines.

use super::edges::Plane;
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::{mix, smooth};
use crate::noise::{field, speck};
use crate::view::View;

/// Pen and ink: four directions of strokes, one more for each darker tone.
pub(crate) fn ink(canvas: &mut Canvas, view: &View<'_>) {
    let luma = Plane::luma(canvas);
    let key = view.detail("ink").key();
    let scale = 1.0 / view.unit;
    let (paper, black) = (Rgb::hex(0xf6f0e2), Rgb::hex(0x1c1a24));
    let reach = (view.unit * 0.0016).max(1.0) as i32;
    let (dark, light) = luma.span();
    let directions = [
        (0.62, 0.78, 0.78),
        (0.80, -0.60, 0.52),
        (0.04, 1.0, 0.33),
        (1.0, 0.10, 0.20),
    ];
    canvas.map(|x, y, color| {
        let (u, v) = (x as f32 * scale, y as f32 * scale);
        let tone =
            0.12 + 0.9 * ((luma.at(x as i32, y as i32) - dark) / (light - dark)).clamp(0.0, 1.0);
        let shake = (field(u * 16.0, v * 16.0, key) - 0.5) * 0.9;
        let mut drawn = smooth(0.07, 0.22, luma.edge(x, y, reach));
        for (dx, dy, limit) in directions {
            if tone < limit {
                let line = (u * dx + v * dy) * 84.0 + shake;
                let away = (line - line.floor() - 0.5).abs() * 2.0;
                let wide = mix(0.10, 0.62, ((limit - tone) / 0.45).min(1.0));
                drawn = drawn.max(1.0 - smooth(wide - 0.12, wide + 0.16, away));
            }
        }
        let tinted = paper.mix(color, 0.08);
        tinted.mix(black, drawn * 0.94)
    });
}

/// Graphite: tone rubbed into the grain of the paper, outlines drawn twice.
pub(crate) fn pencil(canvas: &mut Canvas, view: &View<'_>) {
    let luma = Plane::luma(canvas);
    let key = view.detail("pencil").key();
    let scale = 1.0 / view.unit;
    let (paper, lead) = (Rgb::hex(0xf3f1ec), Rgb::hex(0x2e3038));
    let reach = (view.unit * 0.0014).max(1.0) as i32;
    canvas.map(|x, y, color| {
        let (u, v) = (x as f32 * scale, y as f32 * scale);
        let tone = luma.at(x as i32, y as i32);
        let stroke = field((u + v) * 16.0, (u - v) * 230.0, key);
        let tooth = speck(x as i32, y as i32, key);
        let shade = smooth(0.05, 1.0, 1.0 - tone) * (0.45 + 0.60 * stroke + 0.30 * (tooth - 0.5));
        let doubled = luma.edge((x + 2).min(view.width as usize), y, reach);
        let outline =
            smooth(0.05, 0.30, luma.edge(x, y, reach).max(doubled * 0.6)) * (0.55 + 0.45 * stroke);
        paper
            .mix(color, 0.06)
            .mix(lead, (shade * 0.85).max(outline).clamp(0.0, 0.95))
    });
}

/// A cyanotype of outlines over a grid.
pub(crate) fn blueprint(canvas: &mut Canvas, view: &View<'_>) {
    let luma = Plane::luma(canvas);
    let key = view.detail("blueprint").key();
    let scale = 1.0 / view.unit;
    let blue = [Rgb::hex(0x123a7c), Rgb::hex(0x2a62b4)];
    let reach = (view.unit * 0.0014).max(1.0) as i32;
    let grid = view.unit / 32.0;
    canvas.map(|x, y, _| {
        let (u, v) = (x as f32 * scale, y as f32 * scale);
        let tone = luma.at(x as i32, y as i32);
        let sheet = blue[0].mix(blue[1], tone * 0.55 + 0.35 * field(u * 2.0, v * 2.0, key));
        let cell = |at: f32| (at / grid - (at / grid).floor()) * grid;
        let thin = if cell(x as f32) < 1.0 || cell(y as f32) < 1.0 {
            0.10
        } else {
            0.0
        };
        let drawn = smooth(0.04, 0.20, luma.edge(x, y, reach));
        sheet.mix(Rgb::hex(0xeaf3ff), (drawn * 0.92).max(thin))
    });
}

//! A comic: bright flat colour, dots for shade, black outlines.

use super::edges::Plane;
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::{mix, smooth};
use crate::view::View;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    let luma = Plane::luma(canvas);
    let pitch = (view.unit / 110.0).max(3.0);
    let reach = (view.unit * 0.0018).max(1.0) as i32;
    let black = Rgb::hex(0x17141c);
    canvas.map(|x, y, color| {
        let (fx, fy) = (x as f32, y as f32);
        // The screen stands at 45 degrees, as in print.
        let (u, v) = ((fx + fy) / (pitch * 1.414), (fy - fx) / (pitch * 1.414));
        let (cu, cv) = (u - u.floor() - 0.5, v - v.floor() - 0.5);
        let tone = luma.at(x as i32, y as i32);
        let step = |level: f32| (level * 5.0 + 0.5).floor() / 5.0;
        let vivid = color.saturate(1.5);
        let flat = Rgb::new(step(vivid.r), step(vivid.g), step(vivid.b)).mix(vivid, 0.35);
        let base = flat.mix(Rgb::hex(0xfff8e6), 0.30);
        let radius = mix(0.66, 0.05, smooth(0.05, 0.85, tone));
        let dot = 1.0 - smooth(radius - 0.10, radius + 0.10, (cu * cu + cv * cv).sqrt());
        let shaded = base.mix(flat.scale(0.55), dot * 0.85);
        shaded.mix(black, smooth(0.12, 0.28, luma.edge(x, y, reach)))
    });
}

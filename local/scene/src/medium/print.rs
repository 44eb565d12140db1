//! Printed pictures: a screen-printed poster in flat tones, and a linocut in two inks.

use super::edges::Plane;
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::smooth;
use crate::noise::{field, speck};
use crate::view::View;

/// Flat steps of tone inside a cream border.
pub(crate) fn poster(canvas: &mut Canvas, view: &View<'_>) {
    let key = view.detail("poster").key();
    let border = view.width.min(view.height) * 0.042;
    let cream = Rgb::hex(0xf7efdd);
    let steps = 6.0;
    let (last_x, last_y) = (view.width - 1.0, view.height - 1.0);
    canvas.map(|x, y, color| {
        let side = (x as f32)
            .min(last_x - x as f32)
            .min((y as f32).min(last_y - y as f32));
        if side < border {
            return cream;
        }
        let tone = color.luma().max(0.004);
        let place = tone * steps;
        // Most of a step is flat; its edge is a narrow blend, so that it does not alias.
        let flat = (place.floor() + smooth(0.44, 0.56, place - place.floor())) / steps;
        let ink = color.scale((flat + 0.03) / tone).saturate(1.22);
        let worn = if speck(x as i32, y as i32, key) > 0.992 {
            0.35
        } else {
            0.0
        };
        ink.mix(cream, 0.04 + worn)
    });
}

/// Black over one colour over paper, cut with gouge marks.
pub(crate) fn linocut(canvas: &mut Canvas, view: &View<'_>) {
    let luma = Plane::luma(canvas);
    let key = view.detail("linocut").key();
    let scale = 1.0 / view.unit;
    let border = view.width.min(view.height) * 0.04;
    let paper = Rgb::hex(0xf4ecdb);
    let black = Rgb::hex(0x201c24);
    let (last_x, last_y) = (view.width - 1.0, view.height - 1.0);
    // The middle of this picture's tones, so that night and noon both have all three.
    let mut tones: Vec<f32> = (0..400_i32)
        .map(|dot| {
            luma.at(
                (dot % 20) * (last_x as i32) / 19,
                (dot / 20) * (last_y as i32) / 19,
            )
        })
        .collect();
    tones.sort_by(f32::total_cmp);
    let part = |share: usize| tones.get(tones.len() * share / 100).copied().unwrap_or(0.5);
    let (dark, light) = (part(36), part(74));
    let width = (light - dark).max(0.08);
    canvas.map(|x, y, color| {
        let (u, v) = (x as f32 * scale, y as f32 * scale);
        let side = (x as f32)
            .min(last_x - x as f32)
            .min((y as f32).min(last_y - y as f32));
        let torn = side + (field(u * 60.0, v * 60.0, key) - 0.5) * view.unit * 0.008;
        if torn < border {
            return paper;
        }
        let tone = luma.at(x as i32, y as i32);
        let bend = field(u * 5.0, v * 5.0, key ^ 1) * 3.0;
        let gouge = crate::curve::wave(v * 58.0 + bend) * 0.5 + 0.5;
        let chip = field(u * 44.0, v * 130.0, key ^ 2);
        let cut = (gouge * 0.7 + chip * 0.3 - 0.5) * width * 0.9;
        let accent = color.saturate(1.7).mix(
            color.scale(0.62 / color.luma().max(0.12)).saturate(1.5),
            0.7,
        );
        let edge = 0.018;
        let middle = black.mix(accent, smooth(dark - edge, dark + edge, tone + cut));
        middle.mix(paper, smooth(light - edge, light + edge, tone + cut))
    });
}

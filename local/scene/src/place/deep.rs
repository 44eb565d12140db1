//! Under water: shafts of light from above, rocks in the blue, sand and weed below, bubbles.

use crate::brush::{Brush, Fill};
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::{mix, smooth, wave};
use crate::noise::{crests, field};
use crate::terrain::{Relief, Ridge};
use crate::view::View;
use tiny_skia::Transform;

use super::soil;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Ridge {
    shafts(canvas, view);
    let mut dice = view.chance("reef");
    let haze = view.light.haze();
    for layer in 0..3_u8 {
        let near = f32::from(layer) / 2.0;
        let base = view.horizon + view.unit * mix(-0.10, 0.02, near);
        let rocks = Ridge::new(
            view,
            &mut dice,
            Relief::Jagged,
            base,
            view.unit * mix(0.42, 0.16, near),
            mix(1.4, 2.4, near),
        );
        let rock = view
            .light
            .on(Rgb::hex(0x5f7f9a), 0.5)
            .mix(haze, mix(0.82, 0.45, near));
        rocks.fill(canvas, rock, rock.mix(haze, 0.5), view.unit * 0.35);
    }
    let floor = Ridge::new(
        view,
        &mut dice,
        Relief::Rolling,
        view.horizon + view.unit * 0.03,
        view.unit * 0.06,
        1.2,
    );
    let sand = view.light.on(soil(view), 0.9).mix(haze, 0.25);
    floor.fill(canvas, sand, sand.scale(0.55), view.height - view.horizon);
    caustics(canvas, view, &floor);
    weed(canvas, view, &floor);
    bubbles(canvas, view);
    floor
}

fn shafts(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("shafts");
    let (key, lean) = (dice.key(), dice.between(-0.35, 0.35));
    let light = view.light.sky[0].mix(Rgb::WHITE, 0.55);
    for y in 0..canvas.rows() {
        let t = y as f32 / view.height;
        let fade = (1.0 - t) * (1.0 - t);
        for x in 0..canvas.columns() {
            let u = (x as f32 / view.unit - lean * t) / (0.6 + 0.8 * t);
            let shaft = smooth(0.50, 0.85, field(u * 7.0, 0.3, key))
                + 0.5 * smooth(0.5, 0.8, field(u * 19.0, 2.3, key));
            canvas.shine(x, y, light.scale(fade * (0.10 + 0.34 * shaft)));
        }
    }
}

fn caustics(canvas: &mut Canvas, view: &View<'_>, floor: &Ridge) {
    let key = view.detail("caustics").key();
    for y in view.horizon as usize - (view.unit * 0.05) as usize..canvas.rows() {
        for x in 0..canvas.columns() {
            if y as f32 > floor.at(x as f32) + 1.0 {
                let depth = (y as f32 - view.horizon) / view.unit + 0.12;
                let net = crests(x as f32 / view.unit / depth * 1.6, 1.4 / depth, 2, key);
                canvas.shine(x, y, view.light.lit.scale(0.22 * smooth(0.72, 0.95, net)));
            }
        }
    }
}

fn weed(canvas: &mut Canvas, view: &View<'_>, floor: &Ridge) {
    let mut dice = view.chance("weed");
    let mut glows = Vec::new();
    let mut brush = Brush {
        canvas,
        light: &view.light,
        glows: &mut glows,
        frame: Transform::identity(),
        air: 0.0,
    };
    let greens = [0x2f8f6b, 0x1f7f7a, 0x5f9f4f, 0xd0617f, 0xe08a54].map(Rgb::hex);
    for _ in 0..26 {
        let x = dice.between(0.0, view.width);
        // The middle is the subject's.
        if (x - view.hero_x).abs() < view.unit * 0.13 {
            continue;
        }
        let (foot, tall) = (
            floor.at(x) + view.unit * dice.between(0.01, 0.09),
            view.unit * dice.between(0.05, 0.28),
        );
        let (phase, sway) = (dice.unit(), view.unit * dice.between(0.008, 0.02));
        let color = greens[dice.index(greens.len())];
        brush.air = dice.between(0.05, 0.55);
        let points: Vec<_> = (0..7_u8)
            .map(|step| {
                let t = f32::from(step) / 6.0;
                (x + sway * t * 1.6 * wave(phase + t * 1.1), foot - tall * t)
            })
            .collect();
        brush.curve(
            &points,
            view.unit * dice.between(0.006, 0.013),
            Fill::Flat(color, 0.7),
        );
    }
}

fn bubbles(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.detail("bubbles");
    let mut glows = Vec::new();
    let mut brush = Brush {
        canvas,
        light: &view.light,
        glows: &mut glows,
        frame: Transform::identity(),
        air: 0.0,
    };
    for _ in 0..34 {
        let (x, y) = (
            dice.between(0.0, view.width),
            dice.between(0.0, view.horizon),
        );
        let radius = view.unit * dice.between(0.002, 0.009);
        brush.oval(x, y, radius, radius, Fill::Raw(Rgb::WHITE, 0.16));
        brush.oval(
            x - radius * 0.35,
            y - radius * 0.35,
            radius * 0.3,
            radius * 0.3,
            Fill::Raw(Rgb::WHITE, 0.7),
        );
    }
}

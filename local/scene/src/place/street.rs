//! A street between two rows of houses that run to one vanishing point.

use crate::brush::{Brush, Fill, LAMPLIGHT};
use crate::canvas::Canvas;
use crate::color::Rgb;
use crate::curve::mix;
use crate::glow::shine;
use crate::terrain::Ridge;
use crate::view::View;
use crate::vocabulary::Weather;
use tiny_skia::Transform;

use super::soil;

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) -> Ridge {
    let mut glows = Vec::new();
    let below = view.height - view.horizon;
    let vanishing = (view.width * 0.5, view.horizon);
    let mut brush = Brush {
        canvas,
        light: &view.light,
        glows: &mut glows,
        frame: Transform::identity(),
        air: 0.0,
    };
    let earth = soil(view);
    brush.slab(
        0.0,
        view.horizon,
        view.width,
        below + 1.0,
        Fill::Fade(earth.mix(view.light.haze(), 0.5), earth.scale(0.72)),
    );
    let spread = view.width * 0.5;
    let road = [
        (vanishing.0 - spread * 0.03, view.horizon),
        (vanishing.0 + spread * 0.03, view.horizon),
        (vanishing.0 + spread * 0.86, view.height),
        (vanishing.0 - spread * 0.86, view.height),
    ];
    let tar = if view.brief.has(Weather::Snow) {
        Rgb::hex(0xd5dae4)
    } else {
        Rgb::hex(0x5a5a6b)
    };
    brush.polygon(&road, Fill::Fade(tar.mix(view.light.haze(), 0.4), tar));
    for dash in 0..7_u8 {
        let (from, to) = (
            perspective(f32::from(dash) / 7.0),
            perspective((f32::from(dash) + 0.5) / 7.0),
        );
        let (y0, y1) = (view.horizon + below * from, view.horizon + below * to);
        let (w0, w1) = (spread * 0.02 * from, spread * 0.02 * to);
        let x = vanishing.0;
        brush.polygon(
            &[(x - w0, y0), (x + w0, y0), (x + w1, y1), (x - w1, y1)],
            Fill::Flat(Rgb::hex(0xf1e3b0), 0.8),
        );
    }
    for side in [-1.0, 1.0] {
        houses(&mut brush, view, vanishing, side);
    }
    lamps(&mut brush, view, vanishing);
    for glow in &glows {
        shine(canvas, glow);
    }
    Ridge(vec![view.horizon + below * 0.62; canvas.columns()])
}

/// Even steps along the street, seen from its near end: 0 far, 1 at the lower edge of the picture.
fn perspective(t: f32) -> f32 {
    t * t * 0.85 + t * 0.15
}

fn houses(brush: &mut Brush<'_>, view: &View<'_>, vanishing: (f32, f32), side: f32) {
    let mut dice = view.chance(if side < 0.0 {
        "houses left"
    } else {
        "houses right"
    });
    let walls = [0xd98f6a, 0xe3c79a, 0x8fa6b8, 0xc8a0a8, 0xb7c09a, 0xd2785f].map(Rgb::hex);
    let count = 6_u8;
    let reach = view.width * 0.5;
    let below = view.height - view.horizon;
    for house in 0..count {
        let (far, near) = (
            perspective(f32::from(house) / 6.0),
            perspective((f32::from(house) + 1.0) / 6.0),
        );
        let edge = |t: f32| vanishing.0 + side * reach * mix(0.045, 1.12, t);
        let ground = |t: f32| view.horizon + below * t * 0.94;
        let storeys = dice.between(0.75, 1.15);
        let roof = |t: f32| view.horizon - (view.horizon * 0.95) * mix(0.06, 0.98, t) * storeys;
        let wall = walls[dice.index(walls.len())].scale(dice.between(0.9, 1.05));
        let facing = if (side < 0.0) == (view.body.0 > view.width / 2.0) {
            0.75
        } else {
            0.25
        };
        brush.air = mix(0.62, 0.0, near.min(1.0));
        let (x0, x1) = (edge(far), edge(near));
        brush.polygon(
            &[
                (x0, roof(far)),
                (x1, roof(near)),
                (x1, ground(near)),
                (x0, ground(far)),
            ],
            Fill::Flat(wall, facing),
        );
        let lip = |t: f32| mix(0.004, 0.05, t) * view.unit;
        let eave = [
            (x0, roof(far) - lip(far)),
            (x1, roof(near) - lip(near)),
            (x1, roof(near)),
            (x0, roof(far)),
        ];
        brush.polygon(&eave, Fill::Flat(Rgb::hex(0x6f4f52), facing * 0.6));
        for floor in 0..4_u8 {
            for column in 0..3_u8 {
                let (low, high) = (
                    (f32::from(floor) + 0.22) / 4.3,
                    (f32::from(floor) + 0.78) / 4.3,
                );
                let (from, to) = (
                    (f32::from(column) + 0.25) / 3.0,
                    (f32::from(column) + 0.72) / 3.0,
                );
                let corner = |along: f32, up: f32| {
                    let t = mix(far, near, along);
                    (mix(x0, x1, along), mix(ground(t), roof(t), up))
                };
                let burning = dice.happens(0.55) && view.light.lamps > 0.2;
                let glass = brush.tone(Rgb::hex(0x46566a), facing);
                let pane = if burning {
                    glass.mix(LAMPLIGHT, 0.9 * view.light.lamps)
                } else {
                    glass
                };
                let quad = [
                    corner(from, low),
                    corner(to, low),
                    corner(to, high),
                    corner(from, high),
                ];
                brush.polygon(&quad, Fill::Raw(pane, 1.0));
                if burning {
                    let tall = (quad[0].1 - quad[3].1).abs() * 1.5;
                    brush.glow(
                        f32::midpoint(quad[0].0, quad[2].0),
                        f32::midpoint(quad[0].1, quad[2].1),
                        tall,
                        LAMPLIGHT,
                        0.22,
                    );
                }
            }
        }
    }
    brush.air = 0.0;
}

fn lamps(brush: &mut Brush<'_>, view: &View<'_>, vanishing: (f32, f32)) {
    let below = view.height - view.horizon;
    for post in 1..5_u8 {
        let t = perspective(f32::from(post) / 4.6);
        for side in [-1.0, 1.0] {
            let x = vanishing.0 + side * view.width * 0.5 * mix(0.04, 0.98, t);
            let (foot, tall) = (view.horizon + below * t, view.unit * mix(0.02, 0.52, t));
            let iron = brush.tone(Rgb::hex(0x3a3a48), 0.2);
            brush.line(
                &[(x, foot), (x, foot - tall)],
                tall * 0.022,
                Fill::Raw(iron, 1.0),
            );
            brush.line(
                &[
                    (x, foot - tall),
                    (x - side * tall * 0.14, foot - tall * 1.02),
                ],
                tall * 0.018,
                Fill::Raw(iron, 1.0),
            );
            let bulb = iron.mix(Rgb::hex(0xfff0c8), 0.3 + 0.7 * view.light.lamps);
            let (lx, ly) = (x - side * tall * 0.15, foot - tall * 0.99);
            brush.oval(lx, ly, tall * 0.03, tall * 0.022, Fill::Raw(bulb, 1.0));
            brush.glow(lx, ly, tall * 0.55, LAMPLIGHT, 0.6 * view.light.lamps);
            brush.glow(lx, foot, tall * 0.45, LAMPLIGHT, 0.12 * view.light.lamps);
        }
    }
}

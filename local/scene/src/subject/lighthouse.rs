//! A banded tower with gallery and lantern, and the keeper's house at its foot.

use crate::brush::{Brush, Fill, LAMPLIGHT};
use crate::color::Rgb;
use crate::curve::mix;

/// Where the lamp is, in the subject's coordinates; the beams start here.
pub(crate) const LAMP: (f32, f32) = (0.0, -0.862);

const WHITE: Rgb = Rgb::hex(0xf6f1e8);
const RED: Rgb = Rgb::hex(0xc8382f);
const IRON: Rgb = Rgb::hex(0x3c3b46);

/// Half the tower's width at height `up` (0 at the foot, 1 at the gallery).
fn half(up: f32) -> f32 {
    let flare = (1.0 - up) * (1.0 - up);
    0.058 + 0.030 * (1.0 - up) + 0.020 * flare * flare
}

fn ring(from: f32, to: f32) -> Vec<(f32, f32)> {
    const TOP: f32 = -0.775;
    let steps = 6_u8;
    let side = |sign: f32| {
        (0..=steps).map(move |step| {
            let up = mix(from, to, f32::from(step) / f32::from(steps));
            (sign * half(up), TOP * up)
        })
    };
    side(-1.0)
        .chain(side(1.0).collect::<Vec<_>>().into_iter().rev())
        .collect()
}

pub(crate) fn draw(brush: &mut Brush<'_>) {
    house(brush);
    brush.polygon(&ring(0.0, 1.0), Fill::Round(WHITE));
    for (from, to) in [(0.17, 0.36), (0.55, 0.74), (0.91, 1.0)] {
        brush.polygon(&ring(from, to), Fill::Round(RED));
    }
    brush.polygon(&ring(0.0, 0.035), Fill::Round(Rgb::hex(0x8f8a88)));
    brush.blob(
        &[
            (-0.024, 0.0),
            (-0.024, -0.06),
            (0.0, -0.082),
            (0.024, -0.06),
            (0.024, 0.0),
        ],
        Fill::Flat(Rgb::hex(0x6b4a3a), 0.4),
    );
    for y in [-0.215, -0.37, -0.50, -0.655] {
        brush.window(-0.013, y, 0.024, 0.042);
    }
    gallery(brush);
}

fn gallery(brush: &mut Brush<'_>) {
    brush.polygon(
        &[
            (-0.058, -0.775),
            (0.058, -0.775),
            (0.094, -0.800),
            (-0.094, -0.800),
        ],
        Fill::Round(Rgb::hex(0xd8d2c8)),
    );
    brush.slab(-0.100, -0.812, 0.200, 0.014, Fill::Round(IRON));
    // The lantern room: glass that burns, behind bars.
    let glass = brush
        .tone(Rgb::hex(0xbfd8dc), 0.9)
        .mix(Rgb::hex(0xfff3c4), 0.25 + 0.75 * brush.light.lamps.min(1.0));
    brush.slab(-0.046, -0.905, 0.092, 0.093, Fill::Raw(glass, 1.0));
    let iron = brush.tone(IRON, 0.25);
    for x in [-0.046, -0.016, 0.016, 0.046] {
        brush.line(&[(x, -0.812), (x, -0.905)], 0.006, Fill::Raw(iron, 1.0));
    }
    for x in [
        -0.096, -0.072, -0.048, -0.024, 0.0, 0.024, 0.048, 0.072, 0.096,
    ] {
        brush.line(&[(x, -0.812), (x, -0.850)], 0.0035, Fill::Raw(iron, 1.0));
    }
    brush.line(
        &[(-0.097, -0.850), (0.097, -0.850)],
        0.005,
        Fill::Raw(iron, 1.0),
    );
    let dome = [
        (-0.060, -0.903),
        (-0.052, -0.925),
        (-0.028, -0.952),
        (0.0, -0.966),
        (0.028, -0.952),
        (0.052, -0.925),
        (0.060, -0.903),
    ];
    brush.polygon(&dome, Fill::Round(RED));
    brush.oval(0.0, -0.972, 0.010, 0.010, Fill::Round(IRON));
    brush.line(&[(0.0, -0.975), (0.0, -1.02)], 0.004, Fill::Raw(iron, 1.0));
    let burning = brush.light.lamps;
    if burning > 0.2 {
        brush.glow(LAMP.0, LAMP.1, 0.30, LAMPLIGHT, 0.75 * burning);
        brush.glow(LAMP.0, LAMP.1, 0.085, Rgb::hex(0xfffbe6), burning);
    }
}

fn house(brush: &mut Brush<'_>) {
    let wall = Rgb::hex(0xefe6d6);
    brush.slab(0.07, -0.125, 0.235, 0.125, Fill::Flat(wall, 0.62));
    brush.polygon(
        &[(0.070, -0.125), (0.125, -0.205), (0.180, -0.125)],
        Fill::Flat(wall, 0.62),
    );
    brush.polygon(
        &[
            (0.125, -0.215),
            (0.285, -0.215),
            (0.325, -0.115),
            (0.178, -0.115),
        ],
        Fill::Flat(Rgb::hex(0xa8483c), 0.5),
    );
    brush.polygon(
        &[
            (0.125, -0.215),
            (0.178, -0.115),
            (0.168, -0.110),
            (0.122, -0.196),
            (0.070, -0.112),
            (0.060, -0.118),
        ],
        Fill::Flat(RED, 0.75),
    );
    brush.slab(0.235, -0.262, 0.028, 0.062, Fill::Round(Rgb::hex(0x9a5a4c)));
    brush.window(0.108, -0.095, 0.032, 0.045);
    brush.window(0.205, -0.085, 0.028, 0.042);
    brush.window(0.255, -0.085, 0.028, 0.042);
}

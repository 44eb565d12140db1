//! A hot-air balloon with gores in two colours.

use crate::brush::{Brush, Fill, LAMPLIGHT};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::mix;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let schemes = [
        [0xd8453a, 0xf6e7c8],
        [0xe89a34, 0x2f6f8f],
        [0x3f8f88, 0xf4d27a],
        [0x8a4f9a, 0xf2a65e],
    ];
    let pair = schemes[dice.index(schemes.len())].map(Rgb::hex);
    let gores = 9_u8;
    let outline = |t: f32| {
        // Half width of the envelope from crown (0) to mouth (1).
        let round = (1.0 - (t / 0.42 - 1.0) * (t / 0.42 - 1.0)).max(0.0).sqrt();
        if t < 0.42 {
            0.36 * round
        } else {
            mix(
                0.36,
                0.068,
                ((t - 0.42) / 0.58).powi(2) * 0.35 + (t - 0.42) / 0.58 * 0.65,
            )
        }
    };
    let edge = |k: f32| -> Vec<(f32, f32)> {
        // Where on the round envelope a seam runs: seams crowd at its sides.
        let across = k * (1.5 - 0.5 * k * k);
        (0..=18_u8)
            .map(|step| f32::from(step) / 18.0)
            .map(|t| (outline(t) * across, -1.0 + 0.76 * t))
            .collect()
    };
    for gore in 0..gores {
        let (from, to) = (
            f32::from(gore) / f32::from(gores) * 2.0 - 1.0,
            (f32::from(gore) + 1.0) / f32::from(gores) * 2.0 - 1.0,
        );
        let points: Vec<_> = edge(from)
            .into_iter()
            .chain(edge(to).into_iter().rev())
            .collect();
        let facing = mix(1.0, 0.08, ((from + to) / 4.0 + 0.5 - 0.12).clamp(0.0, 1.0));
        brush.polygon(&points, Fill::Flat(pair[usize::from(gore % 2)], facing));
    }
    let band = |at: f32, tall: f32| -> Vec<(f32, f32)> {
        let steps = [-1.0_f32, -0.7, -0.35, 0.0, 0.35, 0.7, 1.0];
        let row = |t: f32| steps.map(|k| (outline(t) * k, -1.0 + 0.76 * t + 0.022 * (1.0 - k * k)));
        row(at)
            .into_iter()
            .chain(row(at + tall).into_iter().rev())
            .collect()
    };
    brush.polygon(&band(0.40, 0.085), Fill::Round(pair[1].mix(pair[0], 0.5)));
    for x in [-0.062, -0.022, 0.022, 0.062] {
        brush.line(
            &[(x, -0.245), (x * 0.86, -0.085)],
            0.005,
            Fill::Flat(Rgb::hex(0x4a3d38), 0.4),
        );
    }
    brush.slab(
        -0.062,
        -0.092,
        0.124,
        0.092,
        Fill::Round(Rgb::hex(0x9a6b42)),
    );
    brush.slab(
        -0.070,
        -0.100,
        0.140,
        0.022,
        Fill::Round(Rgb::hex(0x6d4a30)),
    );
    brush.line(
        &[(-0.06, -0.045), (0.06, -0.045)],
        0.008,
        Fill::Flat(Rgb::hex(0x6d4a30), 0.4),
    );
    let lamps = brush.light.lamps;
    if lamps > 0.1 {
        brush.glow(0.0, -0.34, 0.36, LAMPLIGHT, 0.42 * lamps);
        brush.glow(0.0, -0.22, 0.075, Rgb::hex(0xfff3c8), 0.9 * lamps);
    }
}

//! A banded planet with a ring, half in its own shade, and a small moon.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::{around, mix};

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let schemes = [
        [0xe8b27a, 0xc9774f, 0xf4d9a8],
        [0x7fb7d8, 0x4f79b8, 0xcfe6ee],
        [0xd88fb0, 0x8f5fa8, 0xf2cfd8],
    ];
    let [main, dark, pale] = schemes[dice.index(3)].map(Rgb::hex);
    let (centre, radius) = ((0.0, -0.5), 0.30);
    brush.oval(0.52, -0.93, 0.045, 0.045, Fill::Raw(pale.scale(0.9), 1.0));
    brush.oval(
        0.532,
        -0.922,
        0.036,
        0.036,
        Fill::Raw(pale.scale(0.45), 0.6),
    );
    let mut tilted = brush.turned(-0.05, centre.0, centre.1);
    ring(&mut tilted, centre, pale, dark, 0.5);
    // Bands are chords of the disc: slices between two heights, each with round ends.
    let slices = 12_u8;
    for slice in 0..slices {
        // Each band reaches to the lower pole and the next covers it: no seams.
        let from = f32::from(slice) / f32::from(slices);
        let color = [main, pale, dark, main.mix(pale, 0.5)][dice.index(4)].mix(main, 0.35);
        let at = |t: f32| (t * 2.0 - 1.0) * radius;
        let half = |y: f32| (radius * radius - y * y).max(0.0).sqrt();
        let steps = 16_u8;
        let side = |sign: f32| {
            (0..=steps).map(move |step| {
                let y = at(mix(from, 1.0, f32::from(step) / f32::from(steps)));
                (centre.0 + sign * half(y), centre.1 + y)
            })
        };
        let outline: Vec<_> = side(-1.0)
            .chain(side(1.0).collect::<Vec<_>>().into_iter().rev())
            .collect();
        tilted.polygon(&outline, Fill::Raw(color, 1.0));
    }
    // Its night side: lunes that deepen towards the right.
    for shade in 0..30_u8 {
        let t = f32::from(shade) / 29.0;
        let inner = mix(-0.35, 0.8, t);
        let mut lune = Vec::new();
        for step in 0..=20_u8 {
            let (dx, dy) = around(-0.25 + 0.5 * f32::from(step) / 20.0);
            lune.push((centre.0 + dx * radius, centre.1 + dy * radius));
        }
        for step in 0..=20_u8 {
            let (dx, dy) = around(0.25 - 0.5 * f32::from(step) / 20.0);
            lune.push((centre.0 + dx * radius * inner, centre.1 + dy * radius));
        }
        tilted.polygon(&lune, Fill::Raw(Rgb::hex(0x0a0820), 0.055));
    }
    ring(&mut tilted, centre, pale, dark, 0.0);
    brush.glow(-0.10, -0.56, 0.62, main, 0.20);
}

/// One half of the ring: `from` 0.5 is the far half, 0.0 the near one.
fn ring(brush: &mut Brush<'_>, centre: (f32, f32), pale: Rgb, dark: Rgb, from: f32) {
    for (inner, outer, color, alpha) in [
        (0.375, 0.43, dark, 0.75),
        (0.435, 0.53, pale, 0.9),
        (0.54, 0.575, dark, 0.6),
    ] {
        let arc = |reach: f32| {
            (0..=28_u8).map(move |step| {
                let (dx, dy) = around(from + 0.5 * f32::from(step) / 28.0);
                (centre.0 + dx * reach, centre.1 + dy * reach * 0.27)
            })
        };
        let outline: Vec<_> = arc(inner)
            .chain(arc(outer).collect::<Vec<_>>().into_iter().rev())
            .collect();
        brush.polygon(&outline, Fill::Raw(color, alpha));
    }
}

//! Large flowers in the foreground: round petals, tulips and daisies on leaning stems.

use crate::brush::{Brush, Fill};
use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::around;

pub(crate) fn draw(brush: &mut Brush<'_>, dice: &mut Chance) {
    let hues = [0xe5484d, 0xf28fb0, 0xf6b73c, 0x9b6bd6, 0xf7f1e6, 0xf0784a].map(Rgb::hex);
    let first = dice.index(hues.len());
    let plants = [
        (-0.34, 0.58),
        (0.36, 0.64),
        (-0.17, 0.76),
        (0.19, 0.84),
        (0.0, 1.0),
    ];
    for (index, (x, scale)) in plants.into_iter().enumerate() {
        let petal = hues
            .get((first + index * 2) % hues.len())
            .copied()
            .unwrap_or(Rgb::WHITE);
        let lean = dice.between(-0.06, 0.06) + x * 0.25;
        let mut plant = brush.at(x, 0.0, scale);
        stem(&mut plant, lean);
        let mut head = plant.at(lean, -0.80, 1.0);
        match (index + first) % 3 {
            0 => poppy(&mut head, petal),
            1 => tulip(&mut head, petal),
            _ => daisy(&mut head, petal),
        }
    }
}

fn stem(brush: &mut Brush<'_>, lean: f32) {
    let green = Rgb::hex(0x5c9450);
    brush.curve(
        &[
            (0.0, 0.02),
            (lean * 0.1, -0.3),
            (lean * 0.5, -0.58),
            (lean, -0.80),
        ],
        0.020,
        Fill::Flat(green, 0.6),
    );
    brush.blob(
        &[(0.0, -0.05), (-0.10, -0.24), (-0.17, -0.45), (-0.05, -0.30)],
        Fill::Flat(green.scale(1.1), 0.95),
    );
    brush.blob(
        &[(0.0, -0.02), (0.09, -0.18), (0.19, -0.33), (0.04, -0.22)],
        Fill::Flat(green.scale(0.85), 0.3),
    );
}

fn poppy(brush: &mut Brush<'_>, petal: Rgb) {
    for turns in [0.62_f32, 0.88, 0.75, 0.55, 0.95, 0.12, 0.38, 0.25] {
        let (dx, dy) = around(turns);
        let facing = 0.62 - 0.33 * dx - 0.15 * dy;
        brush.oval(
            dx * 0.082,
            -0.02 + dy * 0.066,
            0.092,
            0.080,
            Fill::Flat(petal.scale(0.92 + 0.1 * facing), facing),
        );
    }
    brush.oval(0.0, -0.02, 0.060, 0.050, Fill::Flat(petal.scale(0.6), 0.5));
    brush.oval(
        0.0,
        -0.02,
        0.034,
        0.030,
        Fill::Flat(Rgb::hex(0x2e2a2c), 0.6),
    );
    for step in 0..12_u8 {
        let (dx, dy) = around(f32::from(step) / 12.0);
        brush.oval(
            dx * 0.050,
            -0.02 + dy * 0.042,
            0.007,
            0.007,
            Fill::Flat(Rgb::hex(0xf2d06b), 0.95),
        );
    }
}

fn tulip(brush: &mut Brush<'_>, petal: Rgb) {
    brush.blob(
        &[
            (-0.03, 0.02),
            (-0.06, -0.12),
            (-0.03, -0.24),
            (0.0, -0.27),
            (0.03, -0.24),
            (0.06, -0.12),
            (0.03, 0.02),
        ],
        Fill::Flat(petal.scale(0.75), 0.5),
    );
    brush.blob(
        &[
            (0.0, 0.045),
            (-0.085, 0.0),
            (-0.115, -0.12),
            (-0.095, -0.25),
            (-0.04, -0.15),
            (0.01, -0.05),
        ],
        Fill::Flat(petal.scale(1.05), 0.98),
    );
    brush.blob(
        &[
            (0.0, 0.045),
            (0.085, 0.0),
            (0.115, -0.12),
            (0.095, -0.25),
            (0.04, -0.15),
            (-0.01, -0.05),
        ],
        Fill::Flat(petal.scale(0.9), 0.3),
    );
    brush.blob(
        &[
            (0.0, 0.048),
            (-0.055, -0.02),
            (-0.055, -0.12),
            (0.0, -0.20),
            (0.055, -0.12),
            (0.055, -0.02),
        ],
        Fill::Flat(petal, 0.7),
    );
}

fn daisy(brush: &mut Brush<'_>, petal: Rgb) {
    for ring in 0..2_u8 {
        for step in 0..13_u8 {
            let turns = (f32::from(step) + 0.5 * f32::from(ring)) / 13.0;
            let (dx, dy) = around(turns);
            let long = 0.165 - 0.035 * f32::from(ring);
            let facing = 0.70 - 0.25 * dx - 0.15 * dy + 0.1 * f32::from(ring);
            let (nx, ny) = (-dy * 0.030, dx * 0.030);
            let (mx, my) = (dx * long * 0.72, dy * long * 0.72);
            brush.blob(
                &[
                    (0.0, 0.0),
                    (mx + nx, my + ny),
                    (dx * long, dy * long),
                    (mx - nx, my - ny),
                ],
                Fill::Flat(petal, facing),
            );
        }
    }
    brush.oval(0.0, 0.0, 0.050, 0.048, Fill::Round(Rgb::hex(0xe8a52f)));
    brush.oval(
        -0.010,
        -0.010,
        0.028,
        0.026,
        Fill::Flat(Rgb::hex(0xf5c450), 1.0),
    );
}

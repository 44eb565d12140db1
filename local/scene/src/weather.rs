//! What falls, drifts and flashes between the picture and its viewer.

use tiny_skia::{FillRule, Paint, PathBuilder, Shader, Stroke, Transform};

use crate::canvas::Canvas;
use crate::color::{Rgb, ramp};
use crate::curve::{mix, smooth};
use crate::noise::fractal;
use crate::view::View;
use crate::vocabulary::{Place, Weather};

pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    for weather in &view.brief.weather {
        match weather {
            Weather::Rain => rain(canvas, view),
            Weather::Snow => snow(canvas, view),
            Weather::Fog => fog(canvas, view),
            Weather::Storm => {
                lightning(canvas, view);
                rain(canvas, view);
            }
            Weather::Wind => leaves(canvas, view),
            Weather::Rainbow => rainbow(canvas, view),
            // Painted with the sky.
            Weather::Clouds | Weather::Clear | Weather::Aurora | Weather::Stars => {}
        }
    }
}

fn rain(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.detail("rain");
    let lean = if view.brief.has(Weather::Storm) || view.brief.has(Weather::Wind) {
        0.45
    } else {
        0.14
    };
    let color = view.light.sky[3].mix(Rgb::WHITE, 0.45);
    let drops = (view.width * view.height / (view.unit * view.unit) * 300.0) as u32;
    for (share, wide, long, alpha) in [(0.6, 0.0012, 0.035, 0.30), (0.4, 0.0022, 0.07, 0.38)] {
        let mut path = PathBuilder::new();
        for _ in 0..(drops as f32 * share) as u32 {
            let (x, y) = (
                dice.between(-0.1, 1.1) * view.width,
                dice.between(-0.1, 1.0) * view.height,
            );
            let fall = view.unit * long * dice.between(0.5, 1.2);
            path.move_to(x, y);
            path.line_to(x - fall * lean, y + fall);
        }
        let paint = Paint {
            shader: Shader::SolidColor(color.ink(alpha)),
            anti_alias: true,
            ..Paint::default()
        };
        let stroke = Stroke {
            width: (view.unit * wide).max(0.5),
            ..Stroke::default()
        };
        if let Some(path) = path.finish() {
            canvas
                .pixels
                .stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }
    veil(canvas, view, view.light.haze().saturate(0.6), 0.16);
}

fn snow(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.detail("snow");
    let flakes = (view.width * view.height / (view.unit * view.unit) * 420.0) as u32;
    let color = view.light.lit.mix(Rgb::WHITE, 0.6);
    for (share, size, alpha) in [
        (0.70, 0.0018, 0.75),
        (0.24, 0.0036, 0.85),
        (0.06, 0.0075, 0.55),
    ] {
        let mut path = PathBuilder::new();
        for _ in 0..(flakes as f32 * share) as u32 {
            let (x, y) = (dice.unit() * view.width, dice.unit() * view.height);
            path.push_circle(x, y, (view.unit * size * dice.between(0.6, 1.3)).max(0.45));
        }
        let paint = Paint {
            shader: Shader::SolidColor(color.ink(alpha)),
            anti_alias: true,
            ..Paint::default()
        };
        if let Some(path) = path.finish() {
            canvas.pixels.fill_path(
                &path,
                &paint,
                FillRule::Winding,
                Transform::identity(),
                None,
            );
        }
    }
}

/// Banks of fog, densest at the horizon, that leave the nearest ground and the upper sky.
fn fog(canvas: &mut Canvas, view: &View<'_>) {
    let key = view.chance("fog").key();
    let color = view.light.haze().mix(view.light.sky[3], 0.4).saturate(0.75);
    let scale = 1.0 / view.unit;
    // Two samples a row of blocks, blended: fog has no detail.
    let block = 6;
    let columns = canvas.columns() / block + 2;
    let mut bank = vec![0.0; columns];
    for y in 0..canvas.rows() {
        let away = (y as f32 - view.horizon) / view.height;
        let body = 1.0 - smooth(0.0, if away < 0.0 { 0.52 } else { 0.44 }, away.abs());
        if body <= 0.0 {
            continue;
        }
        if y % 2 == 0 || y == 0 {
            for (column, cell) in bank.iter_mut().enumerate() {
                let u = (column * block) as f32 * scale;
                *cell = fractal(u * 1.5, y as f32 * scale * 6.5, 3, key);
            }
        }
        for x in 0..canvas.columns() {
            let across = (x % block) as f32 / block as f32;
            let at = |column: usize| bank.get(column).copied().unwrap_or(0.0);
            let thick = mix(at(x / block), at(x / block + 1), across);
            canvas.lay(
                x,
                y,
                color,
                body * mix(0.45, 1.0, smooth(0.25, 0.75, thick)) * 0.86,
            );
        }
    }
}

fn veil(canvas: &mut Canvas, view: &View<'_>, color: Rgb, alpha: f32) {
    let horizon = view.horizon;
    canvas.map(|_, y, under| {
        let near = (y as f32 - horizon).abs() / horizon;
        under.mix(color, alpha * (1.0 - smooth(0.0, 0.9, near)))
    });
}

fn lightning(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.chance("lightning");
    if view.place == Place::Underwater {
        return;
    }
    let start = view.width - view.hero_x + view.unit * dice.between(-0.12, 0.12);
    let glow = Rgb::hex(0xbcd0ff);
    let (mut x, mut y) = (start, 0.0);
    let mut bolt = vec![(x, y)];
    let mut forks: Vec<Vec<(f32, f32)>> = Vec::new();
    while y < view.horizon {
        x += view.unit * dice.between(-0.035, 0.035);
        y += view.unit * dice.between(0.018, 0.045);
        bolt.push((x, y.min(view.horizon)));
        if dice.happens(0.22) {
            let side = dice.side();
            let (mut fx, mut fy) = (x, y);
            let fork = (0..5_u8).map(|_| {
                fx += side * view.unit * dice.between(0.004, 0.032);
                fy += view.unit * dice.between(0.008, 0.03);
                (fx, fy)
            });
            forks.push(
                std::iter::once((x, y))
                    .chain(fork.collect::<Vec<_>>())
                    .collect(),
            );
        }
    }
    for step in bolt.iter().step_by(3) {
        let light = crate::glow::Glow {
            x: step.0,
            y: step.1,
            radius: view.unit * 0.20,
            color: glow,
            strength: 0.13,
        };
        crate::glow::shine(canvas, &light);
    }
    let mut strike = |points: &[(f32, f32)], wide: f32, alpha: f32| {
        let paint = Paint {
            shader: Shader::SolidColor(Rgb::hex(0xf4f7ff).ink(alpha)),
            anti_alias: true,
            ..Paint::default()
        };
        let stroke = Stroke {
            width: (view.unit * wide).max(0.8),
            ..Stroke::default()
        };
        if let Some(path) = crate::shape::polyline(points) {
            canvas
                .pixels
                .stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    };
    for fork in &forks {
        strike(fork, 0.0018, 0.8);
    }
    strike(&bolt, 0.009, 0.25);
    strike(&bolt, 0.0042, 1.0);
}

/// Leaves and long strokes of moving air.
fn leaves(canvas: &mut Canvas, view: &View<'_>) {
    let mut dice = view.detail("leaves");
    let mut glows = Vec::new();
    let colors = [0xd9812f, 0xc4532e, 0xe2b13c, 0x7fa04a].map(Rgb::hex);
    let mut brush = crate::brush::Brush {
        canvas,
        light: &view.light,
        glows: &mut glows,
        frame: Transform::identity(),
        air: 0.0,
    };
    for _ in 0..7 {
        let (x, y) = (
            dice.between(-0.1, 0.8) * view.width,
            dice.between(0.1, 0.85) * view.height,
        );
        let long = view.unit * dice.between(0.2, 0.5);
        let bend = view.unit * dice.between(-0.02, 0.02);
        let air = [
            (x, y),
            (x + long * 0.4, y + bend),
            (x + long * 0.8, y - bend),
            (x + long, y - bend * 2.5 - view.unit * 0.012),
        ];
        brush.curve(
            &air,
            view.unit * 0.0022,
            crate::brush::Fill::Raw(Rgb::WHITE, 0.22),
        );
    }
    for _ in 0..44 {
        let (x, y) = (
            dice.unit() * view.width,
            dice.between(0.12, 0.98) * view.height,
        );
        let size = view.unit * dice.between(0.005, 0.014);
        let color = colors[dice.index(colors.len())];
        let mut leaf = brush.turned(dice.unit(), x, y);
        leaf.blob(
            &[
                (x - size, y),
                (x, y - size * 0.42),
                (x + size, y),
                (x, y + size * 0.42),
            ],
            crate::brush::Fill::Flat(color, 0.8),
        );
    }
}

fn rainbow(canvas: &mut Canvas, view: &View<'_>) {
    let hues = [0xd9483b, 0xee8b3a, 0xf4d35e, 0x6abf69, 0x3f8fd0, 0x7a58c1].map(Rgb::hex);
    let centre = (view.width - view.body.0, view.horizon + view.unit * 0.10);
    let (inner, outer) = (view.unit * 0.56, view.unit * 0.64);
    for y in 0..(view.horizon as usize).min(canvas.rows()) {
        let dy = y as f32 - centre.1;
        for x in 0..canvas.columns() {
            let dx = x as f32 - centre.0;
            let t = ((dx * dx + dy * dy).sqrt() - inner) / (outer - inner);
            if (0.0..1.0).contains(&t) {
                let edge = (t * (1.0 - t) * 4.0).min(1.0);
                canvas.lay(x, y, ramp(&hues, 1.0 - t), 0.42 * edge);
            }
        }
    }
}

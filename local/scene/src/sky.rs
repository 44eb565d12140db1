//! The sky: its gradient, the glow of the sun or moon, the disc itself, and the stars.

use crate::canvas::Canvas;
use crate::color::{Rgb, ramp};
use crate::curve::{bell, mix, smooth};
use crate::noise::{fractal, speck};
use crate::view::View;
use crate::vocabulary::{Meaning, Place, Subject, Weather};

/// Fills the whole canvas; what lies below the horizon is painted over later.
pub(crate) fn paint(canvas: &mut Canvas, view: &View<'_>) {
    gradient(canvas, view);
    let clouded = view.brief.has(Weather::Storm) || view.brief.has(Weather::Rain);
    let starry = view.brief.has(Weather::Stars);
    if !view.brief.lacks(Meaning::Weather(Weather::Stars))
        && view.place != Place::Underwater
        && (!clouded || starry)
    {
        let strength = if starry {
            (view.light.stars + 0.5).min(1.3)
        } else {
            view.light.stars
        };
        if strength > 0.0 {
            stars(canvas, view, strength, starry || view.place == Place::Space);
        }
    }
    let hidden = view.place == Place::Underwater || (clouded && !view.brief.shows(Subject::Sun));
    if !hidden {
        disc(canvas, view);
    }
}

fn gradient(canvas: &mut Canvas, view: &View<'_>) {
    let light = &view.light;
    let heavy = if view.brief.has(Weather::Storm) {
        0.62
    } else if view.brief.has(Weather::Rain) || view.brief.has(Weather::Snow) {
        0.32
    } else {
        0.0
    };
    let gray = light.sky[1]
        .saturate(0.35)
        .scale(if view.brief.has(Weather::Storm) {
            0.55
        } else {
            0.9
        });
    let strength = light.glow_strength * (1.0 - heavy);
    let (near, far) = (1.0 / (0.16 * view.unit), 1.0 / (0.55 * view.unit));
    let rows = canvas.rows();
    let sky: Vec<Rgb> = (0..rows)
        .map(|y| {
            let t = (y as f32 / view.horizon).min(1.0);
            // The stops crowd towards the horizon, where a real sky changes fastest.
            ramp(&light.sky, t * (0.72 + 0.28 * t)).mix(gray, heavy * (1.0 - 0.45 * t))
        })
        .collect();
    canvas.map(|x, y, _| {
        let (dx, dy) = (x as f32 - view.body.0, y as f32 - view.body.1);
        let distance = dx * dx * 0.55 + dy * dy;
        let halo = strength
            * (0.55 * bell_of_square(distance * near * near)
                + 0.40 * bell_of_square(distance * far * far));
        let base = sky.get(y).copied().unwrap_or(Rgb::BLACK);
        base.mix(light.glow, halo.min(0.92))
    });
}

fn bell_of_square(square: f32) -> f32 {
    1.0 / (1.0 + square)
}

fn disc(canvas: &mut Canvas, view: &View<'_>) {
    let light = &view.light;
    let asked = view.brief.shows(Subject::Moon) || view.brief.shows(Subject::Sun);
    let radius = view.unit
        * if asked {
            0.125
        } else if light.moon {
            0.036
        } else {
            0.05 - 0.012 * light.body_height
        };
    let low = view.place == Place::Space && !asked;
    if low || light.body_height < -0.02 {
        return;
    }
    let (cx, cy) = view.body;
    let key = view.chance("moon").key();
    let reach = radius + 2.0;
    let crescent = light.moon && !asked && view.chance("phase").happens(0.5);
    let shadow_x = cx + radius * 0.55;
    for y in rows_of(cy, reach, canvas.rows()) {
        for x in rows_of(cx, reach, canvas.columns()) {
            let (dx, dy) = (x as f32 - cx, y as f32 - cy);
            let distance = (dx * dx + dy * dy).sqrt();
            let mut alpha = (radius - distance + 0.5).clamp(0.0, 1.0);
            let mut color = light.disc;
            if light.moon {
                let (u, v) = (dx / radius, dy / radius);
                let seas = smooth(0.46, 0.62, fractal(u * 1.7 + 7.0, v * 1.7, 3, key));
                color =
                    color.scale(1.0 - 0.10 * seas - 0.10 * bell((distance / radius - 1.0) * 5.0));
                if crescent {
                    let (sx, sy) = (x as f32 - shadow_x, dy + radius * 0.2);
                    let hidden = (radius - (sx * sx + sy * sy).sqrt() + 0.5).clamp(0.0, 1.0);
                    alpha *= 1.0 - hidden;
                }
            }
            canvas.lay(x, y, color, alpha);
        }
    }
}

/// A jittered grid of points, most of them faint; with `band`, the milky way.
fn stars(canvas: &mut Canvas, view: &View<'_>, strength: f32, band: bool) {
    let mut dice = view.detail("stars");
    let (key, lean) = (dice.key(), view.chance("band").between(-0.7, 0.7));
    // Space has its nebula instead.
    if view.place != Place::Space && (band || view.light.stars > 0.95) {
        milky_way(canvas, view, strength, lean);
    }
    let bottom = if view.place == Place::Space {
        view.height
    } else {
        view.horizon
    };
    let cell = view.unit * 0.022;
    let (across, down) = ((view.width / cell) as i32 + 1, (bottom / cell) as i32 + 1);
    for row in 0..down {
        for column in 0..across {
            let luck = speck(column, row, key);
            let t = row as f32 * cell / bottom;
            // Fewer and fainter towards the horizon, where the air is thick.
            let fade = if view.place == Place::Space {
                1.0
            } else {
                1.0 - smooth(0.35, 1.0, t)
            };
            if luck > 0.10 + 0.40 * strength * fade {
                continue;
            }
            let x = (column as f32 + speck(column, row, key ^ 1)) * cell;
            let y = (row as f32 + speck(column, row, key ^ 2)) * cell;
            let size = speck(column, row, key ^ 3);
            let bright = size * size * size * size;
            let radius = view.unit * mix(0.0007, 0.0024, bright);
            let tint = ramp(
                &[Rgb::hex(0xffd9b8), Rgb::WHITE, Rgb::hex(0xbfd4ff)],
                speck(column, row, key ^ 4),
            );
            star(
                canvas,
                (x, y),
                radius.max(0.55),
                tint.scale((0.25 + 0.75 * bright) * strength.min(1.0) * (0.3 + 0.7 * fade)),
            );
        }
    }
}

fn star(canvas: &mut Canvas, (cx, cy): (f32, f32), radius: f32, light: Rgb) {
    let reach = radius * 3.0;
    for y in rows_of(cy, reach, canvas.rows()) {
        for x in rows_of(cx, reach, canvas.columns()) {
            let (dx, dy) = (x as f32 - cx, y as f32 - cy);
            let square = (dx * dx + dy * dy) / (radius * radius);
            canvas.shine(x, y, light.scale(bell_of_square(square * square * 0.8)));
        }
    }
}

fn milky_way(canvas: &mut Canvas, view: &View<'_>, strength: f32, lean: f32) {
    let key = view.chance("milky way").key();
    let tint = view.light.sky[3].mix(Rgb::hex(0xa9b8ff), 0.5).saturate(1.3);
    let warm = view.light.glow.mix(Rgb::hex(0xff9ec7), 0.6);
    let middle = view.width * (0.5 - lean * 0.25);
    let reach = view.horizon;
    let scale = 1.0 / view.unit;
    for y in 0..(reach as usize).min(canvas.rows()) {
        let fade = 1.0 - y as f32 / reach;
        for x in 0..canvas.columns() {
            let (u, v) = (x as f32 * scale, y as f32 * scale);
            let across = (x as f32 - middle) * scale - lean * (v - 0.3);
            let body = bell_of_square(across * across * 22.0);
            if body < 0.06 {
                continue;
            }
            let cloud = fractal(u * 3.4, v * 3.4, 3, key);
            let dust = smooth(0.52, 0.72, fractal(u * 4.2 + 9.0, v * 4.2, 2, key ^ 9));
            let light =
                strength * fade * body * smooth(0.25, 0.8, cloud) * (1.0 - 0.65 * dust) * 0.5;
            canvas.shine(x, y, tint.mix(warm, smooth(0.4, 0.75, cloud)).scale(light));
        }
    }
}

fn rows_of(centre: f32, reach: f32, limit: usize) -> std::ops::Range<usize> {
    let low = (centre - reach).max(0.0) as usize;
    low.min(limit)..((centre + reach + 1.0).max(0.0) as usize).min(limit)
}

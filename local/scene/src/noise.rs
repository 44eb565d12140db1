//! Value noise on an integer lattice, for clouds, ridge lines, waves and grain.

use crate::curve::mix;

/// A hash of a lattice point in 0.0..1.0.
pub(crate) fn speck(x: i32, y: i32, key: u32) -> f32 {
    let mut bits =
        (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841) ^ key;
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2c1b_3c6d);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297a_2d39);
    ((bits ^ (bits >> 15)) >> 8) as f32 / 16_777_216.0
}

/// Smooth noise in 0.0..1.0 with features about one unit wide.
pub(crate) fn field(x: f32, y: f32, key: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (ease(x - left), ease(y - top));
    let (left, top) = (left as i32, top as i32);
    let upper = mix(speck(left, top, key), speck(left + 1, top, key), across);
    let lower = mix(
        speck(left, top + 1, key),
        speck(left + 1, top + 1, key),
        across,
    );
    mix(upper, lower, down)
}

/// `octaves` layers of [`field`], each twice as fine and half as strong, in 0.0..1.0.
pub(crate) fn fractal(x: f32, y: f32, octaves: u32, key: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.5, 1.0);
    let mut total = 0.0;
    for octave in 0..octaves {
        // The offset keeps the lattices of two octaves from lining up at the origin.
        let shift = octave as f32 * 17.31;
        sum += weight
            * field(
                x * scale + shift,
                y * scale - shift,
                key.wrapping_add(octave),
            );
        total += weight;
        weight *= 0.5;
        scale *= 2.03;
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// Fractal noise folded at its middle, so that it has sharp crests: mountain ridges, veins, ripples.
pub(crate) fn crests(x: f32, y: f32, octaves: u32, key: u32) -> f32 {
    let (mut sum, mut weight, mut scale, mut total) = (0.0, 0.5, 1.0, 0.0);
    for octave in 0..octaves {
        let shift = octave as f32 * 9.77;
        let folded = 1.0
            - (2.0
                * field(
                    x * scale + shift,
                    y * scale + shift,
                    key.wrapping_add(octave),
                )
                - 1.0)
                .abs();
        sum += weight * folded * folded;
        total += weight;
        weight *= 0.5;
        scale *= 2.1;
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::{crests, field, fractal};

    #[test]
    fn noise_stays_between_zero_and_one() {
        for step in -500..500_i16 {
            let x = f32::from(step) * 0.37;
            for value in [
                field(x, -x, 3),
                fractal(x, x * 0.3, 5, 3),
                crests(x, 0.5, 4, 3),
            ] {
                assert!((0.0..=1.0).contains(&value), "{value} at {x}");
            }
        }
    }

    #[test]
    fn neighbouring_points_are_close_and_distant_keys_are_not() {
        assert!((field(4.2, 1.0, 9) - field(4.21, 1.0, 9)).abs() < 0.05);
        assert!(
            (0..20_u8)
                .any(|x| (field(f32::from(x), 0.0, 1) - field(f32::from(x), 0.0, 2)).abs() > 0.3)
        );
    }
}

//! Curves from number to number that shade and bend everything else.
//!
//! Only `+ - * /`, `floor` and `sqrt` are used: those are exact in IEEE 754, whereas a platform's own
//! `sin` and `exp` differ in the last bit and would make the same seed two different pictures.

/// The value `t` of the way from `from` to `to`.
pub(crate) fn mix(from: f32, to: f32, t: f32) -> f32 {
    from + (to - from) * t
}

/// 0 below `low`, 1 above `high`, an S-curve between.
pub(crate) fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A sine in -1..=1 of an angle in whole turns (not radians), within 0.1 % of the true one.
pub(crate) fn wave(turns: f32) -> f32 {
    let t = turns - turns.floor();
    let arch = if t < 0.5 {
        16.0 * t * (0.5 - t)
    } else {
        -16.0 * (t - 0.5) * (1.0 - t)
    };
    arch * (0.775 + 0.225 * arch.abs())
}

/// The point at `turns` on the unit circle, clockwise on a picture whose y grows downwards.
pub(crate) fn around(turns: f32) -> (f32, f32) {
    (wave(turns + 0.25), wave(turns))
}

/// A bell: 1 at 0, one half at 1, long tails, as light scatters.
pub(crate) fn bell(x: f32) -> f32 {
    1.0 / (1.0 + x * x)
}

#[cfg(test)]
mod tests {
    use super::{around, wave};

    #[test]
    fn the_wave_follows_a_sine() {
        for step in 0..200_u8 {
            let turns = f32::from(step) / 50.0 - 2.0;
            let sine = (turns * std::f32::consts::TAU).sin();
            assert!(
                (wave(turns) - sine).abs() < 0.0015,
                "{turns}: {} against {sine}",
                wave(turns)
            );
        }
    }

    #[test]
    fn a_quarter_turn_points_down() {
        let (x, y) = around(0.25);
        assert!(x.abs() < 1e-3 && (y - 1.0).abs() < 1e-3);
    }
}

//! The motion of `live-portrait`: which movement follows which, for how many frames, drawn from a seed. The same as
//! `ryla_modal/motion.py`, which explains the format; a change of one is a change of both and of the fixtures.

use std::fmt::Write;
use std::ops::RangeInclusive;

// Frames, at 30 a second.
const BETWEEN_BLINKS: RangeInclusive<u32> = 90..=180;
const CLOSE: u32 = 3;
const CLOSED: u32 = 1;
const OPEN: u32 = 4;
const TURN: RangeInclusive<u32> = 15..=25;
const HOLD: RangeInclusive<u32> = 10..=25;
const SETTLE: u32 = 10;

/// Numbers of motions: the face at rest, the face while it blinks, the movements between two blinks.
struct Poses {
    rest: u32,
    blink: u32,
    turns: &'static [u32],
}

fn poses(preset: &str) -> Option<Poses> {
    let (rest, blink, turns): (u32, u32, &'static [u32]) = match preset {
        "neutral" => (0, 1, &[2, 3, 4]),
        "smile" => (5, 6, &[7, 8, 9]),
        "nod" => (0, 1, &[10]),
        _ => return None,
    };
    Some(Poses { rest, blink, turns })
}

/// `SplitMix64`, public domain, by Sebastiano Vigna.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn between(&mut self, range: &RangeInclusive<u32>) -> u32 {
        let count = u64::from(range.end() - range.start()) + 1;
        // The remainder is smaller than a count of 32 bits.
        range.start() + u32::try_from(self.next() % count).unwrap_or_default()
    }
}

/// The command for exactly that many frames; none for an unknown preset.
pub(super) fn portrait(seed: u64, preset: &str, frames: u32) -> Option<String> {
    let Poses { rest, blink, turns } = poses(preset)?;
    let last = u32::try_from(turns.len()).ok()?.checked_sub(1)?;
    let mut draw = SplitMix64(seed);
    let mut command = String::new();
    let mut left = frames;
    loop {
        let gap = draw.between(&BETWEEN_BLINKS);
        let turn = turns.get(usize::try_from(draw.between(&(0..=last))).ok()?)?;
        let (there, hold, back) = (
            draw.between(&TURN),
            draw.between(&HOLD),
            draw.between(&TURN),
        );
        let still = gap - there - hold - back;
        let before = draw.between(&(1..=still - 1));
        let whole = gap + CLOSE + CLOSED + OPEN;
        if left <= whole {
            break;
        }
        let after = still - before;
        let keep = before - 1;
        // Writing into a String cannot fail.
        let _ = write!(
            command,
            "{rest}=1:{keep}\n{turn}={there}:{hold}\n{rest}={back}:{after}\n{blink}={CLOSE}:{CLOSED}\n{rest}={OPEN}:0\n"
        );
        left -= whole;
    }
    let settle = SETTLE.min(left);
    let _ = write!(command, "{rest}={settle}:{}", left - settle);
    Some(command)
}

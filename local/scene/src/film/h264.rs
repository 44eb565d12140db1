//! The frames of a film as H.264 of the baseline profile (ITU-T H.264): one picture whose blocks hold
//! their samples as they are (`I_PCM`), and frames that are that picture, moved. Each of those refers to the
//! first alone, so that nothing blurs on the way.

use super::bits::Bits;
use crate::Picture;

/// Kinds of NAL units.
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;

/// Bits of a picture's place in the order of output.
const ORDER_BITS: u32 = 16;

/// Level 5.1: more than the largest film needs.
const LEVEL: u8 = 51;
const BASELINE: u8 = 66;
/// The stream is also one of the constrained baseline profile.
const CONSTRAINTS: u8 = 0b1100_0000;

/// What all frames of a film share.
pub(super) struct Stream<'p> {
    picture: &'p Picture,
}

impl<'p> Stream<'p> {
    /// Both sides of the picture are multiples of 16.
    pub(super) fn new(picture: &'p Picture) -> Self {
        Self { picture }
    }

    /// Profile, constraints and level, as MP4 repeats them.
    pub(super) const PROFILE: [u8; 3] = [BASELINE, CONSTRAINTS, LEVEL];

    fn blocks(&self) -> (u32, u32) {
        (self.picture.width / 16, self.picture.height / 16)
    }

    /// The sequence parameter set.
    pub(super) fn sequence_set(&self) -> Vec<u8> {
        let (wide, tall) = self.blocks();
        let mut bits = Bits::default();
        bits.raw(Self::PROFILE);
        bits.unsigned(0); // its number
        bits.unsigned(0); // frame numbers have 4 bits
        bits.unsigned(0); // the order of output is told in each slice,
        bits.unsigned(ORDER_BITS - 4); // in so many bits
        bits.unsigned(1); // one reference picture
        bits.flag(false); // no gaps in frame numbers
        bits.unsigned(wide - 1);
        bits.unsigned(tall - 1);
        bits.flag(true); // frames, no fields
        bits.flag(true); // direct_8x8_inference, as level 5.1 wants
        bits.flag(false); // nothing is cropped
        bits.flag(false); // no usability information
        bits.nal(3, SEQUENCE)
    }

    /// The picture parameter set.
    pub(super) fn picture_set() -> Vec<u8> {
        let mut bits = Bits::default();
        bits.unsigned(0); // its number
        bits.unsigned(0); // the sequence's
        bits.flag(false); // variable-length codes
        bits.flag(false);
        bits.unsigned(0); // one slice group
        bits.unsigned(0); // one reference, in list 0
        bits.unsigned(0); // and in list 1, which is not used
        bits.flag(false); // no weighted prediction
        bits.number(0, 2);
        bits.signed(0); // quantisers: nothing is quantised
        bits.signed(0);
        bits.signed(0);
        bits.flag(true); // each slice says whether edges are smoothed
        bits.flag(false);
        bits.flag(false);
        bits.nal(3, PICTURE)
    }

    /// The first frame: the picture itself.
    pub(super) fn still(&self) -> Vec<u8> {
        let mut bits = Bits::default();
        slice_header(&mut bits, 7, 0);
        bits.unsigned(0); // idr_pic_id
        bits.number(0, ORDER_BITS);
        bits.flag(false);
        bits.flag(false);
        bits.signed(0);
        bits.unsigned(1); // edges stay as they are
        let (wide, tall) = self.blocks();
        for row in 0..tall {
            for column in 0..wide {
                bits.unsigned(25); // I_PCM
                bits.align();
                self.samples(&mut bits, column * 16, row * 16);
            }
        }
        bits.nal(3, IDR_SLICE)
    }

    /// The picture, moved by `x` and `y` quarters of a pixel. `frame` counts from 1.
    pub(super) fn moved(&self, frame: u32, x: i32, y: i32) -> Vec<u8> {
        let mut bits = Bits::default();
        // No frame refers to this one, so all have the number after the first.
        slice_header(&mut bits, 5, 1);
        bits.number((2 * frame) & ((1 << ORDER_BITS) - 1), ORDER_BITS);
        bits.flag(false); // as many references as the picture parameters say
        bits.flag(false); // in their usual order
        bits.signed(0);
        bits.unsigned(1);
        let (wide, tall) = self.blocks();
        if (x, y) == (0, 0) {
            bits.unsigned(wide * tall); // all blocks are skipped
        } else {
            for block in 0..wide * tall {
                bits.unsigned(0); // none skipped
                bits.unsigned(0); // P_L0_16x16
                // The first block says how far; to all others that is what is expected (8.4.1.3).
                let (x, y) = if block == 0 { (x, y) } else { (0, 0) };
                bits.signed(x);
                bits.signed(y);
                bits.unsigned(0); // no residual
            }
        }
        bits.nal(0, SLICE)
    }

    /// Luma of a block of 16 x 16 pixels, then its two chroma planes at half the size.
    fn samples(&self, bits: &mut Bits, left: u32, top: u32) {
        let rgb = |x: u32, y: u32| {
            let pixel = self.picture.pixel(x, y).unwrap_or_default();
            pixel.map(i32::from)
        };
        for y in top..top + 16 {
            bits.raw((left..left + 16).map(|x| luma(rgb(x, y))));
        }
        for weights in [BLUE, RED] {
            for y in (top..top + 16).step_by(2) {
                bits.raw((left..left + 16).step_by(2).map(|x| {
                    let four = [rgb(x, y), rgb(x + 1, y), rgb(x, y + 1), rgb(x + 1, y + 1)];
                    let mean = |c: usize| four.iter().map(|pixel| pixel[c]).sum::<i32>() / 4;
                    chroma([mean(0), mean(1), mean(2)], weights)
                }));
            }
        }
    }
}

/// Weights of ITU-R BT.601 in 256ths, for samples from 16 to 235 (240).
const LUMA: [i32; 3] = [66, 129, 25];
const BLUE: [i32; 3] = [-38, -74, 112];
const RED: [i32; 3] = [112, -94, -18];

fn weigh(rgb: [i32; 3], weights: [i32; 3]) -> i32 {
    let sum: i32 = rgb
        .iter()
        .zip(weights)
        .map(|(part, weight)| part * weight)
        .sum();
    (sum + 128) >> 8
}

/// Never 0: a sample of zero would be legal, but zeros next to each other cost escapes.
fn luma(rgb: [i32; 3]) -> u8 {
    (weigh(rgb, LUMA) + 16).clamp(16, 235) as u8
}

fn chroma(rgb: [i32; 3], weights: [i32; 3]) -> u8 {
    (weigh(rgb, weights) + 128).clamp(16, 240) as u8
}

fn slice_header(bits: &mut Bits, kind: u32, frame_number: u32) {
    bits.unsigned(0); // from the first block
    bits.unsigned(kind);
    bits.unsigned(0); // the picture parameters' number
    bits.number(frame_number, 4);
}

//! One colour, as the painter thinks of it: red, green and blue in sRGB, 0.0..=1.0 each.

use crate::curve;

/// An opaque sRGB colour. Channels may leave 0..=1 in the middle of a sum; they are clamped when written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rgb {
    pub(crate) r: f32,
    pub(crate) g: f32,
    pub(crate) b: f32,
}

impl Rgb {
    pub(crate) const BLACK: Self = Self::gray(0.0);
    pub(crate) const WHITE: Self = Self::gray(1.0);

    pub(crate) const fn new(r: f32, g: f32, b: f32) -> Self {
        Self { r, g, b }
    }

    pub(crate) const fn gray(level: f32) -> Self {
        Self::new(level, level, level)
    }

    /// From the notation of style sheets: `0xRRGGBB`.
    pub(crate) const fn hex(code: u32) -> Self {
        Self::new(
            ((code >> 16) & 255) as f32 / 255.0,
            ((code >> 8) & 255) as f32 / 255.0,
            (code & 255) as f32 / 255.0,
        )
    }

    pub(crate) fn mix(self, other: Self, t: f32) -> Self {
        Self::new(
            curve::mix(self.r, other.r, t),
            curve::mix(self.g, other.g, t),
            curve::mix(self.b, other.b, t),
        )
    }

    /// Light of colour `other` falling on a surface of this colour.
    pub(crate) fn times(self, other: Self) -> Self {
        Self::new(self.r * other.r, self.g * other.g, self.b * other.b)
    }

    pub(crate) fn scale(self, factor: f32) -> Self {
        Self::new(self.r * factor, self.g * factor, self.b * factor)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self::new(self.r + other.r, self.g + other.g, self.b + other.b)
    }

    /// Light added to light without ever passing white.
    pub(crate) fn screen(self, other: Self) -> Self {
        let screen = |a: f32, b: f32| 1.0 - (1.0 - a) * (1.0 - b);
        Self::new(
            screen(self.r, other.r),
            screen(self.g, other.g),
            screen(self.b, other.b),
        )
    }

    /// Perceived brightness (Rec. 601 weights, as the tests measure it).
    pub(crate) fn luma(self) -> f32 {
        0.299 * self.r + 0.587 * self.g + 0.114 * self.b
    }

    /// Away from (above 1.0) or towards (below 1.0) the gray of the same luma.
    pub(crate) fn saturate(self, amount: f32) -> Self {
        Self::gray(self.luma()).mix(self, amount)
    }

    pub(crate) fn bytes(self) -> [u8; 3] {
        [self.r, self.g, self.b].map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
    }

    pub(crate) fn from_bytes(r: u8, g: u8, b: u8) -> Self {
        Self::new(
            f32::from(r) / 255.0,
            f32::from(g) / 255.0,
            f32::from(b) / 255.0,
        )
    }

    /// For tiny-skia, with `alpha` in 0.0..=1.0.
    pub(crate) fn ink(self, alpha: f32) -> tiny_skia::Color {
        let [r, g, b] = self.bytes();
        tiny_skia::Color::from_rgba8(r, g, b, (alpha.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
    }
}

/// A colour on a line of evenly spaced stops; `t` in 0.0..=1.0.
pub(crate) fn ramp(stops: &[Rgb], t: f32) -> Rgb {
    let last = stops.len().saturating_sub(1);
    let place = t.clamp(0.0, 1.0) * last as f32;
    let index = (place as usize).min(last.saturating_sub(1));
    match (stops.get(index), stops.get(index + 1)) {
        (Some(from), Some(to)) => from.mix(*to, place - index as f32),
        (Some(only), None) => *only,
        _ => Rgb::BLACK,
    }
}

#[cfg(test)]
mod tests {
    use super::{Rgb, ramp};

    #[test]
    fn hexadecimal_notation_round_trips() {
        assert_eq!(Rgb::hex(0x1e_90_ff).bytes(), [0x1e, 0x90, 0xff]);
    }

    #[test]
    fn a_ramp_passes_through_its_stops() {
        let stops = [Rgb::BLACK, Rgb::hex(0xff0000), Rgb::WHITE];
        assert_eq!(ramp(&stops, 0.5), Rgb::hex(0xff0000));
        assert_eq!(ramp(&stops, 7.0), Rgb::WHITE);
        assert_eq!(ramp(&stops[..1], 0.3), Rgb::BLACK);
    }
}

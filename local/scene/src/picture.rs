//! A finished picture: rows of RGB bytes, nothing else.

/// `width` x `height` pixels, three bytes each (sRGB red, green, blue), rows from the top, no padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// `rgb` must hold exactly `width * height * 3` bytes; the canvas is the only caller.
    pub(crate) fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Self {
        Self { width, height, rgb }
    }

    /// All bytes, `width * height * 3` of them.
    pub fn as_rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The pixel at column `x` and row `y`, or `None` outside the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        match self.rgb.get(start..start + 3) {
            Some(&[r, g, b]) => Some([r, g, b]),
            _ => None,
        }
    }
}

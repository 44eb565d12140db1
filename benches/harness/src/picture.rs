//! The picture that the GPU stub delivers: a JPEG as far as its first bytes go, which is all that a
//! callback looks at, and as long as a real one.

use bytes::Bytes;

/// Width and height that its header states.
pub const SIDE: u16 = 1024;

/// Its size.
pub const BYTES: usize = 96 * 1024;

/// The bytes.
pub fn jpeg() -> Bytes {
    let [high, low] = SIDE.to_be_bytes();
    let mut jpeg = vec![
        0xff, 0xd8, // start of image
        0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, // JFIF
        0xff, 0xc0, 0, 17, 8, high, low, high, low, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11,
        1, // frame: height, width, three components
    ];
    jpeg.resize(BYTES - 2, 0);
    jpeg.extend([0xff, 0xd9]);
    jpeg.into()
}

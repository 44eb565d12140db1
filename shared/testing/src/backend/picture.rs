//! Pictures that carry a text, so that it can be told who made one.

/// The least that is a JPEG of 64 x 48 pixels, with that text in it as a comment.
pub fn a_jpeg(text: &str) -> Vec<u8> {
    let comment = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xfe];
    bytes.extend(comment.to_be_bytes());
    bytes.extend(text.as_bytes());
    // Start of frame: 8 bits, 48 lines of 64 columns, one component.
    bytes.extend([0xff, 0xc0, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0]);
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// The text that [`a_jpeg`] put into a picture.
pub fn text_of(jpeg: &[u8]) -> Option<&str> {
    let length = usize::from(u16::from_be_bytes([*jpeg.get(4)?, *jpeg.get(5)?]));
    std::str::from_utf8(jpeg.get(6..4 + length)?).ok()
}

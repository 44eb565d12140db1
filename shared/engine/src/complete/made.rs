//! What an object in the bucket is, by its first bytes and by what the bucket says of it. Called where a
//! worker claims to have made a picture or a video; believes nothing that the worker says.

use crate::port::Glimpse;
use ryla_domain::output::{Format, Output};

/// The largest object that counts as a picture.
const MAX_PICTURE_BYTES: u64 = 64 * 1024 * 1024;

/// The largest object that counts as a video: twenty seconds of H.264 at a generous rate.
const MAX_VIDEO_BYTES: u64 = 256 * 1024 * 1024;

/// Brands of files that players take for MP4 (ISO/IEC 14496-12 and -14).
const MP4_BRANDS: [&[u8; 4]; 8] = [
    b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1",
];

/// What the object is, or `None` where it is not what was promised: size, media type, magic bytes,
/// dimensions, and the entity tag that the worker read from its own put.
pub(super) fn output_of(
    glimpse: &Glimpse,
    format: Format,
    slot: u8,
    etag: Option<&str>,
) -> Option<Output> {
    let most = match format {
        Format::Mp4 => MAX_VIDEO_BYTES,
        Format::Jpg | Format::Png | Format::Webp => MAX_PICTURE_BYTES,
    };
    let fits = (1..=most).contains(&glimpse.bytes)
        && glimpse.content_type == format.content_type()
        && etag.is_none_or(|etag| etag.trim_matches('"') == glimpse.etag);
    if !fits {
        return None;
    }
    let (width, height) = match format {
        Format::Jpg | Format::Png | Format::Webp => picture(&glimpse.head, format),
        Format::Mp4 => video(&glimpse.head),
    }?;
    Some(Output {
        slot,
        bytes: glimpse.bytes,
        width,
        height,
    })
}

/// The size of a picture of that format.
fn picture(head: &[u8], format: Format) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(head).ok()?;
    let fits = format.begins(head) && size.width > 0 && size.height > 0;
    fits.then_some((
        u32::try_from(size.width).ok()?,
        u32::try_from(size.height).ok()?,
    ))
}

/// The size of a video: (0, 0) where its index lies behind the first bytes, as most encoders put it.
fn video(head: &[u8]) -> Option<(u32, u32)> {
    let (kind, brands, rest) = first_box(head)?;
    let is_mp4 = kind == b"ftyp"
        && brands
            .chunks_exact(4)
            .any(|brand| MP4_BRANDS.iter().any(|known| *known == brand));
    is_mp4.then(|| inside(rest, *b"moov").map_or((0, 0), largest_track))
}

/// The largest track of an index. A track header ends with width and height as 16.16 numbers.
fn largest_track(mut index: &[u8]) -> (u32, u32) {
    let mut largest = (0, 0);
    while let Some((kind, content, rest)) = first_box(index) {
        let header = (kind == b"trak")
            .then(|| inside(content, *b"tkhd"))
            .flatten();
        if let Some([.., w1, w2, _, _, h1, h2, _, _]) = header.filter(|header| header.len() >= 84) {
            let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
            largest = largest.max((side(*w1, *w2), side(*h1, *h2)));
        }
        index = rest;
    }
    largest
}

/// The content of the first box of that kind.
fn inside(mut boxes: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    while let Some((kind, content, rest)) = first_box(boxes) {
        if *kind == wanted {
            return Some(content);
        }
        boxes = rest;
    }
    None
}

/// Kind and content of the first box, and what follows it. The last box may be cut off: of a large file
/// only the beginning was read.
fn first_box(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (size, after) = bytes.split_first_chunk::<4>()?;
    let (kind, after) = after.split_first_chunk::<4>()?;
    let content = usize::try_from(u32::from_be_bytes(*size))
        .ok()?
        .checked_sub(8)?;
    let (content, rest) = after.split_at(content.min(after.len()));
    Some((kind, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), content].concat()
    }

    fn track(width: u16, height: u16) -> Vec<u8> {
        let mut header = vec![0; 76];
        for side in [width, height] {
            header.extend([&side.to_be_bytes()[..], &[0, 0]].concat());
        }
        boxed(*b"trak", &boxed(*b"tkhd", &header))
    }

    fn head(brand: [u8; 4], more: &[u8]) -> Vec<u8> {
        let brands = [brand.as_slice(), &[0, 0, 2, 0], b"abcd"].concat();
        [boxed(*b"ftyp", &brands), more.to_vec()].concat()
    }

    fn glimpse(head: Vec<u8>) -> Glimpse {
        Glimpse {
            bytes: 123_456,
            content_type: "video/mp4".to_owned(),
            etag: "e".to_owned(),
            head,
        }
    }

    fn size(head: Vec<u8>) -> Option<(u32, u32)> {
        let output = output_of(&glimpse(head), Format::Mp4, 0, Some("\"e\""))?;
        Some((output.width, output.height))
    }

    #[test]
    fn a_video_has_the_size_of_its_largest_track_where_the_index_comes_first() {
        let tracks = [track(0, 0), track(576, 768)].concat();
        let index = boxed(*b"moov", &[boxed(*b"mvhd", &[0; 100]), tracks].concat());
        assert_eq!(size(head(*b"isom", &index)), Some((576, 768)));
        let mut cut = head(*b"mp42", &index);
        cut.truncate(cut.len() - 1);
        assert_eq!(size(cut), Some((0, 0)));
    }

    #[test]
    fn a_video_whose_index_comes_last_is_one_without_a_size() {
        let media = boxed(*b"mdat", &[0; 4000]);
        assert_eq!(size(head(*b"isom", &media)), Some((0, 0)));
        assert_eq!(size(head(*b"isom", &[])), Some((0, 0)));
    }

    #[test]
    fn what_is_no_mp4_is_no_video() {
        for wrong in [
            head(*b"qt  ", &[]),
            boxed(*b"moov", &[]),
            b"\x00\x00\x00\x07ftypisom".to_vec(),
            b"\x89PNG\r\n\x1a\n and so on".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(size(wrong), None);
        }
        let fine = head(*b"isom", &[]);
        let of = |change: fn(&mut Glimpse)| {
            let mut glimpse = glimpse(fine.clone());
            change(&mut glimpse);
            output_of(&glimpse, Format::Mp4, 0, Some("e"))
        };
        assert!(of(|_| ()).is_some());
        assert!(of(|g| g.content_type = "image/jpeg".to_owned()).is_none());
        assert!(of(|g| g.bytes = 0).is_none());
        assert!(of(|g| g.bytes = MAX_VIDEO_BYTES + 1).is_none());
        assert!(of(|g| g.etag = "f".to_owned()).is_none());
        let mut as_picture = glimpse(fine.clone());
        as_picture.content_type = "image/jpeg".to_owned();
        assert!(output_of(&as_picture, Format::Jpg, 0, None).is_none());
    }
}

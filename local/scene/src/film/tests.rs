use super::*;
use crate::draw;

/// Kind and content of every box on one level.
fn boxes(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let size = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        let kind = String::from_utf8(bytes[4..8].to_vec()).unwrap();
        found.push((kind, &bytes[8..size]));
        bytes = &bytes[size..];
    }
    found
}

fn inside<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
    path.iter().fold(bytes, |bytes, kind| {
        let found = boxes(bytes).into_iter().find(|(name, _)| name == kind);
        found.unwrap().1
    })
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
        .collect()
}

#[test]
fn the_index_stands_before_the_frames_and_names_each_of_them() {
    let picture = draw("a fox in the snow", "", 7, 64, 48).unwrap();
    let file = film(&picture, 33, 16, 1.0).unwrap();
    let kinds: Vec<String> = boxes(&file).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["ftyp", "moov", "mdat"]);
    let table = inside(&file, &["moov", "trak", "mdia", "minf", "stbl"]);
    let sizes = words(inside(table, &["stsz"]));
    assert_eq!(sizes[2], 33);
    let begin = words(inside(table, &["stco"]))[2] as usize;
    let mut at = begin;
    for (frame, size) in sizes[3..].iter().enumerate() {
        let nal = u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!(nal + 4, *size);
        assert_eq!(
            file[at + 4],
            if frame == 0 { 0x65 } else { 0x01 },
            "{frame}"
        );
        at += *size as usize;
    }
    assert_eq!(at, file.len());
    let media = words(inside(&file, &["moov", "trak", "mdia", "mdhd"]));
    assert_eq!(media[3..5], [16, 33], "frames a second, and how many");
    let header = words(inside(&file, &["moov", "trak", "tkhd"]));
    assert_eq!(header[header.len() - 2..], [64 << 16, 48 << 16]);
}

#[test]
fn no_frame_holds_a_start_code() {
    let black = Picture::from_rgb(32, 32, vec![0; 32 * 32 * 3]);
    let stream = h264::Stream::new(&black);
    let frames = [
        stream.still(),
        stream.moved(1, 0, 0),
        stream.moved(2, -7, 3),
    ];
    for nal in frames
        .iter()
        .chain(&[stream.sequence_set(), h264::Stream::picture_set()])
    {
        assert!(
            !nal.windows(3)
                .any(|three| three[..2] == [0, 0] && three[2] <= 2)
        );
        assert_ne!(nal.last(), Some(&0));
    }
}

#[test]
fn a_film_without_sway_is_a_still_in_a_few_bytes_a_frame() {
    let picture = draw("a fox", "", 1, 64, 64).unwrap();
    let still = film(&picture, 300, 30, 0.0).unwrap();
    let moving = film(&picture, 300, 30, 1.0).unwrap();
    assert!(
        still.len() < 64 * 64 * 3 / 2 + 300 * 20 + 2_000,
        "{}",
        still.len()
    );
    assert!(moving.len() > still.len());
    assert_eq!(moving, film(&picture, 300, 30, 1.0).unwrap());
}

#[test]
fn a_size_that_blocks_do_not_fill_is_refused() {
    let picture = draw("a fox", "", 1, 72, 64).unwrap();
    assert!(matches!(
        film(&picture, 2, 30, 1.0),
        Err(SceneError::Size { .. })
    ));
}

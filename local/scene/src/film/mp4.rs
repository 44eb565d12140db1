//! The boxes of an MP4 with one video track (ISO/IEC 14496-12, -14 and -15). The index stands before the
//! frames, so that a player, and a look at the first bytes, finds it at once.

use super::h264::Stream;

/// The matrix that leaves a picture as it is.
const UNITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Language "und": three letters of five bits.
const UNDETERMINED: u16 = 0x55c4;

/// The file. Each sample is the one NAL unit of its frame; the first is the only one that a player can
/// begin with.
pub(super) fn file(
    stream: &Stream<'_>,
    samples: &[Vec<u8>],
    fps: u32,
    size: (u16, u16),
) -> Vec<u8> {
    // The main brand, its version, and all brands that the file holds to.
    let kind = boxed(*b"ftyp", b"isom\x00\x00\x02\x00isomiso2avc1mp41");
    // The index has the same length wherever the frames begin.
    let length = index(stream, samples, fps, size, 0).len();
    let begin = kind.len() + length + 8;
    let index = index(stream, samples, fps, size, begin as u32);
    let mut frames = Vec::new();
    for sample in samples {
        frames.extend((sample.len() as u32).to_be_bytes());
        frames.extend(sample);
    }
    [kind, index, boxed(*b"mdat", &frames)].concat()
}

fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let size = content.len() as u32 + 8;
    [&size.to_be_bytes(), &kind[..], content].concat()
}

/// A box that begins with its version, 0, and its flags.
fn full(kind: [u8; 4], flags: u32, content: &[u8]) -> Vec<u8> {
    boxed(kind, &[&flags.to_be_bytes(), content].concat())
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn index(
    stream: &Stream<'_>,
    samples: &[Vec<u8>],
    fps: u32,
    (width, height): (u16, u16),
    begin: u32,
) -> Vec<u8> {
    let frames = samples.len() as u32;
    let (width, height) = (u32::from(width) << 16, u32::from(height) << 16);
    // Times: made and changed, unknown; ticks a second; ticks. Then speed, volume and the next track.
    let movie = [
        words(&[0, 0, fps, frames, 0x1_0000, 0x0100_0000, 0, 0]),
        words(&UNITY),
        words(&[0, 0, 0, 0, 0, 0, 2]),
    ];
    let header = [
        words(&[0, 0, 1, 0, frames, 0, 0, 0, 0]),
        words(&UNITY),
        words(&[width, height]),
    ];
    let media_header = [
        words(&[0, 0, fps, frames]),
        UNDETERMINED.to_be_bytes().into(),
        vec![0; 2],
    ];
    let handler = [
        words(&[0]),
        b"vide".to_vec(),
        words(&[0, 0, 0]),
        b"video\0".to_vec(),
    ];
    let place = full(*b"dref", 0, &[words(&[1]), full(*b"url ", 1, &[])].concat());
    let media_index = [
        full(*b"vmhd", 1, &[0; 8]),
        boxed(*b"dinf", &place),
        boxed(*b"stbl", &table(stream, samples, (width, height), begin)),
    ];
    let media = [
        full(*b"mdhd", 0, &media_header.concat()),
        full(*b"hdlr", 0, &handler.concat()),
        boxed(*b"minf", &media_index.concat()),
    ];
    let track = [
        // Flags: enabled, part of the presentation.
        full(*b"tkhd", 3, &header.concat()),
        boxed(*b"mdia", &media.concat()),
    ];
    let movie = [
        full(*b"mvhd", 0, &movie.concat()),
        boxed(*b"trak", &track.concat()),
    ];
    boxed(*b"moov", &movie.concat())
}

/// Where each sample lies and how long it lasts.
fn table(
    stream: &Stream<'_>,
    samples: &[Vec<u8>],
    (width, height): (u32, u32),
    begin: u32,
) -> Vec<u8> {
    let frames = samples.len() as u32;
    let sizes: Vec<u32> = samples
        .iter()
        .map(|sample| sample.len() as u32 + 4)
        .collect();
    let side = |side: u32| ((side >> 16) as u16).to_be_bytes();
    let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1]; // the first data reference
    entry.extend([0; 16]);
    entry.extend([side(width), side(height)].concat());
    entry.extend(words(&[0x48_0000, 0x48_0000, 0])); // 72 dots an inch
    entry.extend([0, 1]); // a frame a sample
    entry.extend([0; 32]); // the encoder's name
    entry.extend([0, 0x18, 0xff, 0xff]); // depth, no colour table
    entry.extend(boxed(*b"avcC", &decoder(stream)));
    [
        full(
            *b"stsd",
            0,
            &[words(&[1]), boxed(*b"avc1", &entry)].concat(),
        ),
        full(*b"stts", 0, &words(&[1, frames, 1])),
        full(*b"stss", 0, &words(&[1, 1])),
        full(*b"stsc", 0, &words(&[1, 1, frames, 1])),
        full(*b"stsz", 0, &[words(&[0, frames]), words(&sizes)].concat()),
        full(*b"stco", 0, &words(&[1, begin])),
    ]
    .concat()
}

/// What a decoder needs before the first frame; lengths of NAL units have four bytes.
fn decoder(stream: &Stream<'_>) -> Vec<u8> {
    let mut record = vec![1];
    record.extend(Stream::PROFILE);
    record.push(0b1111_1100 | 3);
    for (count, set) in [
        (0b1110_0001, stream.sequence_set()),
        (1, Stream::picture_set()),
    ] {
        record.push(count);
        record.extend((set.len() as u16).to_be_bytes());
        record.extend(set);
    }
    record
}

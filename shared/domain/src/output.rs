//! Results of a job: what the row keeps of each picture, and where it lies in the bucket.

use crate::id::{Attempt, OutputToken};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How long results are kept: a lifecycle class of the bucket, by prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retention {
    /// 1 day.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
}

impl Retention {
    /// Every class, shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    /// Days until the bucket's lifecycle rule removes the object.
    pub const fn days(self) -> u16 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Year => 365,
        }
    }

    /// The class of that many days; `None` for any other number.
    pub fn of_days(days: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.days() == days)
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.days())
    }
}

/// The file format of what a job makes. In JSON it is the file name's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// H.264 in MP4: the only format of videos.
    Mp4,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Jpg, Self::Png, Self::Webp, Self::Mp4];

    /// The formats of still pictures.
    pub const PICTURES: [Self; 3] = [Self::Jpg, Self::Png, Self::Webp];

    /// The file name's ending, which is also the name in inputs and rows.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Mp4 => "mp4",
        }
    }

    /// The media type that the upload is signed for.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Mp4 => "video/mp4",
        }
    }

    /// Whether a file begins as one of this format does, by the format's own document. Readers of sizes
    /// tell formats by their first letters and look at the place where a size should stand; what they
    /// do not look at in between is looked at here.
    pub fn begins(self, head: &[u8]) -> bool {
        let holds = |at: std::ops::Range<usize>, letters: &[u8]| head.get(at) == Some(letters);
        match self {
            Self::Jpg => head.starts_with(&[0xff, 0xd8, 0xff]),
            Self::Png => head.starts_with(b"\x89PNG\r\n\x1a\n") && holds(12..16, b"IHDR"),
            Self::Webp => holds(0..4, b"RIFF") && holds(8..15, b"WEBPVP8"),
            Self::Mp4 => holds(4..8, b"ftyp"),
        }
    }

    /// The format of that ending; `None` for any other.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == extension)
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.extension())
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let extension = String::deserialize(deserializer)?;
        Self::of_extension(&extension).ok_or_else(|| D::Error::custom("not a file format"))
    }
}

/// An object's place in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Where a picture lies: `o/{retention}/{token}/{attempt}-{slot}.{extension}`. The attempt keeps an
    /// old worker from overwriting a newer one's picture.
    pub fn output(
        retention: Retention,
        token: &OutputToken,
        attempt: Attempt,
        slot: u8,
        extension: &str,
    ) -> Self {
        Self(format!(
            "o/{retention}/{token}/{attempt}-{slot}.{extension}"
        ))
    }

    /// Where an input lies that is too long for the row: `in/{retention}/{token}.json`.
    pub fn input(retention: Retention, token: &OutputToken) -> Self {
        Self(format!("in/{retention}/{token}.json"))
    }

    /// Where a file lies that came inside a request: `in/{retention}/{token}/{field}`. It goes when the
    /// pictures of its job go.
    pub fn input_file(retention: Retention, token: &OutputToken, field: &str) -> Self {
        Self(format!("in/{retention}/{token}/{field}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key outside `o/` and `in/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the key of an output")]
pub struct NotAnOutput;

impl FromStr for ObjectKey {
    type Err = NotAnOutput;

    /// Reads the key of an output as it stands in a URL; anything else is refused, so that no other
    /// object can be named from outside.
    fn from_str(text: &str) -> Result<Self, NotAnOutput> {
        let parts: Vec<&str> = text.split('/').collect();
        let ["o", class, token, file] = parts.as_slice() else {
            return Err(NotAnOutput);
        };
        let class_known = Retention::ALL.iter().any(|r| r.to_string() == *class);
        let file_plain = (5..=12).contains(&file.len())
            && file
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        if class_known && file_plain && token.parse::<OutputToken>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnOutput)
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One delivered picture as the row keeps it, read from the object itself and not from the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Which of the job's pictures, from 0.
    pub slot: u8,
    /// Size of the object.
    pub bytes: u64,
    /// Width in pixels; 0 for a video whose first bytes do not say it.
    pub width: u32,
    /// Height in pixels; 0 like the width.
    pub height: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_outputs_can_be_named_from_outside() {
        let token = OutputToken::generated(&[3; 20]);
        let key = ObjectKey::output(Retention::Week, &token, Attempt::FIRST, 0, "jpg");
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        for bad in [
            format!("in/r7/{token}.json"),
            format!("o/r7/{token}/../x.jpg"),
            format!("o/r8/{token}/1-0.jpg"),
            format!("o/r7/{token}/1-0.jpg/x"),
            format!("o/r7/{token}x/1-0.jpg"),
            "o/r7//1-0.jpg".to_owned(),
        ] {
            assert_eq!(bad.parse::<ObjectKey>(), Err(NotAnOutput), "{bad}");
        }
    }
}

//! `ryla/live-portrait`: a video in which the face of a photo lives.

use super::common::{picture, seed, side, strength};
use super::declare::input;
use super::field::{Choice, Length, Picture, RealNumber, Seed, WholeNumber, Words};
use super::{Facts, Media, Model};
use crate::input::Real;

const PHOTO: Picture = picture(
    "Photo",
    "Photo of one face, from the front. JPEG, PNG or WebP as a data URL of at most 4 MiB, or an \
     https URL.",
);

const MOTION: Choice = Choice {
    words: Words {
        title: "Motion",
        about: "What the face does besides blinking: neutral turns the head a little, smile does \
                so smiling, nod nods.",
    },
    choices: &["neutral", "smile", "nod"],
    default: "neutral",
};

const DURATION: Length = Length {
    seconds: RealNumber {
        words: Words {
            title: "Duration",
            about: "Length of the video in seconds, to the frame.",
        },
        range: Real {
            min: 10.0,
            max: 20.0,
        },
        default: 10.0,
    },
    frames: "duration_frames",
    frames_words: Words {
        title: "Duration in frames",
        about: "The duration in frames, 30 a second, in place of duration_seconds.",
    },
    fps: 30,
};

const EXPRESSION_SCALE: RealNumber = strength(
    "Expression scale",
    "Size of every movement; 0 holds the face still.",
    Real { min: 0.0, max: 1.3 },
    1.0,
);

const WIDTH: WholeNumber = side(
    "Width",
    "Width in pixels; the photo is cut to fit.",
    1024,
    16,
    576,
);

const HEIGHT: WholeNumber = side(
    "Height",
    "Height in pixels; the photo is cut to fit.",
    1024,
    16,
    768,
);

const MOTION_SEED: Seed = seed(
    "Decides when the eyes blink and the head moves. Left out: a seed is drawn and shown in the \
     job.",
);

input! {
    /// The resolved input of `ryla/live-portrait`: what the client gave, with every default filled in.
    LivePortraitInput, "ryla/live-portrait", makes mp4,
    {
        reference_image: Picture = PHOTO,
        motion: Choice = MOTION,
        duration_seconds: Length = DURATION,
        expression_scale: RealNumber = EXPRESSION_SCALE,
        width: WholeNumber = WIDTH,
        height: WholeNumber = HEIGHT,
        seed: Seed = MOTION_SEED,
    }
}

/// The catalog's entry.
pub(super) const fn model() -> Model {
    Model::of::<LivePortraitInput>(Facts {
        name: "live-portrait",
        description: "Brings a photo to life with LivePortrait in ComfyUI: blinks every 3 to 6 \
                      seconds and small movements of the head, drawn from the seed. H.264 in MP4, \
                      30 frames a second. The weights are under MIT; the node pack uses \
                      Ultralytics YOLO, under the AGPL-3.0 or a paid licence.",
        license_note: "LivePortrait's weights: MIT. The node pack detects the face with \
                       Ultralytics YOLO, whose code is under the AGPL-3.0 or a paid licence; the \
                       pack's own licence has to be looked at before it is deployed.",
        media: Media::Video,
        typical_s: 60,
        cold_start_s: 45,
        class: "video",
    })
}

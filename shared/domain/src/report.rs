//! What a worker says about its run besides the picture: how long each part took, on which GPU, and how
//! alike the faces came out.

use serde::{Deserialize, Serialize};

/// Milliseconds of each part of a run, as the worker measured them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// From the backend's acceptance to a container being there, ready: with as much of its boot as the
    /// run waited for.
    pub queue: u64,
    /// Container and server start.
    pub boot: u64,
    /// Loading weights.
    pub load: u64,
    /// The graph itself.
    pub run: u64,
    /// Putting the results into the bucket.
    pub upload: u64,
}

impl Timings {
    /// Milliseconds in which a GPU was ours to pay: everything but the queue.
    pub fn billed_ms(&self) -> u64 {
        [self.boot, self.load, self.run, self.upload]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Milliseconds that a warm container would have spared.
    pub fn cold_ms(&self) -> u64 {
        self.boot.saturating_add(self.load)
    }
}

/// What a worker reports at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How long each part took; absent where the backend does not say.
    pub timings: Option<Timings>,
    /// The GPU's name, at most 40 characters; absent where the backend does not say.
    pub gpu: Option<String>,
    /// Likeness by slot, where the worker measured it; a job keeps it of the pictures that it delivers.
    pub likeness: Vec<(u8, Likeness)>,
}

impl Report {
    /// The longest GPU name that is kept.
    pub const GPU_CHARS: usize = 40;

    /// A report whose GPU name is cut to what a row keeps.
    pub fn new(timings: Option<Timings>, gpu: Option<&str>) -> Self {
        Self {
            timings,
            gpu: gpu.map(|name| name.chars().take(Self::GPU_CHARS).collect()),
            likeness: Vec::new(),
        }
    }

    /// The same with what the worker measured of each picture.
    #[must_use]
    pub fn with_likeness(self, likeness: impl IntoIterator<Item = (u8, Likeness)>) -> Self {
        Self {
            likeness: likeness.into_iter().collect(),
            ..self
        }
    }

    /// How alike the face of that picture came out, where that was measured.
    pub fn likeness_of(&self, slot: u8) -> Option<Likeness> {
        let found = self.likeness.iter().find(|(of, _)| *of == slot);
        found.map(|(_, likeness)| *likeness)
    }
}

/// How alike the face of a picture is to its reference, from 0 to 1 in thousandths: workers measure no
/// finer, and a whole number means the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Likeness(u16);

impl Likeness {
    /// The same face.
    const FULL: u16 = 1_000;

    /// A share from 0 to 1; `None` for anything else, which no measurement can have given.
    pub fn of_share(share: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1000"
        )]
        (0.0..=1.0)
            .contains(&share)
            .then(|| Self((share * f64::from(Self::FULL)).round() as u16))
    }

    /// Thousandths, as rows keep them; `None` above 1,000.
    pub fn of_thousandths(thousandths: u64) -> Option<Self> {
        let known = u16::try_from(thousandths).ok()?;
        (known <= Self::FULL).then_some(Self(known))
    }

    /// In thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// From 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(Self::FULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_likeness_is_a_share_and_nothing_else() {
        for (share, thousandths) in [
            (0.0, 0),
            (-0.0, 0),
            (0.87, 870),
            (0.8765, 877),
            (1.0, 1_000),
        ] {
            let likeness = Likeness::of_share(share).unwrap();
            assert_eq!(likeness.thousandths(), thousandths, "{share}");
        }
        assert!((Likeness::of_share(0.87).unwrap().share() - 0.87).abs() < 1e-12);
        for wrong in [
            -0.001,
            1.000_001,
            87.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            assert_eq!(Likeness::of_share(wrong), None, "{wrong}");
        }
        assert_eq!(
            Likeness::of_thousandths(1_000).unwrap().thousandths(),
            1_000
        );
        for wrong in [1_001, 65_536, u64::MAX] {
            assert_eq!(Likeness::of_thousandths(wrong), None, "{wrong}");
        }
    }
}

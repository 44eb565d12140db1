//! What a prompt asks for: its words looked up in the vocabulary, minus what the negative prompt names.
//!
//! Two fingerprints keep the words that are not understood from being lost. `flavour` (unknown words only) moves
//! the composition; `wording` (every word) moves small things. So adding "red" recolours a picture and leaves its
//! composition, and two prompts that mean the same still do not give the same picture.

use crate::chance::{hash, scramble};
use crate::vocabulary::{Meaning, Medium, Palette, Place, Subject, Time, VOCABULARY, Weather};

/// A phrase of the vocabulary has at most this many words.
const LONGEST_PHRASE: usize = 3;

/// More subjects than this in one picture are a crowd, not a composition.
const MOST_SUBJECTS: usize = 4;

/// Words that carry no meaning of their own and must not move the composition.
const FILLERS: &[&str] = &[
    "a", "an", "the", "of", "at", "in", "on", "by", "and", "with", "to", "from", "under", "over",
    "near", "is", "style", "sky",
];

/// A subject, and whether the prompt speaks of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) subject: Subject,
    pub(crate) many: bool,
}

/// The meaning of a prompt, in the prompt's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Brief {
    pub(crate) subjects: Vec<Wanted>,
    pub(crate) time: Option<Time>,
    pub(crate) weather: Vec<Weather>,
    pub(crate) place: Option<Place>,
    pub(crate) palettes: Vec<Palette>,
    pub(crate) medium: Option<Medium>,
    /// Named by the negative prompt: not drawn even where it would be a default.
    pub(crate) absent: Vec<Meaning>,
    /// Fingerprint of the unknown words of the prompt.
    pub(crate) flavour: u64,
    /// Fingerprint of all words of both prompts.
    pub(crate) wording: u64,
}

impl Brief {
    pub(crate) fn read(prompt: &str, negative_prompt: &str) -> Self {
        let (words, unwanted) = (split(prompt), split(negative_prompt));
        let mut brief = Self::default();
        look_up(&unwanted, |found| {
            if let Found::Known { meaning, .. } = found {
                brief.absent.push(meaning);
            }
        });
        look_up(&words, |found| match found {
            Found::Known { meaning, many } => brief.ask(meaning, many),
            Found::Unknown(word) if FILLERS.contains(&word) => {}
            Found::Unknown(word) => brief.flavour = scramble(brief.flavour ^ hash(word)),
        });
        for word in words
            .iter()
            .map(String::as_str)
            .chain(["-"])
            .chain(unwanted.iter().map(String::as_str))
        {
            brief.wording = scramble(brief.wording.rotate_left(7) ^ hash(word));
        }
        brief
    }

    pub(crate) fn has(&self, weather: Weather) -> bool {
        self.weather.contains(&weather)
    }

    pub(crate) fn shows(&self, subject: Subject) -> bool {
        self.subjects.iter().any(|wanted| wanted.subject == subject)
    }

    pub(crate) fn lacks(&self, meaning: Meaning) -> bool {
        self.absent.contains(&meaning)
    }

    /// Notes one meaning, unless the negative prompt names it. The first time, place and medium win.
    fn ask(&mut self, meaning: Meaning, many: bool) {
        if self.lacks(meaning) {
            return;
        }
        match meaning {
            Meaning::Subject(subject) => {
                if let Some(wanted) = self
                    .subjects
                    .iter_mut()
                    .find(|wanted| wanted.subject == subject)
                {
                    wanted.many |= many;
                } else if self.subjects.len() < MOST_SUBJECTS {
                    self.subjects.push(Wanted { subject, many });
                }
            }
            Meaning::Time(time) => self.time = self.time.or(Some(time)),
            Meaning::Weather(weather) if !self.weather.contains(&weather) => {
                self.weather.push(weather);
            }
            Meaning::Palette(palette) if !self.palettes.contains(&palette) => {
                self.palettes.push(palette);
            }
            Meaning::Weather(_) | Meaning::Palette(_) => {}
            Meaning::Place(place) => self.place = self.place.or(Some(place)),
            Meaning::Medium(medium) => self.medium = self.medium.or(Some(medium)),
        }
    }
}

enum Found<'a> {
    Known { meaning: Meaning, many: bool },
    Unknown(&'a str),
}

/// Lower-case words; everything that is neither letter nor digit separates.
fn split(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Walks the words, the longest phrase of the vocabulary first at each place.
fn look_up<'a>(words: &'a [String], mut tell: impl FnMut(Found<'a>)) {
    let mut rest = words;
    while let Some(first) = rest.first() {
        let longest = LONGEST_PHRASE.min(rest.len());
        let found = (1..=longest).rev().find_map(|length| {
            rest.get(..length)
                .and_then(|phrase| Some((length, known(&phrase.join(" "))?)))
        });
        let used = if let Some((length, (meaning, many))) = found {
            tell(Found::Known { meaning, many });
            length
        } else {
            tell(Found::Unknown(first));
            1
        };
        rest = rest.get(used..).unwrap_or_default();
    }
}

/// The meaning of a phrase, and whether it is a plural.
fn known(phrase: &str) -> Option<(Meaning, bool)> {
    let entry = |word: &str| {
        VOCABULARY
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, meaning)| *meaning)
    };
    if let Some(meaning) = entry(phrase) {
        return Some((
            meaning,
            matches!(phrase, "people" | "men" | "women" | "cacti"),
        ));
    }
    let singular = phrase.strip_suffix('s')?;
    let stem = singular.strip_suffix('e');
    entry(singular)
        .or_else(|| entry(stem?))
        .or_else(|| entry(&format!("{}y", stem?.strip_suffix('i')?)))
        .map(|meaning| (meaning, true))
}

#[cfg(test)]
mod tests {
    use super::{Brief, Wanted};
    use crate::vocabulary::{Medium, Palette, Place, Subject, Time, Weather};

    #[test]
    fn six_categories_combine() {
        let brief = Brief::read("Red lighthouse at DUSK, fog over the sea; watercolor", "");
        assert_eq!(
            brief.subjects,
            [Wanted {
                subject: Subject::Lighthouse,
                many: false
            }]
        );
        assert_eq!(
            (brief.time, brief.place),
            (Some(Time::Dusk), Some(Place::Sea))
        );
        assert_eq!(
            (&brief.weather[..], &brief.palettes[..]),
            (&[Weather::Fog][..], &[Palette::Red][..])
        );
        assert_eq!((brief.medium, brief.flavour), (Some(Medium::Watercolor), 0));
    }

    #[test]
    fn the_longest_phrase_wins() {
        let brief = Brief::read("golden hour, pixel art, hot air balloons, blue hour", "");
        assert_eq!(
            (brief.time, brief.medium),
            (Some(Time::GoldenHour), Some(Medium::PixelArt))
        );
        assert_eq!(
            brief.subjects,
            [Wanted {
                subject: Subject::Balloon,
                many: true
            }]
        );
        assert!(brief.palettes.is_empty());
    }

    #[test]
    fn plurals_are_found_by_rule() {
        for (plural, subject) in [
            ("foxes", Subject::Fox),
            ("cities", Subject::City),
            ("boats", Subject::Boat),
        ] {
            assert_eq!(
                Brief::read(plural, "").subjects,
                [Wanted {
                    subject,
                    many: true
                }],
                "{plural}"
            );
        }
    }

    #[test]
    fn the_negative_prompt_removes_what_it_names() {
        let brief = Brief::read("a cat and a dog under clouds at night", "dogs, cloud");
        assert_eq!(
            brief.subjects,
            [Wanted {
                subject: Subject::Cat,
                many: false
            }]
        );
        assert!(brief.weather.is_empty() && brief.time == Some(Time::Night));
    }

    #[test]
    fn unknown_words_leave_a_fingerprint_and_fillers_do_not() {
        let plain = Brief::read("a cat", "");
        assert_eq!(plain.flavour, Brief::read("the cat at night", "").flavour);
        assert_ne!(plain.flavour, Brief::read("a quixotic cat", "").flavour);
        assert_ne!(plain.wording, Brief::read("the cat", "").wording);
    }
}

//! The reader through which every model takes its fields out of `input`. It notes every problem
//! instead of stopping at the first one. A reading method always returns a value; after a problem
//! it is only a stand-in (the default), and `finish` sees to it that no stand-in is ever used.

use super::hints::{any_of, describe, nearest};
use super::limits::{Real, Whole, may_have_lost_digits, whole_number};
use super::{InlineFile, InvalidField, InvalidInput};
use serde_json::{Map, Value};

/// So many unknown fields are named one by one; a body may hold a hundred thousand, the reply must
/// not.
const MAX_UNKNOWN_NAMED: usize = 20;

/// So many characters of an unknown field's name are repeated.
const MAX_NAME_CHARS: usize = 64;

/// Reads the fields of one JSON object. What is read is known; what is left at [`Fields::finish`]
/// is unknown.
#[derive(Debug)]
pub struct Fields<'a> {
    path: String,
    object: &'a Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<InvalidField>,
    /// Files that came inside the request.
    pub(super) files: Vec<InlineFile>,
}

impl<'a> Fields<'a> {
    /// A reader over the body's `input`.
    pub fn new(input: &'a Map<String, Value>) -> Self {
        Self::at("input".to_owned(), input)
    }

    fn at(path: String, object: &'a Map<String, Value>) -> Self {
        Self {
            path,
            object,
            known: Vec::new(),
            problems: Vec::new(),
            files: Vec::new(),
        }
    }

    /// A text that must be there and not blank, of at most `max_chars` characters; it is never
    /// trimmed.
    pub fn required_text(&mut self, name: &'static str, max_chars: usize) -> &'a str {
        let Some(value) = self.take(name) else {
            self.refuse(name, "is required");
            return "";
        };
        let text = self.checked_text(name, value, max_chars);
        if text.is_some_and(|text| text.trim().is_empty()) {
            self.refuse(name, "must not be blank");
        }
        text.unwrap_or_default()
    }

    /// A text of at most `max_chars` characters; it may be empty.
    pub fn text(&mut self, name: &'static str, max_chars: usize, default: &'a str) -> &'a str {
        self.take(name)
            .and_then(|value| self.checked_text(name, value, max_chars))
            .unwrap_or(default)
    }

    /// A whole number; 1024.0 is one, 1e19 is none (its digits cannot be trusted), and neither is
    /// `true`.
    pub fn whole<T>(&mut self, name: &'static str, limits: &Whole<T>, default: T) -> T
    where
        T: Copy + Into<u64> + TryFrom<u64>,
    {
        let Some(value) = self.take(name) else {
            return default;
        };
        let (min, max, step) = (
            limits.min.into(),
            limits.max.into(),
            limits.step.into().max(1),
        );
        match whole_number(value).filter(|number| (min..=max).contains(number)) {
            Some(number) if number % step == 0 => T::try_from(number).unwrap_or(default),
            Some(number) => {
                let below = number - number % step;
                let near: Vec<String> = [Some(below), below.checked_add(step)]
                    .into_iter()
                    .flatten()
                    .filter(|near| (min..=max).contains(near))
                    .map(|near| near.to_string())
                    .collect();
                self.refuse(
                    name,
                    format!("must be {limits}, not {number}; near it: {}", any_of(&near)),
                );
                default
            }
            None => {
                let digits = if may_have_lost_digits(value, max) {
                    ", written in plain digits"
                } else {
                    ""
                };
                self.refuse(
                    name,
                    format!("must be {limits}{digits}, not {}", describe(value)),
                );
                default
            }
        }
    }

    /// A finite number; whole numbers are taken as well.
    pub fn real(&mut self, name: &'static str, limits: &Real, default: f64) -> f64 {
        let Some(value) = self.take(name) else {
            return default;
        };
        match value.as_f64() {
            Some(number) if (limits.min..=limits.max).contains(&number) => {
                if number != 0.0 && number.abs() < Real::SMALLEST {
                    let smallest = Real::SMALLEST;
                    self.refuse(
                        name,
                        format!("must be 0 or at least {smallest} away from it, not {number:e}"),
                    );
                }
                // Minus zero becomes zero: it would be another text in the graph.
                number + 0.0
            }
            _ => {
                let Real { min, max } = limits;
                self.refuse(
                    name,
                    format!(
                        "must be a number from {min} to {max}, not {}",
                        describe(value)
                    ),
                );
                default
            }
        }
    }

    /// One of a few words, each with what it stands for.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
        default: T,
    ) -> T {
        let Some(value) = self.take(name) else {
            return default;
        };
        let given = value.as_str();
        if let Some((_, chosen)) = choices.iter().find(|(word, _)| given == Some(*word)) {
            return *chosen;
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let rest = match given {
            None => format!(", not {}", describe(value)),
            Some(given) => nearest(given, &words)
                .map_or(String::new(), |word| format!("; did you mean \"{word}\"?")),
        };
        self.refuse(name, format!("must be {}{rest}", any_of(&quoted)));
        default
    }

    /// One of a few whole numbers, or `None` where the field is left out.
    pub fn listed(&mut self, name: &'static str, allowed: &[u16]) -> Option<u16> {
        let value = self.take(name)?;
        let found = whole_number(value)
            .and_then(|number| allowed.iter().find(|one| u64::from(**one) == number));
        if found.is_none() {
            let allowed: Vec<String> = allowed.iter().map(u16::to_string).collect();
            self.refuse(
                name,
                format!("must be {}, not {}", any_of(&allowed), describe(value)),
            );
        }
        found.copied()
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        let Some(value) = self.take(name) else {
            return default;
        };
        value.as_bool().unwrap_or_else(|| {
            self.refuse(
                name,
                format!("must be true or false, not {}", describe(value)),
            );
            default
        })
    }

    /// Whether of two names for the same only the second is given; both at once are refused.
    pub fn only_the_second(&mut self, first: &'static str, second: &'static str) -> bool {
        let given = |name| self.object.get(name).is_some_and(|value| !value.is_null());
        let (has_first, has_second) = (given(first), given(second));
        self.known.extend([first, second]);
        if has_first && has_second {
            self.refuse(
                second,
                format!("says the same as \"{first}\"; give one of them"),
            );
        }
        has_second && !has_first
    }

    /// An object inside this one, read by `read`; where it is left out, `read` sees an empty one.
    pub fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let empty = Map::new();
        let object = match self.take(name) {
            None => &empty,
            Some(Value::Object(object)) => object,
            Some(other) => {
                self.refuse(name, format!("must be an object, not {}", describe(other)));
                &empty
            }
        };
        let mut inner = Fields::at(format!("{}.{name}", self.path), object);
        let value = read(&mut inner);
        self.problems.extend(inner.into_problems());
        value
    }

    /// Notes every field that nothing has read, and fails if there was any problem.
    pub fn finish(self) -> Result<(), InvalidInput> {
        let problems = self.into_problems();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(InvalidInput(problems))
        }
    }

    fn into_problems(mut self) -> Vec<InvalidField> {
        let object = self.object;
        let unknown: Vec<&String> = object
            .keys()
            .filter(|key| !self.known.contains(&key.as_str()))
            .collect();
        for name in unknown.iter().take(MAX_UNKNOWN_NAMED) {
            let message = match nearest(name, &self.known) {
                Some(meant) => format!("unknown field; did you mean \"{meant}\"?"),
                None => format!("unknown field; the fields are {}", self.known.join(", ")),
            };
            self.refuse(&shortened(name), message);
        }
        if let more @ 1.. = unknown.len().saturating_sub(MAX_UNKNOWN_NAMED) {
            let message = format!("holds {more} more unknown fields");
            self.problems.push(InvalidField {
                field: self.path,
                message,
            });
        }
        self.problems
    }

    /// The field's value; null means the same as leaving it out.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn checked_text(
        &mut self,
        name: &'static str,
        value: &'a Value,
        max_chars: usize,
    ) -> Option<&'a str> {
        let Some(text) = value.as_str() else {
            self.refuse(
                name,
                format!(
                    "must be a string of at most {max_chars} characters, not {}",
                    describe(value)
                ),
            );
            return None;
        };
        let chars = text.chars().count();
        if chars > max_chars {
            self.refuse(
                name,
                format!("must be at most {max_chars} characters long, not {chars}"),
            );
        }
        if text.contains('\0') {
            self.refuse(name, "must not contain the NUL character (U+0000)");
        }
        Some(text)
    }

    pub(super) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(InvalidField {
            field: format!("{}.{name}", self.path),
            message: message.into(),
        });
    }
}

fn shortened(name: &str) -> String {
    let mut chars = name.chars();
    let mut short: String = chars.by_ref().take(MAX_NAME_CHARS).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;

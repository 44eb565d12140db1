//! Words of an expression, and the names and values that its placeholders stand for. Like the real
//! service it refuses a placeholder that means nothing, and one that nothing uses.

use super::condition::Condition;
use super::update::Update;
use super::{Item, Refusal, invalid};
use serde_json::Value;
use std::collections::BTreeSet;

/// The expressions of one request.
pub(super) struct Expressions<'a> {
    body: &'a Item,
    used: BTreeSet<String>,
}

impl<'a> Expressions<'a> {
    pub(super) fn of(body: &'a Item) -> Self {
        Self {
            body,
            used: BTreeSet::new(),
        }
    }

    pub(super) fn condition(&mut self, field: &str) -> Result<Option<Condition>, Refusal> {
        let Some(text) = self.text(field) else {
            return Ok(None);
        };
        let mut words = Words::new(text, self)?;
        let condition = Condition::parse(&mut words)?;
        words.end()?;
        Ok(Some(condition))
    }

    pub(super) fn update(&mut self, field: &str) -> Result<Update, Refusal> {
        let Some(text) = self.text(field) else {
            return Ok(Update::default());
        };
        let mut words = Words::new(text, self)?;
        let update = Update::parse(&mut words)?;
        words.end()?;
        Ok(update)
    }

    /// Names and values that no expression mentions are refused.
    pub(super) fn all_used(&self) -> Result<(), Refusal> {
        for field in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            let given = self.body.get(field).and_then(Value::as_object);
            let mut given = given.into_iter().flat_map(|given| given.keys());
            if let Some(unused) = given.find(|name| !self.used.contains(*name)) {
                return Err(invalid(format!("{field} unused in expressions: {unused}")));
            }
        }
        Ok(())
    }

    fn text(&self, field: &str) -> Option<&'a str> {
        self.body.get(field).and_then(Value::as_str)
    }

    fn meaning(&mut self, field: &str, placeholder: &str) -> Result<&'a Value, Refusal> {
        self.used.insert(placeholder.to_owned());
        let meaning = self.body.get(field).and_then(|all| all.get(placeholder));
        meaning.ok_or_else(|| invalid(format!("{placeholder} is not defined")))
    }
}

/// What stands for a value in an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Attribute(String),
    Literal(Value),
}

impl Operand {
    pub(super) fn of<'v>(&'v self, item: &'v Item) -> Option<&'v Value> {
        match self {
            Self::Attribute(name) => item.get(name),
            Self::Literal(value) => Some(value),
        }
    }
}

/// The words of one expression, read from left to right.
pub(super) struct Words<'e, 'a> {
    all: Vec<String>,
    place: usize,
    expressions: &'e mut Expressions<'a>,
}

impl<'e, 'a> Words<'e, 'a> {
    fn new(text: &str, expressions: &'e mut Expressions<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            all: split(text)?,
            place: 0,
            expressions,
        })
    }

    pub(super) fn peek(&self) -> &str {
        self.all.get(self.place).map_or("", String::as_str)
    }

    pub(super) fn next(&mut self) -> String {
        let word = self.peek().to_owned();
        self.place += 1;
        word
    }

    /// Takes the next word if it is this one; keywords are written in any case.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let there = self.peek().eq_ignore_ascii_case(word);
        self.place += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<(), Refusal> {
        if self.take(word) {
            return Ok(());
        }
        let found = self.peek();
        Err(invalid(format!("expected {word:?} and found {found:?}")))
    }

    /// The name of an attribute.
    pub(super) fn name(&mut self) -> Result<String, Refusal> {
        let word = self.next();
        if word.starts_with('#') {
            let name = self
                .expressions
                .meaning("ExpressionAttributeNames", &word)?;
            return Ok(name.as_str().unwrap_or_default().to_owned());
        }
        let plain = word.starts_with(|c: char| c.is_ascii_alphabetic());
        if plain {
            Ok(word)
        } else {
            Err(invalid(format!("{word:?} is no attribute's name")))
        }
    }

    /// A value or an attribute.
    pub(super) fn operand(&mut self) -> Result<Operand, Refusal> {
        if !self.peek().starts_with(':') {
            return self.name().map(Operand::Attribute);
        }
        let word = self.next();
        let value = self
            .expressions
            .meaning("ExpressionAttributeValues", &word)?;
        Ok(Operand::Literal(value.clone()))
    }

    fn end(&self) -> Result<(), Refusal> {
        match self.peek() {
            "" => Ok(()),
            rest => Err(invalid(format!("did not expect {rest:?}"))),
        }
    }
}

fn split(text: &str) -> Result<Vec<String>, Refusal> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '#' | ':');
        let length = if matches!(first, '#' | ':' | '_') || first.is_ascii_alphanumeric() {
            rest.find(|c| !word_char(c)).unwrap_or(rest.len())
        } else if ["<>", "<=", ">="].iter().any(|two| rest.starts_with(two)) {
            2
        } else if "()<>=,+-".contains(first) {
            1
        } else {
            return Err(invalid(format!("{first:?} has no place in an expression")));
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

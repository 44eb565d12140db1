//! Updates: SET, REMOVE and ADD. Every right-hand side is read from the item as it was before.

use super::expression::{Operand, Words};
use super::{Item, Refusal, invalid};
use serde_json::{Value, json};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Update {
    set: Vec<(String, Sum)>,
    remove: Vec<String>,
    add: Vec<(String, Operand)>,
}

/// One term, or two of them.
#[derive(Clone, Debug, PartialEq)]
struct Sum {
    first: Term,
    second: Option<(Sign, Term)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Operand(Operand),
    IfNotExists(String, Operand),
}

impl Update {
    pub(super) fn parse(words: &mut Words<'_, '_>) -> Result<Self, Refusal> {
        let mut update = Self::default();
        while !words.peek().is_empty() {
            match words.next().to_ascii_uppercase().as_str() {
                "SET" => each(words, |words| {
                    let name = words.name()?;
                    words.expect("=")?;
                    update.set.push((name, sum(words)?));
                    Ok(())
                })?,
                "REMOVE" => each(words, |words| {
                    update.remove.push(words.name()?);
                    Ok(())
                })?,
                "ADD" => each(words, |words| {
                    let name = words.name()?;
                    update.add.push((name, words.operand()?));
                    Ok(())
                })?,
                other => return Err(invalid(format!("this stub knows no clause {other:?}"))),
            }
        }
        Ok(update)
    }

    /// The item after the update; keys cannot change.
    pub(super) fn apply(&self, old: &Item, key: &Item) -> Result<Item, Refusal> {
        let mut new = old.clone();
        for (name, sum) in &self.set {
            new.insert(name.clone(), sum.of(old)?);
        }
        for name in &self.remove {
            new.remove(name);
        }
        for (name, operand) in &self.add {
            let by = operand.of(old);
            let sum = match old.get(name) {
                Some(_) => add(old.get(name), Sign::Plus, by)?,
                None => by.cloned().ok_or_else(|| invalid("ADD of nothing"))?,
            };
            new.insert(name.clone(), sum);
        }
        if key.iter().any(|(name, value)| new.get(name) != Some(value)) {
            return Err(invalid("a key cannot be changed"));
        }
        Ok(new)
    }
}

/// A list with commas.
fn each<'e, 'a>(
    words: &mut Words<'e, 'a>,
    mut one: impl FnMut(&mut Words<'e, 'a>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    one(words)?;
    while words.take(",") {
        one(words)?;
    }
    Ok(())
}

fn sum(words: &mut Words<'_, '_>) -> Result<Sum, Refusal> {
    let first = term(words)?;
    let sign = if words.take("+") {
        Some(Sign::Plus)
    } else if words.take("-") {
        Some(Sign::Minus)
    } else {
        None
    };
    let second = sign.map(|sign| Ok((sign, term(words)?))).transpose()?;
    Ok(Sum { first, second })
}

fn term(words: &mut Words<'_, '_>) -> Result<Term, Refusal> {
    if !words.take("if_not_exists") {
        return words.operand().map(Term::Operand);
    }
    words.expect("(")?;
    let name = words.name()?;
    words.expect(",")?;
    let otherwise = words.operand()?;
    words.expect(")")?;
    Ok(Term::IfNotExists(name, otherwise))
}

impl Term {
    fn of<'v>(&'v self, item: &'v Item) -> Option<&'v Value> {
        match self {
            Self::Operand(operand) => operand.of(item),
            Self::IfNotExists(name, otherwise) => item.get(name).or_else(|| otherwise.of(item)),
        }
    }
}

impl Sum {
    fn of(&self, item: &Item) -> Result<Value, Refusal> {
        let first = self.first.of(item);
        match &self.second {
            Some((sign, second)) => add(first, *sign, second.of(item)),
            None => first
                .cloned()
                .ok_or_else(|| invalid("an attribute in the update is not there")),
        }
    }
}

fn add(left: Option<&Value>, sign: Sign, right: Option<&Value>) -> Result<Value, Refusal> {
    let number = |value: Option<&Value>| value?.get("N")?.as_str()?.parse::<i128>().ok();
    let (Some(left), Some(right)) = (number(left), number(right)) else {
        return Err(invalid("only whole numbers are added here"));
    };
    let sum = match sign {
        Sign::Plus => left.checked_add(right),
        Sign::Minus => left.checked_sub(right),
    };
    let sum = sum.ok_or_else(|| invalid("the sum is too large"))?;
    Ok(json!({"N": sum.to_string()}))
}

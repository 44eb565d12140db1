//! Conditions: parsed by precedence (OR, AND, NOT, comparison), evaluated on one item. A comparison with
//! an attribute that is not there, or of values of two types, does not hold.

use super::expression::{Operand, Words};
use super::{Item, Refusal, invalid};
use serde_json::Value;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Or(Box<Condition>, Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(String),
    BeginsWith(String, Operand),
    Between(Operand, Operand, Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    pub(super) fn parse(words: &mut Words<'_, '_>) -> Result<Self, Refusal> {
        let mut left = Self::all_of(words)?;
        while words.take("OR") {
            left = Self::Or(Box::new(left), Box::new(Self::all_of(words)?));
        }
        Ok(left)
    }

    fn all_of(words: &mut Words<'_, '_>) -> Result<Self, Refusal> {
        let mut left = Self::one(words)?;
        while words.take("AND") {
            left = Self::And(Box::new(left), Box::new(Self::one(words)?));
        }
        Ok(left)
    }

    fn one(words: &mut Words<'_, '_>) -> Result<Self, Refusal> {
        if words.take("NOT") {
            return Ok(Self::Not(Box::new(Self::one(words)?)));
        }
        if words.take("(") {
            let inner = Self::parse(words)?;
            words.expect(")")?;
            return Ok(inner);
        }
        let function = words.peek().to_owned();
        match function.as_str() {
            "attribute_exists" | "attribute_not_exists" | "begins_with" => {
                words.next();
                words.expect("(")?;
                let name = words.name()?;
                let condition = match function.as_str() {
                    "attribute_exists" => Self::Exists(name),
                    "begins_with" => {
                        words.expect(",")?;
                        Self::BeginsWith(name, words.operand()?)
                    }
                    _ => Self::Not(Box::new(Self::Exists(name))),
                };
                words.expect(")")?;
                Ok(condition)
            }
            _ => Self::comparison(words),
        }
    }

    fn comparison(words: &mut Words<'_, '_>) -> Result<Self, Refusal> {
        let left = words.operand()?;
        if words.take("BETWEEN") {
            let low = words.operand()?;
            words.expect("AND")?;
            return Ok(Self::Between(left, low, words.operand()?));
        }
        let comparison = match words.next().as_str() {
            "=" => Comparison::Equal,
            "<>" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            other => return Err(invalid(format!("{other:?} does not compare"))),
        };
        Ok(Self::Compare(left, comparison, words.operand()?))
    }

    pub(super) fn holds(&self, item: &Item) -> Result<bool, Refusal> {
        Ok(match self {
            Self::Or(a, b) => a.holds(item)? || b.holds(item)?,
            Self::And(a, b) => a.holds(item)? && b.holds(item)?,
            Self::Not(inner) => !inner.holds(item)?,
            Self::Exists(name) => item.contains_key(name),
            Self::BeginsWith(name, prefix) => {
                let text = |value: Option<&Value>| Some(value?.get("S")?.as_str()?.to_owned());
                match (text(item.get(name)), text(prefix.of(item))) {
                    (Some(text), Some(prefix)) => text.starts_with(&prefix),
                    _ => false,
                }
            }
            Self::Between(value, low, high) => {
                let not = |than, wrong| order(value.of(item), than).is_ok_and(|o| o != wrong);
                not(low.of(item), Ordering::Less) && not(high.of(item), Ordering::Greater)
            }
            Self::Compare(left, comparison, right) => {
                compare(left.of(item), *comparison, right.of(item))?
            }
        })
    }
}

fn compare(
    left: Option<&Value>,
    comparison: Comparison,
    right: Option<&Value>,
) -> Result<bool, Refusal> {
    let (Some(_), Some(_)) = (left, right) else {
        // What is not there is unequal to everything.
        return Ok(comparison == Comparison::Unequal);
    };
    let order = match order(left, right) {
        Ok(order) => order,
        Err(Incomparable::Types) => return Ok(comparison == Comparison::Unequal),
        Err(Incomparable::NoOrder) => match comparison {
            Comparison::Equal => return Ok(left == right),
            Comparison::Unequal => return Ok(left != right),
            _ => return Err(invalid("values of this type have no order")),
        },
    };
    Ok(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    })
}

/// Why two values cannot be put in order.
pub(super) enum Incomparable {
    /// They are of two types, or one is not there.
    Types,
    /// Values of their type are equal or not, and nothing else.
    NoOrder,
}

/// Texts by their bytes, numbers by their value.
pub(super) fn order(left: Option<&Value>, right: Option<&Value>) -> Result<Ordering, Incomparable> {
    let typed = |value: Option<&Value>| {
        let (kind, value) = value?.as_object()?.iter().next()?;
        Some((kind.clone(), value.clone()))
    };
    let (Some((kind, left)), Some((other, right))) = (typed(left), typed(right)) else {
        return Err(Incomparable::Types);
    };
    if kind != other {
        return Err(Incomparable::Types);
    }
    let (Some(left), Some(right)) = (left.as_str(), right.as_str()) else {
        return Err(Incomparable::NoOrder);
    };
    match kind.as_str() {
        "S" => Ok(left.cmp(right)),
        "N" => number(left, right).ok_or(Incomparable::NoOrder),
        _ => Err(Incomparable::NoOrder),
    }
}

fn number(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse()) {
        return Some(left.cmp(&right));
    }
    let (left, right): (f64, f64) = (left.parse().ok()?, right.parse().ok()?);
    left.partial_cmp(&right)
}

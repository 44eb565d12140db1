//! Reads typed attributes. What does not fit is named by its attribute, never by its value: values
//! are prompts.

use super::Row;
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::time::UnixMs;
use ryla_engine::port::StoreError;
use std::str::FromStr;

/// The attributes of one row.
pub(crate) struct Fields<'a>(pub(crate) &'a Row);

pub(super) fn corrupt(name: &str) -> StoreError {
    StoreError::Corrupt(name.to_owned())
}

pub(super) fn newer_value(name: &str) -> StoreError {
    StoreError::NewerValue(name.to_owned())
}

/// The form that every name of a closed set has and will have: `gpu_oom`, `jpg`.
fn is_name(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

impl<'a> Fields<'a> {
    pub(crate) fn optional_str(&self, name: &str) -> Result<Option<&'a str>, StoreError> {
        let text = self.0.get(name).map(AttributeValue::as_s).transpose();
        Ok(text.map_err(|_| corrupt(name))?.map(String::as_str))
    }

    pub(crate) fn str(&self, name: &str) -> Result<&'a str, StoreError> {
        self.optional_str(name)?.ok_or_else(|| corrupt(name))
    }

    /// A text that its type can parse.
    pub(super) fn optional_name<T: FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let text = self.optional_str(name)?;
        text.map(|text| text.parse().map_err(|_| corrupt(name)))
            .transpose()
    }

    pub(super) fn name<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.optional_name(name)?.ok_or_else(|| corrupt(name))
    }

    /// A text that names one of a closed set. What has the form of a name and is none of them comes
    /// from a newer build.
    pub(super) fn optional_one_of<T>(
        &self,
        name: &str,
        named: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.optional_str(name)? else {
            return Ok(None);
        };
        match named(text) {
            Some(value) => Ok(Some(value)),
            None if is_name(text) => Err(newer_value(name)),
            None => Err(corrupt(name)),
        }
    }

    pub(super) fn one_of<T>(
        &self,
        name: &str,
        named: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.optional_one_of(name, named)?
            .ok_or_else(|| corrupt(name))
    }

    pub(crate) fn optional_number<T: FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let number = self.0.get(name).map(|value| parsed(value));
        number.map(|n| n.ok_or_else(|| corrupt(name))).transpose()
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.optional_number(name)?.ok_or_else(|| corrupt(name))
    }

    pub(crate) fn optional_time(&self, name: &str) -> Result<Option<UnixMs>, StoreError> {
        Ok(self.optional_number(name)?.map(UnixMs))
    }

    pub(crate) fn time(&self, name: &str) -> Result<UnixMs, StoreError> {
        self.number(name).map(UnixMs)
    }

    pub(super) fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N], StoreError> {
        let blob = self.0.get(name).and_then(|value| value.as_b().ok());
        blob.and_then(|blob| blob.as_ref().try_into().ok())
            .ok_or_else(|| corrupt(name))
    }

    /// Whether a flag stands there: flags are `true` or absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, StoreError> {
        let flag = self.0.get(name).map(AttributeValue::as_bool).transpose();
        Ok(flag.map_err(|_| corrupt(name))?.copied().unwrap_or(false))
    }

    /// A list's elements.
    pub(super) fn list(&self, name: &str) -> Result<Option<&'a [AttributeValue]>, StoreError> {
        let list = self.0.get(name).map(AttributeValue::as_l).transpose();
        Ok(list.map_err(|_| corrupt(name))?.map(Vec::as_slice))
    }
}

/// A number attribute in that type.
pub(super) fn parsed<T: FromStr>(value: &AttributeValue) -> Option<T> {
    value.as_n().ok()?.parse().ok()
}

/// The first `N` numbers of a list; a later version may have appended others.
pub(super) fn numbers<const N: usize>(list: &[AttributeValue]) -> Option<[u64; N]> {
    let first: Option<Vec<u64>> = list.get(..N)?.iter().map(parsed).collect();
    first?.try_into().ok()
}

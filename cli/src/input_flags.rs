//! The fields of a model's input as flags: from its JSON schema to clap, and from what was typed to
//! the JSON of the request. Types are converted here; ranges, choices and lengths are judged by the
//! system alone, whose words say what is allowed.

pub(crate) mod file;

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser};
use serde_json::{Map, Number, Value};

/// The field that is an argument and no flag.
const PROMPT: &str = "prompt";

/// What the flags of all models have their names from, so that no field can take them.
const RESERVED: &str = "input-";

/// A model's fields, in the order of its forms.
#[derive(Clone, Debug)]
pub(crate) struct InputFlags {
    flags: Vec<Flag>,
}

#[derive(Clone, Debug, PartialEq)]
struct Flag {
    /// Path inside `input`: `["width"]`, or `["job", "retention_days"]`.
    path: Vec<String>,
    /// `width`, `job-retention-days`; the prompt has none.
    long: Option<String>,
    kind: Kind,
    help: String,
    required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
    Text,
    /// A file: its path, or a URL.
    File,
    /// Whatever else: JSON as it is typed.
    Json,
}

impl InputFlags {
    /// Reads the schema; fields whose names `taken` has get a name of their own.
    pub(crate) fn of(schema: &Value, taken: &[String]) -> Self {
        let mut flags = Vec::new();
        collect(schema, &[], taken, &mut flags);
        Self { flags }
    }

    /// The command with an argument per field.
    pub(crate) fn add_to(&self, command: Command, heading: &str) -> Command {
        let args = self.flags.iter().enumerate().map(|(order, flag)| {
            let arg = Arg::new(flag.id())
                .help(flag.help.clone())
                .required(flag.required)
                .value_name(flag.value_name())
                .value_parser(flag.kind.parser())
                .display_order(order);
            match &flag.long {
                None => arg,
                Some(long) => flag
                    .kind
                    .taken(arg.long(long.clone()).help_heading(heading.to_owned())),
            }
        });
        command.args(args)
    }

    /// The input as it was typed: only fields that were given, so that defaults stay the model's.
    pub(crate) fn read(&self, matches: &ArgMatches) -> Map<String, Value> {
        let mut input = Map::new();
        for flag in &self.flags {
            if let Some(value) = matches.get_one::<Value>(&flag.id()) {
                put(&mut input, &flag.path, value.clone());
            }
        }
        input
    }

    /// How the field at `input.…` is called on the command line.
    pub(crate) fn name(&self, field: &str) -> String {
        let path = field.strip_prefix("input.").unwrap_or(field);
        match self.flags.iter().find(|flag| flag.path.join(".") == path) {
            Some(Flag {
                long: Some(long), ..
            }) => format!("--{long}"),
            Some(flag) => flag.value_name(),
            None => field.to_owned(),
        }
    }
}

impl Flag {
    fn id(&self) -> String {
        format!("input.{}", self.path.join("."))
    }

    fn value_name(&self) -> String {
        let name = match self.kind {
            _ if self.long.is_none() => return PROMPT.to_uppercase(),
            Kind::Integer => "INTEGER",
            Kind::Number => "NUMBER",
            Kind::Boolean => "true|false",
            Kind::Text => "TEXT",
            Kind::File => "FILE|URL",
            Kind::Json => "JSON",
        };
        name.to_owned()
    }
}

impl Kind {
    fn of(schema: &Value) -> Self {
        let is_file = schema.get("format").is_some_and(|format| format == "uri");
        match schema.get("type").and_then(Value::as_str) {
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("string") if is_file => Self::File,
            Some("string") => Self::Text,
            _ => Self::Json,
        }
    }

    fn parser(self) -> ValueParser {
        match self {
            Self::Integer => ValueParser::new(integer),
            Self::Number => ValueParser::new(number),
            Self::Boolean => ValueParser::new(boolean),
            Self::Text => ValueParser::new(text),
            Self::File => ValueParser::new(file::value),
            Self::Json => ValueParser::new(json),
        }
    }

    /// What may follow the flag.
    fn taken(self, arg: Arg) -> Arg {
        match self {
            Self::Integer | Self::Number => arg.allow_negative_numbers(true),
            // `--flag` alone is true; `--flag=false` is the other.
            Self::Boolean => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            Self::Text | Self::File | Self::Json => arg,
        }
        .action(ArgAction::Set)
    }
}

fn collect(schema: &Value, path: &[String], taken: &[String], flags: &mut Vec<Flag>) {
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|n| n == name))
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let order = |field: &Value| {
        field
            .get("x-order")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX)
    };
    let mut fields: Vec<(&String, &Value)> = properties.iter().collect();
    fields.sort_by_key(|(_, field)| order(field));
    for (name, field) in fields {
        let mut path = path.to_vec();
        path.push(name.clone());
        if field.get("properties").is_some() {
            collect(field, &path, taken, flags);
            continue;
        }
        let is_prompt = path == [PROMPT];
        flags.push(Flag {
            long: (!is_prompt).then(|| long(&path, taken)),
            kind: Kind::of(field),
            help: help(field),
            // A part of an object is only asked for where the object is given.
            required: path.len() == 1 && required(name),
            path,
        });
    }
}

fn long(path: &[String], taken: &[String]) -> String {
    let long = path.join("-").replace('_', "-").to_lowercase();
    if taken.contains(&long) {
        format!("{RESERVED}{long}")
    } else {
        long
    }
}

/// The description and, in brackets, what else the schema says.
fn help(field: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(description) = field.get("description").and_then(Value::as_str) {
        parts.push(description.to_owned());
    }
    let step = match field.get("multipleOf") {
        Some(step) => format!(" in steps of {step}"),
        None => String::new(),
    };
    match (field.get("minimum"), field.get("maximum")) {
        (Some(least), Some(most)) => parts.push(format!("[{least} to {most}{step}]")),
        (Some(least), None) => parts.push(format!("[{least} or more{step}]")),
        (None, Some(most)) => parts.push(format!("[at most {most}{step}]")),
        (None, None) => {}
    }
    if let Some(choices) = field.get("enum").and_then(Value::as_array) {
        let choices: Vec<String> = choices.iter().map(bare).collect();
        parts.push(format!("[{}]", choices.join(", ")));
    }
    match field.get("default") {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) if text.is_empty() => {}
        Some(default) => parts.push(format!("[default: {}]", bare(default))),
    }
    parts.join(" ")
}

/// A value without the quotes of JSON.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn put(input: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            input.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = input
                .entry(name.clone())
                .or_insert_with(|| Map::new().into());
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn integer(text: &str) -> Result<Value, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match number(text) {
        // Beyond 64 bits it goes as a float: the system says what is allowed.
        Ok(number) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
        _ => Err("not a whole number".to_owned()),
    }
}

/// A whole number stays one, so that the system repeats it as it was typed.
fn number(text: &str) -> Result<Value, String> {
    let unsigned = text.parse().ok().map(|number: u64| number.into());
    let signed = || text.parse().ok().map(|number: i64| number.into());
    let real = || Number::from_f64(text.parse().ok()?);
    let number = unsigned.or_else(signed).or_else(real);
    number
        .map(Value::Number)
        .ok_or_else(|| "not a number".to_owned())
}

fn boolean(text: &str) -> Result<Value, String> {
    text.parse()
        .map(Value::Bool)
        .map_err(|_| "not true or false".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a value parser")]
fn text(text: &str) -> Result<Value, String> {
    Ok(text.into())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

#[cfg(test)]
mod tests;

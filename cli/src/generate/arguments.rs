//! The words behind `generate`, read in two stages: first the options that every model has, which say
//! where the model's schema is, then everything, with a flag for each field of that schema.

use crate::connection::Connection;
use crate::embedded::Preview;
use crate::failure::{EXIT_STATUS, Failure};
use crate::input_flags::InputFlags;
use crate::log_level::LogLevel;
use crate::prediction::Model;
use crate::report::JSON_KEYS;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches as _};
use serde_json::{Map, Value};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Options that do not depend on the model.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Where the picture goes; a file that is there is replaced. Its ending chooses the format where
    /// no flag does. Left out: {model}-{seed}.{ending} in the current folder, with a number where
    /// that is taken
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object, also where it fails, and nothing else on standard output
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) log_level: LogLevel,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) preview: Preview,
}

/// What was typed, sorted by who reads it.
#[derive(Debug)]
pub(crate) struct Words {
    model: String,
    /// Options and their values, for the first stage.
    options: Vec<OsString>,
    /// Everything but the model, for the second.
    rest: Vec<OsString>,
}

impl Words {
    /// Finds the model and the options among the words. An unknown flag is a field of the model, which
    /// must be known before: whether a value follows is in its schema.
    pub(crate) fn read(typed: &[OsString]) -> Result<Self, Failure> {
        let own = own(Command::new("generate"));
        let takes_value = |long: &str| {
            let arg = own
                .get_arguments()
                .find(|arg| arg.get_long() == Some(long))?;
            Some(arg.get_action().takes_values())
        };
        let (mut model, mut options, mut rest) = (None, Vec::new(), Vec::new());
        let mut help = false;
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            if text == "--" {
                rest.push(word.clone());
                rest.extend(words.by_ref().cloned());
                break;
            }
            match (text.strip_prefix("--"), model.is_some()) {
                (None, false) if !text.starts_with('-') => {
                    model = Some(text.into_owned());
                    continue;
                }
                (Some(flag), has_model) => {
                    let (long, joined) = flag
                        .split_once('=')
                        .map_or((flag, false), |(l, _)| (l, true));
                    match takes_value(long) {
                        Some(takes_value) => {
                            options.push(word.clone());
                            if takes_value
                                && !joined
                                && let Some(value) = words.next()
                            {
                                options.push(value.clone());
                                rest.extend([word.clone(), value.clone()]);
                                continue;
                            }
                        }
                        None if has_model || long == "help" => help |= long == "help",
                        None => return Err(model_first()),
                    }
                }
                (None, _) => help |= text == "-h",
            }
            rest.push(word.clone());
        }
        match model {
            Some(model) => Ok(Self {
                model,
                options,
                rest,
            }),
            None if help => {
                Err(clap::Error::raw(clap::error::ErrorKind::DisplayHelp, self::help()).into())
            }
            None => Err(model_first()),
        }
    }

    /// The model's name as it was typed.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// The first stage.
    pub(crate) fn options(&self) -> Result<Options, Failure> {
        let command = own(Command::new("generate").disable_help_flag(true))
            .no_binary_name(true)
            .override_usage(USAGE);
        let matches = command.try_get_matches_from(&self.options)?;
        Ok(Options::from_arg_matches(&matches)?)
    }

    /// The second stage: everything, with the model's own flags.
    pub(crate) fn typed(&self, model: &Model, flags: &InputFlags) -> Result<ArgMatches, Failure> {
        let name = format!("ryla generate {}", model.name);
        let about = model.description.clone().unwrap_or_default();
        let command = Command::new(name.clone())
            .bin_name(name)
            .no_binary_name(true);
        let command = own(flags.add_to(command, "Input"));
        let command = command.about(about).after_help(after_help());
        Ok(command.try_get_matches_from(&self.rest)?)
    }
}

const USAGE: &str = "ryla generate MODEL PROMPT [OPTIONS]";

/// Help where no model is named.
pub(crate) fn help() -> clap::builder::StyledStr {
    let words = [
        (
            "MODEL",
            "Such as flux-dev; a wrong one lists those that exist",
        ),
        ("PROMPT", "What the picture shows, in quotes"),
    ];
    let words = words.map(|(name, help)| Arg::new(name).help(help).required(true));
    own(Command::new("ryla generate").args(words))
        .bin_name("ryla generate")
        .override_usage(USAGE)
        .about(
            "Makes a picture and saves it. The fields of the model's input are flags: \
             `ryla generate flux-dev --help` shows them. Without --api-url the whole system runs in \
             this process, and a preview GPU draws.",
        )
        .after_help(after_help())
        .render_help()
}

fn after_help() -> String {
    format!("--json prints {JSON_KEYS}.\n\n{EXIT_STATUS}")
}

/// The command with the options that do not depend on the model.
fn own(command: Command) -> Command {
    Options::augment_args(command)
}

/// Names that no field of a model can take.
pub(crate) fn own_names() -> Vec<String> {
    let own = own(Command::new("generate"));
    let names = own.get_arguments().filter_map(Arg::get_long);
    names.chain(["help"]).map(str::to_owned).collect()
}

fn model_first() -> Failure {
    Failure::Usage(format!(
        "name the model first: {USAGE}\n`ryla generate --help` says more."
    ))
}

/// Lets the ending of `--out` choose the format where the model has that choice and none was typed.
pub(crate) fn format_of(out: Option<&Path>, schema: &Value, input: &mut Map<String, Value>) {
    const FIELD: &str = "output_format";
    let ending = out
        .and_then(Path::extension)
        .map(|ending| ending.to_string_lossy().to_lowercase());
    let Some(ending) = ending.filter(|_| !input.contains_key(FIELD)) else {
        return;
    };
    let ending = if ending == "jpeg" {
        "jpg".to_owned()
    } else {
        ending
    };
    let choices = schema.pointer("/properties/output_format/enum");
    let choices = choices.and_then(Value::as_array);
    if choices.is_some_and(|choices| choices.iter().any(|choice| *choice == ending)) {
        input.insert(FIELD.to_owned(), ending.into());
    }
}

#[cfg(test)]
mod tests;

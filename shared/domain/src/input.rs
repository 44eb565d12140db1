//! What all models share in reading `input`: the answer to bad input (every problem at once, by
//! field), the reserved object `input.job`, and the refusal of a client's own configuration. Models
//! read their fields through [`Fields`]. Of what the user sent, the answers repeat numbers and the
//! names of unknown fields (shortened), never a text.

mod fields;
mod file;
mod hints;
mod limits;

pub use fields::Fields;
pub use file::{FileRef, InlineFile, MAX_INLINE_BYTES, MAX_PIXELS};
pub use limits::{Real, Whole};

use crate::output::Retention;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const CLIENT_CONFIGURATION: &str = "holds an API client's own configuration in place of the model's \
    fields; nothing of it was stored. Pass plain fields such as \"prompt\". (The JavaScript client \
    does this by mistake with fileEncodingStrategy \"data-uri\".)";

/// One field that cannot be taken, for `invalid_fields` of the reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvalidField {
    /// Path from the body's root, such as `input.width` or `input.job.retention_days`.
    pub field: String,
    /// What is wrong and what is allowed, without the field's name; numbers are repeated, texts
    /// never.
    pub message: String,
}

/// Everything that is wrong with one `input`, in the order of the model's fields; unknown fields
/// come last. Its `Display` is safe to log: it counts the problems and names none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the input is invalid (problems: {})", .0.len())]
pub struct InvalidInput(pub Vec<InvalidField>);

/// Options of the job itself, apart from the model's own fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Job options", deny_unknown_fields)]
pub struct JobOptions {
    /// Days until the result is deleted: 1, 7, 30 or 365. Left out: the account's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "retention_days_schema")]
    pub retention_days: Option<u16>,
}

impl JobOptions {
    /// The reserved field of `input`; no model may have a field of this name. The options travel
    /// there because `input` is the one place that every client passes on.
    pub const FIELD: &'static str = "job";

    /// Reads `input.job`; without it, or with null, all options are left to their defaults.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        fields.object(Self::FIELD, |job| Self {
            retention_days: job.listed("retention_days", &retention_days()),
        })
    }
}

fn retention_days() -> [u16; 4] {
    Retention::ALL.map(Retention::days)
}

fn retention_days_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "integer", "title": "Retention days", "enum": retention_days(), "x-order": 0,
    })
}

/// Refuses an `input` that is a client object with its credentials. The JavaScript client
/// `replicate` 1.4.0 sends itself, API token included, where `fileEncodingStrategy` is `data-uri`.
/// Call it before anything looks at a field.
pub fn refuse_client_configuration(input: &Map<String, Value>) -> Result<(), InvalidInput> {
    if !input.contains_key("auth")
        || !(input.contains_key("userAgent") || input.contains_key("baseUrl"))
    {
        return Ok(());
    }
    Err(InvalidInput(vec![InvalidField {
        field: "input".to_owned(),
        message: CLIENT_CONFIGURATION.to_owned(),
    }]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job_options(input: &Value) -> Result<JobOptions, InvalidInput> {
        let mut fields = Fields::new(input.as_object().unwrap());
        let options = JobOptions::read(&mut fields);
        fields.finish().map(|()| options)
    }

    #[test]
    fn retention_is_one_of_four_or_left_to_the_default() {
        for days in retention_days() {
            assert_eq!(
                job_options(&json!({"job": {"retention_days": days}}))
                    .unwrap()
                    .retention_days,
                Some(days)
            );
        }
        for absent in [
            json!({}),
            json!({"job": null}),
            json!({"job": {}}),
            json!({"job": {"retention_days": null}}),
        ] {
            assert_eq!(job_options(&absent), Ok(JobOptions::default()));
        }
    }

    #[test]
    fn other_retentions_are_refused_with_the_list() {
        for (given, found) in [
            (json!(0), "0"),
            (json!(2), "2"),
            (json!(7.5), "7.5"),
            (json!("7"), "a string"),
        ] {
            let InvalidInput(problems) =
                job_options(&json!({"job": {"retention_days": given}})).unwrap_err();
            assert_eq!(problems.len(), 1);
            assert_eq!(problems[0].field, "input.job.retention_days");
            assert_eq!(
                problems[0].message,
                format!("must be 1, 7, 30 or 365, not {found}")
            );
        }
    }

    #[test]
    fn unknown_options_are_refused_under_their_own_path() {
        let InvalidInput(problems) =
            job_options(&json!({"job": {"retentionDays": 7}})).unwrap_err();
        assert_eq!(problems[0].field, "input.job.retentionDays");
        assert_eq!(
            problems[0].message,
            "unknown field; did you mean \"retention_days\"?"
        );
        let InvalidInput(problems) = job_options(&json!({"job": [7]})).unwrap_err();
        assert_eq!(problems[0].field, "input.job");
        assert_eq!(problems[0].message, "must be an object, not a list");
    }

    #[test]
    fn a_clients_own_configuration_is_refused_and_not_repeated() {
        for sent in [
            json!({"auth": "r8_secret", "userAgent": "replicate-js", "baseUrl": "https://x"}),
            json!({"auth": "r8_secret", "baseUrl": "https://x", "prompt": "a boat"}),
            json!({"auth": null, "userAgent": "mine"}),
        ] {
            let refusal = refuse_client_configuration(sent.as_object().unwrap()).unwrap_err();
            assert_eq!(refusal.0.len(), 1);
            assert_eq!(refusal.0[0].field, "input");
            assert!(refusal.0[0].message.contains("nothing of it was stored"));
            assert!(!format!("{refusal:?}{refusal}").contains("r8_secret"));
        }
        for fine in [
            json!({"prompt": "auth, userAgent, baseUrl"}),
            json!({"auth": 1}),
            json!({"baseUrl": 1}),
        ] {
            assert_eq!(
                refuse_client_configuration(fine.as_object().unwrap()),
                Ok(())
            );
        }
    }

    #[test]
    fn the_display_form_counts_problems_and_names_no_field_or_value() {
        let refusal = job_options(&json!({"my secret plan": 1, "job": {"x": 2}})).unwrap_err();
        assert_eq!(refusal.to_string(), "the input is invalid (problems: 2)");
    }
}

//! Problem details (RFC 9457) as the system sends them, and how people read them.

use serde::Deserialize;
use std::fmt::Write as _;

/// A refusal of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// Short name.
    pub(crate) title: String,
    /// What happened and what to change.
    pub(crate) detail: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// A word for programs; only some problems have one.
    pub(crate) code: Option<String>,
    /// The fields that are not as they must be.
    pub(crate) invalid_fields: Vec<InvalidField>,
    /// The request, as the system's log knows it.
    pub(crate) trace_id: Option<String>,
}

/// One field that is not as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct InvalidField {
    /// Path from the body's root, such as `input.width`.
    pub(crate) field: String,
    /// What is wrong and what is allowed.
    pub(crate) message: String,
}

impl Problem {
    /// Reads a reply with that status; `None` where it is no problem of this system, but of
    /// something that stands in its place.
    pub(crate) fn read(status: u16, body: &[u8], request_id: Option<String>) -> Option<Self> {
        let mut problem: Self = serde_json::from_slice(body).ok()?;
        if problem.title.is_empty() {
            return None;
        }
        problem.status = status;
        problem.trace_id = problem.trace_id.or(request_id);
        Some(problem)
    }

    /// Whether the request is wrong, and not the system or the way to it.
    pub(crate) fn is_about_the_request(&self) -> bool {
        matches!(self.status, 400..=499) && !matches!(self.status, 401 | 403 | 408 | 429)
    }

    /// Whether the same request may succeed a little later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..=599) && self.code.as_deref() != Some("no_backend")
    }

    /// For people: each field on its own line, called by the name that `name` gives it.
    pub(crate) fn render(&self, name: impl Fn(&str) -> String) -> String {
        if self.invalid_fields.is_empty() {
            return format!("{} ({}): {}", self.title, self.status, self.detail);
        }
        let mut text = format!("{} ({})", self.title, self.status);
        for InvalidField { field, message } in &self.invalid_fields {
            // Writing into a string cannot fail.
            let _ = write!(text, "\n  {}: {message}", name(field));
        }
        text
    }
}

/// A field under its own name.
pub(crate) fn plain(field: &str) -> String {
    field.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"type":"about:blank","title":"Invalid input","detail":"See invalid_fields.","status":422,
        "invalid_fields":[{"field":"input.width","message":"must be 256 to 2048, not 10"},
                          {"field":"input.cgf","message":"unknown field; did you mean \"cfg\"?"}],
        "trace_id":"t1"}"#;

    #[test]
    fn each_invalid_field_has_a_line_that_says_what_is_allowed() {
        let problem = Problem::read(422, BODY.as_bytes(), Some("other".to_owned())).unwrap();
        assert_eq!(
            problem.render(plain),
            "Invalid input (422)\n  input.width: must be 256 to 2048, not 10\n  input.cgf: unknown \
             field; did you mean \"cfg\"?"
        );
        assert_eq!(problem.trace_id.as_deref(), Some("t1"));
    }

    #[test]
    fn a_problem_without_fields_shows_its_detail_and_the_requests_id() {
        let body = br#"{"title":"Unauthorized","detail":"Send a valid API key.","status":401}"#;
        let problem = Problem::read(401, body, Some("r1".to_owned())).unwrap();
        assert_eq!(
            problem.render(plain),
            "Unauthorized (401): Send a valid API key."
        );
        assert_eq!(problem.trace_id.as_deref(), Some("r1"));
    }

    #[test]
    fn what_a_proxy_says_is_no_problem_of_ours() {
        assert_eq!(Problem::read(502, b"<html>Bad gateway</html>", None), None);
        assert_eq!(
            Problem::read(404, br#"{"message":"Not Found"}"#, None),
            None
        );
    }

    #[test]
    fn a_missing_backend_does_not_pass_by_itself() {
        let problem = |status, code: Option<&str>| Problem {
            status,
            code: code.map(str::to_owned),
            ..Problem::default()
        };
        assert!(problem(503, None).is_passing() && problem(429, None).is_passing());
        assert!(!problem(503, Some("no_backend")).is_passing() && !problem(422, None).is_passing());
    }
}

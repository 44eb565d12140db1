//! The one line that the log gets of a rejected request (docs/LOGGING.md). Holds no query, no header
//! and no body, and of the path nothing by which a picture could be fetched.

use crate::problem::Refusal;
use http::Method;
use ryla_domain::id::TraceId;

/// The most that is logged of a path.
const PATH_BYTES: usize = 200;

/// The length of an output's token: no shorter part of a path can be one.
const TOKEN_CHARS: usize = 32;

/// Writes the line: what the caller got wrong is information, what we got wrong a warning or worse.
pub(crate) fn rejected(refusal: &Refusal, method: &Method, path: &str, trace: &TraceId) {
    let row = refusal.row();
    let status = row.status.as_u16();
    let path = without_tokens(path);
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                event = "rejected",
                trace_id = %trace,
                method = %method,
                path,
                status,
                title = row.title,
                cause = causes(refusal),
                "request rejected"
            )
        };
    }
    match status {
        500 => line!(error),
        501.. => line!(warn),
        _ => line!(info),
    }
}

/// The whole chain of what lies behind a refusal.
fn causes(refusal: &Refusal) -> Option<String> {
    let cause = refusal.cause()?;
    let mut text = cause.to_string();
    let mut source = cause.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    Some(text)
}

/// The path, cut, and without any part that may hold the token of an output: who has the token has
/// the picture, also where the rest of the path is wrong.
fn without_tokens(path: &str) -> String {
    let shown = |part: &str| {
        let secret = part
            .split(|c: char| !matches!(c, 'a'..='z' | '2'..='7'))
            .any(|run| run.len() >= TOKEN_CHARS);
        if secret {
            "..".to_owned()
        } else {
            part.to_owned()
        }
    };
    let parts: Vec<String> = path.split('/').map(shown).collect();
    let mut path = parts.join("/");
    path.truncate(path.floor_char_boundary(PATH_BYTES));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_logged_without_what_may_be_an_outputs_token() {
        let token = "abcdefghijklmnopqrstuvwxyz234567";
        for (path, logged) in [
            (
                "/v1/predictions/my-own-id/cancel",
                "/v1/predictions/my-own-id/cancel",
            ),
            (&format!("/o/r7/{token}/1-0.jpg"), "/o/r7/../1-0.jpg"),
            (&format!("/v1/o/r7/{token}"), "/v1/o/r7/.."),
            (&format!("/{token}.jpg"), "/.."),
            (&format!("//x%2F{token}%2F1-0.jpg"), "//.."),
        ] {
            assert_eq!(without_tokens(path), logged);
        }
        let generated = "/v1/predictions/abcdefghijklmnopqrstuvwxyz";
        assert_eq!(without_tokens(generated), generated);
        assert_eq!(
            without_tokens(&"/\u{e4}\u{e4}".repeat(99)).len(),
            PATH_BYTES
        );
    }
}

//! One answer of the system, what it means that there is none, and how long to wait before the next
//! try.

use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, StatusCode};
use std::error::Error;
use std::time::Duration;

/// The longest pause between two tries, whatever the system asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An answer, read to its end.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: StatusCode,
    /// `X-Request-Id`: the trace id.
    pub(super) request_id: Option<String>,
    /// When the system wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// All of it.
    pub(super) body: Vec<u8>,
}

/// Sends a request once.
pub(super) async fn answer(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let seconds = header(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
    Ok(Answer {
        status: response.status(),
        request_id: header("x-request-id"),
        retry_after: seconds.map(Duration::from_secs),
        body: response.bytes().await?.to_vec(),
    })
}

/// 0.25 s, doubled up to 4 s, or as long as the system wishes.
pub(super) fn pause(tries: u32, wish: Option<Duration>) -> Duration {
    let own = Duration::from_millis(250) * 2_u32.pow(tries.saturating_sub(1).min(4));
    wish.unwrap_or(own).min(LONGEST_PAUSE)
}

/// The innermost cause: the outer ones only say that a request was sent.
pub(super) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let innermost = causes(error).last();
    let text = innermost.map_or_else(|| error.to_string(), ToString::to_string);
    if is_about_certificates(error) {
        return format!("{text}; --ca names the CA of a `ryla dev --tls`");
    }
    text
}

/// Whether the server's certificate is not trusted: asking again does not help.
pub(super) fn is_about_certificates(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<rustls::Error>)
}

/// The error and what is inside it. An I/O error hides from `source` what it was made of.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&outer| {
        let io = outer.downcast_ref::<std::io::Error>();
        match io.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => outer.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_wish_of_the_system_is_heard_within_reason() {
        let ms = |tries| pause(tries, None).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 7].map(ms),
            [250, 500, 1000, 2000, 4000, 4000, 4000]
        );
        assert_eq!(
            pause(1, Some(Duration::from_secs(2))),
            Duration::from_secs(2)
        );
        assert_eq!(pause(1, Some(Duration::from_mins(10))), LONGEST_PAUSE);
    }
}

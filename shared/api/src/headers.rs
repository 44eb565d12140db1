//! What requests say in their headers: trace, key, wait, identity, deadline.

use crate::problem::Refusal;
use http::HeaderMap;
use ryla_domain::id::{JobId, TraceId};
use ryla_domain::time::Ms;
use ryla_engine::submit::Identity;

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The trace id of `traceparent` or `X-Amzn-Trace-Id`; `None` where there is neither.
pub(crate) fn trace(headers: &HeaderMap) -> Option<TraceId> {
    let w3c = text(headers, "traceparent").and_then(|value| value.split('-').nth(1)?.parse().ok());
    w3c.or_else(|| {
        let root = text(headers, "x-amzn-trace-id")?
            .split(';')
            .find_map(|part| part.trim().strip_prefix("Root="))?;
        let mut parts = root.split('-');
        let (_, seconds, unique) = (parts.next()?, parts.next()?, parts.next()?);
        format!("{seconds}{unique}").parse().ok()
    })
}

/// The API key of `Authorization: Bearer KEY`, or the older `Token KEY`.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = text(headers, "authorization")?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    Some(key.trim()).filter(|key| known && (1..=256).contains(&key.len()))
}

/// How long the caller wants the request held: `Prefer: wait` is as long as may be, `wait=n` n seconds.
pub(crate) fn prefer_wait(headers: &HeaderMap, most: Ms) -> Result<Option<Ms>, Refusal> {
    for value in headers.get_all("prefer") {
        let Ok(value) = value.to_str() else { continue };
        for preference in value.split([',', ';']) {
            let (name, seconds) = match preference.split_once('=') {
                Some((name, seconds)) => (name.trim(), Some(seconds.trim())),
                None => (preference.trim(), None),
            };
            match seconds {
                _ if !name.eq_ignore_ascii_case("wait") => {}
                None => return Ok(Some(most)),
                Some(seconds) => {
                    return wait_seconds("Prefer", seconds.trim_matches('"'), most).map(Some);
                }
            }
        }
    }
    Ok(None)
}

/// A wait of that many seconds, cut to the longest that is offered.
pub(crate) fn wait_seconds(field: &str, seconds: &str, most: Ms) -> Result<Ms, Refusal> {
    let parsed: Option<f64> = seconds.parse().ok();
    match parsed.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative; a float too large for u64 becomes its largest value and is cut"
        )]
        Some(seconds) => Ok(Ms((seconds * 1000.0) as u64).min(most)),
        None => Err(Refusal::field(
            field,
            "wait must be a number of seconds, 0 or more; longer than the system holds requests is cut",
        )),
    }
}

/// How the request names itself; a chosen id in the path goes before any header.
pub(crate) fn identity(headers: &HeaderMap, chosen: Option<JobId>) -> Result<Identity, Refusal> {
    if let Some(id) = chosen {
        return Ok(Identity::Chosen(id));
    }
    if let Some(value) = headers.get("idempotency-key") {
        let key = value.to_str().unwrap_or_default();
        let visible = key.bytes().all(|b| b.is_ascii_graphic());
        if !visible || !(1..=255).contains(&key.len()) {
            return Err(Refusal::field(
                "Idempotency-Key",
                "must be 1 to 255 visible ASCII characters",
            ));
        }
        return Ok(Identity::Key(key.to_owned()));
    }
    let counted = text(headers, "x-stainless-retry-count").and_then(|count| count.parse().ok());
    Ok(counted.map_or(Identity::Random, |retry| Identity::Counted { retry }))
}

/// The caller's own deadline: `Cancel-After: 90s`, `1m`, `1h30m`, or plain seconds.
pub(crate) fn cancel_after(headers: &HeaderMap) -> Result<Option<Ms>, Refusal> {
    let Some(value) = headers.get("cancel-after") else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(duration);
    match length.filter(|length| (1_000..=86_400_000).contains(&length.0)) {
        Some(length) => Ok(Some(length)),
        None => Err(Refusal::field(
            "Cancel-After",
            "must be a length of time from 1s to 24h, such as 90s, 5m or 1h30m",
        )),
    }
}

fn duration(text: &str) -> Option<Ms> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Ms::seconds(seconds));
    }
    let mut total = Ms(0);
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
        total = Ms(total.0.checked_add(seconds.checked_mul(1000)?)?);
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_trace_id_comes_from_either_header() {
        let w3c = headers(&[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )]);
        assert_eq!(
            trace(&w3c).unwrap().as_str(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        let amazon = headers(&[(
            "x-amzn-trace-id",
            "Self=1-x;Root=1-67891233-abcdef012345678912345678;Sampled=1",
        )]);
        assert_eq!(
            trace(&amazon).unwrap().as_str(),
            "67891233abcdef012345678912345678"
        );
        assert_eq!(trace(&headers(&[("traceparent", "junk")])), None);
    }

    #[test]
    fn both_schemes_carry_a_key() {
        assert_eq!(
            key(&headers(&[("authorization", "Bearer abc")])),
            Some("abc")
        );
        assert_eq!(
            key(&headers(&[("authorization", "token abc")])),
            Some("abc")
        );
        assert_eq!(key(&headers(&[("authorization", "Basic abc")])), None);
        assert_eq!(key(&headers(&[("authorization", "Bearer ")])), None);
    }

    #[test]
    fn a_wait_is_cut_to_the_longest_and_a_negative_one_refused() {
        let most = Ms(25_000);
        let wait = |value| prefer_wait(&headers(&[("prefer", value)]), most);
        assert_eq!(wait("wait").unwrap(), Some(most));
        assert_eq!(wait("respond-async, wait=5").unwrap(), Some(Ms(5_000)));
        assert_eq!(wait("wait=0.5").unwrap(), Some(Ms(500)));
        assert_eq!(wait("wait=999999999999999999999").unwrap(), Some(most));
        assert_eq!(wait("WAIT = \"5\"; x").unwrap(), Some(Ms(5_000)));
        assert_eq!(wait("respond-async").unwrap(), None);
        assert_eq!(wait("waiting=1").unwrap(), None);
        for bad in ["wait=-1", "wait=soon", "wait=NaN", "wait=inf"] {
            assert!(matches!(wait(bad), Err(Refusal::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_in_the_usual_forms() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("1m", 60), ("1h30m", 5_400)] {
            let read = cancel_after(&headers(&[("cancel-after", text)])).unwrap();
            assert_eq!(read, Some(Ms::seconds(seconds)), "{text}");
        }
        for bad in [
            "",
            "0",
            "25h",
            "1x",
            "m",
            "5m3",
            "-5s",
            "99999999999999999999h",
        ] {
            assert!(
                cancel_after(&headers(&[("cancel-after", bad)])).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_request_names_itself_by_id_then_key_then_count() {
        let all = headers(&[("idempotency-key", "k"), ("x-stainless-retry-count", "2")]);
        let id: JobId = "my-own-id".parse().unwrap();
        assert_eq!(
            identity(&all, Some(id.clone())).unwrap(),
            Identity::Chosen(id)
        );
        assert_eq!(identity(&all, None).unwrap(), Identity::Key("k".into()));
        let counted = headers(&[("x-stainless-retry-count", "2")]);
        assert_eq!(
            identity(&counted, None).unwrap(),
            Identity::Counted { retry: 2 }
        );
        assert_eq!(identity(&headers(&[]), None).unwrap(), Identity::Random);
        assert!(identity(&headers(&[("idempotency-key", "a b")]), None).is_err());
        assert!(identity(&headers(&[("idempotency-key", &"k".repeat(256))]), None).is_err());
    }
}

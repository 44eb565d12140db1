//! What a job cost, in words. What has no price is unknown and never 0.

use crate::prediction::Metrics;

/// The name under which the preview GPU stands in `metrics.provider`.
const PREVIEW: &str = "preview";

/// `$0.0108`, `unknown (preview)`, or `unknown`.
pub(crate) fn cost(metrics: &Metrics) -> String {
    match (metrics.cost_usd, metrics.provider.as_deref()) {
        (Some(usd), _) => dollars(usd),
        (None, Some(PREVIEW)) => format!("unknown ({PREVIEW})"),
        (None, _) => "unknown".to_owned(),
    }
}

/// Four digits behind the point, and up to six where the money is finer; prices are whole
/// micro-dollars, and none of them is shown as 0.
fn dollars(usd: f64) -> String {
    let micros = format!("{usd:.6}");
    let text = micros.strip_suffix('0').unwrap_or(&micros);
    format!("${}", text.strip_suffix('0').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(cost_usd: Option<f64>, provider: Option<&str>) -> Metrics {
        Metrics {
            cost_usd,
            provider: provider.map(str::to_owned),
            ..Metrics::default()
        }
    }

    #[test]
    fn what_has_no_price_is_unknown_and_never_zero() {
        assert_eq!(cost(&metrics(None, Some("preview"))), "unknown (preview)");
        assert_eq!(cost(&metrics(None, Some("modal"))), "unknown");
        assert_eq!(cost(&metrics(None, None)), "unknown");
    }

    #[test]
    fn a_price_is_shown_to_the_micro_dollar_where_it_is_that_fine() {
        let shown = |usd| cost(&metrics(Some(usd), Some("modal")));
        assert_eq!(shown(0.0108), "$0.0108");
        assert_eq!(shown(0.01), "$0.0100");
        assert_eq!(shown(1.5), "$1.5000");
        assert_eq!(shown(0.000_012), "$0.000012");
        assert_eq!(shown(0.010_85), "$0.01085");
    }
}

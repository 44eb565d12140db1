//! A picture of a replay as SVG: what each policy costs by the value of a cold wait, and one day of the
//! adaptive policy: arrivals, containers, floor, cold starts. Plain text, no dependency.

use crate::adaptive;
use crate::engine::{Happening, count};
use crate::score::{Policy, score};
use crate::setting::{Setting, SettingError};
use crate::trace::Trace;
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
/// Values of a cold wait that the curves go through, in dollars.
const VALUES_USD: [f64; 9] = [0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8];
const COLORS: [&str; 9] = [
    "#7aa6c2", "#4a7fa5", "#22577a", "#b08968", "#c9ada7", "#9a8c98", "#588157", "#d62828",
    "#222222",
];
const DAY_S: f64 = 86_400.0;

/// Draws it.
pub fn svg(
    trace: &Trace,
    learnt: Option<&Trace>,
    policies: &[Policy],
    setting: &Setting,
) -> Result<String, SettingError> {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 760\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    curves(&mut text, trace, learnt, policies, setting)?;
    timeline(&mut text, trace, learnt, setting)?;
    text.push_str("</svg>\n");
    Ok(text)
}

/// Where a value lies between two limits on a logarithmic axis, from 0 to 1.
fn on_log(value: f64, least: f64, most: f64) -> f64 {
    if most > least {
        (value / least).ln() / (most / least).ln()
    } else {
        0.5
    }
}

fn curves(
    text: &mut String,
    trace: &Trace,
    learnt: Option<&Trace>,
    policies: &[Policy],
    setting: &Setting,
) -> Result<(), SettingError> {
    let (top, bottom) = (50.0, 400.0);
    let mut curves = Vec::new();
    for policy in policies {
        let mut points = Vec::new();
        for value_usd in VALUES_USD {
            let figures = score(*policy, trace, learnt, &setting.valued(value_usd))?;
            points.push(figures.total_usd_per_1000().max(1e-3));
        }
        curves.push((policy, points));
    }
    let all = || curves.iter().flat_map(|(_, points)| points.iter().copied());
    let (least, most) = (
        all().fold(f64::INFINITY, f64::min),
        all().fold(1e-3, f64::max),
    );
    let x = |value| LEFT + on_log(value, VALUES_USD[0], VALUES_USD[8]) * (WIDTH - LEFT - RIGHT);
    let y = |usd| bottom - on_log(usd, least, most) * (bottom - top);
    title(
        text,
        24.0,
        "Dollars per 1000 requests beyond GPU time at work, by the value of a cold wait (both logarithmic)",
    );
    for value in VALUES_USD {
        let at = x(value);
        line(text, (at, top), (at, bottom), "#eeeeee");
        label(text, at, bottom + 16.0, "middle", &format!("${value}"));
    }
    let mut usd = 10_f64.powf(least.log10().floor());
    while usd <= most {
        for step in [1.0, 2.0, 5.0].map(|factor| usd * factor) {
            if (least..=most).contains(&step) {
                line(text, (LEFT, y(step)), (WIDTH - RIGHT, y(step)), "#eeeeee");
                label(text, LEFT - 6.0, y(step) + 4.0, "end", &format!("${step}"));
            }
        }
        usd *= 10.0;
    }
    let mut names: Vec<(f64, String, String)> = Vec::new();
    for (index, (policy, points)) in curves.iter().enumerate() {
        let color = color(index);
        let path: Vec<String> = VALUES_USD
            .iter()
            .zip(points)
            .map(|(value, usd)| format!("{:.1},{:.1}", x(*value), y(*usd)))
            .collect();
        let width = if **policy == Policy::Adaptive {
            3.0
        } else {
            1.5
        };
        let _ = writeln!(
            text,
            "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" points=\"{}\"/>",
            path.join(" ")
        );
        let end = points.last().copied().unwrap_or(least);
        names.push((y(end), policy.to_string(), color));
    }
    // Names beside the ends of their curves, moved apart where they would overlap.
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = f64::NEG_INFINITY;
    for (at, name, color) in names {
        lowest = at.max(lowest + 14.0);
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{:.1}\" fill=\"{color}\">{name}</text>",
            WIDTH - RIGHT + 8.0,
            lowest + 4.0
        );
    }
    Ok(())
}

/// Of a curve; beyond the nine that are chosen each one is another all the same.
fn color(index: usize) -> String {
    COLORS.get(index).map_or_else(
        || format!("hsl({}, 65%, 45%)", index * 47 % 360),
        |color| (*color).to_owned(),
    )
}

/// The busiest day of the busiest endpoint.
fn timeline(
    text: &mut String,
    trace: &Trace,
    learnt: Option<&Trace>,
    setting: &Setting,
) -> Result<(), SettingError> {
    let (top, bottom) = (480.0, 700.0);
    let played = adaptive::play(trace, learnt, setting, true)?;
    let busiest = trace
        .endpoints
        .iter()
        .zip(&played.happenings)
        .max_by_key(|(endpoint, _)| endpoint.arrivals.len());
    let Some((endpoint, happenings)) = busiest else {
        return Ok(());
    };
    let from = busiest_day(&endpoint.arrivals);
    let until = from + DAY_S;
    let x = |at: f64| LEFT + (at - from).clamp(0.0, DAY_S) / DAY_S * (WIDTH - LEFT - RIGHT);
    // With what the day begins with: containers of the one before.
    let begin = happenings.partition_point(|(at, _)| *at < from);
    let carried = happenings[..begin].iter().rev();
    let last_of = |is: fn(&Happening) -> bool| carried.clone().find(|(_, what)| is(what));
    let that_day = happenings[begin..]
        .iter()
        .take_while(|(at, _)| *at < until)
        .chain(last_of(|what| matches!(what, Happening::Containers(_))))
        .chain(last_of(|what| matches!(what, Happening::Floor(_))));
    let containers = that_day.map(|(_, happening)| match happening {
        Happening::Containers(number) | Happening::Floor(number) => *number,
        _ => 1,
    });
    let most = count(containers.max().unwrap_or(1).max(1));
    let y = |number: usize| bottom - count(number) / most * (bottom - top - 40.0);
    let name = escaped(&endpoint.name);
    title(
        text,
        top - 30.0,
        &format!(
            "The busiest day of {name}, adaptive at ${} a cold wait (0 h: second {from} of the trace)",
            setting.value_usd
        ),
    );
    let mut containers = Steps::new("#7aa6c2", y(0));
    let mut floors = Steps::new("#d62828", y(0));
    let (mut cold, mut arrivals) = (0_usize, 0_usize);
    for (at, happening) in happenings {
        let today = (from..until).contains(at);
        match happening {
            Happening::Containers(number) if *at < until => containers.step(x(*at), y(*number)),
            Happening::Floor(number) if *at < until => floors.step(x(*at), y(*number)),
            Happening::Arrived if today => {
                arrivals += 1;
                line(
                    text,
                    (x(*at), bottom + 4.0),
                    (x(*at), bottom + 12.0),
                    "#444444",
                );
            }
            Happening::Began(waited_s) if today && *waited_s > 1.0 => {
                cold += 1;
                let _ = writeln!(
                    text,
                    "<circle cx=\"{:.1}\" cy=\"{}\" r=\"2.5\" fill=\"#f77f00\"/>",
                    x(*at),
                    top + 4.0
                );
            }
            _ => {}
        }
    }
    floors.fill(text, x(until), y(0));
    containers.draw(text, x(until));
    for hour in [0.0, 6.0, 12.0, 18.0, 24.0] {
        let at = x(from + hour * 3600.0);
        label(text, at, bottom + 30.0, "middle", &format!("{hour} h"));
    }
    label(text, LEFT - 6.0, bottom + 4.0, "end", "0");
    label(text, LEFT - 6.0, top + 44.0, "end", &format!("{most}"));
    let beside = WIDTH - RIGHT + 8.0;
    label(
        text,
        beside,
        top + 8.0,
        "start",
        &format!("{cold} cold starts"),
    );
    label(text, beside, top + 60.0, "start", "containers (blue)");
    label(text, beside, top + 76.0, "start", "floor (red)");
    label(
        text,
        beside,
        bottom + 12.0,
        "start",
        &format!("{arrivals} arrivals"),
    );
    Ok(())
}

/// When the day begins in which most arrivals lie.
fn busiest_day(arrivals: &[f64]) -> f64 {
    let mut best = (0, arrivals.first().copied().unwrap_or_default());
    let mut until = 0;
    for (from, at) in arrivals.iter().enumerate() {
        while arrivals.get(until).is_some_and(|end| *end < at + DAY_S) {
            until += 1;
        }
        if until - from > best.0 {
            best = (until - from, *at);
        }
    }
    (best.1 / 3600.0).floor() * 3600.0
}

/// A line that goes in steps.
struct Steps {
    color: &'static str,
    height: f64,
    points: String,
}

impl Steps {
    const fn new(color: &'static str, height: f64) -> Self {
        Self {
            color,
            height,
            points: String::new(),
        }
    }

    /// What lies before the day is drawn at its edge, where only the last of it is seen.
    fn step(&mut self, x: f64, y: f64) {
        if x <= LEFT {
            self.points = format!("{x:.1},{y:.1} ");
        } else {
            let _ = write!(self.points, "{x:.1},{:.1} {x:.1},{y:.1} ", self.height);
        }
        self.height = y;
    }

    fn fill(&self, text: &mut String, end: f64, ground: f64) {
        let _ = writeln!(
            text,
            "<polygon fill=\"{}\" fill-opacity=\"0.3\" points=\"{LEFT},{ground:.1} {}{end:.1},{:.1} {end:.1},{ground:.1}\"/>",
            self.color, self.points, self.height
        );
    }

    fn draw(&self, text: &mut String, end: f64) {
        let _ = writeln!(
            text,
            "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.2\" points=\"{}{end:.1},{:.1}\"/>",
            self.color, self.points, self.height
        );
    }
}

fn title(text: &mut String, y: f64, words: &str) {
    let _ = writeln!(
        text,
        "<text x=\"{LEFT}\" y=\"{y}\" font-size=\"14\">{words}</text>"
    );
}

fn label(text: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let _ = writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#555555\">{words}</text>"
    );
}

fn line(text: &mut String, from: (f64, f64), to: (f64, f64), color: &str) {
    let _ = writeln!(
        text,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\"/>",
        from.0, from.1, to.0, to.1
    );
}

/// A name of a trace as it may stand in XML.
fn escaped(name: &str) -> String {
    name.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace(char::is_control, "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_names_every_policy_and_stays_xml_whatever_the_endpoint_is_called() {
        let text = "timestamp_s,endpoint\n0,<b>&\n30,<b>&\n4000,<b>&\n";
        let trace = Trace::parse(text).unwrap();
        let picture = svg(&trace, None, &Policy::ALL, &Setting::USUAL).unwrap();
        for policy in Policy::ALL {
            assert!(picture.contains(&format!(">{policy}</text>")), "{policy}");
        }
        assert!(picture.contains("&lt;b&gt;&amp;"));
        assert!(picture.contains("3 arrivals"));
        assert!(!picture.contains("NaN"));
        assert_eq!(
            picture.matches("<text").count(),
            picture.matches("</text>").count()
        );
    }

    #[test]
    fn the_busiest_day_is_found_across_midnight() {
        let arrivals = [0.0, 100_000.0, 150_000.0, 180_000.0, 400_000.0];
        assert!((busiest_day(&arrivals) - 97_200.0).abs() < 1e-9);
    }
}

//! Why a decision is what it is, in figures and in words: what `ryla warm status` shows.

use super::hedge::Rule;
use std::fmt;

/// What a decision rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// What was decided.
    pub why: Why,
    /// Whose advice is followed.
    pub rule: Rule,
    /// Requests under way.
    pub in_flight: u32,
    /// Containers believed to be there, idle ones among them.
    pub containers: u32,
    /// Seconds of break-even (T*).
    pub break_even_s: f64,
    /// The likeliest container to be used next.
    pub next: Term,
}

/// The terms of the comparison for one idle container over the next minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Term {
    /// Seconds that it has been idle.
    pub age_s: f64,
    /// Seconds for which it is held in all.
    pub hold_s: f64,
    /// How likely a request takes it within the next minute.
    pub chance: f64,
    /// What it would save then.
    pub miss_usd: f64,
    /// What it is expected to cost in that minute.
    pub idle_usd: f64,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// Nothing runs, nothing is held.
    Cold,
    /// Requests run, and what becomes of their containers is left to the window.
    Running,
    /// So many containers are held for the next minute.
    Held(u32),
    /// The only container is on its window.
    Waning,
    /// A clock calls: a container boots, or waits, for a request due in so many seconds, as every so many.
    Due {
        /// Seconds from now; below 0 where it is late.
        in_s: f64,
        /// The period.
        every_s: f64,
        /// How likely it comes.
        chance: f64,
        /// What a container that is ready then saves.
        saves_usd: f64,
        /// What it is expected to cost until then, or in vain.
        costs_usd: f64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Term {
            age_s,
            hold_s,
            chance,
            miss_usd,
            idle_usd,
        } = self.next;
        match self.why {
            Why::Cold => write!(f, "nothing runs and nothing is held")?,
            Why::Running => write!(
                f,
                "{} in flight; the window decides after that",
                self.in_flight
            )?,
            Why::Held(floor) => write!(f, "holds {floor} of {} containers", self.containers)?,
            Why::Waning => write!(f, "idle for {age_s:.0} s of the {hold_s:.0} s that pay")?,
            Why::Due {
                in_s,
                every_s,
                chance,
                saves_usd,
                costs_usd,
            } => {
                if in_s >= 0.0 {
                    write!(f, "a request is due in {in_s:.0} s")?;
                } else {
                    write!(f, "a request was due {:.0} s ago", -in_s)?;
                }
                return write!(
                    f,
                    ", as every {every_s:.0} s: {:.0} % likely, a container that boots ahead or waits for it \
                     saves ${saves_usd:.4} and costs ${costs_usd:.4}",
                    chance * 100.0
                );
            }
        }
        write!(
            f,
            ": a request in the next minute is {:.0} % likely and saves ${miss_usd:.4}, ",
            chance * 100.0
        )?;
        write!(
            f,
            "holding costs ${idle_usd:.4}; break-even {:.0} s; ",
            self.break_even_s
        )?;
        match self.rule {
            Rule::Table => write!(f, "by the hazard table"),
            Rule::Window(window_s) => {
                write!(f, "by a window of {window_s} s, cheapest here so far")
            }
            Rule::BreakEven => write!(f, "by the break-even window, cheapest here so far"),
            Rule::Keep(1) => write!(f, "by holding one and no others, cheapest here so far"),
            Rule::Keep(most) => {
                write!(f, "by holding {most} and no others, cheapest here so far")
            }
        }
    }
}

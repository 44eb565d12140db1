//! Which rule to follow: the plan of the hazard table, one of the windows that people set by hand, or a few
//! containers held for long and no others. All of them are played in shadow and scored at every arrival;
//! their weights follow `AdaHedge` with a ceiling on its rate. docs/WARM.md states the bound on the
//! regret, and the state carries it.

use serde::{Deserialize, Serialize};

/// How long to hold a container that becomes idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// As long as the hazard table says that it pays.
    Table,
    /// So many seconds, always.
    Window(u16),
    /// Until holding has cost as much as a miss: ski-rental.
    BreakEven,
    /// The first so many containers for one and a half times that long, the others not at all: what
    /// bursts want, in which one container is always used again and the tenth is not.
    Keep(u8),
}

/// The rules that are compared. A stored state knows them by their places: new ones go to the end.
pub const RULES: [Rule; 8] = [
    Rule::Table,
    Rule::Window(2),
    Rule::Window(20),
    Rule::Window(60),
    Rule::Window(300),
    Rule::BreakEven,
    Rule::Keep(1),
    Rule::Keep(2),
];
const COUNT: usize = RULES.len();
/// The weight that each rule begins with.
const BEGIN: [f64; COUNT] = [0.95, 0.004, 0.004, 0.004, 0.004, 0.004, 0.015, 0.015];
/// Weights follow losses at most this fast: a loss of two thirds of a miss divides a weight by e.
const FASTEST: f64 = 1.5;

/// Weights of the rules at one endpoint, and what following them has cost beyond the best.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, from = "Stored")]
pub struct Hedge {
    /// What each rule would have cost, in misses.
    losses: [f64; COUNT],
    /// What the weights cost on average, in misses.
    suffered: f64,
    /// The part of it that the weights' motion explains (the sum of the mixability gaps).
    gap: f64,
    /// Arrivals scored.
    rounds: u32,
}

/// The same as it stands in a row, which may know fewer rules, or more.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    losses: Vec<f64>,
    suffered: f64,
    gap: f64,
    rounds: u32,
}

impl From<Stored> for Hedge {
    /// A rule that joins late has cost what following the weights has cost: it is neither ahead nor behind.
    fn from(stored: Stored) -> Self {
        let Stored {
            losses,
            suffered,
            gap,
            rounds,
        } = stored;
        Self {
            losses: std::array::from_fn(|rule| losses.get(rule).copied().unwrap_or(suffered)),
            suffered,
            gap,
            rounds,
        }
    }
}

impl Hedge {
    /// The weights of the rules; they add up to 1.
    pub fn weights(&self) -> [f64; COUNT] {
        let rate = self.rate();
        let least = self.losses.iter().copied().fold(f64::INFINITY, f64::min);
        let mut weights = BEGIN;
        for (weight, loss) in weights.iter_mut().zip(self.losses) {
            *weight *= (-rate * (loss - least)).exp();
        }
        let sum: f64 = weights.iter().sum();
        weights.map(|weight| weight / sum)
    }

    /// The rule to follow until the next arrival; `dice` is uniform in [0, 1).
    pub fn draw(&self, dice: f64) -> Rule {
        let mut left = dice;
        for (rule, weight) in RULES.into_iter().zip(self.weights()) {
            left -= weight;
            if left < 0.0 {
                return rule;
            }
        }
        Rule::Table
    }

    /// Scores the time since the arrival before: what each rule cost in it, in misses.
    pub fn learn(&mut self, losses: [f64; COUNT]) {
        let (weights, rate) = (self.weights(), self.rate());
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let mut mean = 0.0;
        let mut mix = 0.0;
        for (weight, loss) in weights.into_iter().zip(losses) {
            mean += weight * loss;
            mix += weight * (-rate * (loss - least)).exp();
        }
        self.gap += (mean - (least - mix.ln() / rate)).max(0.0);
        self.suffered += mean;
        for (sum, loss) in self.losses.iter_mut().zip(losses) {
            *sum += loss;
        }
        self.rounds = self.rounds.saturating_add(1);
    }

    fn rate(&self) -> f64 {
        if self.gap > 0.0 {
            FASTEST.min(count(COUNT).ln() / self.gap)
        } else {
            FASTEST
        }
    }

    /// What following the weights has cost beyond the best rule, in misses.
    pub fn regret(&self) -> f64 {
        self.suffered - self.losses.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// What it can have cost beyond a rule at most, whatever came: known at every instant.
    pub fn bound(&self, rule: Rule) -> f64 {
        let place = RULES
            .iter()
            .position(|other| *other == rule)
            .unwrap_or_default();
        -BEGIN[place].ln() / self.rate() + self.gap
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of rules")]
const fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn played(rounds: impl IntoIterator<Item = [f64; COUNT]>) -> Hedge {
        let mut hedge = Hedge::default();
        for losses in rounds {
            hedge.learn(losses);
            for (place, rule) in RULES.into_iter().enumerate() {
                let regret = hedge.suffered - hedge.losses[place];
                let bound = hedge.bound(rule);
                assert!(regret <= bound + 1e-6, "{rule:?}: {regret} > {bound}");
            }
        }
        hedge
    }

    proptest! {
        #[test]
        fn the_regret_stays_below_its_bound_whatever_comes(
            rounds in prop::collection::vec(prop::array::uniform8(0.0..8.0_f64), 1..200)
        ) {
            played(rounds);
        }

        #[test]
        fn the_regret_grows_no_faster_than_the_square_root_of_the_rounds(
            rounds in prop::collection::vec(prop::array::uniform8(0.0..1.0_f64), 1..400)
        ) {
            let number = count(rounds.len());
            prop_assert!(played(rounds).regret() <= worst_case(number, 1.0));
        }
    }

    /// The bound that is known beforehand, from the number of rounds and the greatest loss alone.
    fn worst_case(rounds: f64, greatest: f64) -> f64 {
        let (log_rules, log_least) = (count(COUNT).ln(), -BEGIN[1].ln());
        let gap = greatest * (rounds * log_rules).sqrt() / 2.0 + greatest;
        log_least / FASTEST + (1.0 + log_least / log_rules) * gap
    }

    #[test]
    fn an_adversary_who_knows_the_weights_cannot_break_the_bound() {
        let mut hedge = Hedge::default();
        for _ in 0..5000 {
            let weights = hedge.weights();
            let heaviest = weights.iter().copied().fold(0.0, f64::max);
            // Whoever is trusted most loses.
            hedge.learn(weights.map(|weight| f64::from(u8::from(weight >= heaviest - 1e-12))));
        }
        assert!(
            hedge.regret() <= worst_case(5000.0, 1.0),
            "{}",
            hedge.regret()
        );
        assert!(hedge.regret() > 5.0, "the adversary is one");
    }

    #[test]
    fn the_table_is_followed_first_and_left_where_a_window_is_cheaper() {
        let fresh = Hedge::default();
        assert_eq!(fresh.draw(0.0), Rule::Table);
        assert_eq!(fresh.draw(0.5), Rule::Table);
        let cheaper = [1.0, 1.0, 1.0, 1.0, 0.4, 1.0, 1.0, 1.0];
        let hedge = played(std::iter::repeat_n(cheaper, 60));
        for dice in [0.01, 0.5, 0.99] {
            assert_eq!(hedge.draw(dice), Rule::Window(300));
        }
    }

    #[test]
    fn a_state_of_fewer_rules_is_read_and_new_ones_are_neither_ahead_nor_behind() {
        let hedge = played(std::iter::repeat_n(
            [0.5, 0.0, 1.0, 0.2, 0.9, 0.3, 0.1, 0.6],
            30,
        ));
        let mut older = serde_json::to_value(&hedge).unwrap();
        older["losses"].as_array_mut().unwrap().truncate(6);
        let read: Hedge = serde_json::from_value(older).unwrap();
        assert_eq!(read.losses[..6], hedge.losses[..6]);
        for loss in &read.losses[6..] {
            assert!((loss - hedge.suffered).abs() < 1e-12);
        }
        let mut newer = serde_json::to_value(&hedge).unwrap();
        let losses = newer["losses"].as_array_mut().unwrap();
        losses.push(0.0.into());
        assert_eq!(serde_json::from_value::<Hedge>(newer).unwrap(), hedge);
    }

    #[test]
    fn a_draw_follows_the_weights() {
        let hedge = played([[0.5, 0.0, 1.0, 0.2, 0.9, 0.3, 0.1, 0.6]]);
        let weights = hedge.weights();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let drawn = (0..10_000).filter(|n| hedge.draw(f64::from(*n) / 10_000.0) == Rule::Table);
        let share = count(drawn.count()) / 10_000.0;
        assert!((share - weights[0]).abs() < 1e-3, "{share} {weights:?}");
    }
}

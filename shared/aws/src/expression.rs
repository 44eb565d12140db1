//! Expectations and writes as `DynamoDB` expressions. [`Expression::condition`] is the only place
//! where an [`Expect`] becomes a condition; it must agree with `Fence::holds`, and the contract suite
//! of the job store falsifies every fence to show it.

use crate::fences::Fences;
use crate::row::{DUE_DEAD, encode, number, ttl_seconds};
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::V;
use ryla_domain::job::{Beat, Claim, Job, Start};
use ryla_domain::state::Phase;
use ryla_engine::expect::{Expect, Fence};
use ryla_engine::port::{DueMove, Write};
use std::collections::HashMap;

type Names = HashMap<String, String>;
type Values = HashMap<String, AttributeValue>;

/// Placeholders of one request. Every name is one, since `DynamoDB` reserves hundreds of words.
#[derive(Debug, Default)]
pub(crate) struct Expression {
    names: Names,
    values: Values,
    fences: Fences,
}

impl Expression {
    /// For a table that keeps those fences.
    pub(crate) fn on(fences: Fences) -> Self {
        Self {
            fences,
            ..Self::default()
        }
    }

    /// Names and values of all placeholders; `None` where there are none, since `DynamoDB` takes no empty
    /// map.
    pub(crate) fn placeholders(self) -> (Option<Names>, Option<Values>) {
        let names = Some(self.names).filter(|names| !names.is_empty());
        let values = Some(self.values).filter(|values| !values.is_empty());
        (names, values)
    }

    /// The placeholder of an attribute's name.
    pub(crate) fn name(&mut self, attribute: &str) -> String {
        let placeholder = format!("#{attribute}");
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    /// A placeholder of that value.
    pub(crate) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    fn compare(&mut self, attribute: &str, operator: &str, value: AttributeValue) -> String {
        format!("{} {operator} {}", self.name(attribute), self.value(value))
    }

    /// The condition under which a write happens; `None` where nothing is expected.
    pub(crate) fn condition(&mut self, expect: &Expect) -> Option<String> {
        let fences = expect.fences.iter();
        let kept = fences.filter(|fence| self.fences.keep(expect.guard(fence)));
        let kept: Vec<&Fence> = kept.collect();
        let conditions: Vec<String> = kept.into_iter().map(|fence| self.fence(fence)).collect();
        Some(conditions.join(" AND ")).filter(|condition| !condition.is_empty())
    }

    fn fence(&mut self, fence: &Fence) -> String {
        match fence {
            Fence::AbsentAt(now) => format!(
                "(attribute_not_exists({}) OR {})",
                self.name("pk"),
                // Whole seconds on the left: `< now` and `< now rounded up` are the same.
                self.compare("expires_at", "<", number(ttl_seconds(*now)))
            ),
            Fence::Readable => self.compare("v", "<=", number(V)),
            Fence::Rev(seen) => self.compare("rev", "=", number(seen)),
            Fence::Claimable(now) => format!(
                "({} OR ({} AND {}))",
                self.compare("phase", "=", phase(Phase::Accepted)),
                self.compare("phase", "=", phase(Phase::Dispatching)),
                self.compare("lease_until", "<", number(now))
            ),
            Fence::BeforeDeadline(now) => self.compare("deadline_at", ">", number(now)),
            Fence::Dispatching => self.compare("phase", "=", phase(Phase::Dispatching)),
            Fence::From(origin) => format!(
                "{} AND {}",
                self.compare("attempt", "=", number(origin.attempt)),
                self.compare("backend", "=", text(origin.backend.as_str()))
            ),
            // Only running rows carry a sequence number: the phase need not be named.
            Fence::After(seq) => self.compare("seq", "<", number(seq)),
            // What has left the line for good is not due any more, whatever its time says.
            Fence::DueAt(seen) => format!(
                "{} AND {}",
                self.compare("due_at", "=", number(seen)),
                self.compare("due", "<>", text(DUE_DEAD))
            ),
        }
    }

    /// What a write changes; empty where it changes nothing. Names every attribute that it touches:
    /// those that this build does not know stay as they are.
    pub(crate) fn update(&mut self, write: &Write<'_>) -> String {
        match write {
            Write::Claim(_, claim) => self.claim(claim),
            Write::Start(_, start) => self.start(start),
            Write::Beat(_, beat) => self.beat(beat),
            Write::Replace { seen, next } => self.replace(seen, next),
        }
    }

    /// Where a due entry goes.
    pub(crate) fn due_move(&mut self, to: DueMove) -> String {
        let mut change = Change::default();
        match to {
            DueMove::Later { at, tries } => {
                change.set(self, "due_at", number(at));
                change.set(self, "due_tries", number(tries));
            }
            DueMove::Dead => change.set(self, "due", text(DUE_DEAD)),
        }
        change.expression()
    }

    /// `Job::claim`: the attempt's first claim sets `dispatched_at`, later ones count on.
    fn claim(&mut self, claim: &Claim) -> String {
        let mut change = Change::written(self);
        change.set(self, "phase", phase(Phase::Dispatching));
        change.set(self, "claim", text(claim.claim.as_str()));
        change.set(self, "lease_until", number(claim.lease_until));
        let (claims, none) = (self.name("claims"), self.value(number(0)));
        let one = self.value(number(1));
        change.set.push(format!(
            "{claims} = if_not_exists({claims}, {none}) + {one}"
        ));
        let (sent, now) = (self.name("dispatched_at"), self.value(number(claim.at)));
        change
            .set
            .push(format!("{sent} = if_not_exists({sent}, {now})"));
        change.remove(self, "hold");
        change.remove(self, "again_at");
        change.expression()
    }

    /// `Job::start`.
    fn start(&mut self, start: &Start) -> String {
        let mut change = Change::written(self);
        change.set(self, "phase", phase(Phase::Running));
        change.set(self, "started_at", number(start.at));
        change.set(self, "seen_at", number(start.at));
        change.set(self, "seq", number(start.seq));
        if let Some(call) = &start.call {
            change.set(self, "call", text(call.as_str()));
        }
        for over in ["claim", "claims", "lease_until"] {
            change.remove(self, over);
        }
        change.expression()
    }

    /// `Job::beat`.
    fn beat(&mut self, beat: &Beat) -> String {
        let mut change = Change::written(self);
        change.set(self, "seq", number(beat.seq));
        change.set(self, "seen_at", number(beat.at));
        if let Some(progress) = beat.progress {
            change.set(self, "progress", number(progress));
        }
        change.expression()
    }

    /// What differs between the two. Left alone is what both have in common, also where the row has
    /// moved on since: a due entry that a sweep leased meanwhile keeps its lease.
    fn replace(&mut self, seen: &Job, next: &Job) -> String {
        let (before, after) = (encode(seen), encode(next));
        let mut change = Change::default();
        for (name, value) in &after {
            if before.get(name) != Some(value) {
                change.set(self, name, value.clone());
            }
        }
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            change.remove(self, name);
        }
        change.expression()
    }
}

/// An update under construction.
#[derive(Default)]
struct Change {
    set: Vec<String>,
    remove: Vec<String>,
}

impl Change {
    /// A blind write: the row's revision goes up by one, whatever it is.
    fn written(expression: &mut Expression) -> Self {
        let rev = expression.name("rev");
        let one = expression.value(number(1));
        Self {
            set: vec![format!("{rev} = {rev} + {one}")],
            remove: Vec::new(),
        }
    }

    fn set(&mut self, expression: &mut Expression, name: &str, value: AttributeValue) {
        self.set.push(expression.compare(name, "=", value));
    }

    fn remove(&mut self, expression: &mut Expression, name: &str) {
        self.remove.push(expression.name(name));
    }

    fn expression(self) -> String {
        let clause = |verb: &str, parts: Vec<String>| {
            (!parts.is_empty()).then(|| format!("{verb} {}", parts.join(", ")))
        };
        let clauses = [clause("SET", self.set), clause("REMOVE", self.remove)];
        clauses.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn phase(phase: Phase) -> AttributeValue {
    text(phase.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ryla_domain::time::UnixMs;
    use ryla_testing::sample::{CREATED_AT, a_claim, a_job};

    #[test]
    fn a_claim_is_one_condition_and_one_update() {
        let job = a_job().build();
        let claim = a_claim("c", CREATED_AT);
        let write = Write::Claim(&job.key, &claim);
        let mut expression = Expression::default();
        assert_eq!(
            expression.condition(&write.expect()).unwrap(),
            "#v <= :0 AND #deadline_at > :1 AND \
             (#phase = :2 OR (#phase = :3 AND #lease_until < :4))"
        );
        assert_eq!(
            expression.update(&write),
            "SET #rev = #rev + :5, #phase = :6, #claim = :7, #lease_until = :8, \
             #claims = if_not_exists(#claims, :9) + :10, \
             #dispatched_at = if_not_exists(#dispatched_at, :11) REMOVE #hold, #again_at"
        );
        assert_eq!(expression.values.len(), 12);
        assert_eq!(expression.names["#lease_until"], "lease_until");
    }

    #[test]
    fn a_replace_names_only_what_differs_and_never_a_key() {
        let seen = a_job().build();
        let next = seen.clone().claim(a_claim("c", CREATED_AT)).unwrap();
        let update = |next| {
            let write = Write::Replace { seen: &seen, next };
            Expression::default().update(&write)
        };
        assert_eq!(update(&seen), "");
        let update = update(&next);
        for name in [
            "#rev",
            "#phase",
            "#claim",
            "#claims",
            "#dispatched_at",
            "#lease_until",
        ] {
            assert!(update.contains(name), "{name} in {update}");
        }
        for name in [
            "#pk", "#sk", "#gpk", "#gsk", "#due", "#input", "#v ", "#attempt", "#expires",
        ] {
            assert!(!update.contains(name), "{name} in {update}");
        }
    }

    #[test]
    fn a_new_row_is_expected_absent_or_expired_in_whole_seconds() {
        let mut expression = Expression::default();
        let condition = expression.condition(&Expect::absent(UnixMs(1_500)));
        assert_eq!(
            condition.unwrap(),
            "(attribute_not_exists(#pk) OR #expires_at < :0)"
        );
        assert_eq!(expression.values[":0"], AttributeValue::N("2".to_owned()));
    }
}

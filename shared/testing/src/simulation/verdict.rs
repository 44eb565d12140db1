//! What must hold at the end of every run, whatever went wrong on the way.

use super::ending::{Ending, Known};
use super::process::Kind;
use super::scenario::Ends;

use crate::backend::{Status, text_of};
use ryla_domain::failure::Code;
use ryla_domain::state::State;
use ryla_domain::time::Ms;
use std::fmt;

/// How late after its deadline a job may end: one sweep that comes by, and one that died.
pub const GRACE: Ms = Ms::seconds(120);

/// GPU runs that no job may ever have more of.
pub const MOST_RUNS: usize = 3;

/// A run that broke a promise, with all that is needed to see it again.
pub struct Broken {
    /// What is wrong.
    pub wrong: Vec<String>,
    /// The run.
    pub ending: Box<Ending>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ending {
            scenario,
            faults,
            seed,
            trace,
            ..
        } = self.ending.as_ref();
        writeln!(
            f,
            "scenario {:?}, seed {seed}, faults {faults:?}",
            scenario.name
        )?;
        for wrong in &self.wrong {
            writeln!(f, "  {wrong}")?;
        }
        for line in trace {
            // Looks into empty shards tell nothing.
            if !line.ends_with("jobs.due") {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

impl Ending {
    /// The run, if it kept every promise.
    pub fn judged(self) -> Result<Self, Broken> {
        let mut wrong = self.seen_wrong.clone();
        if self.told.iter().any(Option::is_none) {
            wrong.push("a client was never told of its job".to_owned());
        }
        if self.jobs.len() != self.scenario.clients {
            wrong.push(format!("{} jobs", self.jobs.len()));
        }
        if self.left_in_queue > 0 {
            wrong.push(format!("{} messages are left", self.left_in_queue));
        }
        for known in &self.jobs {
            let key = &known.job.key;
            let mut say = |what: String| wrong.push(format!("{key}: {what}"));
            ended_in_time(known).unwrap_or_else(&mut say);
            self.ended_as_it_should(known).unwrap_or_else(&mut say);
            self.shows_its_own_picture(known).unwrap_or_else(&mut say);
            self.paid_once(known).unwrap_or_else(&mut say);
        }
        if wrong.is_empty() {
            return Ok(self);
        }
        Err(Broken {
            wrong,
            ending: Box::new(self),
        })
    }

    fn ended_as_it_should(&self, known: &Known) -> Result<(), String> {
        let state = &known.job.state;
        let fits = match (self.scenario.ends, state) {
            (Ends::Succeeded | Ends::SucceededOrCanceled, State::Succeeded { .. })
            | (Ends::Canceled | Ends::SucceededOrCanceled, State::Canceled { .. }) => true,
            (Ends::Failed(wanted), State::Failed { code, .. }) => {
                *code == wanted || (!self.faults.is_empty() && by_limit(*code) && by_limit(wanted))
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(format!(
            "ended as {state:?}, not as {:?}",
            self.scenario.ends
        ))
    }

    fn shows_its_own_picture(&self, known: &Known) -> Result<(), String> {
        let job = &known.job;
        let State::Succeeded { outputs, .. } = &job.state else {
            return Ok(());
        };
        let key = job.output_key(0);
        let Some(object) = self.images.object(&key) else {
            return Err(format!("shows {key}, where nothing lies"));
        };
        let text = text_of(&object.bytes).unwrap_or_default();
        if !text.starts_with(&format!("{} {} ", job.backend, job.run())) {
            return Err(format!("shows the picture of {text:?}"));
        }
        if outputs
            .iter()
            .any(|output| output.bytes != object.bytes.len() as u64)
        {
            return Err("shows figures of another picture".to_owned());
        }
        Ok(())
    }

    /// One run, one more for each start (or picture in our hands) that was harmed, and one for each that ended without a picture.
    fn paid_once(&self, known: &Known) -> Result<(), String> {
        let begun = self
            .runs
            .iter()
            .filter(|(_, run)| run.run.key == known.job.key && run.began_at.is_some());
        let runs = begun.clone().count();
        let without = begun.filter(|(_, run)| run.status != Status::Done).count();
        let harmed = self
            .calls
            .iter()
            .filter(|call| call.kind == Kind::Dispatch && call.harm.is_some())
            .filter(|call| matches!(call.name, "backend.start" | "images.put"))
            .count();
        if runs > 1 + without + harmed || runs > MOST_RUNS {
            return Err(format!(
                "{runs} GPU runs, {without} in vain, {harmed} starts harmed"
            ));
        }
        Ok(())
    }
}

fn ended_in_time(known: &Known) -> Result<(), String> {
    let job = &known.job;
    let Some(ended_at) = known.ended_seen_at else {
        return Err(format!("never ended: {:?}", job.state));
    };
    if job.due.is_some() {
        return Err("is still due".to_owned());
    }
    let late = ended_at.since(job.deadline.at);
    if late > GRACE {
        return Err(format!("ended {} s after its deadline", late.as_seconds()));
    }
    Ok(())
}

/// Which limit ends a job that nobody takes may depend on where a fault left it.
const fn by_limit(code: Code) -> bool {
    matches!(code, Code::Timeout | Code::BackendUnreachable)
}

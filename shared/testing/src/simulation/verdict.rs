//! What must hold at the end of every run, whatever went wrong on the way.

use super::ending::{Ending, Known};
use super::fault::Harm;
use super::scenario::Ends;
use super::tap::Call;

use crate::MemoryImageStore;
use crate::backend::{GpuRun, Scripted, Status, text_of};
use crate::sample::CREATED_AT;
use ryla_domain::failure::Code;
use ryla_domain::job::Job;
use ryla_domain::state::State;
use ryla_domain::time::Ms;
use std::fmt;

/// How late after its deadline a job may end: one sweep that comes by, and one that died.
pub const GRACE: Ms = Ms::seconds(120);

/// How late after its deadline, or after the end of a storm, a job may end that a storm hit.
pub const HOSTILE_GRACE: Ms = Ms::seconds(600);

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
            weather,
            seed,
            trace,
            ..
        } = self.ending.as_ref();
        writeln!(f, "scenario {:?}, seed {seed}, {weather:?}", scenario.name)?;
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
        let hostile = self.weather.storm.is_some();
        if !hostile && self.told.iter().any(Option::is_none) {
            wrong.push("a client was never told of its job".to_owned());
        }
        let jobs_fit = if hostile {
            // Counted tries are told apart by the minute, which such clocks do not agree on.
            self.scenario.counted || self.jobs.len() <= self.scenario.clients
        } else {
            self.jobs.len() == self.scenario.clients
        };
        if !jobs_fit {
            wrong.push(format!("{} jobs", self.jobs.len()));
        }
        if self.left_in_queue > 0 {
            wrong.push(format!("{} messages are left", self.left_in_queue));
        }
        for known in &self.jobs {
            let key = &known.job.key;
            let mut say = |what: String| wrong.push(format!("{key}: {what}"));
            self.ended_in_time(known).unwrap_or_else(&mut say);
            self.ended_as_it_should(known).unwrap_or_else(&mut say);
            shows_its_own_picture(&known.job, &self.images).unwrap_or_else(&mut say);
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

    fn ended_in_time(&self, known: &Known) -> Result<(), String> {
        let job = &known.job;
        let Some(ended_at) = known.ended_seen_at else {
            return Err(format!("never ended: {:?}", job.state));
        };
        if job.due.is_some() {
            return Err("is still due".to_owned());
        }
        let limit = match self.weather.storm {
            None => job.deadline.at + GRACE,
            Some(storm) => job.deadline.at.max(CREATED_AT + storm.over_at) + HOSTILE_GRACE,
        };
        if ended_at > limit {
            let late = ended_at.since(limit).as_seconds();
            return Err(format!("ended {late} s later than it may"));
        }
        Ok(())
    }

    fn ended_as_it_should(&self, known: &Known) -> Result<(), String> {
        let state = &known.job.state;
        if self.weather.storm.is_some() {
            return Ok(());
        }
        let faults = &self.weather.faults;
        let fits = match (self.scenario.ends, state) {
            (Ends::Succeeded | Ends::SucceededOrCanceled, State::Succeeded { .. })
            | (Ends::Canceled | Ends::SucceededOrCanceled, State::Canceled { .. }) => true,
            (Ends::Failed(wanted), State::Failed { code, .. }) => {
                *code == wanted || (!faults.is_empty() && by_limit(*code) && by_limit(wanted))
            }
            // Several faults on top of a worker that hangs or vanishes may eat up the time.
            (Ends::Succeeded, State::Failed { code, .. }) => {
                faults.len() > 1 && by_limit(*code) && self.ran_in_vain(known)
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

    /// It ran, and no run of it made its picture.
    fn ran_in_vain(&self, known: &Known) -> bool {
        let mut runs = self.runs_of(known).peekable();
        runs.peek().is_some() && runs.all(|run| run.status != Status::Done)
    }

    fn runs_of(&self, known: &Known) -> impl Iterator<Item = &GpuRun> {
        let runs = self.runs.iter().map(|(_, run)| run);
        runs.filter(|run| run.run.key == known.job.key)
    }

    /// A run begins only where the one before has ended without a picture.
    fn paid_once(&self, known: &Known) -> Result<(), String> {
        let runs = self.runs_of(known);
        let begun: Vec<&GpuRun> = runs.filter(|run| run.began_at.is_some()).collect();
        let twice = begun
            .iter()
            .filter(|run| begun.iter().any(|before| paid_again(before, run)))
            .count();
        let in_excess = !self.leases_are_worthless() && twice > self.excused();
        if in_excess || begun.len() > MOST_RUNS {
            return Err(format!("{} GPU runs, {twice} in excess", begun.len()));
        }
        Ok(())
    }

    /// Clocks that are minutes apart take a live lease for one that is over, and a backend by handle has
    /// nothing else to tell two starts from one.
    fn leases_are_worthless(&self) -> bool {
        let mut sites = self.scenario.sites.iter();
        self.weather.storm.is_some() && sites.any(|site| !site.capabilities.idempotent_start)
    }

    /// Where a second run could not be helped: a stop was not heard, or a synchronous backend's picture
    /// died in our hands.
    fn excused(&self) -> usize {
        let sites = self.scenario.sites.iter();
        let hands_over = sites
            .flat_map(|site| &site.scripts)
            .any(|script| matches!(script, Scripted::Finished));
        let excuses = |call: &&Call| match call.name {
            "backend.cancel" => true,
            "backend.start" | "images.put" => hands_over,
            _ => false,
        };
        let harmed = |call: &&Call| call.harm.is_some_and(|harm| harm != Harm::Slow);
        let harmed = self.calls.iter().filter(harmed);
        harmed.filter(excuses).count()
    }
}

/// What a job that has succeeded shows is the picture of the run that it names, whole and in the bucket.
pub(super) fn shows_its_own_picture(job: &Job, images: &MemoryImageStore) -> Result<(), String> {
    let State::Succeeded { outputs, .. } = &job.state else {
        return Ok(());
    };
    if outputs.len() != usize::from(job.slots()) {
        return Err(format!("shows {} pictures", outputs.len()));
    }
    for output in outputs {
        let key = job.output_key(output.slot);
        let Some(object) = images.object(&key) else {
            return Err(format!("shows {key}, where nothing lies"));
        };
        let text = text_of(&object.bytes).unwrap_or_default();
        if !text.starts_with(&format!("{} {} ", job.backend, job.run())) {
            return Err(format!("shows the picture of {text:?}"));
        }
        if output.bytes != object.bytes.len() as u64 {
            return Err("shows figures of another picture".to_owned());
        }
    }
    Ok(())
}

/// Whether `run` began although `before` was at work or had made the picture.
fn paid_again(before: &GpuRun, run: &GpuRun) -> bool {
    let later = before.began_at < run.began_at
        || (before.began_at == run.began_at && before.instance < run.instance);
    let over =
        before.status != Status::Done && before.ended_at.is_some_and(|at| Some(at) <= run.began_at);
    later && !over
}

/// Which limit ends a job that nobody takes may depend on where a fault left it.
const fn by_limit(code: Code) -> bool {
    matches!(code, Code::Timeout | Code::BackendUnreachable)
}

/// Whether nothing is different but what may change once a job has ended: `rev`, and the marks of
/// what was removed at the owner's wish.
pub(super) fn same_outcome(before: &Job, now: &Job) -> bool {
    let mut now = now.clone();
    now.rev = before.rev;
    if now.data_removed && !before.data_removed {
        now.data_removed = false;
        now.input.clone_from(&before.input);
    }
    now == *before
}

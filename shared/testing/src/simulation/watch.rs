//! What anybody could see of a run while it goes on, held against what could be seen before.

use super::ending::Known;
use super::step;
use super::verdict::{same_outcome, shows_its_own_picture};
use super::world::{STALE, World};
use ryla_domain::id::JobKey;
use ryla_domain::job::Job;
use ryla_engine::port::Clock;

impl World {
    /// What a client is shown is its account's.
    pub(super) fn shown(&mut self, asked: &JobKey, job: Option<&Job>, listed: &[Job]) {
        if job.is_some_and(|job| job.key != *asked)
            || listed.iter().any(|job| job.key.account != asked.account)
        {
            self.seen_wrong
                .push(format!("{} was shown another account's job", asked.account));
        }
    }

    /// What anybody could see now, held against what could be seen before.
    pub(super) fn look_at_the_jobs(&mut self) {
        let now = self.clock.now();
        if now.since(self.copied_at) >= STALE {
            self.jobs_before.become_copy_of(&self.jobs_next);
            self.jobs_next.become_copy_of(&self.jobs);
            self.copied_at = now;
        }
        let calls = self.jobs.calls();
        if std::mem::replace(&mut self.looked_after, calls) == calls {
            return;
        }
        let jobs = self.jobs.jobs();
        let newer = self.jobs.newer();
        for key in self.known.keys() {
            if !jobs.iter().chain(&newer).any(|job| job.key == *key) {
                self.seen_wrong.push(format!("{key} is gone"));
            }
        }
        for job in jobs {
            if let Some(before) = self.known.get(&job.key) {
                let wrong = step::wrong(&before.job, &job, &self.sites, &self.settings);
                self.seen_wrong.extend(wrong);
                if job.rev < before.job.rev {
                    self.seen_wrong.push(format!("{} lost a write", job.key));
                }
                if before.ended_seen_at.is_some() && !same_outcome(&before.job, &job) {
                    let (was, is) = (&before.job, &job);
                    self.seen_wrong
                        .push(format!("an outcome changed: {was:?} became {is:?}"));
                }
            }
            let before = self.known.get(&job.key);
            let before = before.and_then(|before| before.ended_seen_at);
            let ended = job.state.phase().is_terminal();
            // From now on anybody may fetch it.
            if ended
                && before.is_none()
                && let Err(wrong) = shows_its_own_picture(&job, &self.images)
            {
                self.seen_wrong.push(format!("{}: {wrong}", job.key));
            }
            let ended_seen_at = before.or(ended.then_some(now));
            self.known
                .insert(job.key.clone(), Known { job, ended_seen_at });
        }
    }
}

//! What a worker does with a run: one step at a time, as the clock comes to it.

use super::{End, FakeBackend, GpuRun, Status, a_jpeg};
use crate::contract::images::Web;
use crate::memory::lock;
use ryla_domain::failure::Code;
use ryla_domain::report::{Report, Timings};
use ryla_domain::time::UnixMs;
use ryla_engine::complete::{Callback, Event};

impl FakeBackend {
    /// Does everything that is due by the clock and returns the callbacks that it makes.
    pub async fn work(&self) -> Vec<Callback> {
        let now = self.clock.now();
        let mut made = std::mem::take(&mut lock(&self.inner).said);
        loop {
            let next = {
                let mut inner = lock(&self.inner);
                let due = inner.runs.iter_mut().enumerate();
                let mut due = due.filter(|(_, run)| run.is_open() && run.next_at <= now);
                due.next().map(|(at, run)| (at, run.clone()))
            };
            let Some((at, mut run)) = next else {
                return made;
            };
            let event = self.advance(&mut run).await;
            if let Some(event) = event.filter(|_| run.course.calls_back) {
                made.push(Callback {
                    run: run.run.clone(),
                    backend: self.id.clone(),
                    event,
                });
            }
            if let Some(kept) = lock(&self.inner).runs.get_mut(at) {
                *kept = run;
            }
        }
    }

    async fn advance(&self, run: &mut GpuRun) -> Option<Event> {
        let at = run.next_at;
        let course = run.course;
        run.seq += 1;
        let Some(began_at) = run.began_at else {
            if at >= run.deadline_at {
                run.end(Status::Failed(Code::Timeout), at);
                return Some(Event::Expired);
            }
            run.status = Status::Working;
            run.began_at = Some(at);
            run.next_at = at + course.beat.min(course.run);
            return Some(Event::Started {
                call: None,
                seq: run.seq,
            });
        };
        let ends_at = began_at + course.run;
        if at < ends_at {
            run.next_at = ends_at.min(at + course.beat);
            let done = at.since(began_at).0 * 100 / course.run.0.max(1);
            return Some(Event::Progress {
                seq: run.seq,
                progress: u8::try_from(done).ok(),
                renew: false,
            });
        }
        match course.end {
            End::Vanishes => {
                run.end(Status::Vanished, at);
                None
            }
            End::Fails(code) => {
                run.end(Status::Failed(code), at);
                Some(Event::Failed {
                    code,
                    report: report_of(run),
                })
            }
            End::Picture => Some(self.put(run, at).await),
        }
    }

    /// Puts the pictures as a worker does: once, by the URL that it was given.
    async fn put(&self, run: &mut GpuRun, now: UnixMs) -> Event {
        let label = format!("{} {} {}", self.id, run.run, run.instance);
        let mut etags = Vec::new();
        for slot in &run.outputs {
            let reply = Web::put(
                self.bucket.as_ref(),
                &slot.put.url,
                &slot.put.headers,
                a_jpeg(&label),
            )
            .await;
            match (reply.status, reply.etag) {
                (200, Some(etag)) => etags.push((slot.slot, etag)),
                // An earlier run of this attempt has put it.
                (409 | 412, _) => {}
                _ => {
                    run.end(Status::Failed(Code::NoOutput), now);
                    return Event::Failed {
                        code: Code::NoOutput,
                        report: report_of(run),
                    };
                }
            }
        }
        run.end(Status::Done, now);
        Event::Succeeded {
            report: report_of(run),
            etags,
        }
    }
}

/// What the worker says of its run.
pub(super) fn report_of(run: &GpuRun) -> Report {
    let timings = Timings {
        boot: run.course.boot.0,
        // What was not begun cost nothing.
        run: run.began_at.map_or(0, |_| run.course.run.0),
        ..Timings::default()
    };
    Report::new(Some(timings), Some("L40S"))
}

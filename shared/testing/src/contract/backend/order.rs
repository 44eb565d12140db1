//! A run as a case orders it, and where its pictures are to lie.

use super::{SIZE, Site};
use crate::contract::{fresh, fresh_bytes};
use crate::sample::key;
use ryla_domain::id::{Attempt, JobKey, OutputToken, Run, TraceId};
use ryla_domain::model::catalog;
use ryla_domain::output::{Format, ObjectKey, Retention};
use ryla_domain::time::Ms;
use ryla_engine::port::{OutputSlot, RunRequest, Work};
use serde_json::json;

/// Of every picture.
pub(super) const FORMAT: Format = Format::Jpg;

/// Far enough off for a case that is not about it.
const DEADLINE: Ms = Ms::seconds(600);

/// A run as a case orders it.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) request: RunRequest,
    /// Where its pictures are to lie, by slot.
    pub(super) keys: Vec<ObjectKey>,
}

impl Order {
    /// The first attempt of a job that no other case uses, with that many pictures.
    pub(super) async fn of(site: &dyn Site, slots: u8) -> Self {
        let key = key("contract", &fresh("backend-run"));
        let attempt = Attempt::FIRST;
        Self::as_run(site, Run { key, attempt }, slots).await
    }

    /// The next attempt of the same job.
    pub(super) async fn next(&self, site: &dyn Site) -> Self {
        let run = Run {
            key: self.run().key.clone(),
            attempt: self.run().attempt.next(),
        };
        let slots = u8::try_from(self.keys.len()).unwrap();
        Self::as_run(site, run, slots).await
    }

    async fn as_run(site: &dyn Site, run: Run, slots: u8) -> Self {
        let token = OutputToken::generated(&fresh_bytes());
        let ending = FORMAT.extension();
        let place = |slot| ObjectKey::output(Retention::Day, &token, run.attempt, slot, ending);
        let keys: Vec<ObjectKey> = (0..slots).map(place).collect();
        let mut outputs = Vec::new();
        for (slot, key) in (0..).zip(&keys) {
            let put = site.images().sign_put(key, FORMAT.content_type(), DEADLINE);
            outputs.push(OutputSlot {
                slot,
                format: FORMAT,
                put: put.await.unwrap(),
            });
        }
        let (width, height) = SIZE;
        let request = RunRequest {
            workflow: catalog()[0].workflow.to_owned(),
            work: Work::Params(json!({
                "prompt": format!("a lighthouse at dusk, {run}"), "negative_prompt": "",
                "width": width, "height": height,
                "steps": 20, "cfg": 3.5, "seed": 7, "output_format": ending,
            })),
            inputs: Vec::new(),
            outputs,
            callback: site.callback(&run),
            deadline_at: site.now() + DEADLINE,
            run_limit: Ms::seconds(60),
            trace: TraceId::generated(&[0xcd; 16]),
            run,
        };
        Self { request, keys }
    }

    pub(super) const fn job(&self) -> &JobKey {
        &self.request.run.key
    }

    pub(super) const fn run(&self) -> &Run {
        &self.request.run
    }
}

//! The modal adapter over HTTP against the preview GPU, whose workers put pictures into the embedded S3
//! by presigned URLs. No job is kept here: a listener of the suite's own takes the callbacks.

use super::callbacks::Callbacks;
use super::embedded;
use crate::app::now;
use async_trait::async_trait;
use ryla_aws::S3ImageStore;
use ryla_backends::modal::{ModalBackend, Timeouts};
use ryla_domain::id::{JobKey, Run, TraceId};
use ryla_domain::model::catalog;
use ryla_domain::output::Format;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::complete::Event;
use ryla_engine::port::{
    Backend, CallbackTarget, ImageStore, OutputSlot, RunRequest, StartOutcome, Work,
};
use ryla_engine::system::SystemClock;
use ryla_local::{Preview, PreviewOptions};
use ryla_testing::contract;
use ryla_testing::contract::backend::{Gpus, LONG, SIZE, Site, Sites};
use ryla_testing::sample::flux_dev_input;
use std::sync::Arc;
use std::time::Duration;

/// Preview GPUs over one bucket.
struct Previews {
    http: reqwest::Client,
    images: S3ImageStore,
}

struct OnePreview {
    preview: Preview,
    backend: ModalBackend,
    images: S3ImageStore,
    callbacks: Callbacks,
}

#[async_trait]
impl Sites for Previews {
    async fn open(&self, gpus: Gpus) -> Box<dyn Site> {
        let usual = PreviewOptions::default();
        let options = match gpus {
            Gpus::Quick => usual,
            Gpus::Slow => PreviewOptions { run: LONG, ..usual },
            Gpus::Failing => PreviewOptions { fail: 1.0, ..usual },
            Gpus::Cold => PreviewOptions {
                boot: LONG,
                ..usual
            },
            Gpus::Taken => PreviewOptions {
                run: LONG,
                concurrency: 1,
                ..usual
            },
        };
        let preview = Preview::start(options, self.http.clone(), Arc::new(SystemClock));
        let preview = preview.await.unwrap();
        let id = "preview".parse().unwrap();
        let (http, timeouts) = (self.http.clone(), Timeouts::default());
        let site = OnePreview {
            backend: ModalBackend::new(id, &preview.url(), None, http, timeouts).unwrap(),
            images: self.images.clone(),
            callbacks: Callbacks::listen().await,
            preview,
        };
        if gpus == Gpus::Taken {
            site.take().await;
        }
        Box::new(site)
    }
}

impl OnePreview {
    /// Somebody else's run gets the one container.
    async fn take(&self) {
        let run: Run = "somebody.other-job.1".parse().unwrap();
        let key = contract::images::fresh_key("jpg");
        let format = Format::Jpg;
        let put = self
            .images
            .sign_put(&key, format.content_type(), Ms::seconds(60));
        let mut params = flux_dev_input("a fox", 1);
        (params["width"], params["height"]) = (SIZE.0.into(), SIZE.1.into());
        let request = RunRequest {
            workflow: catalog()[0].workflow.to_owned(),
            work: Work::Params(params),
            inputs: Vec::new(),
            outputs: vec![OutputSlot {
                slot: 0,
                format,
                put: put.await.unwrap(),
            }],
            callback: self.callback(&run),
            deadline_at: now() + Ms::seconds(60),
            run_limit: Ms::seconds(60),
            trace: TraceId::generated(&[0xef; 16]),
            run,
        };
        let started = self.backend.start(&request).await;
        assert!(
            matches!(started, StartOutcome::Started { .. }),
            "{started:?}"
        );
        let running = async {
            while self.preview.gpu_runs() == 0 {
                self.pass(Ms(5)).await;
            }
        };
        let running = tokio::time::timeout(Duration::from_mins(1), running);
        running.await.unwrap();
    }
}

#[async_trait]
impl Site for OnePreview {
    fn backend(&self) -> &dyn Backend {
        &self.backend
    }

    fn images(&self) -> &dyn ImageStore {
        &self.images
    }

    fn now(&self) -> UnixMs {
        now()
    }

    async fn pass(&self, length: Ms) {
        tokio::time::sleep(length.duration()).await;
    }

    fn callback(&self, run: &Run) -> CallbackTarget {
        self.callbacks.target(run)
    }

    fn said(&self, run: &Run) -> Vec<Event> {
        self.callbacks.of(run)
    }

    fn begun(&self, job: &JobKey) -> u32 {
        self.preview.gpu_runs_of(job)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_modal_adapter_and_the_preview_gpu_keep_the_contract() {
    let embedded = embedded().await;
    let previews = Previews {
        http: ryla_backends::http::client(Ms::seconds(5), None).unwrap(),
        images: embedded.aws().images(embedded.bucket()),
    };
    contract::backend::all(&previews).await;
    drop(previews);
    embedded.stop().await;
}

//! The preview GPU by its protocol: messages in, uploads and signed callbacks out.

mod deliveries;
mod leases;
mod messages;
mod runs;
mod world;

use super::PreviewOptions;
use ryla_backends::modal::wire::{Callback, Event};
use ryla_domain::time::Ms;
use world::World;

const RUN: &str = "acme.my-own-id.1";

async fn world() -> World {
    World::start(PreviewOptions::default()).await
}

fn slow(run_ms: u64) -> PreviewOptions {
    PreviewOptions {
        run: Ms(run_ms),
        concurrency: 1,
        ..PreviewOptions::default()
    }
}

fn events(callbacks: &[Callback]) -> Vec<Event> {
    callbacks.iter().map(|callback| callback.event).collect()
}

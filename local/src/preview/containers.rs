//! The simulated GPU containers: a fixed number, each cold until its first run and again after a time
//! without one. The most recently used one takes the next run, as it is the likeliest to be warm.

use super::Shared;
use super::work;
use ryla_domain::time::Ms;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Hands waiting runs to containers until the preview GPU stops.
pub(super) async fn serve(shared: Arc<Shared>) {
    let count = shared.options.concurrency.max(1);
    let free = Arc::new(Semaphore::new(count));
    // When each free container was last used; the last in the list most recently.
    let idle = Arc::new(Mutex::new(vec![None; count]));
    loop {
        let next = async {
            let permit = Arc::clone(&free).acquire_owned().await.ok()?;
            Some((shared.ledger.next().await, permit))
        };
        let taken = tokio::select! {
            taken = next => taken,
            () = shared.draining.cancelled() => return,
        };
        let Some((task, permit)) = taken else { return };
        let used = lock(&idle).pop().flatten();
        let (shared, idle) = (Arc::clone(&shared), Arc::clone(&idle));
        let tasks = shared.tasks.clone();
        tasks.spawn(async move {
            let boot = boot_time(used, shared.options.idle, shared.options.boot);
            tokio::select! {
                () = work::carry_out(&shared, task, boot) => {}
                () = shared.cut.cancelled() => {}
            }
            lock(&idle).push(Some(Instant::now()));
            drop(permit);
        });
    }
}

/// How long a container needs before it can begin.
fn boot_time(used: Option<Instant>, idle: Ms, boot: Ms) -> Ms {
    match used {
        Some(used) if used.elapsed() <= idle.duration() => Ms(0),
        _ => boot,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

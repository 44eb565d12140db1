//! Plays seeds on a table that forgets a fence, until a promise breaks. A fence that can be forgotten
//! without one breaking is not needed, or a promise is missing. `tests/fences` calls it.

use super::seeded::drawn;
use super::verdict::Broken;
use super::{Ending, play};
use ryla_engine::expect::FenceKind;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Plays one seed without that fence and keeps its trace.
pub fn replay(seed: u64, without: FenceKind) -> Result<Ending, Broken> {
    let (scenario, weather) = drawn(seed);
    play(&scenario, &weather.traced().without(Some(without)), seed).judged()
}

/// The first seed of the range that breaks a promise without that fence, and what it breaks. Plays on
/// that many threads.
pub fn killer(without: FenceKind, seeds: &Range<u64>, threads: u64) -> Option<(u64, Broken)> {
    let first = AtomicU64::new(u64::MAX);
    let part = |offset: u64| {
        let stride = usize::try_from(threads.max(1)).unwrap_or(1);
        for seed in (seeds.start + offset..seeds.end).step_by(stride) {
            if seed > first.load(Ordering::Relaxed) {
                return None;
            }
            let (scenario, weather) = drawn(seed);
            let weather = weather.without(Some(without));
            if let Err(broken) = play(&scenario, &weather, seed).judged() {
                first.fetch_min(seed, Ordering::Relaxed);
                return Some((seed, broken));
            }
        }
        None
    };
    std::thread::scope(|scope| {
        let part = &part;
        let running: Vec<_> = (0..threads.max(1))
            .map(|offset| scope.spawn(move || part(offset)))
            .collect();
        let ended = running.into_iter().map(|thread| match thread.join() {
            Ok(found) => found,
            // The store or a use case stopped: that is a bug, not a promise that broke.
            Err(panicked) => std::panic::resume_unwind(panicked),
        });
        // All threads are waited for, whichever has found one.
        let found: Vec<_> = ended.collect();
        found.into_iter().flatten().min_by_key(|(seed, _)| *seed)
    })
}

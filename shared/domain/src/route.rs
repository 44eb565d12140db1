//! Which backends may take a job, in order, and where the next attempt goes after a failure.

use crate::failure::Code;
use crate::id::BackendId;

/// The backends that may take a job, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route(Vec<BackendId>);

impl Route {
    /// A route over these backends, best first; empty where none is configured.
    pub const fn new(backends: Vec<BackendId>) -> Self {
        Self(backends)
    }

    /// Where the first attempt goes; `None` where no backend is configured.
    pub fn first(&self) -> Option<&BackendId> {
        self.0.first()
    }

    /// The backends, best first.
    pub fn backends(&self) -> &[BackendId] {
        &self.0
    }

    /// The backend after `current`, going round; `None` where there is no other.
    pub fn other_than(&self, current: &BackendId) -> Option<&BackendId> {
        let at = self.0.iter().position(|b| b == current);
        let next = at.map_or(0, |at| (at + 1) % self.0.len().max(1));
        self.0.get(next).filter(|b| *b != current)
    }

    /// Where the next attempt goes after `current` failed with that code: another backend where that
    /// may help and there is one, the same where a repetition may, else nowhere.
    pub fn after(&self, current: &BackendId, code: Code) -> Option<BackendId> {
        let meaning = code.meaning();
        if meaning.fail_over
            && let Some(other) = self.other_than(current)
        {
            return Some(other.clone());
        }
        meaning.retry.then(|| current.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(name: &str) -> BackendId {
        name.parse().unwrap()
    }

    #[test]
    fn a_failure_moves_to_another_backend_only_where_that_may_help() {
        let (modal, pod) = (backend("modal"), backend("pod"));
        let route = Route::new(vec![modal.clone(), pod.clone()]);
        assert_eq!(route.after(&modal, Code::GpuOom), Some(pod.clone()));
        assert_eq!(route.after(&pod, Code::Timeout), Some(modal.clone()));
        assert_eq!(route.after(&modal, Code::Unsafe), None);
        let alone = Route::new(vec![modal.clone()]);
        assert_eq!(alone.after(&modal, Code::GpuError), Some(modal.clone()));
        assert_eq!(alone.after(&modal, Code::ModelMissing), None);
        assert_eq!(Route::default().first(), None);
        assert_eq!(Route::default().other_than(&modal), None);
    }
}

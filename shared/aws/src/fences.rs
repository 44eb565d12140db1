//! Which fences become conditions: all of them. Only a build with the feature `removable-fences`, which
//! `tests/fences` makes, can leave one out, to see that something breaks.

use ryla_engine::expect::Guard;

#[cfg(all(feature = "removable-fences", not(debug_assertions)))]
compile_error!("a release build keeps every fence: `removable-fences` is for `tests/fences` alone");

/// The fences that a table keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fences {
    #[cfg(feature = "removable-fences")]
    without: Option<Guard>,
}

impl Fences {
    /// Every fence.
    pub(crate) const ALL: Self = Self {
        #[cfg(feature = "removable-fences")]
        without: None,
    };

    /// All but that one.
    #[cfg(feature = "removable-fences")]
    pub(crate) const fn without(guard: Option<Guard>) -> Self {
        Self { without: guard }
    }

    #[cfg(feature = "removable-fences")]
    pub(crate) fn keep(self, guard: Guard) -> bool {
        Some(guard) != self.without
    }

    #[cfg(not(feature = "removable-fences"))]
    #[expect(clippy::unused_self, reason = "the same call in both builds")]
    pub(crate) const fn keep(self, _: Guard) -> bool {
        true
    }
}

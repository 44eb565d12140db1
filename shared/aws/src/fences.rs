//! Which fences become conditions: all of them. Only a build with the feature `removable-fences`, which
//! `tests/fences` makes, can leave one kind out, to see that something breaks.

use ryla_engine::expect::Fence;
#[cfg(feature = "removable-fences")]
use ryla_engine::expect::FenceKind;

#[cfg(all(feature = "removable-fences", not(debug_assertions)))]
compile_error!("a release build keeps every fence: `removable-fences` is for `tests/fences` alone");

/// The fences that a table keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fences {
    #[cfg(feature = "removable-fences")]
    without: Option<FenceKind>,
}

impl Fences {
    /// Every fence.
    pub(crate) const ALL: Self = Self {
        #[cfg(feature = "removable-fences")]
        without: None,
    };

    /// All but those of that kind.
    #[cfg(feature = "removable-fences")]
    pub(crate) const fn without(kind: Option<FenceKind>) -> Self {
        Self { without: kind }
    }

    #[cfg(feature = "removable-fences")]
    pub(crate) fn keep(self, fence: &Fence) -> bool {
        Some(fence.kind()) != self.without
    }

    #[cfg(not(feature = "removable-fences"))]
    #[expect(clippy::unused_self, reason = "the same call in both builds")]
    pub(crate) const fn keep(self, _: &Fence) -> bool {
        true
    }
}

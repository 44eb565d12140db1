//! What tests of every crate share: ports that live in memory, a clock turned by hand, random
//! numbers from a seed, sample jobs, a GPU backend, a simulation of the whole system with faults at
//! every port call, and one contract suite per port. Never part of a deployment.

pub mod backend;
pub mod contract;
pub mod sample;
pub mod simulation;

mod clock;
mod entropy;
mod memory;

pub use clock::ManualClock;
pub(crate) use clock::SkewedClock;
pub use entropy::SeededEntropy;
pub use memory::{
    MemoryAccountStore, MemoryEndpointStore, MemoryImageStore, MemoryJobStore, MemoryQueue,
    Message, StoredObject,
};

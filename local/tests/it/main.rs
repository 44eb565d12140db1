//! The laptop's own parts, each over its real interface: embedded services by SDK clients, the stack by
//! HTTP. The preview GPU's protocol is tested beside its code.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in the helpers of tests, which clippy.toml's exception for tests does not reach"
)]

mod bucket;
mod data_folder;
mod queue;
mod stack;
mod support;

//! The public API: one router from `http::Request<Bytes>` to `http::Response<Body>`. Functions serve
//! their part of it on Lambda, `ryla dev` serves all of it. Replicate-shaped; docs/API.md.

mod auth;
mod body;
mod document;
mod hash;
mod headers;
#[cfg(feature = "lambda")]
pub mod lambda;
mod log;
mod operation;
mod prediction;
mod problem;
pub mod reference;
mod router;
pub mod routes;
mod target;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use router::{Api, ApiParts, Serve};
pub use routes::Function;

/// The longest body of a request: what a Lambda takes. A server may cut a longer one after one byte more.
pub const MAX_BODY_BYTES: usize = operation::MAX_BODY_BYTES;

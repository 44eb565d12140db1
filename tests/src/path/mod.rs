//! The main job, end to end over HTTP: accepted, dispatched, drawn, delivered.

mod cancel;
mod failures;
mod lists;
mod models;
mod pictures;
mod waiting;

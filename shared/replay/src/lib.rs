//! Replays arrival traces against warm-up policies and says what each would have cost: the simulator,
//! the rules that people use today, the clairvoyant bounds, and the generator of look-alike traces.
//! Called by `ryla warm simulate` and by tests. Reads no clock, no network and no file.

pub mod adaptive;
pub mod baseline;
pub mod clairvoyant;
pub mod controller;
pub mod engine;
pub mod file;
pub mod generate;
pub mod hybrid;
pub mod plot;
pub mod score;
pub mod setting;
pub mod trace;

//! The state machine: each move from each phase, what each leaves, and that no sequence of events
//! gets around it.

mod any_sequence;
mod each_move;
mod every_phase;

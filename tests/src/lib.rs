//! End to end: whole systems in one process, the real command, and the rules that hold for the tree as
//! a whole. Everything here is a test; nothing imports this crate.

#[cfg(test)]
mod app;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod counts;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod path;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod warm;
#[cfg(test)]
mod warm_up;

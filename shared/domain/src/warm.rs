//! When to hold a GPU container and when to let it go: each minute, from an endpoint's own history and
//! from all endpoints together, a floor of containers and a release window. docs/WARM.md has the cost
//! model and the figures. Pure: time and dice are arguments. Called by `warm` and by the replay.

mod account;
mod activity;
mod calibration;
mod decide;
mod endpoint;
mod hazard;
mod hedge;
mod history;
mod idle;
mod period;
mod plan;
mod reason;
mod shadow;
mod stored;
mod terms;

pub use account::{Account, Day, Deployed};
pub use calibration::Calibration;
pub use decide::{DEPLOYED_WINDOW, Decision, LONGEST_WINDOW_S, Look, SHORTEST_WINDOW_S, decide};
pub use endpoint::{Endpoint, Minute, second_of};
pub use hedge::{Hedge, RULES, Rule};
pub use history::History;
pub use reason::{Reason, Term, Why};
pub use terms::{Terms, TermsError};

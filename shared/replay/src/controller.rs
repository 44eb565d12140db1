//! What steers the containers of a replay: told of what happens, asked once a minute. A controller sees
//! the past only.

/// What a controller says at a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Containers that are not to be released, booted where they are missing.
    pub floor: usize,
    /// Seconds after its last use at which an idle container above the floor is released; `None`
    /// leaves it as it is.
    pub window_s: Option<f64>,
    /// Use an idle container, or boot one where there is none: what a health ping does.
    pub ping: bool,
    /// When the answer may change although nothing arrives; infinite where it will not.
    pub again_at: f64,
}

impl Order {
    /// Hold nothing beyond the window, and do not ask again before the next arrival.
    pub const NOTHING: Self = Self {
        floor: 0,
        window_s: None,
        ping: false,
        again_at: f64::INFINITY,
    };
}

/// Steers the containers of one endpoint.
pub trait Controller {
    /// A request arrived; `idle_since` where nothing was running or waiting.
    fn arrived(&mut self, _at: f64, _idle_since: Option<f64>) {}
    /// A request ended; so many still run or wait.
    fn ended(&mut self, _at: f64, _running: usize) {}
    /// A whole minute: the next order.
    fn tick(&mut self, at: f64, in_flight: usize) -> Order;
    /// Whether it is asked on after the trace's last arrival, until all has cooled.
    fn outlives_the_trace(&self) -> bool {
        false
    }
}

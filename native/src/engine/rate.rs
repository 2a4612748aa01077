//! Bounds on what unproven peers can make an endpoint do.

use std::time::{Duration, Instant};

/// What happens in the current second against a limit; 0 = none.
pub struct Rate {
    limit: u32,
    count: u32,
    since: Option<Instant>,
}

impl Rate {
    pub fn new(limit: u32) -> Self {
        Self { limit, count: 0, since: None }
    }

    /// Counts one more.
    pub fn exceeded(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            self.since = Some(now);
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.limit > 0 && self.count > self.limit
    }
}

use std::{cmp::Ordering, net::SocketAddr, time::Instant};

/// A packet on its way; ordered by time, then by number.
pub struct Flight {
    pub at: Instant,
    pub number: u64,
    pub to: usize,
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Flight {}
impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Flight {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

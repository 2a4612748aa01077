//! Local programs that send to a bound socket. Replies go to the last sender, so programs that send in turns get each
//! other's.

use std::net::SocketAddr;

/// Last senders that are remembered. One that comes back is a second program, and not one that has changed its port.
const REMEMBERED: usize = 4;

#[derive(Default)]
pub struct Senders {
    /// The last one first.
    recent: [Option<SocketAddr>; REMEMBERED],
}

impl Senders {
    pub fn last(&self) -> Option<SocketAddr> {
        self.recent[0]
    }

    /// Returns true for a sender that had sent before the last one did.
    pub fn note(&mut self, sender: SocketAddr) -> bool {
        if self.recent[0] == Some(sender) {
            return false;
        }
        let place = self.recent.iter().position(|&known| known == Some(sender));
        self.recent[..=place.unwrap_or(REMEMBERED - 1)].rotate_right(1);
        self.recent[0] = Some(sender);
        place.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn a_program_that_takes_another_port_is_one_program() {
        let mut senders = Senders::default();
        assert!((1..=9).flat_map(|port| [port, port]).all(|port| !senders.note(sender(port))));
        assert_eq!(senders.last(), Some(sender(9)));
    }

    #[test]
    fn programs_that_send_in_turns_are_noticed_from_the_second_turn_on() {
        let mut senders = Senders::default();
        let returned: Vec<bool> = [1, 2, 3, 1, 2, 3, 3, 2].map(|port| senders.note(sender(port))).to_vec();
        assert_eq!(returned, [false, false, false, true, true, true, false, true]);
        assert_eq!(senders.last(), Some(sender(2)));
    }
}

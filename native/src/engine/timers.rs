//! Deadlines of connections. Packets move a connection's deadline all the time, nearly always later. So an entry is
//! pushed only for a deadline that is earlier than the armed one. An entry that comes due too early is armed again for
//! the true deadline.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use super::{Connection, Core, Slot, connection::Phase};
use crate::events::CloseKind;

#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Slot, u64)>>,
}

impl Timers {
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, _, _))| *due)
    }

    fn pop_due(&mut self, now: Instant) -> Option<(Instant, Slot, u64)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    pub fn arm(&mut self, slot: Slot, connection: &mut Connection) {
        let Some(due) = connection.deadline().filter(|_| !connection.drained) else { return };
        if connection.armed.is_none_or(|armed| due < armed) {
            connection.armed = Some(due);
            self.heap.push(Reverse((due, slot, connection.id)));
        }
    }
}

impl Core {
    pub fn expire_timers(&mut self, now: Instant) {
        while let Some((due, slot, id)) = self.timers.pop_due(now) {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            // Another connection's, or one that an earlier entry has replaced.
            if connection.id != id || connection.armed != Some(due) || connection.drained {
                continue;
            }
            connection.armed = None;
            if connection.deadline().is_none_or(|deadline| deadline > now) {
                self.timers.arm(slot, connection);
                continue;
            }
            if let Phase::Handshaking { deadline } = connection.phase
                && deadline <= now
            {
                self.give_up(slot, CloseKind::Idle, "handshake timed out", now);
                continue;
            }
            // quinn waits for three probe timeouts at least, which on a slow path or a busy machine come to minutes.
            let longest_silence = 2 * connection.settings.idle_timeout;
            if connection.is_established()
                && connection.acks.last_received().is_some_and(|at| now - at >= longest_silence)
            {
                self.give_up(slot, CloseKind::Idle, "idle timeout", now);
                continue;
            }
            self.guarded(slot, |connection| connection.quic.handle_timeout(now));
            if self.connections.contains(slot) {
                self.mark_touched(slot);
                self.mark_dirty(slot);
            }
        }
        while let Some(entry) = self.quiet.front().copied() {
            if entry.due > now {
                break;
            }
            self.quiet.pop_front();
            let Some(connection) = self.connections.get_mut(entry.slot) else { continue };
            if connection.id == entry.connection && connection.quiet {
                connection.acks.waited(now);
                self.mark_dirty(entry.slot);
            }
        }
    }
}

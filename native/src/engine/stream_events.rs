//! quinn's stream events: each becomes an event for JavaScript, or work for the splice or pipe that moves the bytes.

use std::time::Instant;

use quinn_proto::{Dir, StreamEvent, StreamId, VarInt};

use super::{
    Core, Pump, Slot,
    splice::End,
    streams::{Mover, ReceiveState, SendState, Stream},
};

impl Core {
    pub fn stream_event(&mut self, slot: Slot, event: StreamEvent, now: Instant) {
        match event {
            StreamEvent::Opened { dir } => self.accept_streams(slot, dir),
            StreamEvent::Readable { id } => self.stream_readable(slot, id),
            StreamEvent::Writable { id } => self.stream_writable(slot, id, now),
            StreamEvent::Stopped { id, error_code } => self.stream_stopped(slot, id, error_code),
            StreamEvent::Finished { .. } | StreamEvent::Available { .. } => {}
        }
    }

    fn accept_streams(&mut self, slot: Slot, dir: Dir) {
        let connection = &mut self.connections[slot];
        let side = connection.quic.side();
        while let Some(id) = connection.quic.streams().accept(dir) {
            connection.streams.insert(id, Stream::new(id, side));
            if id.index() == 1 {
                let granted = connection.settings.max_streams(dir);
                connection.quic.set_max_concurrent_streams(dir, granted);
            }
            // A new stream has something to read: quinn reports no `Readable` for the data that opened it.
            self.events.stream_opened(connection.id, id);
            self.events.readable(connection.id, id);
        }
    }

    fn stream_readable(&mut self, slot: Slot, id: StreamId) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        match stream.mover {
            Some(Mover::Splice { id, end }) => self.pumps.push_back(Pump { splice: id, lane: end }),
            Some(Mover::Local(socket)) => self.locals.wake(socket),
            None if stream.wants_readable => {
                stream.wants_readable = false;
                self.events.readable(connection.id, id);
            }
            None => {}
        }
    }

    /// A reader that got less than it wanted waits for an event, also for an end that came with the last bytes.
    pub fn tell_end(&mut self, slot: Slot, id: StreamId) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        if stream.receive != ReceiveState::Open && std::mem::take(&mut stream.wants_readable) {
            self.events.readable(connection.id, id);
        }
    }

    fn stream_writable(&mut self, slot: Slot, id: StreamId, now: Instant) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        match stream.mover {
            Some(Mover::Splice { id, end }) => {
                return self.pumps.push_back(Pump { splice: id, lane: End::other(end) });
            }
            Some(Mover::Local(socket)) => return self.locals.wake(socket),
            None => {}
        }
        if connection.push_out(id, now) {
            self.events.writable(connection.id, id);
        }
        self.mark_dirty(slot);
    }

    /// STOP_SENDING is answered with RESET here (RFC 9000 §3.5): quinn leaves that to its user.
    fn stream_stopped(&mut self, slot: Slot, id: StreamId, code: VarInt) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        match stream.mover {
            Some(Mover::Splice { id, end }) => return self.splice_stopped(id, End::other(end), code),
            Some(Mover::Local(socket)) => return self.local_stopped(socket, code),
            None => {}
        }
        stream.stopped = Some(code);
        if stream.send != SendState::Over {
            stream.send = SendState::Over;
            stream.discard();
            let _ = connection.quic.send_stream(id).reset(code);
            // Kept while it can still be read: a splice that begins before JavaScript handles this event needs it.
            self.events.stopped(connection.id, id, code);
            connection.forget_if_over(id);
        }
        self.mark_dirty(slot);
    }

    /// Before a flush: what JavaScript wrote since the last one.
    pub fn push_written(&mut self, slot: Slot, now: Instant) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        for id in std::mem::take(&mut connection.written) {
            if connection.push_out(id, now) {
                self.events.writable(connection.id, id);
            }
        }
    }
}

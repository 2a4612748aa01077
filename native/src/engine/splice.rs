//! Splices: bytes, FIN, RESET and STOP_SENDING of two streams cross in both directions without a copy.

use std::{sync::Arc, time::Instant};

use quinn_proto::{ReadError, ReadableError, StreamId, VarInt, WriteError};

use super::{
    Connection, Core, Pump, Slot,
    lane::Lane,
    streams::{Mover, ReceiveState, SendState, Stream},
};
use crate::ledger::Counts;

/// Moved by one lane before others have their turn.
const TURN_BYTES: usize = 512 * 1024;

/// A stream as JavaScript names it.
pub struct NamedStream {
    pub connection: u64,
    pub stream: StreamId,
}

pub struct End {
    pub slot: Slot,
    pub connection: u64,
    pub stream: StreamId,
}

impl End {
    pub fn other(end: usize) -> usize {
        1 - end
    }
}

pub struct Splice {
    pub ends: [End; 2],
    pub lanes: [Lane; 2],
    pub lost_code: VarInt,
}

enum Step {
    Again,
    Wait,
    Over,
}

impl Core {
    /// The splice's id. Where a stream is no longer there, it ends at once.
    pub fn splice(
        &mut self,
        ends: [NamedStream; 2],
        ledgers: [Arc<Counts>; 2],
        lost_code: VarInt,
        now: Instant,
    ) -> u64 {
        let id = self.new_id();
        let ends = ends.map(|NamedStream { connection, stream }| {
            let slot = self.slots.get(&connection).copied().unwrap_or(Slot::MAX);
            End { slot, connection, stream }
        });
        let lanes = ledgers.map(Lane::new);
        let mut splice = Box::new(Splice { ends, lanes, lost_code });
        for i in 0..2 {
            let end = &splice.ends[i];
            let connection = self.connections.get_mut(end.slot).filter(|connection| connection.id == end.connection);
            let stream = connection.and_then(|connection| connection.streams.get_mut(&end.stream));
            if let Some(stream) = stream.filter(|stream| stream.mover.is_none()) {
                stream.mover = Some(Mover::Splice { id, end: i });
                // What was written to this end flows in the lane that leads to it.
                let lane = &mut splice.lanes[End::other(i)];
                lane.pending_bytes = stream.out_bytes;
                lane.uncounted = stream.out_bytes;
                lane.pending = stream.take_out();
            }
        }
        self.splices.insert(id, splice);
        for lane in 0..2 {
            self.begin_lane(id, lane);
            self.pumps.push_back(Pump { splice: id, lane });
        }
        self.run_pumps(now);
        // `end` cuts the splices that it finds; one that begins later is cut here, with what had arrived handed on.
        let lost = self.splices.get(&id).is_some_and(|splice| {
            let established = |end: &End| self.connections.get(end.slot).is_some_and(|c| c.is_established());
            !splice.ends.iter().all(established)
        });
        if lost {
            self.splice_lost(id);
        }
        id
    }

    /// What has already happened to either stream crosses at once.
    fn begin_lane(&mut self, id: u64, lane: usize) {
        let Some(splice) = self.splices.get(&id) else { return };
        let lost = splice.lost_code;
        let state = |end: usize| self.spliced(id, end).map(|s| (s.receive, s.send, s.stopped));
        let (source, target) = (state(lane), state(End::other(lane)));
        let (receive, send, stopped) = match (source, target) {
            (Some((receive, _, _)), Some((_, send, stopped))) => (receive, send, stopped),
            _ => return self.end_lane(id, lane, Some(lost), Some(lost)),
        };
        match (receive, send) {
            (_, SendState::Over) => self.end_lane(id, lane, None, Some(stopped.unwrap_or(lost))),
            (ReceiveState::Reset(code), _) => self.end_lane(id, lane, Some(code), None),
            (ReceiveState::Finished | ReceiveState::Over, _) => {
                if let Some(splice) = self.splices.get_mut(&id) {
                    splice.lanes[lane].finished = true;
                }
            }
            (ReceiveState::Open, _) => {}
        }
    }

    /// An end's stream, while it belongs to the splice.
    fn spliced(&self, id: u64, end: usize) -> Option<&Stream> {
        let at = &self.splices.get(&id)?.ends[end];
        let connection = self.connections.get(at.slot).filter(|connection| connection.id == at.connection)?;
        connection.streams.get(&at.stream).filter(|stream| stream.mover == Some(Mover::Splice { id, end }))
    }

    /// The same for changing it, while its connection lives.
    fn spliced_end(&mut self, id: u64, end: usize) -> Option<(&mut Connection, StreamId)> {
        self.spliced(id, end)?;
        let at = &self.splices.get(&id)?.ends[end];
        let connection = self.connections.get_mut(at.slot)?;
        connection.is_established().then_some((&mut **connection, at.stream))
    }

    pub fn run_pumps(&mut self, now: Instant) {
        // Each once: what a lane leaves over waits for the next turn.
        for _ in 0..self.pumps.len() {
            let Some(pump) = self.pumps.pop_front() else { return };
            self.pump(pump, now);
        }
    }

    fn pump(&mut self, pump: Pump, now: Instant) {
        let mut moved = 0;
        loop {
            match self.step(pump, &mut moved, now) {
                Step::Again if moved < TURN_BYTES => {}
                Step::Again => return self.pumps.push_back(pump),
                Step::Wait | Step::Over => return,
            }
        }
    }

    fn step(&mut self, pump: Pump, moved: &mut usize, now: Instant) -> Step {
        let Some(splice) = self.splices.get_mut(&pump.splice) else { return Step::Over };
        let Splice { ends, lanes, lost_code } = &mut **splice;
        let lost = *lost_code;
        let (from, to) = (&ends[pump.lane], &ends[End::other(pump.lane)]);
        let lane = &mut lanes[pump.lane];
        if lane.over {
            return Step::Over;
        }
        if !lane.pending.is_empty() {
            let Some(target) = self.connections.get_mut(to.slot) else { return Step::Over };
            let written = target.quic.send_stream(to.stream).write_chunks(&mut lane.pending);
            match written {
                Ok(written) => {
                    *moved += written.bytes;
                    target.last_stream_write = Some(now);
                    lane.accepted(written.bytes, written.chunks);
                    let to = to.slot;
                    self.mark_dirty(to);
                    return Step::Again;
                }
                Err(WriteError::Blocked) => return self.blocked(pump),
                Err(WriteError::Stopped(code)) => self.end_lane(pump.splice, pump.lane, Some(code), Some(code)),
                Err(WriteError::ClosedStream) => self.end_lane(pump.splice, pump.lane, None, Some(lost)),
            }
            return Step::Over;
        }
        if lane.finished {
            let to = (to.slot, to.stream);
            if let Some(target) = self.connections.get_mut(to.0) {
                let _ = target.quic.send_stream(to.1).finish();
                target.last_stream_write = Some(now);
            }
            self.end_lane(pump.splice, pump.lane, None, None);
            return Step::Over;
        }
        let Some(source) = self.connections.get_mut(from.slot) else { return Step::Over };
        let mut stream = source.quic.recv_stream(from.stream);
        let (outcome, credit) = match stream.read(true) {
            Ok(mut chunks) => (lane.fill(&mut chunks), chunks.finalize().should_transmit()),
            Err(ReadableError::ClosedStream | ReadableError::IllegalOrderedRead) => {
                (Err(ReadError::Reset(lost)), false)
            }
        };
        if credit {
            let from = from.slot;
            self.mark_dirty(from);
        }
        match outcome {
            Ok(()) => Step::Again,
            Err(ReadError::Blocked) => Step::Wait,
            Err(ReadError::Reset(code)) => {
                self.end_lane(pump.splice, pump.lane, Some(code), None);
                Step::Over
            }
        }
    }

    /// The target takes nothing now. The source may have been reset meanwhile, which must not wait behind the bytes.
    fn blocked(&mut self, pump: Pump) -> Step {
        let Some(splice) = self.splices.get(&pump.splice) else { return Step::Over };
        let from = &splice.ends[pump.lane];
        if splice.lanes[pump.lane].finished {
            return Step::Wait;
        }
        let Some(source) = self.connections.get_mut(from.slot) else { return Step::Over };
        match source.quic.recv_stream(from.stream).received_reset() {
            Ok(Some(code)) => {
                self.end_lane(pump.splice, pump.lane, Some(code), None);
                Step::Over
            }
            Ok(None) | Err(_) => Step::Wait,
        }
    }

    pub fn splice_stopped(&mut self, id: u64, lane: usize, code: VarInt) {
        self.end_lane(id, lane, Some(code), Some(code));
    }

    /// One end's connection is gone.
    pub fn splice_lost(&mut self, id: u64) {
        let Some(code) = self.splices.get(&id).map(|splice| splice.lost_code) else { return };
        self.abort_splice(id, code);
    }

    pub fn abort_splice(&mut self, id: u64, code: VarInt) {
        for lane in 0..2 {
            self.end_lane(id, lane, Some(code), Some(code));
        }
    }

    /// Ends one direction: RESET to its target with `reset`, STOP_SENDING to its source with `stop`.
    fn end_lane(&mut self, id: u64, lane: usize, reset: Option<VarInt>, stop: Option<VarInt>) {
        let Some(splice) = self.splices.get_mut(&id) else { return };
        let entry = &mut splice.lanes[lane];
        if entry.over {
            return;
        }
        entry.over = true;
        entry.pending = Vec::new();
        let both = splice.lanes.iter().all(|lane| lane.over);
        let (from, to) = (lane, End::other(lane));
        if let Some((code, (target, stream))) = reset.zip(self.spliced_end(id, to)) {
            target.reset_half(stream, code);
        }
        if let Some((code, (source, stream))) = stop.zip(self.spliced_end(id, from)) {
            source.stop_half(stream, code);
        }
        let Some(splice) = self.splices.get(&id) else { return };
        for end in splice.ends.each_ref().map(|end| end.slot) {
            if self.connections.contains(end) {
                self.mark_dirty(end);
            }
        }
        if both {
            self.finish_splice(id);
        }
    }

    fn finish_splice(&mut self, id: u64) {
        let Some(splice) = self.splices.remove(&id) else { return };
        for end in &splice.ends {
            if let Some(connection) = self.connections.get_mut(end.slot).filter(|c| c.id == end.connection)
                && connection.streams.get(&end.stream).is_some_and(|stream| stream.is_of_splice(id))
            {
                connection.streams.remove(&end.stream);
            }
        }
        self.events.splice_ended(id);
    }
}

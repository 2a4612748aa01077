//! Calls about streams, splices, datagrams and routes.

use std::time::Instant;

use bytes::Bytes;
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use quinn_proto::{Dir, VarInt};

use super::{
    engine::NativeEngine,
    error::{Result, contained},
    ledger::NativeLedger,
    options::{code, prefix, stream},
};
use crate::{
    engine::{NamedStream, ReadOutcome, SendOutcome},
    ledger::{DROP_REASONS, DropReason},
};

#[napi]
impl NativeEngine {
    /// The stream's id, or -1 when the peer grants none now.
    #[napi]
    pub fn open_stream(&self, connection: f64, bidirectional: bool) -> Result<f64> {
        let dir = if bidirectional { Dir::Bi } else { Dir::Uni };
        let id = self.act(connection, |entry| entry.open_stream(dir))?.flatten();
        Ok(id.map_or(-1.0, |id| u64::from(id) as f64))
    }

    /// Bytes, or -1 nothing now, -2 finished, otherwise the code of a reset. After fewer bytes than `max`, `readable`
    /// tells when to read again.
    #[napi]
    pub fn read(&self, connection: f64, id: f64, max: u32) -> Result<Either<Uint8Array, f64>> {
        let outcome = contained(|| {
            let mut core = self.shared.lock();
            let Some((slot, entry)) = core.known(connection as u64) else { return Ok(None) };
            let outcome = entry.read(stream(id), max as usize);
            if matches!(outcome, ReadOutcome::Data(_)) {
                core.tell_end(slot, stream(id));
                core.mark_dirty(slot);
                drop(core);
                self.shared.wake();
            }
            Ok(Some(outcome))
        })?;
        Ok(match outcome.unwrap_or(ReadOutcome::Reset(VarInt::from_u32(0))) {
            ReadOutcome::Data(bytes) => Either::A(Uint8Array::new(bytes.into())),
            ReadOutcome::Blocked => Either::B(-1.0),
            ReadOutcome::Finished => Either::B(-2.0),
            ReadOutcome::Reset(code) => Either::B(code.into_inner() as f64),
        })
    }

    /// False: wait for `writable`.
    #[napi]
    pub fn write(&self, connection: f64, id: f64, bytes: &[u8]) -> Result<bool> {
        let goes_on = self.act(connection, |entry| entry.write(stream(id), bytes))?;
        Ok(goes_on.unwrap_or(true))
    }

    #[napi]
    pub fn queued_bytes(&self, connection: f64, id: f64) -> Result<f64> {
        Ok(self.look(connection, |entry| entry.queued_bytes(stream(id)) as f64)?.unwrap_or(0.0))
    }

    #[napi]
    pub fn finish(&self, connection: f64, id: f64) -> Result<()> {
        self.act(connection, |entry| entry.finish(stream(id))).map(drop)
    }

    #[napi]
    pub fn reset(&self, connection: f64, id: f64, error: f64) -> Result<()> {
        self.act(connection, |entry| entry.reset(stream(id), code(error))).map(drop)
    }

    #[napi]
    pub fn stop(&self, connection: f64, id: f64, error: f64) -> Result<()> {
        self.act(connection, |entry| entry.stop(stream(id), code(error))).map(drop)
    }

    /// The splice's id; `splice_ended` follows.
    #[napi]
    #[allow(clippy::too_many_arguments)] // Two streams, two ledgers: an object would cost more than it tells.
    pub fn splice(
        &self,
        connection: f64,
        id: f64,
        other_connection: f64,
        other_id: f64,
        forward: &NativeLedger,
        backward: &NativeLedger,
        lost_code: f64,
    ) -> Result<f64> {
        contained(|| {
            let ledgers = [forward.counts.clone(), backward.counts.clone()];
            let ends = [
                NamedStream { connection: connection as u64, stream: stream(id) },
                NamedStream { connection: other_connection as u64, stream: stream(other_id) },
            ];
            let splice = self.shared.lock().splice(ends, ledgers, code(lost_code), Instant::now());
            self.shared.wake();
            Ok(splice as f64)
        })
    }

    #[napi]
    pub fn abort_splice(&self, splice: f64, error: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().abort_splice(splice as u64, code(error));
            self.shared.wake();
            Ok(())
        })
    }

    /// 0 queued, 1 too large, 2 the oldest went for it, 3 closed. `ledger` counts it in, and then out or dropped.
    #[napi]
    pub fn send_datagram(&self, connection: f64, payload: &[u8], ledger: Option<&NativeLedger>) -> Result<u32> {
        let payload = Bytes::copy_from_slice(payload);
        let counts = ledger.map(|ledger| &ledger.counts);
        let outcome = contained(|| {
            // Under the lock from the first count on: the engine's thread writes to the same ledger.
            let mut core = self.shared.lock();
            if let Some(counts) = counts {
                counts.datagram_in(payload.len());
            }
            let Some((slot, entry)) = core.live(connection as u64) else {
                if let Some(counts) = counts {
                    counts.dropped(DropReason::Closing);
                }
                return Ok(SendOutcome::Closed);
            };
            let outcome = entry.send_datagram(payload, counts, Instant::now());
            core.mark_dirty(slot);
            drop(core);
            self.shared.wake();
            Ok(outcome)
        })?;
        Ok(match outcome {
            SendOutcome::Queued => 0,
            SendOutcome::TooLarge => 1,
            SendOutcome::QueueFull => 2,
            SendOutcome::Closed => 3,
        })
    }

    /// `target` below 0 drops under reason number `reason`. The answer is what `withdraw_route` takes.
    #[napi]
    pub fn set_route(
        &self,
        connection: f64,
        prefix: &[u8],
        target: f64,
        reason: u32,
        ledger: &NativeLedger,
    ) -> Result<f64> {
        let prefix = self::prefix(prefix)?;
        let target = (target >= 0.0).then_some(target as u64);
        let reason = DROP_REASONS.get(reason as usize).copied().unwrap_or(DropReason::NoPeer);
        contained(|| {
            let mut core = self.shared.lock();
            Ok(core.route(connection as u64, prefix, target, reason, ledger.counts.clone()) as f64)
        })
    }

    #[napi]
    pub fn withdraw_route(&self, connection: f64, prefix: &[u8], token: f64) -> Result<()> {
        let prefix = self::prefix(prefix)?;
        contained(|| {
            self.shared.lock().withdraw(connection as u64, &prefix, token as u64);
            Ok(())
        })
    }
}

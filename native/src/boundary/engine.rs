//! The class that JavaScript holds. Calls take the engine's lock for microseconds; what takes longer is left to its thread.

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use bytes::Bytes;
use napi::{
    Status,
    bindgen_prelude::{Either, Function, Uint8Array},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use quinn_proto::{Dir, StreamId, VarInt};

use super::{
    error::{Code, Result, contained, failure},
    options::{DialOptions, ListenOptions},
};
use crate::{
    engine::{Connection, Decision, ReadOutcome, SendOutcome, Shared, SpliceEnd, run},
    ledger::{Counts, DROP_REASONS, DropReason, PREFIX_BYTES},
};

type Notify = ThreadsafeFunction<(), (), (), Status, false>;

#[napi]
pub struct NativeLedger {
    counts: Arc<Counts>,
}

#[napi]
impl NativeLedger {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)] // JavaScript is the only caller.
    pub fn new() -> Self {
        Self { counts: Arc::default() }
    }

    /// Datagrams in, out, payload bytes in, out, stream bytes, then drops in the order of `dropReasons`.
    #[napi]
    pub fn totals(&self) -> Vec<f64> {
        self.counts.totals().map(|n| n as f64).to_vec()
    }
}

#[napi(object)]
pub struct Listening {
    pub id: u32,
    pub ip: String,
    pub port: u32,
    pub receive_buffer: Option<u32>,
    pub send_buffer: Option<u32>,
}

#[napi(object)]
pub struct Dialling {
    pub connection: f64,
    pub local_ip: String,
    pub local_port: u32,
}

#[napi]
pub struct NativeEngine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

fn code(value: f64) -> VarInt {
    // Out of range or NaN becomes 0 or the largest: a code must never fail a call.
    VarInt::from_u64(value.max(0.0) as u64).unwrap_or(VarInt::MAX)
}

fn stream(id: f64) -> StreamId {
    StreamId::from(code(id))
}

#[napi]
impl NativeEngine {
    /// `notify` is called once for each batch of events; then `drain` has them. It keeps the process alive until `shutdown`.
    #[napi(constructor)]
    pub fn new(notify: Function<'_, (), ()>) -> Result<Self> {
        let notify: Notify =
            notify.build_threadsafe_function::<()>().build().map_err(|e| failure(Code::Bug, e.reason.clone()))?;
        let shared = Shared::new().map_err(|e| failure(Code::Bug, e.to_string()))?;
        let state = shared.clone();
        let thread = std::thread::Builder::new()
            .name("adit-quic".into())
            .spawn(move || {
                run(&state, || {
                    notify.call((), ThreadsafeFunctionCallMode::NonBlocking);
                });
            })
            .map_err(|e| failure(Code::Bug, e.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    #[napi]
    pub fn drain(&self) -> Uint8Array {
        Uint8Array::new(self.shared.lock().drain())
    }

    #[napi]
    pub fn listen(&self, options: ListenOptions) -> Result<Listening> {
        contained(|| {
            let listening = self.shared.lock().listen(options.request()?)?;
            self.shared.wake();
            Ok(Listening {
                id: listening.id,
                ip: listening.address.ip().to_string(),
                port: listening.address.port().into(),
                receive_buffer: listening.receive_buffer.and_then(|n| u32::try_from(n).ok()),
                send_buffer: listening.send_buffer.and_then(|n| u32::try_from(n).ok()),
            })
        })
    }

    #[napi]
    pub fn set_tls(&self, listener: u32, certificate: String, private_key: String) -> Result<()> {
        contained(|| Ok(self.shared.lock().set_tls(listener, &certificate, &private_key)?))
    }

    #[napi]
    pub fn stop_accepting(&self, listener: u32) {
        self.shared.lock().stop_accepting(listener);
    }

    #[napi]
    pub fn close_listener(&self, listener: u32, reason: String) -> Result<()> {
        contained(|| {
            self.shared.lock().close_listener(listener, &reason);
            self.shared.wake();
            Ok(())
        })
    }

    /// `decision`: 0 accept, 1 retry, 2 refuse, 3 ignore.
    #[napi]
    pub fn answer(&self, listener: u32, attempt: u32, decision: u32) {
        let decision = match decision {
            0 => Decision::Accept,
            1 => Decision::Retry,
            2 => Decision::Refuse,
            _ => Decision::Ignore,
        };
        self.shared.lock().answer(listener, attempt, decision);
        self.shared.wake();
    }

    #[napi]
    pub fn dial(&self, options: DialOptions) -> Result<Dialling> {
        contained(|| {
            let (connection, local) = self.shared.lock().dial(options.request()?, Instant::now())?;
            self.shared.wake();
            Ok(Dialling {
                connection: connection as f64,
                local_ip: local.ip().to_string(),
                local_port: local.port().into(),
            })
        })
    }

    /// Something done to a live connection that leaves work for the thread; None when the connection has ended.
    fn act<T>(&self, connection: f64, work: impl FnOnce(&mut Connection) -> T) -> Result<Option<T>> {
        contained(|| {
            let mut core = self.shared.lock();
            let Some((slot, entry)) = core.live(connection as u64) else { return Ok(None) };
            let value = work(entry);
            core.mark_dirty(slot);
            drop(core);
            self.shared.wake();
            Ok(Some(value))
        })
    }

    /// The stream's id, or -1 when the peer grants none now.
    #[napi]
    pub fn open_stream(&self, connection: f64, bidirectional: bool) -> Result<f64> {
        let dir = if bidirectional { Dir::Bi } else { Dir::Uni };
        let id = self.act(connection, |entry| entry.open_stream(dir))?.flatten();
        Ok(id.map_or(-1.0, |id| u64::from(id) as f64))
    }

    /// Bytes, or -1 nothing now, -2 finished, otherwise the code of a reset.
    #[napi]
    pub fn read(&self, connection: f64, id: f64, max: u32) -> Result<Either<Uint8Array, f64>> {
        let outcome = contained(|| {
            let mut core = self.shared.lock();
            let Some((slot, entry)) = core.known(connection as u64) else { return Ok(None) };
            let outcome = entry.read(stream(id), max as usize);
            if matches!(outcome, ReadOutcome::Data(_)) {
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
        let bytes = Bytes::copy_from_slice(bytes);
        let goes_on = self.act(connection, |entry| entry.write(stream(id), bytes, Instant::now()))?;
        Ok(goes_on.unwrap_or(true))
    }

    #[napi]
    pub fn queued_bytes(&self, connection: f64, id: f64) -> f64 {
        let mut core = self.shared.lock();
        core.live(connection as u64).map_or(0.0, |(_, entry)| entry.queued_bytes(stream(id)) as f64)
    }

    #[napi]
    pub fn finish(&self, connection: f64, id: f64) -> Result<()> {
        self.act(connection, |entry| entry.finish(stream(id), Instant::now())).map(drop)
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
                SpliceEnd { connection: connection as u64, stream: stream(id) },
                SpliceEnd { connection: other_connection as u64, stream: stream(other_id) },
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

    /// 0 queued, 1 too large, 2 the oldest went for it, 3 closed.
    #[napi]
    pub fn send_datagram(&self, connection: f64, payload: &[u8]) -> Result<u32> {
        let payload = Bytes::copy_from_slice(payload);
        let outcome = self.act(connection, |entry| entry.send_datagram(payload, None, Instant::now()))?;
        Ok(match outcome.unwrap_or(SendOutcome::Closed) {
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
        let prefix = tunnel(prefix)?;
        let target = (target >= 0.0).then_some(target as u64);
        let reason = DROP_REASONS.get(reason as usize).copied().unwrap_or(DropReason::NoPeer);
        let mut core = self.shared.lock();
        Ok(core.route(connection as u64, prefix, target, reason, ledger.counts.clone()) as f64)
    }

    #[napi]
    pub fn withdraw_route(&self, connection: f64, prefix: &[u8], token: f64) -> Result<()> {
        let prefix = tunnel(prefix)?;
        self.shared.lock().withdraw(connection as u64, &prefix, token as u64);
        Ok(())
    }

    #[napi]
    pub fn mark_proven(&self, connection: f64) {
        if let Some((_, entry)) = self.shared.lock().live(connection as u64) {
            entry.budget.proven = true;
        }
    }

    /// Empty when the connection has ended; NaN for what is unknown. The order is that of `Connection::stats`.
    #[napi]
    pub fn stats(&self, connection: f64) -> Vec<f64> {
        let mut core = self.shared.lock();
        core.live(connection as u64).map_or_else(Vec::new, |(_, entry)| entry.stats().to_vec())
    }

    #[napi]
    pub fn close(&self, connection: f64, error: f64, reason: String) -> Result<()> {
        contained(|| {
            let mut core = self.shared.lock();
            if let Some((slot, _)) = core.live(connection as u64) {
                core.close(slot, code(error), reason);
                drop(core);
                self.shared.wake();
            }
            Ok(())
        })
    }

    /// `closed` was heard: what the connection still holds goes.
    #[napi]
    pub fn forget(&self, connection: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().forget(connection as u64);
            Ok(())
        })
    }

    /// The counters in the order of `EngineCounters`, then live connections and the bytes estimated for them.
    #[napi]
    pub fn report(&self) -> Vec<f64> {
        let core = self.shared.lock();
        let (connections, bytes) = core.load();
        core.counters.in_order().into_iter().chain([connections, bytes]).map(|n| n as f64).collect()
    }

    /// Ends the thread; its sockets close with the engine. Nothing may follow.
    #[napi]
    pub fn shutdown(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            // It answers within a turn. A panic in it was reported when it happened.
            let _ = thread.join();
        }
        self.shared.lock().fail("the engine was closed");
    }
}

fn tunnel(prefix: &[u8]) -> Result<[u8; PREFIX_BYTES]> {
    prefix.try_into().map_err(|_| failure(Code::Bug, "a prefix has 16 bytes"))
}

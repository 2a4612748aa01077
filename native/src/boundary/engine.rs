//! The class that JavaScript holds. Calls take the engine's lock for microseconds; what takes longer is left to its
//! thread.

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use napi::{
    Status,
    bindgen_prelude::{Function, Uint8Array},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;

use super::{
    error::{Code, Result, contained, failure},
    options::{DialOptions, ListenOptions, code},
};
use crate::engine::{Connection, Decision, Shared, run};

type Notify = ThreadsafeFunction<(), (), (), Status, false>;

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
    pub(super) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[napi]
impl NativeEngine {
    /// `notify` is called once for each batch of events; then `drain` has them. It keeps the process alive until
    /// `shutdown`.
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

    /// What JavaScript asks for from now on is carried out together, when it calls `answered`.
    #[napi]
    pub fn drain(&self) -> Result<Uint8Array> {
        contained(|| {
            self.shared.cork();
            Ok(Uint8Array::new(self.shared.lock().drain(Instant::now())))
        })
    }

    #[napi]
    pub fn answered(&self) {
        self.shared.uncork();
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
    pub fn stop_accepting(&self, listener: u32) -> Result<()> {
        contained(|| {
            self.shared.lock().stop_accepting(listener);
            Ok(())
        })
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
    pub fn answer(&self, listener: u32, attempt: u32, decision: u32) -> Result<()> {
        let decision = match decision {
            0 => Decision::Accept,
            1 => Decision::Retry,
            2 => Decision::Refuse,
            _ => Decision::Ignore,
        };
        contained(|| {
            self.shared.lock().answer(listener, attempt, decision);
            self.shared.wake();
            Ok(())
        })
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
    pub(super) fn act<T>(&self, connection: f64, work: impl FnOnce(&mut Connection) -> T) -> Result<Option<T>> {
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

    /// The same for what leaves no work.
    pub(super) fn look<T>(&self, connection: f64, work: impl FnOnce(&mut Connection) -> T) -> Result<Option<T>> {
        contained(|| Ok(self.shared.lock().live(connection as u64).map(|(_, entry)| work(entry))))
    }

    #[napi]
    pub fn mark_proven(&self, connection: f64) -> Result<()> {
        self.look(connection, |entry| entry.budget.proven = true).map(drop)
    }

    /// Milliseconds since a frame of the peer came; infinite when the connection has ended.
    #[napi]
    pub fn silent_ms(&self, connection: f64) -> Result<f64> {
        let last = self.look(connection, |entry| entry.acks.last_received())?.flatten();
        Ok(last.map_or(f64::INFINITY, |at| at.elapsed().as_secs_f64() * 1e3))
    }

    #[napi]
    pub fn ping(&self, connection: f64) -> Result<()> {
        self.act(connection, |entry| entry.quic.ping()).map(drop)
    }

    /// Empty when the connection has ended; NaN for what is unknown. The order is that of `Connection::stats`.
    #[napi]
    pub fn stats(&self, connection: f64) -> Result<Vec<f64>> {
        Ok(self.look(connection, |entry| entry.stats().to_vec())?.unwrap_or_default())
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

    /// JavaScript has read `closed`: what the connection still holds goes.
    #[napi]
    pub fn forget(&self, connection: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().forget(connection as u64);
            Ok(())
        })
    }

    /// The counters in the order of `EngineCounters`, then live connections and the bytes estimated for them.
    #[napi]
    pub fn report(&self) -> Result<Vec<f64>> {
        contained(|| {
            let core = self.shared.lock();
            let (connections, bytes) = core.load();
            Ok(core.counters.in_order().into_iter().chain([connections, bytes]).map(|n| n as f64).collect())
        })
    }

    /// Ends the thread; its sockets close with the engine. Nothing may follow.
    #[napi]
    pub fn shutdown(&mut self) -> Result<()> {
        contained(|| {
            self.shared.stop();
            if let Some(thread) = self.thread.take() {
                // It answers within a turn. A panic in it was reported when it happened.
                let _ = thread.join();
            }
            self.shared.lock().fail("the engine was closed");
            Ok(())
        })
    }
}

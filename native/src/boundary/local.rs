//! Calls about the sockets of local programs.

use std::sync::Arc;

use napi_derive::napi;

use super::{
    engine::NativeEngine,
    error::{Code, Result, contained, failure},
    ledger::NativeLedger,
    options::{address, code, prefix, stream},
};
use crate::{
    engine::{Mode, NamedStream, StreamCodes, Tunnel},
    seal::{KEY_BYTES, Seal},
};

/// What the local sockets of one tunnel share.
#[napi]
pub struct NativeTunnel {
    tunnel: Arc<Tunnel>,
}

#[napi]
impl NativeTunnel {
    /// `key` is 32 bytes; the codes end data streams.
    #[napi(constructor)]
    pub fn new(key: &[u8], local_reset: f64, not_authentic: f64) -> Result<Self> {
        contained(|| {
            let key: &[u8; KEY_BYTES] = key.try_into().map_err(|_| failure(Code::Bug, "a key has 32 bytes"))?;
            let seal = Seal::new(key).map_err(|_| failure(Code::Bug, "the key is of no use"))?;
            let codes = StreamCodes { local_reset: code(local_reset), not_authentic: code(not_authentic) };
            Ok(Self { tunnel: Arc::new(Tunnel { seal, codes, counts: Default::default() }) })
        })
    }

    /// In the order of `LocalCounts`.
    #[napi]
    pub fn counts(&self) -> Vec<f64> {
        self.tunnel.counts.in_order().map(|n| n as f64).to_vec()
    }
}

#[napi(object)]
pub struct LocalListening {
    pub id: f64,
    pub port: u32,
}

#[napi]
impl NativeEngine {
    #[napi]
    pub fn listen_tcp(&self, ip: String, port: u32) -> Result<LocalListening> {
        contained(|| {
            let address = address(&ip, port)?;
            let (id, port) =
                self.shared.lock().listen_local(address).map_err(|reason| failure(Code::Address, reason))?;
            self.shared.wake();
            Ok(LocalListening { id: id as f64, port: port.into() })
        })
    }

    #[napi]
    pub fn close_local(&self, listener: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().close_local(listener as u64);
            Ok(())
        })
    }

    /// The socket's id; `local_connected` or `local_failed` follows.
    #[napi]
    pub fn connect_tcp(&self, ip: String, port: u32) -> Result<f64> {
        contained(|| {
            let address = address(&ip, port)?;
            let socket = self.shared.lock().connect_local(address);
            self.shared.wake();
            Ok(socket as f64)
        })
    }

    /// `local_ended` follows.
    #[napi]
    pub fn join_tcp(&self, socket: f64, connection: f64, id: f64, tunnel: &NativeTunnel) -> Result<()> {
        contained(|| {
            let end = NamedStream { connection: connection as u64, stream: stream(id) };
            self.shared.lock().join_local(socket as u64, &end, tunnel.tunnel.clone());
            self.shared.wake();
            Ok(())
        })
    }

    #[napi]
    pub fn abort_tcp(&self, socket: f64, error: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().abort_local(socket as u64, code(error));
            self.shared.wake();
            Ok(())
        })
    }

    /// A tunnel's UDP leg, without a socket; its id.
    #[napi]
    pub fn add_udp(&self, tunnel: &NativeTunnel, prefix: &[u8], ledger: &NativeLedger) -> Result<f64> {
        let prefix = self::prefix(prefix)?;
        contained(|| Ok(self.shared.lock().add_udp(tunnel.tunnel.clone(), prefix, ledger.counts.clone()) as f64))
    }

    /// The port taken. Not connected it listens, and answers whoever sent last.
    #[napi]
    pub fn open_udp(&self, leg: f64, ip: String, port: u32, connected: bool) -> Result<u32> {
        contained(|| {
            let mode = if connected { Mode::Connect } else { Mode::Bind };
            let port = self
                .shared
                .lock()
                .open_udp(leg as u64, address(&ip, port)?, mode)
                .map_err(|reason| failure(Code::Address, reason))?;
            self.shared.wake();
            Ok(port.into())
        })
    }

    /// The leg stays, without a socket.
    #[napi]
    pub fn close_udp(&self, leg: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().close_udp(leg as u64);
            Ok(())
        })
    }

    #[napi]
    pub fn remove_udp(&self, leg: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().remove_udp(leg as u64);
            Ok(())
        })
    }

    /// A connection below 0: what local programs send is dropped.
    #[napi]
    pub fn send_udp_over(&self, leg: f64, connection: f64) -> Result<()> {
        contained(|| {
            let connection = (connection >= 0.0).then_some(connection as u64);
            self.shared.lock().send_udp_over(leg as u64, connection);
            Ok(())
        })
    }

    #[napi]
    pub fn receive_udp_from(&self, leg: f64, connection: f64) -> Result<()> {
        contained(|| {
            self.shared.lock().receive_udp_from(leg as u64, connection as u64);
            Ok(())
        })
    }

    /// What the engine itself sent on a connection for local sockets; -1 when it has ended.
    #[napi]
    pub fn local_sends(&self, connection: f64) -> Result<f64> {
        Ok(self.look(connection, |entry| entry.local_sends as f64)?.unwrap_or(-1.0))
    }
}

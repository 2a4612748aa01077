//! Calls from JavaScript on the whole engine. Calls on one connection go straight to that connection.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use quinn_proto::{
    ClientConfig, EndpointConfig, RandomConnectionIdGenerator, ServerConfig, Side, ValidationTokenConfig, VarInt,
};
use ring::{hkdf, hmac};
use rustc_hash::FxHashMap;

use super::{
    Core, Endpoint, Slot, Target,
    datagrams::Route,
    endpoint::Listener,
    incoming::Decision,
    rate::Rate,
    socket::{Socket, source_address},
};
use crate::{
    events::{CloseInfo, CloseKind},
    ledger::{Counts, DropReason, PREFIX_BYTES},
    settings::{ADVERTISED_UDP_PAYLOAD, Settings},
    tls::{self, Verification},
};

/// Eight bytes leave an existing edge room for a 1376-byte datagram (docs/protocol/tunnel.md §1).
const CONNECTION_ID_BYTES: usize = 8;
/// Attempts that wait for an answer; quinn drops more of them unseen.
const MAX_WAITING_ATTEMPTS: usize = 4096;
const MAX_WAITING_BYTES: u64 = 64 * 1024;

pub struct ListenRequest {
    pub address: SocketAddr,
    pub certificate: String,
    pub private_key: String,
    pub settings: Settings,
    pub reset_key: Vec<u8>,
    pub retry_above_per_sec: u32,
}

pub struct Listening {
    pub id: u32,
    pub address: SocketAddr,
    pub receive_buffer: Option<usize>,
    pub send_buffer: Option<usize>,
}

pub struct DialRequest {
    pub remote: SocketAddr,
    pub server_name: String,
    pub verification: Verification,
    pub settings: Settings,
}

pub enum CallError {
    Socket(String),
    Tls(String),
    Connect(String),
}

impl Core {
    pub fn listen(&mut self, request: ListenRequest) -> Result<Listening, CallError> {
        self.check_running()?;
        let settings = Arc::new(request.settings);
        let config =
            server_config(&request.certificate, &request.private_key, &settings, &request.reset_key, self.offload)?;
        let socket = Socket::bind(request.address, settings.socket_buffer_bytes).map_err(CallError::Socket)?;
        let id = u32::try_from(self.new_id()).unwrap_or(u32::MAX);
        let listening = Listening {
            id,
            address: socket.address,
            receive_buffer: socket.receive_buffer,
            send_buffer: socket.send_buffer,
        };
        let listener = Listener {
            config: config.clone(),
            settings: settings.clone(),
            reset_key: request.reset_key.clone(),
            accepting: true,
            asked: FxHashMap::default(),
            rate: Rate::new(request.retry_above_per_sec),
        };
        let quic = quinn_proto::Endpoint::new(
            endpoint_config(&request.reset_key, settings.max_udp_payload),
            Some(config),
            !socket.state.may_fragment(),
            None,
        );
        self.endpoints.insert(Endpoint::new(id, quic, Arc::new(socket), Some(listener)));
        self.sockets_changed = true;
        Ok(listening)
    }

    pub fn set_tls(&mut self, id: u32, certificate: &str, private_key: &str) -> Result<(), CallError> {
        let offload = self.offload;
        let Some(entry) = self.listener(id).map(|key| &mut self.endpoints[key]) else { return Ok(()) };
        if let Some(listener) = &mut entry.listener {
            let config = server_config(certificate, private_key, &listener.settings, &listener.reset_key, offload)?;
            listener.config = config.clone();
            entry.quic.set_server_config(Some(config));
        }
        Ok(())
    }

    pub fn stop_accepting(&mut self, id: u32) {
        let listener = self.listener(id).and_then(|key| self.endpoints[key].listener.as_mut());
        if let Some(listener) = listener {
            listener.accepting = false;
        }
    }

    pub fn answer(&mut self, id: u32, attempt: u32, decision: Decision) {
        if let Some(key) = self.listener(id) {
            self.decisions.push_back((key, attempt, decision));
        }
    }

    /// Closes what is left; `listener_closed` follows when the last packets have gone.
    pub fn close_listener(&mut self, id: u32, reason: &str) {
        let Some(key) = self.listener(id) else { return };
        let entry = &mut self.endpoints[key];
        entry.closing = true;
        if let Some(listener) = &mut entry.listener {
            listener.accepting = false;
            for incoming in std::mem::take(&mut listener.asked).into_values() {
                entry.quic.ignore(incoming);
            }
        }
        for slot in entry.slots.clone() {
            if self.connections.get(slot).is_some_and(|connection| !connection.has_ended()) {
                self.close(slot, VarInt::from_u32(0), reason.to_owned());
            }
        }
    }

    /// The id of a connection on its way; `connected` or `dial_failed` follows.
    pub fn dial(&mut self, request: DialRequest, now: Instant) -> Result<(u64, SocketAddr), CallError> {
        self.check_running()?;
        let rejected = Arc::new(AtomicBool::new(false));
        let crypto =
            tls::client(request.verification, &request.settings.alpn, rejected.clone()).map_err(CallError::Tls)?;
        let settings = Arc::new(request.settings);
        let mut config = ClientConfig::new(crypto);
        config.transport_config(settings.transport_config(self.offload, Side::Client));
        let key = self.dial_endpoint(request.remote, &settings)?;
        let entry = &mut self.endpoints[key];
        let local = source_address(request.remote, entry.socket.address.port());
        let (handle, quic) = entry
            .quic
            .connect(now, config, request.remote, &request.server_name)
            .map_err(|e| CallError::Connect(e.to_string()))?;
        let deadline = now + settings.handshake_timeout;
        self.counters.handshakes_started += 1;
        let slot = self.adopt(key, handle, quic, settings, (request.remote, local), deadline);
        let connection = &mut self.connections[slot];
        connection.rejected = Some(rejected);
        let id = connection.id;
        self.mark_dirty(slot);
        Ok((id, local))
    }

    /// Dialled connections of one address family share a socket for as long as there are any.
    fn dial_endpoint(&mut self, remote: SocketAddr, settings: &Settings) -> Result<usize, CallError> {
        let shared = self.endpoints.iter().find(|(_, entry)| {
            entry.listener.is_none() && !entry.closing && entry.socket.address.is_ipv4() == remote.is_ipv4()
        });
        if let Some((key, _)) = shared {
            return Ok(key);
        }
        let any: SocketAddr = if remote.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = Socket::bind(any, settings.socket_buffer_bytes).map_err(CallError::Socket)?;
        let mut reset_key = [0; 32];
        // Nobody can mistake these resets for ours of another run: dialled sockets are never restarted.
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut reset_key)
            .map_err(|_| CallError::Connect("no randomness from the system".into()))?;
        let config = endpoint_config(&reset_key, settings.max_udp_payload);
        let quic = quinn_proto::Endpoint::new(config, None, !socket.state.may_fragment(), None);
        let id = u32::try_from(self.new_id()).unwrap_or(u32::MAX);
        let key = self.endpoints.insert(Endpoint::new(id, quic, Arc::new(socket), None));
        self.sockets_changed = true;
        Ok(key)
    }

    fn check_running(&self) -> Result<(), CallError> {
        self.broken.clone().map_or(Ok(()), |reason| Err(CallError::Connect(reason)))
    }

    fn listener(&self, id: u32) -> Option<usize> {
        self.endpoints.iter().find(|(_, entry)| entry.id == id).map(|(key, _)| key)
    }

    /// `to` None drops under `reason`. Returns the token that withdraws the route.
    pub fn route(
        &mut self,
        from: u64,
        prefix: [u8; PREFIX_BYTES],
        to: Option<u64>,
        reason: DropReason,
        ledger: Arc<Counts>,
    ) -> u64 {
        let token = self.new_id();
        let target = match to {
            None => Target::Drop(reason),
            Some(id) => self.live(id).map_or(Target::Drop(DropReason::NoPeer), |(slot, _)| Target::Forward(slot, id)),
        };
        if let Some((_, connection)) = self.live(from) {
            connection.routes.insert(prefix, Route { target, ledger, token });
        }
        token
    }

    pub fn withdraw(&mut self, from: u64, prefix: &[u8; PREFIX_BYTES], token: u64) {
        if let Some((_, connection)) = self.live(from)
            && connection.routes.get(prefix).is_some_and(|route| route.token == token)
        {
            connection.routes.remove(prefix);
        }
    }

    /// Everything ends, because the engine itself cannot go on.
    pub fn fail(&mut self, reason: &str) {
        let keys: Vec<usize> = self.endpoints.iter().map(|(key, _)| key).collect();
        let slots: Vec<Slot> = self.connections.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.end(slot, CloseInfo { kind: CloseKind::Error, code: None, reason: reason.to_owned() });
        }
        for key in keys {
            let entry = self.endpoints.remove(key);
            if entry.listener.is_some() {
                self.events.listener_failed(entry.id, reason);
                self.events.listener_closed(entry.id);
            }
        }
        self.connections.clear();
        self.slots.clear();
        self.splices.clear();
        self.locals.clear();
        self.dirty.clear();
        self.touched.clear();
        self.pumps.clear();
        self.quiet.clear();
        self.sockets_changed = true;
    }
}

fn endpoint_config(reset_key: &[u8], max_udp_payload: u16) -> Arc<EndpointConfig> {
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset_key)));
    config
        .cid_generator(|| Box::new(RandomConnectionIdGenerator::new(CONNECTION_ID_BYTES)))
        // quinn's own bound would let one reset out per turn, since all packets of a turn have one time;
        // `Endpoint::resets` bounds them.
        .min_reset_interval(Duration::ZERO)
        .supported_versions(vec![1]);
    // Fails only below 1200, and this is not.
    let _ = config.max_udp_payload_size(max_udp_payload.max(ADVERTISED_UDP_PAYLOAD));
    Arc::new(config)
}

fn server_config(
    certificate: &str,
    private_key: &str,
    settings: &Settings,
    reset_key: &[u8],
    offload: bool,
) -> Result<Arc<ServerConfig>, CallError> {
    let crypto = tls::server(certificate, private_key, &settings.alpn).map_err(CallError::Tls)?;
    // From the key that outlives a restart, so that a Retry token of just before it still counts.
    let token_key = hkdf::Salt::new(hkdf::HKDF_SHA256, b"adit retry token").extract(reset_key);
    let mut config = ServerConfig::new(crypto, Arc::new(token_key));
    let mut tokens = ValidationTokenConfig::default();
    tokens.sent(0);
    config
        .transport_config(settings.transport_config(offload, Side::Server))
        .validation_token_config(tokens)
        .max_incoming(MAX_WAITING_ATTEMPTS)
        .incoming_buffer_size(MAX_WAITING_BYTES)
        .incoming_buffer_size_total(MAX_WAITING_BYTES * 256);
    Ok(Arc::new(config))
}

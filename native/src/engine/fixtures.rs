//! A listener on loopback and a dial to it, for tests of the whole engine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::{Core, Decision, DialRequest, ListenRequest, calls::Listening};
use crate::{settings::Settings, tls::Verification};

pub fn settings() -> Settings {
    Settings {
        alpn: b"test".to_vec(),
        idle_timeout: Duration::from_secs(5),
        keep_alive: Duration::from_secs(1),
        handshake_timeout: Duration::from_secs(2),
        max_udp_payload: 1452,
        max_bidi_streams: 64,
        max_uni_streams: 16,
        stream_window: 100_000,
        connection_window: 1_000_000,
        datagram_queue_bytes: 50_000,
        datagram_queue_age: Duration::from_millis(100),
        unproven_bytes: 0,
        useless_bytes: 1 << 20,
        local_datagrams: true,
        socket_buffer_bytes: 0,
    }
}

/// On a free port, with a certificate made for it.
pub fn listen(core: &mut Core, settings: Settings) -> Listening {
    let identity = rcgen::generate_simple_self_signed(vec!["relay".into()]).expect("a certificate");
    let request = ListenRequest {
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        certificate: identity.cert.pem(),
        private_key: identity.signing_key.serialize_pem(),
        settings,
        reset_key: vec![1; 32],
        retry_above_per_sec: 0,
    };
    core.listen(request).unwrap_or_else(|_| panic!("a listener"))
}

pub fn dial_request(remote: SocketAddr, settings: Settings) -> DialRequest {
    DialRequest { remote, server_name: "relay".into(), verification: Verification::None, settings }
}

/// Attempts that wait for a decision of the listener.
pub fn waiting_attempts(core: &Core) -> Vec<u32> {
    let listeners = core.endpoints.iter().filter_map(|(_, endpoint)| endpoint.listener.as_ref());
    listeners.flat_map(|listener| listener.asked.keys().copied()).collect()
}

pub fn accept_all(core: &mut Core, listener: u32) {
    for attempt in waiting_attempts(core) {
        core.answer(listener, attempt, Decision::Accept);
    }
}

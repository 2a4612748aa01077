//! Options as JavaScript gives them. They were validated there; a number out of range is clamped, never trusted.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use quinn_proto::{StreamId, VarInt};

use super::error::{Code, Result, failure};
use crate::{engine, ledger::PREFIX_BYTES, settings::Settings, tls::Verification};

#[napi(object)]
pub struct TransportOptions {
    pub alpn: String,
    pub idle_timeout_ms: f64,
    pub keep_alive_ms: f64,
    pub handshake_timeout_ms: f64,
    pub max_udp_payload: u32,
    pub max_bidi_streams: u32,
    pub max_uni_streams: u32,
    pub stream_window_bytes: u32,
    pub connection_window_bytes: u32,
    pub datagram_queue_bytes: u32,
    pub datagram_queue_ms: f64,
    pub unproven_bytes: f64,
    pub useless_bytes: f64,
    pub local_datagrams: bool,
    pub socket_buffer_bytes: u32,
}

#[napi(object)]
pub struct ListenOptions {
    pub ip: String,
    pub port: u32,
    pub certificate: String,
    pub private_key: String,
    pub transport: TransportOptions,
    pub reset_key: Uint8Array,
    pub retry_after_handshakes_per_sec: u32,
}

#[napi(object)]
pub struct DialOptions {
    pub ip: String,
    pub port: u32,
    pub server_name: String,
    /// `none`, `ca` (with `ca_pem` and `host`) or `fingerprint` (with `sha256`).
    pub verify: String,
    pub ca_pem: Option<String>,
    pub host: Option<String>,
    pub sha256: Option<String>,
    pub transport: TransportOptions,
}

/// QUIC's largest integer would do, but quinn takes 32 bits from us and idle timeouts of a year are none.
const MAX_MS: f64 = 365.0 * 24.0 * 3600.0 * 1000.0;

fn ms(value: f64) -> Duration {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, MAX_MS) };
    Duration::from_secs_f64(value / 1e3)
}

pub fn address(ip: &str, port: u32) -> Result<SocketAddr> {
    let ip: IpAddr = ip.parse().map_err(|_| failure(Code::Address, format!("{ip} is no IP address")))?;
    let port = u16::try_from(port).map_err(|_| failure(Code::Address, format!("{port} is no port")))?;
    Ok(SocketAddr::new(ip, port))
}

impl From<TransportOptions> for Settings {
    fn from(options: TransportOptions) -> Self {
        Self {
            alpn: options.alpn.into_bytes(),
            idle_timeout: ms(options.idle_timeout_ms),
            keep_alive: ms(options.keep_alive_ms),
            handshake_timeout: ms(options.handshake_timeout_ms),
            max_udp_payload: options.max_udp_payload.min(u16::MAX.into()) as u16,
            max_bidi_streams: options.max_bidi_streams,
            max_uni_streams: options.max_uni_streams,
            stream_window: options.stream_window_bytes,
            connection_window: options.connection_window_bytes,
            datagram_queue_bytes: options.datagram_queue_bytes as usize,
            datagram_queue_age: ms(options.datagram_queue_ms),
            unproven_bytes: options.unproven_bytes.max(0.0) as u64,
            useless_bytes: options.useless_bytes.max(0.0) as u64,
            local_datagrams: options.local_datagrams,
            socket_buffer_bytes: options.socket_buffer_bytes as usize,
        }
    }
}

impl ListenOptions {
    pub fn request(self) -> Result<engine::ListenRequest> {
        Ok(engine::ListenRequest {
            address: address(&self.ip, self.port)?,
            certificate: self.certificate,
            private_key: self.private_key,
            settings: self.transport.into(),
            reset_key: self.reset_key.to_vec(),
            retry_above_per_sec: self.retry_after_handshakes_per_sec,
        })
    }
}

impl DialOptions {
    pub fn request(self) -> Result<engine::DialRequest> {
        let verification = match (self.verify.as_str(), self.ca_pem, self.host, self.sha256) {
            ("none", ..) => Verification::None,
            ("ca", Some(pem), Some(host), _) => Verification::Ca { pem, host },
            ("fingerprint", _, _, Some(hex)) => Verification::Fingerprint(digest(&hex)?),
            _ => return Err(failure(Code::Tls, "no such peer verification")),
        };
        Ok(engine::DialRequest {
            remote: address(&self.ip, self.port)?,
            server_name: self.server_name,
            verification,
            settings: self.transport.into(),
        })
    }
}

fn digest(hex: &str) -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    let wrong = || failure(Code::Tls, "a fingerprint has 64 hex digits");
    if hex.len() != 64 || !hex.is_ascii() {
        return Err(wrong());
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

pub fn code(value: f64) -> VarInt {
    // Out of range or NaN becomes 0 or the largest: a code must never fail a call.
    VarInt::from_u64(value.max(0.0) as u64).unwrap_or(VarInt::MAX)
}

pub fn stream(id: f64) -> StreamId {
    StreamId::from(code(id))
}

pub fn prefix(bytes: &[u8]) -> Result<[u8; PREFIX_BYTES]> {
    bytes.try_into().map_err(|_| failure(Code::Bug, "a prefix has 16 bytes"))
}

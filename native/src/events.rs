//! What JavaScript must hear of, in order, as one byte buffer per batch. `src/quic/quinn/event-batch.ts` is its reader.
//!
//! A record is a kind byte and its fields, little endian: ids and codes as f64 (exact up to 2^53), keys as u32, flags
//! as u8, text and payloads as u32 length and bytes.

use std::{net::SocketAddr, ops::Range, time::Instant};

use quinn_proto::{StreamId, VarInt};

/// Past this much of undrained datagrams for JavaScript newer ones are dropped: it is behind by more than it will ever
/// catch up with.
const MAX_LOCAL_DATAGRAM_BYTES: usize = 4 * 1024 * 1024;

#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Incoming = 1,
    Connected,
    HandshakeFailed,
    DialFailed,
    Closed,
    StreamOpened,
    Readable,
    Writable,
    Stopped,
    SpliceEnded,
    AddressChanged,
    Datagram,
    ListenerFailed,
    ListenerClosed,
    LateDatagrams,
    LocalAccepted,
    LocalConnected,
    LocalFailed,
    LocalEnded,
    LocalListenerError,
    LocalUdpError,
}

/// `CloseInfo.kind` of the port, in the order that the reader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseKind {
    Local,
    PeerApplication,
    PeerTransport,
    Idle,
    Reset,
    Error,
    Budget,
}

/// Which AppError a failed dial becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DialFailure {
    Connect,
    Verification,
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseInfo {
    pub kind: CloseKind,
    pub code: Option<u64>,
    pub reason: String,
}

#[derive(Default)]
pub struct EventBuffer {
    bytes: Vec<u8>,
    datagram_bytes: usize,
    datagrams: Vec<Aging>,
    /// Where the count of a `LateDatagrams` record stands that nothing has followed yet, and its connection.
    counting: Option<(usize, u64)>,
}

/// A datagram's record among the bytes.
struct Aging {
    at: Range<usize>,
    connection: u64,
    expires: Instant,
}

impl EventBuffer {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What waits. A datagram that has grown old is replaced by word of it.
    pub fn take(&mut self, now: Instant) -> Vec<u8> {
        self.datagram_bytes = 0;
        self.counting = None;
        let bytes = std::mem::take(&mut self.bytes);
        let datagrams = std::mem::take(&mut self.datagrams);
        if datagrams.iter().all(|datagram| datagram.expires >= now) {
            return bytes;
        }
        let (mut fresh, mut copied) = (Self::default(), 0);
        for datagram in datagrams.iter().filter(|datagram| datagram.expires < now) {
            fresh.bytes.extend_from_slice(&bytes[copied..datagram.at.start]);
            copied = datagram.at.end;
            fresh.late_datagram(datagram.connection);
        }
        fresh.bytes.extend_from_slice(&bytes[copied..]);
        fresh.bytes
    }

    pub fn incoming(&mut self, listener: u32, key: u32, validated: bool, remote: SocketAddr) {
        self.kind(Kind::Incoming).u32(listener).u32(key).flag(validated).address(remote);
    }

    pub fn connected(&mut self, listener: u32, connection: u64, remote: SocketAddr, local: SocketAddr) {
        self.kind(Kind::Connected).u32(listener).id(connection).address(remote).address(local);
    }

    pub fn handshake_failed(&mut self, listener: u32, remote: SocketAddr, reason: &str) {
        self.kind(Kind::HandshakeFailed).u32(listener).address(remote).text(reason);
    }

    pub fn dial_failed(&mut self, connection: u64, why: DialFailure, reason: &str) {
        self.kind(Kind::DialFailed).id(connection).byte(why as u8).text(reason);
    }

    pub fn closed(&mut self, connection: u64, info: &CloseInfo) {
        self.kind(Kind::Closed).id(connection).byte(info.kind as u8).flag(info.code.is_some());
        self.id(info.code.unwrap_or(0)).text(&info.reason);
    }

    pub fn stream_opened(&mut self, connection: u64, stream: StreamId) {
        self.kind(Kind::StreamOpened).id(connection).stream(stream);
    }

    pub fn readable(&mut self, connection: u64, stream: StreamId) {
        self.kind(Kind::Readable).id(connection).stream(stream);
    }

    pub fn writable(&mut self, connection: u64, stream: StreamId) {
        self.kind(Kind::Writable).id(connection).stream(stream);
    }

    pub fn stopped(&mut self, connection: u64, stream: StreamId, code: VarInt) {
        self.kind(Kind::Stopped).id(connection).stream(stream).id(code.into_inner());
    }

    pub fn splice_ended(&mut self, splice: u64) {
        self.kind(Kind::SpliceEnded).id(splice);
    }

    pub fn address_changed(&mut self, connection: u64, remote: SocketAddr) {
        self.kind(Kind::AddressChanged).id(connection).address(remote);
    }

    /// Dropped, with word of it, when too much waits.
    pub fn datagram(&mut self, connection: u64, payload: &[u8], expires: Instant) {
        if self.datagram_bytes + payload.len() > MAX_LOCAL_DATAGRAM_BYTES {
            return self.late_datagram(connection);
        }
        self.datagram_bytes += payload.len();
        let start = self.bytes.len();
        self.kind(Kind::Datagram).id(connection).blob(payload);
        self.datagrams.push(Aging { at: start..self.bytes.len(), connection, expires });
    }

    /// Those of one connection that follow each other are one record, so that a flood of them takes no memory.
    fn late_datagram(&mut self, connection: u64) {
        const COUNT_BYTES: usize = size_of::<u32>();
        if let Some((at, of)) = self.counting
            && of == connection
            && at + COUNT_BYTES == self.bytes.len()
        {
            let count = u32::from_le_bytes(self.bytes[at..].try_into().unwrap_or_default());
            self.bytes[at..].copy_from_slice(&count.saturating_add(1).to_le_bytes());
            return;
        }
        self.kind(Kind::LateDatagrams).id(connection);
        self.counting = Some((self.bytes.len(), connection));
        self.u32(1);
    }

    pub fn listener_failed(&mut self, listener: u32, reason: &str) {
        self.kind(Kind::ListenerFailed).u32(listener).text(reason);
    }

    pub fn listener_closed(&mut self, listener: u32) {
        self.kind(Kind::ListenerClosed).u32(listener);
    }

    pub fn local_accepted(&mut self, listener: u64, socket: u64) {
        self.kind(Kind::LocalAccepted).id(listener).id(socket);
    }

    pub fn local_connected(&mut self, socket: u64) {
        self.kind(Kind::LocalConnected).id(socket);
    }

    pub fn local_failed(&mut self, socket: u64, reason: &str) {
        self.kind(Kind::LocalFailed).id(socket).text(reason);
    }

    pub fn local_ended(&mut self, socket: u64, reason: &str) {
        self.kind(Kind::LocalEnded).id(socket).text(reason);
    }

    pub fn local_listener_error(&mut self, listener: u64, reason: &str) {
        self.kind(Kind::LocalListenerError).id(listener).text(reason);
    }

    pub fn local_udp_error(&mut self, leg: u64, reason: &str) {
        self.kind(Kind::LocalUdpError).id(leg).text(reason);
    }

    fn kind(&mut self, kind: Kind) -> &mut Self {
        self.byte(kind as u8)
    }

    fn byte(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    fn flag(&mut self, value: bool) -> &mut Self {
        self.byte(value.into())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn key(&mut self, value: usize) -> &mut Self {
        self.u32(u32::try_from(value).unwrap_or(u32::MAX))
    }

    fn id(&mut self, value: u64) -> &mut Self {
        self.bytes.extend_from_slice(&(value as f64).to_le_bytes());
        self
    }

    fn stream(&mut self, stream: StreamId) -> &mut Self {
        self.id(VarInt::from(stream).into_inner())
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.blob(value.as_bytes())
    }

    fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.key(value.len());
        self.bytes.extend_from_slice(value);
        self
    }

    fn address(&mut self, value: SocketAddr) -> &mut Self {
        self.u32(value.port().into()).text(&value.ip().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// test/unit/quic/quinn/event-batch.test.ts reads the same bytes.
    const ONE_OF_EACH: &str = "\
        0107000000090000000151110000090000003132372e302e302e31\
        0207000000000000000000084051110000090000003132372e302e302e31bb010000030000003a3a31\
        030700000051110000090000003132372e302e302e310400000073696c65\
        0400000000000008400104000000776f6f66\
        0500000000000008400101000000000000104003000000627965\
        06000000000000084000000000000010400700000000000008400000000000001040\
        08000000000000084000000000000010400900000000000008400000000000001040\
        00000000000053400a0000000000001440\
        0b000000000000084051110000090000003132372e302e302e31\
        0c000000000000084003000000010203\
        0d070000000400000066656c6c0e070000000f000000000000084001000000\
        10000000000000144000000000000018401100000000000018401200000000000018400200000\
        06e6f130000000000001840020000006f6b1400000000000014400400000066756c6c\
        1500000000000014400400000066756c6c";

    fn one_of_each() -> EventBuffer {
        let remote = SocketAddr::from(([127, 0, 0, 1], 4433));
        let local = SocketAddr::from(([0u16, 0, 0, 0, 0, 0, 0, 1], 443));
        let stream = StreamId::from(VarInt::from_u32(4));
        let info = CloseInfo { kind: CloseKind::PeerApplication, code: Some(4), reason: "bye".into() };
        let mut events = EventBuffer::default();
        events.incoming(7, 9, true, remote);
        events.connected(7, 3, remote, local);
        events.handshake_failed(7, remote, "sile");
        events.dial_failed(3, DialFailure::Verification, "woof");
        events.closed(3, &info);
        events.stream_opened(3, stream);
        events.readable(3, stream);
        events.writable(3, stream);
        events.stopped(3, stream, VarInt::from_u32(76));
        events.splice_ended(5);
        events.address_changed(3, remote);
        events.datagram(3, &[1, 2, 3], Instant::now());
        events.listener_failed(7, "fell");
        events.listener_closed(7);
        events.late_datagram(3);
        events.local_accepted(5, 6);
        events.local_connected(6);
        events.local_failed(6, "no");
        events.local_ended(6, "ok");
        events.local_listener_error(5, "full");
        events.local_udp_error(5, "full");
        events
    }

    #[test]
    fn the_bytes_are_those_that_javascript_reads() {
        let epoch = Instant::now();
        let hex: String = one_of_each().take(epoch).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, ONE_OF_EACH);
    }

    #[test]
    fn datagrams_that_nobody_drains_are_bounded() {
        let (mut events, now) = (EventBuffer::default(), Instant::now());
        for _ in 0..2 * MAX_LOCAL_DATAGRAM_BYTES / 1024 {
            events.datagram(1, &[0; 1024], now);
        }
        let taken = events.take(now);
        assert!(taken.len() < 2 * MAX_LOCAL_DATAGRAM_BYTES);
        let mut word = EventBuffer::default();
        let fitted = MAX_LOCAL_DATAGRAM_BYTES / 1024;
        (0..2 * fitted - fitted).for_each(|_| word.late_datagram(1));
        assert!(taken.ends_with(&word.take(now)));
        events.datagram(1, &[0; 1024], now);
        assert_eq!(events.take(now).len(), 1 + 8 + 4 + 1024);
    }

    #[test]
    fn datagrams_that_grew_old_are_replaced_by_word_of_them() {
        let (mut events, now) = (EventBuffer::default(), Instant::now());
        let later = now + Duration::from_millis(100);
        events.splice_ended(1);
        events.datagram(8, &[8; 10], now);
        events.splice_ended(2);
        events.datagram(9, &[9; 10], later);
        events.datagram(8, &[8; 10], now);
        events.datagram(8, &[8; 10], now);
        let mut expected = EventBuffer::default();
        expected.splice_ended(1);
        expected.late_datagram(8);
        expected.splice_ended(2);
        expected.datagram(9, &[9; 10], later);
        expected.late_datagram(8);
        expected.late_datagram(8);
        assert_eq!(events.take(later), expected.take(later));
    }
}

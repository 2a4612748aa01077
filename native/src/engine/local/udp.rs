//! The local UDP socket of a tunnel. Datagrams of local programs are sealed and sent to the relay that control has
//! chosen. Datagrams of relays are opened and given to the local program. Each is counted: in, then out or dropped
//! (conformance S5).

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use socket2::{Domain, Protocol, Type};

use super::{Local, Tunnel, senders::Senders};
use crate::{
    engine::{Core, SendOutcome, Slot, endpoint::Stall},
    ledger::{Counts, DropReason, PREFIX_BYTES},
    seal::{NONCE_BYTES, Nonces, TAG_BYTES},
};

/// As for the queue towards the relay (conformance S6).
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// Requested from the kernel, which may grant less: room for a burst while the loop is busy. What grows old in it is
/// dropped.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// A flood at one socket must not keep the others waiting.
const DATAGRAMS_PER_TURN: usize = 64;
/// An error that repeats is reported to control this often; each is counted.
const REPORTED_EVERY: Duration = Duration::from_millis(100);
const PAYLOAD_AT: usize = PREFIX_BYTES + NONCE_BYTES;
const LARGEST_PAYLOAD: usize = 65_535;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Listens, and sends to the address that sent last.
    Bind,
    /// Exchanges datagrams with one address only, and learns by ICMP that no program is there.
    Connect,
}

pub struct Udp {
    tunnel: Arc<Tunnel>,
    prefix: [u8; PREFIX_BYTES],
    ledger: Arc<Counts>,
    /// None while control opens it anew.
    socket: Option<(UdpSocket, Mode)>,
    senders: Senders,
    /// Slot and id of the connection that local datagrams leave by.
    way_out: Option<(Slot, u64)>,
    stalled: Option<Stall>,
    pub readable: bool,
    pub queued: bool,
    /// The last error that control got, and when.
    reported: Option<(Option<i32>, Instant)>,
}

/// Where a connection's datagrams with this prefix go.
#[derive(Clone, Copy)]
pub struct LocalRoute {
    pub prefix: [u8; PREFIX_BYTES],
    pub leg: u64,
}

/// Room for one datagram with what sealing adds.
#[derive(Default)]
pub struct Room(Vec<u8>);

impl Room {
    /// Made when the first datagram needs it.
    fn bytes(&mut self) -> &mut [u8] {
        self.0.resize(PAYLOAD_AT + LARGEST_PAYLOAD + TAG_BYTES, 0);
        &mut self.0
    }
}

impl Udp {
    fn receive(&self, room: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
        let Some((socket, _)) = &self.socket else { return Ok(None) };
        loop {
            match socket.recv_from(&mut room[PAYLOAD_AT..PAYLOAD_AT + LARGEST_PAYLOAD]) {
                Ok(got) => return Ok(Some(got)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Seals the `length` bytes that lie in `room` after the place of prefix and nonce. None where the system gives no
    /// randomness.
    fn seal(&self, room: &mut [u8], length: usize, nonces: &mut Nonces) -> Option<Bytes> {
        let datagram = &mut room[..PAYLOAD_AT + length + TAG_BYTES];
        datagram[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        self.tunnel.seal.seal(nonces.take().ok()?, &mut datagram[PREFIX_BYTES..]).ok()?;
        Some(Bytes::copy_from_slice(datagram))
    }

    /// Ok(false): no local program has sent yet, so there is no address to send it to.
    fn deliver(&self, payload: &[u8]) -> io::Result<bool> {
        match (&self.socket, self.senders.last()) {
            (Some((socket, Mode::Connect)), _) => socket.send(payload).map(|_| true),
            (Some((socket, Mode::Bind)), Some(to)) => socket.send_to(payload, to).map(|_| true),
            _ => Ok(false),
        }
    }
}

fn open(address: SocketAddr, mode: Mode) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The error says that the limit is lower.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    match mode {
        Mode::Bind => socket.bind(&address.into())?,
        Mode::Connect => socket.connect(&address.into())?,
    }
    Ok(socket.into())
}

impl Core {
    /// A leg without a socket; its id.
    pub fn add_udp(&mut self, tunnel: Arc<Tunnel>, prefix: [u8; PREFIX_BYTES], ledger: Arc<Counts>) -> u64 {
        let id = self.new_id();
        let udp = Udp {
            tunnel,
            prefix,
            ledger,
            socket: None,
            senders: Senders::default(),
            way_out: None,
            stalled: None,
            readable: false,
            queued: false,
            reported: None,
        };
        self.locals.sockets.insert(id, Local::Udp(Box::new(udp)));
        id
    }

    /// The port taken.
    pub fn open_udp(&mut self, id: u64, address: SocketAddr, mode: Mode) -> Result<u16, String> {
        let socket = open(address, mode).map_err(|error| error.to_string())?;
        let port = socket.local_addr().map_err(|error| error.to_string())?.port();
        self.locals.watch_input(id, &socket)?;
        if let Some(Local::Udp(udp)) = self.locals.sockets.get_mut(&id) {
            udp.socket = Some((socket, mode));
            udp.readable = true;
            self.locals.wake(id);
        }
        Ok(port)
    }

    /// Frees the address; the leg stays.
    pub fn close_udp(&mut self, id: u64) {
        if let Some(Local::Udp(udp)) = self.locals.sockets.get_mut(&id) {
            udp.socket = None;
        }
    }

    pub fn remove_udp(&mut self, id: u64) {
        if matches!(self.locals.sockets.get(&id), Some(Local::Udp(_))) {
            self.locals.sockets.remove(&id);
        }
    }

    /// None: what local programs send is dropped, because no relay has the peer.
    pub fn send_udp_over(&mut self, id: u64, connection: Option<u64>) {
        // Of one that has ended since the id stays, so that what is sent meanwhile counts as `closing`.
        let way_out = connection.map(|id| (self.slots.get(&id).copied().unwrap_or(Slot::MAX), id));
        if let Some(Local::Udp(udp)) = self.locals.sockets.get_mut(&id) {
            udp.way_out = way_out;
        }
    }

    pub fn receive_udp_from(&mut self, id: u64, connection: u64) {
        let Some(Local::Udp(udp)) = self.locals.sockets.get(&id) else { return };
        let route = LocalRoute { prefix: udp.prefix, leg: id };
        if let Some((_, connection)) = self.live(connection) {
            connection.local_route = Some(route);
        }
    }

    /// From the local program to the relay.
    pub fn turn_udp(&mut self, id: u64, now: Instant) {
        let turned = self.turned_at;
        let mut flush = None;
        for _ in 0..DATAGRAMS_PER_TURN {
            let Some(Local::Udp(udp)) = self.locals.sockets.get_mut(&id) else { return };
            if !udp.readable {
                break;
            }
            let since = Stall::arrival(&mut udp.stalled, turned, now);
            let room = self.locals.tools.datagram.bytes();
            let (length, sender) = match udp.receive(room) {
                Ok(Some(got)) => got,
                Ok(None) => {
                    udp.readable = false;
                    udp.stalled = None;
                    break;
                }
                Err(error) => {
                    self.udp_failed(id, &error, now);
                    continue;
                }
            };
            // Port 0 cannot be answered; the kernel lets it through.
            let counts = &udp.tunnel.counts;
            if sender.port() != 0 && udp.senders.note(sender) {
                counts.sender_returned();
            }
            counts.offered();
            if now.saturating_duration_since(since) >= LONGEST_WAIT {
                counts.expired_on_the_way_out();
                continue;
            }
            let Some((slot, connection)) = udp.way_out else {
                counts.no_relay();
                continue;
            };
            udp.ledger.datagram_in(PAYLOAD_AT + length + TAG_BYTES);
            let connection = self.connections.get_mut(slot).filter(|c| c.id == connection && !c.has_ended());
            let sealed = udp.seal(room, length, &mut self.locals.tools.nonces);
            let (Some(connection), Some(sealed)) = (connection, sealed) else {
                udp.ledger.dropped(DropReason::Closing);
                continue;
            };
            if matches!(
                connection.send_datagram(sealed, Some(&udp.ledger), since),
                SendOutcome::Queued | SendOutcome::QueueFull
            ) {
                connection.local_sends += 1;
            }
            flush = Some(slot);
        }
        if let Some(slot) = flush {
            self.mark_dirty(slot);
        }
        if matches!(self.locals.sockets.get(&id), Some(Local::Udp(udp)) if udp.readable) {
            self.locals.wake(id);
        }
    }

    /// From a relay to the local program, at `now`; it came at `since`.
    pub fn deliver_udp(&mut self, id: u64, datagram: &[u8], since: Instant, now: Instant) {
        let Some(Local::Udp(udp)) = self.locals.sockets.get_mut(&id) else { return };
        let counts = &udp.tunnel.counts;
        counts.arrived();
        if now.saturating_duration_since(since) >= LONGEST_WAIT {
            return counts.expired_on_the_way_in();
        }
        let room = self.locals.tools.datagram.bytes();
        let sealed = &mut room[..datagram.len() - PREFIX_BYTES];
        sealed.copy_from_slice(&datagram[PREFIX_BYTES..]);
        let Ok(length) = udp.tunnel.seal.open(sealed, 0) else { return counts.not_authentic() };
        if udp.socket.is_none() {
            return counts.no_socket();
        }
        match udp.deliver(&sealed[..length]) {
            Ok(true) => counts.delivered(length),
            Ok(false) => counts.no_local_peer(),
            Err(error) => {
                counts.delivered(length);
                self.udp_failed(id, &error, now);
            }
        }
    }

    fn udp_failed(&mut self, id: u64, error: &io::Error, now: Instant) {
        let Some(Local::Udp(udp)) = self.locals.sockets.get_mut(&id) else { return };
        udp.tunnel.counts.send_error();
        let code = error.raw_os_error();
        let again =
            udp.reported.is_some_and(|(last, at)| last == code && now.saturating_duration_since(at) < REPORTED_EVERY);
        if !again {
            udp.reported = Some((code, now));
            self.events.local_udp_error(id, &error.to_string());
        }
    }
}

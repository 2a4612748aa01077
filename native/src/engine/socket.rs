//! UDP sockets as QUIC needs them: no fragmentation, ECN, GRO, GSO where it truly works.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Type};

/// A GSO batch of this many packets costs one trip through the kernel; larger ones only add to bursts.
const MAX_SEGMENTS: usize = 32;

pub struct Socket {
    io: UdpSocket,
    pub state: UdpSocketState,
    pub address: SocketAddr,
    pub receive_buffer: Option<usize>,
    pub send_buffer: Option<usize>,
}

impl Socket {
    /// The buffer size is a wish: the kernel grants what its limits allow.
    pub fn bind(address: SocketAddr, buffer_bytes: usize) -> Result<Self, String> {
        Self::open(address, buffer_bytes).map_err(|e| format!("{address}: {e}"))
    }

    fn open(address: SocketAddr, buffer_bytes: usize) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        let io: UdpSocket = socket.into();
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        let reference = UdpSockRef::from(&io);
        if buffer_bytes > 0 {
            // An error means that the limit is lower; the granted size is reported instead.
            let _ = state.set_recv_buffer_size(UdpSockRef::from(&io), buffer_bytes);
            let _ = state.set_send_buffer_size(UdpSockRef::from(&io), buffer_bytes);
        }
        let receive_buffer = state.recv_buffer_size(UdpSockRef::from(&io)).ok();
        let send_buffer = state.send_buffer_size(reference).ok();
        let address = io.local_addr()?;
        Ok(Self { io, state, address, receive_buffer, send_buffer })
    }

    pub fn reference(&self) -> UdpSockRef<'_> {
        UdpSockRef::from(&self.io)
    }

    pub fn segments(&self, offload: bool) -> usize {
        if offload { self.state.max_gso_segments().clamp(1, MAX_SEGMENTS) } else { 1 }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

/// The address from which the kernel would send to `remote`; the unspecified address when the kernel finds none.
pub fn source_address(remote: SocketAddr, port: u16) -> SocketAddr {
    let any: SocketAddr = if remote.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let found = UdpSocket::bind(any).and_then(|probe| probe.connect(remote).and_then(|()| probe.local_addr()));
    SocketAddr::new(found.map_or(any.ip(), |address| address.ip()), port)
}

/// Some kernels take UDP_SEGMENT and then lose or mangle the batch: sends one over loopback and compares.
pub fn offload_works() -> bool {
    try_offload().unwrap_or(false)
}

fn try_offload() -> io::Result<bool> {
    const SEGMENT: usize = 1200;
    const LAST: usize = 700;
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    receiver.set_read_timeout(Some(Duration::from_millis(200)))?;
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let state = UdpSocketState::new(UdpSockRef::from(&sender))?;
    if state.max_gso_segments() < 3 {
        return Ok(false);
    }
    let contents: Vec<u8> = (0..2 * SEGMENT + LAST).map(|i| (i % 251) as u8).collect();
    let batch = Transmit {
        destination: receiver.local_addr()?,
        ecn: None,
        contents: &contents,
        segment_size: Some(SEGMENT),
        src_ip: None,
    };
    state.try_send(UdpSockRef::from(&sender), &batch)?;
    let mut buffer = [0; 4096];
    for wanted in contents.chunks(SEGMENT) {
        let length = receiver.recv(&mut buffer)?;
        if &buffer[..length] != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

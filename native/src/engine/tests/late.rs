//! What waited or was in hand while the process stood still does not leave.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use quinn_proto::VarInt;

use super::World;
use crate::{
    engine::{Mode, StreamCodes, Tunnel},
    ledger::PREFIX_BYTES,
    seal::{KEY_BYTES, NONCE_BYTES, SEAL_OVERHEAD, Seal},
};

/// Places in `LocalCounts::in_order`.
const ARRIVED: usize = 6;
const DELIVERED: usize = 7;
const EXPIRED_IN: usize = 9;

#[test]
fn a_datagram_for_a_local_program_that_was_in_hand_while_the_loop_stood_still_expires() {
    let mut world = World::new();
    let [dialled, accepted] = world.pair();
    let program = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let codes = StreamCodes { local_reset: VarInt::from_u32(1), not_authentic: VarInt::from_u32(2) };
    let seal = Seal::new(&[9; KEY_BYTES]).expect("a key");
    let tunnel = Arc::new(Tunnel { seal, codes, counts: Default::default() });
    let prefix = [3; PREFIX_BYTES];
    let leg = world.core.add_udp(tunnel.clone(), prefix, Arc::default());
    world.core.open_udp(leg, program.local_addr().expect("its address"), Mode::Connect).expect("a local socket");
    world.core.receive_udp_from(leg, accepted);
    let mut datagram = vec![0; PREFIX_BYTES + SEAL_OVERHEAD + 100];
    datagram[..PREFIX_BYTES].copy_from_slice(&prefix);
    tunnel.seal.seal([5; NONCE_BYTES], &mut datagram[PREFIX_BYTES..]).expect("it seals");
    for (arrived, stood_still) in [(1, Duration::ZERO), (2, Duration::from_secs(3))] {
        let (slot, entry) = world.core.live(dialled).expect("the connection");
        entry.send_datagram(Bytes::from(datagram.clone()), None, Instant::now());
        world.core.mark_dirty(slot);
        world.core.flush(Instant::now);
        let deadline = Instant::now() + Duration::from_secs(10);
        while tunnel.counts.in_order()[ARRIVED] < arrived {
            assert!(Instant::now() < deadline, "not in time: datagram {arrived}");
            world.turn_with_pause(stood_still);
        }
    }
    let counts = tunnel.counts.in_order();
    assert_eq!((counts[DELIVERED], counts[EXPIRED_IN]), (1, 1));
}

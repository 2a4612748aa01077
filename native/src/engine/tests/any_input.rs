//! Noise, mangled handshakes and calls in any order.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use proptest::{collection::vec, prelude::*, test_runner::Config};
use quinn_proto::{Dir, StreamId, VarInt};

use super::{World, arrival, endpoint_of, first_packet, still_serves};
use crate::{
    engine::{Connection, NamedStream},
    ledger::{Counts, DropReason},
};

proptest! {
    #![proptest_config(Config { cases: 64, ..Config::default() })]

    #[test]
    fn packets_of_noise_are_harmless(packets in vec(vec(any::<u8>(), 0..1500), 1..64)) {
        let mut world = World::new();
        let endpoint = endpoint_of(&world.core);
        for packet in packets {
            world.core.packet(endpoint, &packet, arrival(([127, 0, 0, 1], 9).into(), Instant::now()), Instant::now());
            world.turn();
        }
        still_serves(world);
    }

    #[test]
    fn mangled_handshakes_are_harmless(
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        let endpoint = endpoint_of(&world.core);
        let whole = first_packet();
        for truncated in [false, true] {
            let mut packet = whole.clone();
            for (at, value) in &flips {
                packet[at.index(whole.len())] = *value;
            }
            if truncated {
                packet.truncate(cut.index(whole.len()));
            }
            world.core.packet(endpoint, &packet, arrival(([127, 0, 0, 1], 9).into(), Instant::now()), Instant::now());
            world.turn();
        }
        still_serves(world);
    }

    #[test]
    fn calls_in_any_order_with_any_numbers_are_harmless(calls in vec(call(), 1..80)) {
        let mut world = World::new();
        let ids: Vec<u64> = world.pair().into_iter().chain(world.pair()).collect();
        for call in calls {
            call.make(&mut world, &ids);
            world.turn();
        }
        still_serves(world);
    }
}

#[derive(Clone, Debug)]
struct Call {
    kind: u8,
    connection: usize,
    other: usize,
    stream: u64,
    number: u64,
    bytes: Vec<u8>,
}

fn call() -> impl Strategy<Value = Call> {
    let stream = prop_oneof![0u64..12, any::<u64>()];
    let number = prop_oneof![0u64..100, any::<u64>()];
    (0u8..16, 0usize..5, 0usize..5, stream, number, vec(any::<u8>(), 0..3000)).prop_map(
        |(kind, connection, other, stream, number, bytes)| Call { kind, connection, other, stream, number, bytes },
    )
}

fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}

impl Call {
    fn make(self, world: &mut World, ids: &[u64]) {
        let now = Instant::now();
        let core = &mut world.core;
        let (connection, other) =
            (ids.get(self.connection).copied().unwrap_or(self.number), ids.get(self.other).copied());
        let stream = StreamId::from(varint(self.stream));
        let ledger: Arc<Counts> = Arc::default();
        match self.kind {
            9 => {
                let second = NamedStream {
                    connection: other.unwrap_or(self.number),
                    stream: StreamId::from(varint(self.number)),
                };
                core.splice(
                    [NamedStream { connection, stream }, second],
                    [ledger.clone(), ledger],
                    varint(self.number),
                    now,
                );
            }
            10 => core.abort_splice(self.number, varint(self.stream)),
            11 => {
                core.route(connection, [self.bytes.len() as u8; 16], other, DropReason::NoPeer, ledger);
            }
            12 => core.withdraw(connection, &[self.bytes.len() as u8; 16], self.number),
            13 => core.forget(self.number),
            14 => core.stop_accepting(u32::MAX),
            15 => {
                if let Some((slot, _)) = core.live(connection) {
                    core.close(slot, varint(self.number), "closed".into());
                }
            }
            _ => {
                if let Some((slot, entry)) = core.known(connection) {
                    self.on_connection(entry, stream, now);
                    core.mark_dirty(slot);
                }
            }
        }
    }

    fn on_connection(self, entry: &mut Connection, stream: StreamId, now: Instant) {
        let bytes = Bytes::from(self.bytes);
        match self.kind {
            0 => drop(entry.open_stream(Dir::Bi)),
            1 => drop(entry.open_stream(Dir::Uni)),
            2 => drop(entry.read(stream, bytes.len())),
            3 => drop(entry.write(stream, &bytes)),
            4 => entry.finish(stream),
            5 => entry.reset(stream, varint(self.number)),
            6 => entry.stop(stream, varint(self.number)),
            7 => drop(entry.send_datagram(bytes, None, now)),
            _ => drop(entry.stats()),
        }
    }
}

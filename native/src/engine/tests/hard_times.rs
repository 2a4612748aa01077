//! Panics, storms, pauses, sockets and readers that stop.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use quinn_proto::{Dir, VarInt};

use super::{World, arrival, dial, endpoint_of, still_serves};
use crate::{
    engine::{Core, NamedStream, ReadOutcome, endpoint::Stall, fixtures, incoming::DECISIONS_PER_TURN},
    ledger::{Counts, DropReason},
};

#[test]
fn a_panic_in_one_connection_ends_that_one_only() {
    let mut world = World::new();
    let [first, _] = world.pair();
    let (slot, _) = world.core.live(first).expect("the connection");
    world.core.guarded(slot, |_| panic!("as a bug would"));
    assert!(world.core.live(first).is_none());
    still_serves(world);
}

#[test]
fn a_splice_of_a_connection_that_has_ended_ends_too() {
    let mut world = World::new();
    let now = Instant::now();
    let [first, second] = [world.pair(), world.pair()];
    let open = |core: &mut Core, connection: u64| {
        let (slot, entry) = core.live(connection).expect("a live connection");
        let stream = entry.open_stream(Dir::Bi).expect("a stream");
        core.mark_dirty(slot);
        NamedStream { connection, stream }
    };
    let ends = [open(&mut world.core, first[1]), open(&mut world.core, second[1])];
    let (slot, _) = world.core.live(first[1]).expect("the connection");
    world.core.close(slot, VarInt::from_u32(0), "closed".into());
    world.core.splice(ends, [Arc::default(), Arc::default()], VarInt::from_u32(2), now);
    assert!(world.core.splices.is_empty());
    still_serves(world);
}

#[test]
fn a_storm_of_handshakes_is_spread_over_turns() {
    let mut world = World::new();
    let dials = 3 * DECISIONS_PER_TURN;
    for _ in 0..dials {
        world.core.dial(dial(world.address), Instant::now()).unwrap_or_else(|_| panic!("a dial"));
    }
    world.core.turn(Instant::now(), Instant::now);
    let endpoint = endpoint_of(&world.core);
    world.core.receive(endpoint, &mut world.buffer, Instant::now());
    assert_eq!(fixtures::waiting_attempts(&world.core).len(), dials);
    fixtures::accept_all(&mut world.core, world.listener);
    for turn in 1..=3 {
        world.core.turn(Instant::now(), Instant::now);
        assert_eq!(world.core.decisions.len(), dials - turn * DECISIONS_PER_TURN);
        assert!(turn == 3 || world.core.next_wake(Instant::now()).is_some_and(|at| at <= Instant::now()));
    }
    // Each was begun at both ends.
    assert_eq!(world.core.counters.handshakes_started, 2 * dials as u64);
}

#[test]
fn a_turn_without_a_datagram_does_not_hide_that_the_loop_stood_still() {
    let mut core = Core::new();
    let before = Instant::now();
    core.longest_wait(None, before);
    let after = before + Duration::from_secs(3);
    // A timer or JavaScript called for the first turn after the pause; the next one follows at once.
    assert_eq!(core.longest_wait(None, after), after);
    assert_eq!(Stall::arrival(&mut None, core.turned_at, after), before);
    // What comes once that turn has looked is fresh.
    assert!(core.longest_wait(None, after) > after);
    assert_eq!(Stall::arrival(&mut None, core.turned_at, after), after);
}

#[test]
fn a_datagram_that_was_in_hand_while_the_loop_stood_still_expires() {
    let mut world = World::new();
    let [dialled, _] = world.pair();
    let ledger: Arc<Counts> = Arc::default();
    let now = Instant::now();
    for stood_still in [Duration::ZERO, Duration::from_secs(3)] {
        let (slot, entry) = world.core.live(dialled).expect("the connection");
        entry.send_datagram(Bytes::from_static(&[1; 1000]), Some(&ledger), now);
        world.core.mark_dirty(slot);
        world.core.turn(now, || now + stood_still);
    }
    let totals = ledger.totals();
    assert_eq!((totals[1], totals[5 + DropReason::Expired as usize], ledger.all_drops()), (1, 1, 1));
}

#[test]
fn a_failed_socket_goes_with_what_waited_for_it() {
    let mut world = World::new();
    let [_, accepted] = world.pair();
    let endpoint = endpoint_of(&world.core);
    let (slot, _) = world.core.live(accepted).expect("the connection");
    world.core.endpoints[endpoint].held.push(slot);
    world.core.socket_failed(endpoint, "as the kernel would");
    world.core.turn(Instant::now(), Instant::now);
    assert!(!world.core.endpoints.contains(endpoint));
}

#[test]
fn noise_under_the_id_of_a_connection_is_not_its_peers() {
    let mut world = World::new();
    let [dialled, accepted] = world.pair();
    let (now, endpoint) = (Instant::now(), endpoint_of(&world.core));
    let mut packet = Vec::new();
    let (_, entry) = world.core.live(dialled).expect("the connection");
    entry.quic.ping();
    assert!(entry.quic.poll_transmit(now, 1, &mut packet).is_some());
    let from = entry.local;
    // As much as closes a peer that sends it, and all but a few bytes of it wrong.
    packet.resize(1400, 0);
    let later = now + Duration::from_secs(1);
    for _ in 0..2 * fixtures::settings().useless_bytes / 1400 {
        world.core.packet(endpoint, &packet, arrival(from, later), later);
    }
    let (_, victim) = world.core.live(accepted).expect("a connection that lives on");
    assert!(victim.acks.last_received().is_some_and(|at| at < later));
    still_serves(world);
}

#[test]
fn readers_that_stop_do_not_use_up_the_window_of_others() {
    let mut world = World::new();
    let [dialled, accepted] = world.pair();
    let mut last = None;
    for paused in (0..=40).rev() {
        world.turn_until("a stream", |core| core.connections.iter().any(|(_, c)| c.id == dialled));
        let (slot, entry) = world.core.live(dialled).expect("the connection");
        let stream = entry.open_stream(Dir::Bi).expect("a stream");
        entry.write(stream, &vec![1; if paused > 0 { 200_000 } else { 5 }]);
        world.core.mark_dirty(slot);
        last = Some(stream);
        for _ in 0..200 {
            world.turn();
        }
    }
    let last = last.expect("the last stream");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let (_, entry) = world.core.live(accepted).expect("the other end");
        if entry.read(last, 10) == ReadOutcome::Data(Bytes::from(vec![1; 5])) {
            break;
        }
        assert!(Instant::now() < deadline, "not in time: the last stream's bytes");
        world.turn();
    }
}

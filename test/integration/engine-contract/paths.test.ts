import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { payloadOfMtu } from '../../support/network/faulty-path.ts';
import { pause } from '../../support/pause.ts';
import type { RecordedConnection } from '../../support/peers/quic-peer.ts';
import { QuicWorld } from '../../support/programs/quic-world.ts';
import { until } from '../../support/until.ts';

function datagram(length: number, fill = 0): Buffer {
  return Buffer.alloc(length, fill);
}

/** Sends a datagram and waits for it at the other end; true when it came. */
async function passes(from: RecordedConnection, to: RecordedConnection, length: number): Promise<boolean> {
  const before = to.datagrams.length;
  if (from.connection.sendDatagram(datagram(length)) === 'too_large') return false;
  return until(() => to.datagrams.length > before, { timeoutMs: 300 }).then(
    () => true,
    () => false,
  );
}

describe.each(await builtEngines())('paths of the %s engine', (name) => {
  it('T4 are measured right, however little is said over one that loses a packet in twenty', async () => {
    await using world = await QuicWorld.start(name);
    const faults = { lossRate: 0.05, delayMs: 10 };
    await using network = await FaultyNetwork.start({ target: world.listener.address, faults });
    const pairs = await Promise.all(Array.from({ length: 4 }, async () => world.connect(network.address)));
    const streams = pairs.map(({ client }) => client.open().stream);
    for (let n = 0; n < 300; n += 1) {
      for (const stream of streams) stream.write(Buffer.alloc(100));
      await pause(20);
    }
    // Of what is not measured right: thousands at the ends that speak.
    const ends = pairs.flatMap(({ client, server }) => [client, server]);
    expect(ends.map(({ connection }) => (connection.stats().rttMs ?? 0) < 1000)).toEqual(ends.map(() => true));
  });

  it('may change their NAT binding fifty times, and every change is reported once it is proved', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client, server } = await world.connect(network.address);
    for (let move = 1; move <= 50; move += 1) {
      await network.rebind();
      const near = client.open();
      near.stream.write(Buffer.from(`move ${move}`));
      near.stream.finish();
      await until(() => server.addresses.length === move, { what: `the listener believes move ${move}` });
      await until(() => server.streams.some((stream) => stream.text === `move ${move}`));
      server.connection.sendDatagram(datagram(100, move));
      await until(() => client.datagrams.length === move, { what: `a datagram after move ${move}` });
    }
    expect(server.closed).toBeNull();
    expect(server.connection.remote).toEqual(server.addresses.at(-1));
  });

  it('send little to a new address before a second packet from there proves it', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client, server } = await world.connect(network.address);
    const quiet = client.open();
    quiet.stream.write(Buffer.from('x'));
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.text === 'x');
    await until(() => (client.connection.stats().packetsSent ?? 0) > 3);
    network.partition('down');
    await network.rebind();
    const before = { up: network.up.delivered, down: network.down.packets };
    client.connection.sendDatagram(datagram(60));
    await until(() => network.up.delivered > before.up && server.datagrams.length === 1);
    far.stream.write(Buffer.alloc(500_000));
    await until(() => far.stream.queuedBytes > 0 || network.down.packets > before.down);
    // Three times the one packet that came from there are two at the most; the window would let ten go.
    if (network.up.delivered === before.up + 1) expect(network.down.packets - before.down).toBeLessThan(3);
    network.heal('down');
    await until(() => quiet.length === 500_000);
  });

  it('carry large datagrams on, small ones only where larger ones vanish, and large ones again when they can', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client, server } = await world.connect(network.address);
    await until(async () => passes(server, client, 1376));
    network.set({ largestPayload: payloadOfMtu(1280) });
    await until(
      async () => {
        await passes(server, client, 1376);
        return (server.connection.stats().maxDatagramSize ?? 0) < 1376;
      },
      { what: 'large packets are given up' },
    );
    expect(server.connection.sendDatagram(datagram(1376))).toBe('too_large');
    await until(async () => passes(server, client, 1100));
    network.set({ largestPayload: null });
    await until(
      async () => {
        await passes(server, client, 1376);
        return (server.connection.stats().maxDatagramSize ?? 0) >= 1376;
      },
      { what: 'large packets are tried again' },
    );
    await until(async () => passes(server, client, 1376));
    expect(server.closed).toBeNull();
  });

  it('carry large datagrams as before after an outage in which nothing at all arrived', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client, server } = await world.connect(network.address);
    await until(async () => passes(server, client, 1376));
    // Long enough for several probe timeouts, short against any idle timeout: a roaming phone, a restarted switch.
    network.partition();
    let sendsLeft = 300;
    await until(() => {
      server.connection.sendDatagram(datagram(1376));
      sendsLeft -= 1;
      return sendsLeft === 0;
    });
    network.heal();
    const before = client.datagrams.length;
    await until(
      () => {
        server.connection.sendDatagram(datagram(1376));
        return client.datagrams.length > before + 20;
      },
      { what: 'the flow goes on' },
    );
    expect(server.connection.stats().maxDatagramSize).toBeGreaterThanOrEqual(1376);
  });

  it('finish a transfer on which large packets stop passing in the middle', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    near.stream.write(Buffer.alloc(6_000_000, 'abc'));
    near.stream.finish();
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.length > 1_000_000);
    network.set({ largestPayload: 1300 });
    await until(() => far.end?.kind === 'finished');
    expect(far.length).toBe(6_000_000);
  });

  it('lose nothing of a stream on a bad network', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({
      target: world.listener.address,
      faults: { lossRate: 0.02, duplicateRate: 0.02, reorderRate: 0.02, reorderMs: 5, delayMs: 2, jitterMs: 2 },
    });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    const blob = randomBytes(1_000_000);
    near.stream.write(blob);
    near.stream.finish();
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.end?.kind === 'finished');
    expect(far.bytes.equals(blob)).toBe(true);
  });

  it('L6 are ended by a stateless reset when the listener has forgotten them', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client } = await world.connect(network.address);
    const options = await world.listenOptions();
    const { address } = world.listener;
    // As after a kill -9: the peer gets no packet about the end.
    network.partition();
    await world.engine.close();
    await using successor = await QuicWorld.start(name, { listen: { ...options, address } });
    network.heal();
    client.connection.sendDatagram(datagram(100));
    await until(() => client.closed !== null);
    expect(client.closed?.kind).toBe('reset');
    expect(successor.engine.report().counters.resetsSent).toBeGreaterThan(0);
  });

  it('L6 are ended by as many resets as there are packets when thousands of edges come back to a listener at once', async () => {
    await using world = await QuicWorld.start(name);
    const socket = createSocket('udp4');
    const { port } = world.listener.address;
    const packets = Array.from({ length: 500 }, () => {
      const packet = randomBytes(60);
      packet[0] = 0x40 | (packet.readUInt8(0) & 0x3f);
      return packet;
    });
    for (const packet of packets) socket.send(packet, port, '127.0.0.1');
    await until(() => world.engine.report().counters.resetsSent >= packets.length, {
      what: `a reset for each of ${packets.length} packets`,
    });
    socket.close();
  });

  it('A5 are not disturbed by packets that are not QUIC, or not theirs', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const socket = createSocket('udp4');
    const { port } = world.listener.address;
    for (let n = 0; n < 2000; n += 1) {
      const packet = randomBytes(1 + ((n * 7) % 1400));
      // Half of them look like short headers, a quarter like long ones.
      if (n % 2 === 0) packet[0] = 0x40 | (packet.readUInt8(0) & 0x3f);
      else if (n % 4 === 1) packet[0] = 0xc0 | (packet.readUInt8(0) & 0x3f);
      await new Promise<void>((resolve) => socket.send(packet, port, '127.0.0.1', () => resolve()));
    }
    await until(() => world.engine.report().counters.strayPackets > 1500);
    socket.close();
    client.connection.sendDatagram(datagram(200));
    await until(() => server.datagrams.length === 1);
    expect(world.engine.report().connections).toBe(1);
    // An answer is never longer than its cause, so garbage cannot be turned into more garbage.
    const { bytesSent, bytesReceived } = world.engine.report().counters;
    expect(bytesSent).toBeLessThan(bytesReceived);
  });

  it('are not disturbed by forged packets that carry their connection id', async () => {
    await using world = await QuicWorld.start(name);
    const socket = createSocket('udp4');
    const seen: Buffer[] = [];
    const { port } = world.listener.address;
    const spy = createSocket('udp4');
    await new Promise<void>((resolve) => spy.bind(0, '127.0.0.1', () => resolve()));
    const upstream = createSocket('udp4');
    let clientPort = 0;
    spy.on('message', (packet, from) => {
      clientPort = from.port;
      seen.push(packet);
      upstream.send(packet, port, '127.0.0.1');
    });
    upstream.on('message', (packet) => spy.send(packet, clientPort, '127.0.0.1'));
    const { client, server } = await world.connect({ ip: '127.0.0.1', port: spy.address().port });
    // One that waited for a busy machine is dropped.
    await until(async () => passes(client, server, 50));
    const short = await until(() => seen.findLast((packet) => (packet.readUInt8(0) & 0x80) === 0) ?? null);
    for (let n = 0; n < 500; n += 1) {
      const forged = Buffer.concat([short.subarray(0, 9), randomBytes(20 + n)]);
      socket.send(n % 5 === 0 ? short : forged, port, '127.0.0.1');
    }
    await until(async () => passes(client, server, 51));
    expect(server.addresses).toEqual([]);
    expect(server.closed).toBeNull();
    for (const each of [socket, spy, upstream]) each.close();
  });
});

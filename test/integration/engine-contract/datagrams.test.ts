import { describe, expect, it } from 'vitest';
import { type DropReason, dropReasons, type LedgerTotals } from '../../../src/quic/types.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { QuicWorld, type WorldOptions } from '../../support/programs/quic-world.ts';
import { until } from '../../support/until.ts';

const relayLike: WorldOptions = { transport: { localDatagrams: false } };

function datagram(tunnel: number, length: number, fill = 0): Buffer {
  const bytes = Buffer.alloc(length, fill);
  prefix(tunnel).copy(bytes);
  return bytes;
}

function prefix(tunnel: number): Buffer {
  const bytes = Buffer.alloc(16, 0xa5);
  bytes.writeUInt32BE(tunnel, 12);
  return bytes;
}

function sumOfDrops(totals: LedgerTotals): number {
  return dropReasons.reduce((sum, reason) => sum + totals.drops[reason], 0);
}

function expectBalanced(totals: LedgerTotals): void {
  expect(totals.datagramsIn).toBe(totals.datagramsOut + sumOfDrops(totals));
}

describe.each(await builtEngines())('datagrams of the %s engine', (name) => {
  it('S4 of 1376 bytes are delivered at the default settings', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    await until(() => (client.connection.stats().maxDatagramSize ?? 0) >= 1376);
    const payload = datagram(1, 1376, 9);
    expect(client.connection.sendDatagram(payload)).toBe('queued');
    await until(() => server.datagrams.length === 1);
    expect(server.datagrams[0]?.equals(payload)).toBe(true);
  });

  it('are refused when they do not fit, and after the end', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    expect(client.connection.sendDatagram(Buffer.alloc(1460))).toBe('too_large');
    client.connection.close(0, '');
    await until(() => server.closed !== null);
    expect(client.connection.sendDatagram(Buffer.alloc(100))).toBe('closed');
  });

  it('follow their route unchanged and are counted', async () => {
    await using world = await QuicWorld.start(name, relayLike);
    const left = await world.connect();
    const right = await world.connect();
    const ledger = world.engine.createLedger();
    left.server.connection.routeDatagrams(prefix(1), { kind: 'forward', to: right.server.connection }, ledger);
    for (let n = 0; n < 10; n += 1) left.client.connection.sendDatagram(datagram(1, 16 + n * 100, n));
    await until(() => right.client.datagrams.length === 10);
    const lengths = right.client.datagrams.map((bytes) => bytes.length).toSorted((a, b) => a - b);
    expect(lengths).toEqual([16, 116, 216, 316, 416, 516, 616, 716, 816, 916]);
    expect(right.client.datagrams[0]?.subarray(0, 16).equals(prefix(1))).toBe(true);
    const totals = ledger.totals();
    expect(totals).toMatchObject({ datagramsIn: 10, datagramsOut: 10, datagramBytesIn: 4500, datagramBytesOut: 4500 });
    expect(sumOfDrops(totals)).toBe(0);
    expect([ledger.bytesOut, ledger.dropped]).toEqual([4500, 0]);
  });

  it('I1 without a route are dropped and counted as of an unbound sender', async () => {
    await using world = await QuicWorld.start(name, relayLike);
    const { client, server } = await world.connect();
    client.connection.sendDatagram(datagram(5, 100));
    client.connection.sendDatagram(Buffer.alloc(15));
    await until(() => world.engine.report().counters.unboundSender === 1);
    await until(() => world.engine.report().counters.malformed === 1);
    expect(server.datagrams).toEqual([]);
  });

  it('I2 follow a route no longer once it is withdrawn or replaced', async () => {
    await using world = await QuicWorld.start(name, relayLike);
    const left = await world.connect();
    const right = await world.connect();
    const other = await world.connect();
    const [first, second] = [world.engine.createLedger(), world.engine.createLedger()];
    const from = left.server.connection;
    const old = from.routeDatagrams(prefix(1), { kind: 'forward', to: right.server.connection }, first);
    const current = from.routeDatagrams(prefix(1), { kind: 'forward', to: other.server.connection }, second);
    old.withdraw();
    left.client.connection.sendDatagram(datagram(1, 50));
    await until(() => other.client.datagrams.length === 1);
    current.withdraw();
    current.withdraw();
    left.client.connection.sendDatagram(datagram(1, 60));
    await until(() => world.engine.report().counters.unboundSender === 1);
    expect(first.totals().datagramsIn).toBe(0);
    expect(second.totals().datagramsOut).toBe(1);
    expect(right.client.datagrams).toEqual([]);
    expect(other.client.datagrams).toHaveLength(1);
  });

  it('find the one route of many that is theirs', async () => {
    await using world = await QuicWorld.start(name, relayLike);
    const left = await world.connect();
    const right = await world.connect();
    const ledgers = Array.from({ length: 1000 }, () => world.engine.createLedger());
    const handles = ledgers.map((ledger, tunnel) =>
      left.server.connection.routeDatagrams(prefix(tunnel), { kind: 'forward', to: right.server.connection }, ledger),
    );
    handles.forEach((handle, tunnel) => {
      if (tunnel % 3 === 0) handle.withdraw();
    });
    for (const tunnel of [1, 500, 998, 999]) left.client.connection.sendDatagram(datagram(tunnel, 40));
    await until(() => right.client.datagrams.length === 3 && world.engine.report().counters.unboundSender === 1);
    for (const [tunnel, count] of [
      [1, 1],
      [500, 1],
      [998, 1],
      [999, 0],
    ] as const)
      expect(ledgers[tunnel]?.totals().datagramsOut).toBe(count);
  });

  it.each(['wrong_protocol', 'no_peer', 'closing'] satisfies DropReason[])(
    'S5 may be dropped for %s',
    async (reason) => {
      await using world = await QuicWorld.start(name, relayLike);
      const { client, server } = await world.connect();
      const ledger = world.engine.createLedger();
      server.connection.routeDatagrams(prefix(1), { kind: 'drop', reason }, ledger);
      client.connection.sendDatagram(datagram(1, 116));
      await until(() => ledger.totals().drops[reason] === 1);
      expect(ledger.totals()).toMatchObject({ datagramsIn: 1, datagramsOut: 0, datagramBytesIn: 100 });
      expect([ledger.bytesOut, ledger.dropped]).toEqual([0, 1]);
    },
  );

  it('S5 are dropped for want of a peer when the connection that they go to has ended', async () => {
    await using world = await QuicWorld.start(name, relayLike);
    const left = await world.connect();
    const right = await world.connect();
    const ledger = world.engine.createLedger();
    left.server.connection.routeDatagrams(prefix(1), { kind: 'forward', to: right.server.connection }, ledger);
    right.client.connection.close(0, 'gone');
    await until(() => right.server.closed !== null);
    left.client.connection.sendDatagram(datagram(1, 20));
    await until(() => ledger.totals().drops.no_peer === 1);
    expectBalanced(ledger.totals());
  });

  it('S6 wait in a short queue that loses its oldest, and every one is accounted for', async () => {
    await using world = await QuicWorld.start(name, {
      transport: { localDatagrams: false, datagramQueueBytes: 20_000, datagramQueueMs: 100 },
    });
    await using network = await FaultyNetwork.start({
      target: world.listener.address,
      faults: { delayMs: 20 },
    });
    const left = await world.connect();
    const right = await world.connect(network.address);
    const ledger = world.engine.createLedger();
    left.server.connection.routeDatagrams(prefix(1), { kind: 'forward', to: right.server.connection }, ledger);
    const count = 400;
    for (let n = 0; n < count; n += 1) {
      left.client.connection.sendDatagram(datagram(1, 1000, n & 0xff));
      if (n % 8 === 7) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => right.server.connection.stats().queuedDatagrams === 0 && ledger.totals().datagramsIn > 100);
    await until(() => {
      const totals = ledger.totals();
      return totals.datagramsIn === totals.datagramsOut + sumOfDrops(totals);
    });
    const totals = ledger.totals();
    expect(totals.drops.queue_full + totals.drops.expired).toBeGreaterThan(0);
    expect(right.server.connection.stats().queuedDatagramBytes).toBe(0);
  });

  it('S6 that waited too long are dropped as expired, even when nothing moves any more', async () => {
    await using world = await QuicWorld.start(name, { transport: { localDatagrams: false, datagramQueueMs: 60 } });
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const left = await world.connect();
    const right = await world.connect(network.address);
    const ledger = world.engine.createLedger();
    left.server.connection.routeDatagrams(prefix(1), { kind: 'forward', to: right.server.connection }, ledger);
    network.partition();
    for (let n = 0; n < 60; n += 1) {
      left.client.connection.sendDatagram(datagram(1, 1000));
      await until(() => ledger.totals().datagramsIn > n - 8);
    }
    await until(() => ledger.totals().datagramsIn > 40 && ledger.totals().drops.expired > 0);
    await until(() => right.server.connection.stats().queuedDatagrams === 0);
    expectBalanced(ledger.totals());
  });
});

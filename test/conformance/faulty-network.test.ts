import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { FaultyWorld, sumOfDrops } from '../support/network/faulty-world.ts';
import { payloadOfMtu } from '../support/network/faulty-path.ts';
import { numberedDatagram, readNumbered } from '../support/network/numbered-datagram.ts';
import { until } from '../support/until.ts';

const mib = 1_048_576;
const bad = { lossRate: 0.01, duplicateRate: 0.01, reorderRate: 0.02, reorderMs: 8, delayMs: 5, jitterMs: 5 };

describe.each(await builtEngines())('a tunnel of a relay over %s through a bad network', (engine) => {
  it('S1 streams come out whole through loss, reordering, duplicates and jitter', async () => {
    await using world = await FaultyWorld.start({ engine, protocol: 'tcp', faults: bad });
    const transfers = [await world.transfer(mib, 1), await world.transfer(mib, 2), await world.transfer(mib, 3)];
    for (const transfer of transfers) expect(await transfer.isIntact()).toBe(true);
    expect(world.network.up.lost + world.network.down.lost).toBeGreaterThan(10);
  });

  it('S5 datagrams come out unchanged and once, and the ledger adds up', async () => {
    await using world = await FaultyWorld.start({ engine, protocol: 'udp', faults: bad });
    let number = 0;
    await until(() => {
      for (let burst = 0; burst < 4; burst++, number++) {
        world.egress.sendDatagram(world.tunnelId, numberedDatagram(number, 1000));
        world.ingress.sendDatagram(world.tunnelId, numberedDatagram(number, 300));
      }
      return number >= 1000;
    });
    await until(() => world.ingress.datagrams.length > 900 && world.egress.datagrams.length > 900, {
      what: 'nine tenths of the datagrams',
    });
    for (const edge of [world.ingress, world.egress]) {
      const numbers = edge.datagrams.map(({ payload }) => readNumbered(payload)?.number);
      expect(numbers).not.toContain(undefined);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
    for (const direction of ['ingress', 'egress'] as const) {
      const sent = world.sent(direction);
      expect(sent.datagramsIn).toBe(sent.datagramsOut + sumOfDrops(sent));
    }
  });

  it('S4 behind an MTU hole of 1400 bytes streams and datagrams of 1200 flow; larger ones are counted', async () => {
    const faults = { largestPayload: payloadOfMtu(1400) };
    await using world = await FaultyWorld.start({ engine, protocol: 'udp', faults });
    const large = numberedDatagram(1, 1360);
    await until(
      () => {
        world.ingress.sendDatagram(world.tunnelId, large);
        return world.sent('ingress').drops.too_large > 0;
      },
      { what: 'a datagram that does not fit is counted', pollMs: 50 },
    );
    await until(
      () =>
        world.bed.eventsOf('datagrams-dropped').some(({ event }) => 'reason' in event && event.reason === 'too_large'),
      { what: 'an event about it' },
    );
    const before = world.egress.datagrams.length;
    await until(
      () => {
        world.ingress.sendDatagram(world.tunnelId, numberedDatagram(2, 1200 - 16));
        return world.egress.datagrams.length >= before + 20;
      },
      { what: 'datagrams of 1200 bytes arrive' },
    );
    const sent = world.sent('ingress');
    expect(sent.datagramsIn).toBe(sent.datagramsOut + sumOfDrops(sent));
  });

  it('S4 streams flow through an MTU black hole of 1400 bytes that opens while they do', async () => {
    await using world = await FaultyWorld.start({ engine, protocol: 'tcp' });
    const transfer = await world.transfer(4 * mib);
    await until(() => transfer.receivedBytes > mib / 2);
    world.network.set({ largestPayload: payloadOfMtu(1400) });
    expect(await transfer.isIntact()).toBe(true);
    expect(world.network.up.tooLarge + world.network.down.tooLarge).toBeGreaterThan(0);
  });

  it('S1 a transfer goes on when the NAT before an edge forgets it, five times', async () => {
    await using world = await FaultyWorld.start({ engine, protocol: 'tcp', faults: { bytesPerSecond: 4 * mib } });
    const transfer = await world.transfer(2 * mib);
    for (let move = 1; move <= 5; move++) {
      const from = transfer.receivedBytes;
      await until(() => transfer.receivedBytes > from + mib / 4 || transfer.near.ended !== null);
      await world.network.rebind();
    }
    expect(await transfer.isIntact()).toBe(true);
    expect(world.egress.closed).toBeNull();
  });

  it('S3 a leg that is cut off is let go after the idle time, and its streams are reset on the other one', async () => {
    const config = { quic: { idle_timeout_secs: 1, keep_alive_secs: 0.2 } };
    const faults = { bytesPerSecond: 4 * mib };
    await using world = await FaultyWorld.start({ engine, protocol: 'tcp', config, faults });
    const transfer = await world.transfer(8 * mib);
    await until(() => transfer.receivedBytes > mib);
    world.network.partition();
    await until(() => transfer.far.ended, { what: 'the reset on the other leg' });
    expect(transfer.far.ended).toMatchObject({ kind: 'reset' });
    await world.bed.expectEvent('tunnel-down');
    expect(world.bed.relay.report.totals()).toMatchObject({ active_tcp_streams: 0, connected_edges: 1 });
  });

  it('S6 a slow leg gets fresh datagrams, not old ones, and the others are counted', async () => {
    const faults = { bytesPerSecond: 200_000, queueBytes: 20_000 };
    await using world = await FaultyWorld.start({ engine, protocol: 'udp', faults });
    const clock = new SystemClock();
    const ages: number[] = [];
    let number = 0;
    const endMs = clock.monotonicMs() + 2000;
    // Three times what the leg can carry, for two seconds.
    await until(() => {
      for (let burst = 0; burst < 3; burst++) {
        world.ingress.sendDatagram(world.tunnelId, numberedDatagram(number++, 1000, clock.monotonicMs()));
      }
      for (const { payload } of world.egress.datagrams.splice(0)) {
        ages.push(clock.monotonicMs() - (readNumbered(payload)?.madeAtMs ?? 0));
      }
      return clock.monotonicMs() > endMs;
    });
    await until(() => {
      const { datagramsIn, datagramsOut, ...rest } = world.sent('ingress');
      return datagramsIn === datagramsOut + sumOfDrops(rest);
    });
    expect(ages.length).toBeGreaterThan(50);
    expect(sumOfDrops(world.sent('ingress'))).toBeGreaterThan(100);
    ages.sort((a, b) => a - b);
    expect(ages[Math.floor(ages.length * 0.95)]).toBeLessThan(1000);
  });
});

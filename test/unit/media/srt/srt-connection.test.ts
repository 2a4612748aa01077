import { describe, expect, test } from 'vitest';
import { numbered, SrtWorld, type SrtWorldSettings } from '../../../support/media/srt-world.ts';

/** Writes `count` packets from the caller, one each `periodUs`. */
function send(world: SrtWorld, count: number, periodUs = 1000): void {
  for (let number = 0; number < count; number++) {
    world.connection.write(world.callerUs, numbered(number), world.callerUs);
    world.run(periodUs);
  }
}

function numbers(world: SrtWorld, end: 'listener' | 'caller' = 'listener'): number[] {
  return world.delivered[end].map(({ payload }) => payload.readUInt32BE(0));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

function connected(settings: SrtWorldSettings = {}): SrtWorld {
  const world = new SrtWorld(settings);
  world.connect();
  expect(world.failed).toBeNull();
  return world;
}

describe('an SRT connection', () => {
  test('delivers what was written, in order and with the agreed latency', () => {
    const world = connected({ caller: { peerLatencyMs: 300 } });
    expect(world.accepted?.agreement.receiveLatencyMs).toBe(300);
    send(world, 500);
    world.run(1_000_000);
    expect(numbers(world)).toEqual(upTo(500));
    const first = world.delivered.listener[0];
    expect((first?.nowUs ?? 0) - (first?.dueUs ?? 0)).toBeLessThan(1000);
    expect(world.connection.inFlight).toBe(0);
  });

  test('carries data both ways at once', () => {
    const world = connected();
    for (let number = 0; number < 200; number++) {
      world.connection.write(world.nowUs, numbered(number), world.nowUs);
      world.accepted?.write(world.nowUs, numbered(number), world.nowUs);
      world.run(1000);
    }
    world.run(500_000);
    expect(numbers(world)).toEqual(upTo(200));
    expect(numbers(world, 'caller')).toEqual(upTo(200));
  });

  test.each([
    [0.02, 0],
    [0.05, 3000],
    [0.2, 8000],
  ])('repairs a loss of %f with jitter of %i µs', (loss, jitterUs) => {
    const latency = { receiveLatencyMs: loss < 0.1 ? 400 : 900 };
    const world = connected({ listener: latency, seed: 7 });
    world.path.quality = { loss, delayUs: 10_000, jitterUs };
    send(world, 5000);
    world.run(2_000_000);
    expect(numbers(world)).toEqual(upTo(5000));
    expect(world.accepted?.counters.packetsReceiveDrop).toBe(0);
    expect(world.connection.counters.packetsRetransmitted).toBeGreaterThan(5000 * loss * 0.8);
  });

  test('skips what does not come in time, counts it, and goes on', () => {
    const world = connected();
    send(world, 100);
    world.path.quality = { ...world.path.quality, loss: 1 };
    send(world, 1500);
    world.path.quality = { ...world.path.quality, loss: 0 };
    send(world, 100);
    world.run(2_000_000);
    const dropped = world.accepted?.counters.packetsReceiveDrop ?? 0;
    expect(dropped).toBeGreaterThan(0);
    expect(world.delivered.listener).toHaveLength(1700 - dropped);
    const last = world.delivered.listener.at(-1);
    expect(last?.payload.readUInt32BE(0)).toBe(99);
  });

  test('repairs the last packet of a burst, which none comes after', () => {
    const world = connected({ listener: { receiveLatencyMs: 1000 } });
    send(world, 10);
    world.path.quality = { ...world.path.quality, loss: 1 };
    world.connection.write(world.nowUs, numbered(10), world.nowUs);
    world.run(1000);
    world.path.quality = { ...world.path.quality, loss: 0 };
    world.run(2_000_000);
    expect(numbers(world)).toEqual(upTo(11));
  });

  test('is told of the end at once and delivers what still waited for its time', () => {
    const world = connected();
    send(world, 50);
    world.connection.close(world.nowUs);
    world.run(20_000);
    expect(world.closed.listener).toEqual(['shutdown']);
    expect(world.closed.caller).toEqual(['closed']);
    expect(numbers(world)).toEqual(upTo(50));
  });

  test('keeps an idle connection alive and notices a dead peer after the idle timeout', () => {
    const world = connected({ listener: { peerIdleTimeoutMs: 2000 }, caller: { peerIdleTimeoutMs: 2000 } });
    world.run(60_000_000);
    expect(world.closed.listener).toEqual([]);
    world.path.quality = { ...world.path.quality, loss: 1 };
    world.run(1_900_000);
    expect(world.closed.listener).toEqual([]);
    world.run(1_200_000);
    expect(world.closed.listener).toEqual(['idle']);
    expect(world.closed.caller).toEqual(['idle']);
  });

  test.each([
    ['only keep-alives come', true],
    ['nothing comes', false],
  ])('is stale when data was sent and %s back for three seconds, never while nothing was sent', (_name, isAlive) => {
    const world = connected({ caller: { peerIdleTimeoutMs: 30_000 } });
    world.run(20_000_000);
    expect(world.closed.caller).toEqual([]);
    const keepAlive = Buffer.alloc(20);
    keepAlive.writeUInt16BE(0x8001, 0);
    keepAlive.writeUInt32BE(world.connection.agreement.socketId, 12);
    world.path.quality = { ...world.path.quality, loss: 1 };
    const startUs = world.nowUs;
    while (world.closed.caller.length === 0 && world.nowUs - startUs < 10_000_000) {
      world.connection.write(world.nowUs, numbered(1), world.nowUs);
      if (isAlive) world.caller.handle(world.nowUs, Buffer.from(keepAlive));
      world.run(100_000);
    }
    expect(world.closed.caller).toEqual(['stale']);
    expect(world.nowUs - startUs).toBeLessThan(3_500_000);
  });

  test('gives up in the sender what is too late, and its buffer stays bounded', () => {
    const world = connected({ caller: { sendBufferPackets: 64 } });
    world.path.quality = { ...world.path.quality, loss: 1 };
    send(world, 1000);
    expect(world.connection.sendBuffered).toBeLessThanOrEqual(64);
    expect(world.connection.counters.packetsSendDrop).toBeGreaterThan(900);
    world.run(1_500_000);
    expect(world.connection.sendBuffered).toBe(0);
  });

  test('goes on after an outage longer than the receive buffer', () => {
    const world = connected({ listener: { receiveBufferPackets: 64, peerIdleTimeoutMs: 60_000 } });
    send(world, 10);
    world.path.quality = { ...world.path.quality, loss: 1 };
    send(world, 3000);
    world.path.quality = { ...world.path.quality, loss: 0 };
    send(world, 20);
    world.run(1_000_000);
    expect(numbers(world).slice(-20)).toEqual(upTo(20));
  });

  test('stays below a bandwidth limit and loses nothing by it', () => {
    const bandwidth = { kind: 'fixed', bytesPerSecond: 500_000 } as const;
    const world = connected({ caller: { bandwidth }, listener: { receiveLatencyMs: 2000 } });
    const startUs = world.nowUs;
    for (let number = 0; number < 300; number++) world.connection.write(world.nowUs, numbered(number), world.nowUs);
    while (world.connection.counters.packetsSentUnique < 300 && world.nowUs - startUs < 5_000_000) world.run(1000);
    const rate = (300 * 1332 * 1e6) / (world.nowUs - startUs);
    expect(rate).toBeLessThan(520_000);
    expect(rate).toBeGreaterThan(450_000);
    world.run(3_000_000);
    expect(numbers(world)).toEqual(upTo(300));
  });
});

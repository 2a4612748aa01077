import { describe, expect, test } from 'vitest';
import { numbered, SrtWorld } from '../../../support/media/srt-world.ts';
import { repairTrial } from '../../../support/media/repair-trial.ts';

const tenMinutes = { seconds: 600, loss: 0.02 };

/** `npm run long:srt` does the same with many seeds. */
describe('ten minutes over a path that loses 2 % each way, in virtual time', () => {
  test.each([
    ['ours to ours', 40, 4],
    ['ours to ours', 60, 4],
    ['ours to ours', 80, 4],
    ['ours to libsrt', 60, 4],
    // libsrt sends a packet again once a round trip: four have time for three attempts, which is not always enough.
    ['libsrt to ours', 60, 6],
  ] as const)(
    '%s with a round trip of %i ms and a latency of %i of them: nothing is missing',
    (pair, rttMs, roundTrips) => {
      const result = repairTrial({ ...tenMinutes, pair, rttMs, roundTrips, seed: rttMs });
      expect(result).toMatchObject({ sent: 150_000, missing: 0, repeated: 0 });
    },
  );

  test('repairs with few doubles where there is time, and libsrt does not do it with fewer', () => {
    const order = { seconds: 60, loss: 0.02, rttMs: 40, roundTrips: 10, seed: 1 };
    const ours = repairTrial({ ...order, pair: 'ours to ours' });
    expect(ours.missing).toBe(0);
    expect(ours.load).toBeLessThan(102.5);
    expect(ours.load).toBeLessThan(repairTrial({ ...order, pair: 'libsrt to libsrt' }).load + 0.1);
  });
});

describe('an end that stood still', () => {
  function numbers(world: SrtWorld): number[] {
    return world.delivered.listener.map(({ payload }) => payload.readUInt32BE(0));
  }

  /** Writes 400 packets, one each millisecond; the listener stands still for `stallUs` in between. */
  function stalled(world: SrtWorld, stallUs: number): void {
    world.connect();
    world.path.quality = { loss: 0.02, delayUs: 10_000, jitterUs: 0 };
    for (let number = 0; number < 400; number++) {
      if (number === 200) world.stallListener(stallUs);
      world.connection.write(world.nowUs, numbered(number), world.nowUs);
      world.run(1000);
    }
    world.run(2_000_000);
  }

  test('gives nothing up that waits in its socket', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new SrtWorld({ seed, listener: { receiveLatencyMs: 120 } });
      stalled(world, 100_000);
      expect(numbers(world)).toEqual(Array.from({ length: 400 }, (_, number) => number));
    }
  });

  test('does not take its own silence for that of the peer', () => {
    const idle = { peerIdleTimeoutMs: 2000 };
    const world = new SrtWorld({ caller: { peerIdleTimeoutMs: 60_000 }, listener: idle });
    world.connect();
    world.run(1_500_000);
    world.stallListener(5_000_000);
    world.run(6_000_000);
    expect(world.closed.listener).toEqual([]);
    world.path.quality = { ...world.path.quality, loss: 1 };
    world.run(3_500_000);
    expect(world.closed.listener).toEqual(['idle']);
  });
});

import { describe, expect, test } from 'vitest';
import { numbered, SrtWorld } from '../../../support/media/srt-world.ts';

const hourUs = 3_600_000_000;

interface Outcome {
  readonly delivered: number;
  readonly dropped: number;
  /** Smallest and largest time between writing and delivery. */
  readonly least: number;
  readonly most: number;
}

function stream(world: SrtWorld, durationUs: number, periodUs: number): Outcome {
  const sentAtUs = new Map<number, number>();
  let [delivered, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  world.onDelivered = (_end, { payload, nowUs }) => {
    const number = payload.readUInt32BE(0);
    const took = nowUs - (sentAtUs.get(number) ?? 0);
    sentAtUs.delete(number);
    delivered++;
    least = Math.min(least, took);
    most = Math.max(most, took);
  };
  const endUs = world.nowUs + durationUs;
  for (let number = 0; world.nowUs < endUs; number++) {
    sentAtUs.set(number, world.nowUs);
    world.connection.write(world.callerUs, numbered(number, 8), world.callerUs);
    world.run(periodUs);
  }
  return { delivered, dropped: world.accepted?.counters.packetsReceiveDrop ?? -1, least, most };
}

describe('SRT over hours of virtual time', () => {
  test.each([100, -100])(
    'keeps its latency for six hours with a peer clock that is off by %i ppm, over five wraps of the timestamps',
    (callerPpm) => {
      const world = new SrtWorld({ callerPpm, path: { jitterUs: 2000 } });
      world.connect();
      const outcome = stream(world, 6 * hourUs, 100_000);
      expect(outcome.dropped).toBe(0);
      expect(outcome.delivered).toBeGreaterThan(215_900);
      // 120 ms of latency and 10 to 12 ms of way; the filter may lag by what drifts in one of its windows.
      expect(outcome.least).toBeGreaterThan(105_000);
      expect(outcome.most).toBeLessThan(157_000);
    },
  );

  test('wraps its timestamps in mid-stream at full rate and with loss', () => {
    const world = new SrtWorld({ listener: { receiveLatencyMs: 400 } });
    world.connect();
    world.run(2 ** 32 - 5_000_000 - 1_000_000);
    world.path.quality = { loss: 0.02, delayUs: 10_000, jitterUs: 1000 };
    const outcome = stream(world, 10_000_000, 1000);
    expect(outcome.dropped).toBe(0);
    expect(outcome.most - outcome.least).toBeLessThan(20_000);
  });

  test.each([100, -100])(
    'after a long silence carries an hour both ways, with a clock off by %i ppm, 2 % loss, a wrap and key refreshes: none is missing',
    (callerPpm) => {
      const keys = { passphrase: 'a passphrase of 25 letters', keyRefreshPackets: 10_000, keyAnnouncePackets: 1000 };
      const ends = { caller: { ...keys, receiveLatencyMs: 400 }, listener: { ...keys, receiveLatencyMs: 400 } };
      const world = new SrtWorld({ callerPpm, ...ends });
      world.connect();
      world.run(2 ** 32 - hourUs / 2);
      world.path.quality = { loss: 0.02, delayUs: 10_000, jitterUs: 1000 };
      const next = { listener: 0, caller: 0 };
      const wrong: string[] = [];
      world.onDelivered = (end, { payload }) => {
        const number = payload.readUInt32BE(0);
        if (number !== next[end]) wrong.push(`${end}: ${number} instead of ${next[end]}`);
        next[end] = number + 1;
      };
      const count = hourUs / 100_000;
      for (let number = 0; number < count; number++) {
        world.connection.write(world.callerUs, numbered(number, 8), world.callerUs);
        world.accepted?.write(world.nowUs, numbered(number, 8), world.nowUs);
        world.run(100_000);
      }
      world.run(1_000_000);
      expect(wrong).toEqual([]);
      expect(next).toEqual({ listener: count, caller: count });
      for (const end of [world.connection, world.accepted]) {
        expect(end?.counters.keyRefreshesSent).toBeGreaterThanOrEqual(3);
        expect(end?.counters.keyRefreshesReceived).toBeGreaterThanOrEqual(3);
      }
    },
    300_000,
  );
});

import { describe, expect, it } from 'vitest';
import { faultless, FaultyPath, type Faults, payloadOfMtu } from '../../../support/network/faulty-path.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

function path(faults: Partial<Faults> = {}, seed = 7): FaultyPath {
  return new FaultyPath(new SeededRandom(seed), { ...faultless, ...faults });
}

/** The arrivals of `count` packets of 1000 bytes, one a millisecond. */
function arrivalsOf(subject: FaultyPath, count: number): number[][] {
  return Array.from({ length: count }, (_, sentMs) => subject.arrivals(sentMs, 1000));
}

describe('a faulty path', () => {
  it('delivers everything at once and once while no fault is set', () => {
    expect(arrivalsOf(path(), 5)).toEqual([[0], [1], [2], [3], [4]]);
  });

  it('decides the same for the same seed', () => {
    const faults = { lossRate: 0.2, duplicateRate: 0.1, reorderRate: 0.1, jitterMs: 30 };
    expect(arrivalsOf(path(faults, 3), 500)).toEqual(arrivalsOf(path(faults, 3), 500));
    expect(arrivalsOf(path(faults, 3), 500)).not.toEqual(arrivalsOf(path(faults, 4), 500));
  });

  it('loses and doubles about as many packets as it was told', () => {
    const subject = path({ lossRate: 0.05, duplicateRate: 0.02 });
    arrivalsOf(subject, 20_000);
    expect(subject.counts.lost / 20_000).toBeCloseTo(0.05, 2);
    expect(subject.counts.duplicated / 20_000).toBeCloseTo(0.02, 2);
    expect(subject.counts.delivered).toBe(20_000 - subject.counts.lost + subject.counts.duplicated);
  });

  it('keeps the order under jitter alone', () => {
    const arrivals = arrivalsOf(path({ delayMs: 10, jitterMs: 50 }), 500).flat();
    expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
    expect(arrivals.every((atMs, sentMs) => atMs >= sentMs + 10)).toBe(true);
  });

  it('lets packets pass each other where jitter may reorder', () => {
    const arrivals = arrivalsOf(path({ delayMs: 10, jitterMs: 50, jitterReorders: true }), 500).flat();
    expect(arrivals).not.toEqual(arrivals.toSorted((a, b) => a - b));
    expect(arrivals.every((atMs, sentMs) => atMs >= sentMs + 10 && atMs < sentMs + 60)).toBe(true);
  });

  it('loses packets in bursts of about the length that it was told', () => {
    const subject = path({ burstRate: 0.002, burstEndRate: 0.2 });
    const lost = arrivalsOf(subject, 100_000).map((arrivals) => arrivals.length === 0);
    const bursts = lost.filter((isLost, at) => isLost && lost[at - 1] !== true).length;
    expect(subject.counts.lost / 100_000).toBeCloseTo(0.01, 2);
    expect(subject.counts.lost / bursts).toBeCloseTo(5, 0);
  });

  it('lets later packets pass those that it holds back', () => {
    const subject = path({ reorderRate: 0.1, reorderMs: 5 });
    const arrivals = arrivalsOf(subject, 500).flat();
    expect(subject.counts.reordered).toBeGreaterThan(20);
    expect(arrivals.filter((atMs, sentMs) => atMs === sentMs + 5)).toHaveLength(subject.counts.reordered);
  });

  it('spaces packets by the rate and drops what its queue cannot hold', () => {
    const subject = path({ bytesPerSecond: 1_000_000, queueBytes: 3000 });
    const burst = Array.from({ length: 5 }, () => subject.arrivals(0, 1000));
    expect(burst).toEqual([[1], [2], [3], [], []]);
    expect(subject.counts.overflowed).toBe(2);
  });

  it('swallows packets larger than the black hole lets through', () => {
    const subject = path({ largestPayload: payloadOfMtu(1400) });
    expect(subject.arrivals(0, 1372)).toEqual([0]);
    expect(subject.arrivals(0, 1373)).toEqual([]);
    expect(subject.counts.tooLarge).toBe(1);
  });

  it('carries nothing while it is partitioned, and everything again afterwards', () => {
    const subject = path({ partitioned: true });
    expect(arrivalsOf(subject, 3)).toEqual([[], [], []]);
    subject.faults = faultless;
    expect(arrivalsOf(subject, 3).flat()).toHaveLength(3);
  });
});

import { describe, expect, it } from 'vitest';
import { ReceivePace } from '../../../../src/observer/beats/receive-pace.ts';

const nsPerMs = 1e6;
/** Of a system where net.unix.max_dgram_qlen is 10. */
const shortQueue = 11;
/** Under systemd, and where the observer opens its socket itself and may choose. */
const longQueue = 513;

describe('the pace of the receiving thread', () => {
  it('does not rest after the first beat, nor between agents that beat now and then', () => {
    const pace = new ReceivePace(shortQueue);
    expect(restAfter(pace, 1, false, 0)).toBe(0);
    expect(stream(pace, { perMs: 0.2, ms: 500 })).toBe(0);
  });

  it('rests for 2 ms where no more than a quarter of the queue fills meanwhile', () => {
    expect(stream(new ReceivePace(shortQueue), { perMs: 1, ms: 100 })).toBe(2);
    expect(stream(new ReceivePace(shortQueue), { perMs: 2, ms: 100 })).toBe(0);
    expect(stream(new ReceivePace(shortQueue), { perMs: 0.6, ms: 200 })).toBeCloseTo(2.3, 1);
  });

  it('rests for up to 10 ms where no more than an eighth of the queue fills meanwhile', () => {
    expect(stream(new ReceivePace(longQueue), { perMs: 1, ms: 100 })).toBe(10);
    expect(stream(new ReceivePace(longQueue), { perMs: 5, ms: 100 })).toBe(10);
    expect(stream(new ReceivePace(longQueue), { perMs: 16, ms: 100 })).toBeCloseTo(4, 0);
  });

  it('goes on resting where each batch comes after a rest', () => {
    const pace = new ReceivePace(longQueue);
    for (let ms = 0; ms < 100; ms += 1) restAfter(pace, 1, false, ms * nsPerMs);
    for (let ms = 100; ms < 1000; ms += 10.5) expect(restAfter(pace, 10, false, ms * nsPerMs)).toBe(10);
  });

  it('does not rest for ten seconds after a full queue', () => {
    const pace = new ReceivePace(shortQueue);
    stream(pace, { perMs: 1, ms: 100 });
    expect(restAfter(pace, shortQueue, true, 101 * nsPerMs)).toBe(0);
    expect(stream(pace, { perMs: 1, ms: 9900, fromMs: 101 })).toBe(0);
    expect(stream(pace, { perMs: 1, ms: 200, fromMs: 10_001 })).toBe(2);
  });

  it('does not rest where agents all beat at one instant, five times a second', () => {
    const pace = new ReceivePace(shortQueue);
    const times = new Set<number>();
    for (let instant = 0; instant < 10; instant += 1) {
      for (let beat = 0; beat < 200; beat += 1) {
        times.add(restAfter(pace, 1, false, (200 * instant + 0.01 * beat) * nsPerMs));
      }
    }
    expect(times).toEqual(new Set([0]));
    expect(pace.inFlood).toBe(false);
  });

  it('does not rest again until a stream that had a pause is steady', () => {
    const pace = new ReceivePace(shortQueue);
    stream(pace, { perMs: 1, ms: 100 });
    expect(restAfter(pace, 1, false, 200 * nsPerMs)).toBe(0);
  });

  it('takes 20 000 beats a second for a flood until there are half of them, and does not rest in it', () => {
    const pace = new ReceivePace(longQueue);
    expect(stream(pace, { perMs: 21, ms: 100 })).toBe(0);
    expect(pace.inFlood).toBe(true);
    stream(pace, { perMs: 12, ms: 100, fromMs: 100 });
    expect(pace.inFlood).toBe(true);
    expect(stream(pace, { perMs: 8, ms: 100, fromMs: 200 })).toBeCloseTo(8, 0);
    expect(pace.inFlood).toBe(false);
  });
});

/** Single beats, evenly; returns the last time to rest, in milliseconds. */
function stream(
  pace: ReceivePace,
  { perMs, ms, fromMs = 0 }: { readonly perMs: number; readonly ms: number; readonly fromMs?: number },
): number {
  let last = NaN;
  for (let beat = 0; beat < ms * perMs; beat += 1) last = restAfter(pace, 1, false, (fromMs + beat / perMs) * nsPerMs);
  return last;
}

function restAfter(pace: ReceivePace, count: number, full: boolean, nowNs: number): number {
  pace.note(count, full, nowNs);
  return pace.restMs(nowNs);
}

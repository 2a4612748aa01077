import { describe, expect, it } from 'vitest';
import { ReceivePace } from '../../../../src/observer/beats/receive-pace.ts';

const nsPerMs = 1e6;
/** Of a system where net.unix.max_dgram_qlen is 10. */
const shortQueue = 11;

describe('the pace of the receiving thread', () => {
  it('does not sleep after the first beat, nor between agents that beat now and then', () => {
    const pace = new ReceivePace(shortQueue);
    expect(sleepAfter(pace, 1, false, 0)).toBe(0);
    expect(stream(pace, { perMs: 0.2, ms: 500 })).toBe(0);
  });

  it('sleeps for 2 ms where no more than a quarter of the queue fills meanwhile', () => {
    expect(stream(new ReceivePace(shortQueue), { perMs: 1, ms: 100 })).toBe(2000);
    expect(stream(new ReceivePace(shortQueue), { perMs: 2, ms: 100 })).toBe(0);
    expect(stream(new ReceivePace(513), { perMs: 5, ms: 100 })).toBe(2000);
  });

  it('does not sleep for ten seconds after a full queue', () => {
    const pace = new ReceivePace(shortQueue);
    stream(pace, { perMs: 1, ms: 100 });
    expect(sleepAfter(pace, shortQueue, true, 101 * nsPerMs)).toBe(0);
    expect(stream(pace, { perMs: 1, ms: 9900, fromMs: 101 })).toBe(0);
    expect(stream(pace, { perMs: 1, ms: 200, fromMs: 10_001 })).toBe(2000);
  });

  it('does not sleep where agents all beat at one instant, five times a second', () => {
    const pace = new ReceivePace(shortQueue);
    const times = new Set<number>();
    for (let instant = 0; instant < 10; instant += 1) {
      for (let beat = 0; beat < 200; beat += 1) {
        times.add(sleepAfter(pace, 1, false, (200 * instant + 0.01 * beat) * nsPerMs));
      }
    }
    expect(times).toEqual(new Set([0]));
    expect(pace.inFlood).toBe(false);
  });

  it('does not sleep again until a stream that had a pause is steady', () => {
    const pace = new ReceivePace(shortQueue);
    stream(pace, { perMs: 1, ms: 100 });
    expect(sleepAfter(pace, 1, false, 200 * nsPerMs)).toBe(0);
  });

  it('takes 20 000 beats a second for a flood until there are half of them, and does not sleep in it', () => {
    const pace = new ReceivePace(513);
    expect(stream(pace, { perMs: 21, ms: 100 })).toBe(0);
    expect(pace.inFlood).toBe(true);
    stream(pace, { perMs: 12, ms: 100, fromMs: 100 });
    expect(pace.inFlood).toBe(true);
    expect(stream(pace, { perMs: 8, ms: 100, fromMs: 200 })).toBe(2000);
    expect(pace.inFlood).toBe(false);
  });
});

/** Single beats, evenly; returns the last time to sleep, in microseconds. */
function stream(
  pace: ReceivePace,
  { perMs, ms, fromMs = 0 }: { readonly perMs: number; readonly ms: number; readonly fromMs?: number },
): number {
  let last = NaN;
  for (let beat = 0; beat < ms * perMs; beat += 1) last = sleepAfter(pace, 1, false, (fromMs + beat / perMs) * nsPerMs);
  return last;
}

function sleepAfter(pace: ReceivePace, count: number, full: boolean, nowNs: number): number {
  pace.note(count, full, nowNs);
  return pace.sleepTime(nowNs);
}

import { describe, expect, it } from 'vitest';
import { MemoryWatch } from '../../soak/memory-watch.ts';

const mib = 1_048_576;
const minuteMs = 60_000;

/** Half an hour, a sample every five seconds, of `mibAt(minute)`. */
function watched(mibAt: (minute: number) => number): MemoryWatch {
  const watch = new MemoryWatch(30 * minuteMs);
  for (let atMs = 0; atMs < 30 * minuteMs; atMs += 5000) {
    watch.add(atMs, {
      rssBytes: mibAt(atMs / minuteMs) * mib,
      heapBytes: 30 * mib,
      externalBytes: 10 * mib,
      connections: 400,
    });
  }
  return watch;
}

describe('the memory of a soak', () => {
  it('is flat when it rises in the first five minutes and then only sways', () => {
    const watch = watched((minute) => Math.min(160, 100 + minute * 20) + 15 * Math.sin(minute * 3));
    expect(watch.faults()).toEqual([]);
  });

  it('is not flat when it gains a MiB each minute', () => {
    expect(watched((minute) => 150 + minute).faults()).toEqual([
      'memory grew: 159 MiB in the first third after minute 5.0, 176 MiB in the last, peak 180 MiB',
    ]);
  });

  it('is shown from the beginning to the end', () => {
    const lines = watched((minute) => 150 + minute)
      .table()
      .split('\n');
    expect(lines).toHaveLength(9);
    expect(lines[2]).toBe('| 0.0         |     152 |          30 |          10 |         400 |');
  });
});

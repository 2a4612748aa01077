import { describe, expect, it } from 'vitest';
import type { Slot } from '../../../../src/observer/slots/slot.ts';
import { StallWatch } from '../../../../src/observer/slots/stall-watch.ts';
import { silentSlot } from '../../../support/observer/recovery-bed.ts';

const thresholdNs = 1000;

function watchOf(...slots: Slot[]): StallWatch {
  return new StallWatch(() => slots, thresholdNs, 0);
}

function beating(pid: number, lastNs: number): Slot {
  return { ...silentSlot(pid), lastNs, stalled: false };
}

describe('the watch for silence', () => {
  it('finds whoever was silent for the threshold, to the nanosecond, and no one twice', () => {
    const slot = beating(5, 100);
    const watch = watchOf(slot);
    expect(watch.nextDueNs()).toBe(1100);
    expect(watch.due(1099)).toEqual([]);
    expect(watch.due(1100)).toEqual([slot]);
    slot.stalled = true;
    expect(watch.due(5000)).toEqual([]);
    expect(watch.nextDueNs()).toBeNull();
  });

  it('accuses nobody for a threshold after it did not run for more than half of one', () => {
    const watch = watchOf(beating(5, 0));
    expect(watch.look(500)).toBe(false);
    expect(watch.look(1001)).toBe(true);
    expect(watch.due(2000)).toEqual([]);
    expect(watch.nextDueNs()).toBe(2001);
    expect(watch.due(2001)).toHaveLength(1);
  });

  it('waits for a threshold without a full queue, since beats may have been refused', () => {
    const watch = watchOf(beating(5, 0));
    watch.queueWasFull(900);
    expect(watch.due(1899)).toEqual([]);
    expect(watch.due(1900)).toHaveLength(1);
  });

  it('is not held up by a queue that was full before the last beat', () => {
    const watch = watchOf(beating(5, 901));
    watch.queueWasFull(900);
    expect(watch.nextDueNs()).toBe(1901);
  });

  it('accuses after four thresholds of silence also while the queue stays full', () => {
    const watch = watchOf(beating(5, 0));
    for (let nowNs = 100; nowNs < 4000; nowNs += 100) {
      watch.queueWasFull(nowNs);
      expect(watch.due(nowNs)).toEqual([]);
    }
    watch.queueWasFull(4000);
    expect(watch.due(4000)).toHaveLength(1);
  });
});

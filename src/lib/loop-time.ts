import { readFileSync } from 'node:fs';
import { monotonicNs } from './monotonic-ns.ts';

/** Run time, time of waiting for a core and number of slices of the main thread (the kernel's sched-stats.rst). */
const mainThread = '/proc/self/schedstat';

/**
 * Monotonic time in ms without that in which the main thread waited for a core, where the kernel says so (Linux). A
 * loop that gets no CPU is not stuck, and a start anew would only cost more.
 */
export function loopTimeMs(path = mainThread): number {
  return (Number(monotonicNs()) - waitedNs(path)) / 1e6;
}

function waitedNs(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ')[1] ?? 0);
  } catch {
    // Another system, or a kernel that does not count it.
    return 0;
  }
}

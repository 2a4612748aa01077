import { getPriority } from 'node:os';
import process from 'node:process';
import type { Libc } from './libc.ts';

/** Of `sched_setattr`. */
const systemCalls: Readonly<Partial<Record<string, number>>> = { x64: 314, arm64: 274 };
const attributeBytes = 48;
/** SCHED_OTHER, and SCHED_BATCH: a thread of that policy interrupts no other when it wakes. */
const policies = { atOnce: 0, inTurn: 3 } as const;
/** The least that Linux grants. A thread with a short slice goes before one with a long slice (sched(7)). */
const sliceNs = 100_000n;

/** As much below the rest of the program as a busy machine needs, so that the thread wakes in time on it. */
const nicer = 10;
const lowestNice = -20;

/**
 * How this thread goes on after it wakes: at once, or in its turn. It asks for a short slice (Linux 6.12 and later; an
 * older kernel ignores it). Where the process may (root, or LimitNICE= of a unit), the thread's nice value is lower
 * than that of the program, too.
 */
export function goOnAfterWaking(libc: Libc, when: keyof typeof policies): void {
  const number = systemCalls[process.arch];
  if (number === undefined) return;
  // struct sched_attr: size @0, policy @4, flags @8, nice @16, priority @20, runtime @24.
  const bytes = new Uint8Array(attributeBytes);
  const attributes = new DataView(bytes.buffer);
  attributes.setUint32(0, attributeBytes, true);
  attributes.setUint32(4, policies[when], true);
  attributes.setBigUint64(24, sliceNs, true);
  const own = getPriority();
  for (const nice of [Math.max(lowestNice, own - nicer), own]) {
    attributes.setInt32(16, nice, true);
    if (libc.syscall(number, 0, bytes, 0) === 0) return;
  }
}

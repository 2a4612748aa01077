import { getPriority } from 'node:os';
import process from 'node:process';
import type { Libc } from './libc.ts';

/** Of `sched_setattr`. */
const systemCalls: Readonly<Partial<Record<string, number>>> = { x64: 314, arm64: 274 };
const attributeBytes = 48;

/** As much below the rest of the program as a busy machine needs, so that the thread wakes in time on it. */
const nicer = 10;
const lowestNice = -20;

/**
 * Has Linux (6.12 and later) run this thread soon after it wakes, by a short time slice: `nanoseconds`, at least 100
 * 000. A thread with a short slice goes before one with a long slice (sched(7)). An older kernel ignores it. Where the
 * process may (root, or LimitNICE= of a unit), the thread's nice value is lower than that of the program, too.
 */
export function askToRunSoon(libc: Libc, nanoseconds: number): void {
  const number = systemCalls[process.arch];
  if (number === undefined) return;
  // struct sched_attr: size @0, policy @4 (0, the normal one), flags @8, nice @16, priority @20, runtime @24.
  const bytes = new Uint8Array(attributeBytes);
  const attributes = new DataView(bytes.buffer);
  attributes.setUint32(0, attributeBytes, true);
  attributes.setBigUint64(24, BigInt(nanoseconds), true);
  const own = getPriority();
  for (const nice of [Math.max(lowestNice, own - nicer), own]) {
    attributes.setInt32(16, nice, true);
    if (libc.syscall(number, 0, bytes, 0) === 0) return;
  }
}

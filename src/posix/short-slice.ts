import { getPriority } from 'node:os';
import process from 'node:process';
import type { Libc } from './libc.ts';

/** Of `sched_setattr`. */
const systemCalls: Readonly<Partial<Record<string, number>>> = { x64: 314, arm64: 274 };
const attributeBytes = 48;

/**
 * Has Linux (6.12 and later) run this thread soon after it wakes, by a short time slice: `nanoseconds`, at least 100
 * 000. A thread with a short slice goes before one with a long slice (sched(7)). An older kernel ignores it.
 */
export function askForShortSlice(libc: Libc, nanoseconds: number): void {
  const number = systemCalls[process.arch];
  if (number === undefined) return;
  // struct sched_attr: size @0, policy @4 (0, the normal one), flags @8, nice @16, priority @20, runtime @24.
  const attributes = new DataView(new ArrayBuffer(attributeBytes));
  attributes.setUint32(0, attributeBytes, true);
  attributes.setInt32(16, getPriority(), true);
  attributes.setBigUint64(24, BigInt(nanoseconds), true);
  libc.syscall(number, 0, new Uint8Array(attributes.buffer), 0);
}

import { monotonicNs } from '../../lib/monotonic-ns.ts';
import { POSIX, type Libc } from '../../posix/libc.ts';

/** Where the times of events come from. */
export interface ObserverTime {
  /** The start on the underlying clock, for other threads. */
  readonly startNs: bigint;
  /** Whole nanoseconds since the start. */
  nowNs(): number;
}

/** Stands still while the machine is suspended. */
export function monotonicTime(): ObserverTime {
  return timeFrom(monotonicNs);
}

/** Goes on while the machine is suspended. */
export function boottime(libc: Libc): ObserverTime {
  return timeFrom(() => boottimeNs(libc));
}

export function boottimeNs(libc: Libc): bigint {
  const time = new BigInt64Array(2);
  libc.clock_gettime(POSIX.CLOCK_BOOTTIME, new Uint8Array(time.buffer));
  return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
}

function timeFrom(now: () => bigint): ObserverTime {
  const startNs = now();
  return { startNs, nowNs: () => Number(now() - startNs) };
}

/** Nanoseconds of the machine's monotonic clock since an arbitrary start, the same in every thread. */
export function monotonicNs(): bigint {
  return process.hrtime.bigint();
}

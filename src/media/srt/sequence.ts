/**
 * Arithmetic of SRT's 31-bit packet sequence numbers (draft-sharabayko-srt-01 §3.1). Numbers are ordered only within
 * half the range of each other.
 */
export const sequenceMask = 0x7fff_ffff;

/** `sequence` moved on by `count`, which may be negative. */
export function sequenceAdd(sequence: number, count: number): number {
  return (sequence + count) & sequenceMask;
}

/** How far `a` is after `b`; negative when it is before. Range -2^30 to 2^30 - 1. */
export function sequenceDistance(a: number, b: number): number {
  return ((a - b) << 1) >> 1;
}

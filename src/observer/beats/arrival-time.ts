/** Longer than a rest of the receiving thread and a late wake-up. */
const longestWaitNs = 50e6;

/**
 * When a datagram came that was read at `readNs`, after it had waited for `ageNs` by the machine's clock. Where that is
 * impossible or too long to be a wait, the clock may have been set meanwhile: then it came when it was read.
 */
export function arrivalNs(readNs: number, ageNs: number): number {
  return ageNs > 0 && ageNs <= longestWaitNs ? readNs - ageNs : readNs;
}

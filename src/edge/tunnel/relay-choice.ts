/** What choosing a relay needs to know of it. */
export interface RelayCandidate {
  /** The relay has both legs of the tunnel. */
  readonly ready: boolean;
  /** It has stopped acknowledging. */
  readonly suspect: boolean;
}

/**
 * The index of the relay that carries the traffic; null while none is ready. It is the first that is ready and answers,
 * else the first that is ready: a silent relay may only be slow. The primary comes first in the list.
 */
export function chooseRelay(candidates: readonly RelayCandidate[]): number | null {
  const answering = candidates.findIndex(({ ready, suspect }) => ready && !suspect);
  if (answering !== -1) return answering;
  const ready = candidates.findIndex((candidate) => candidate.ready);
  return ready === -1 ? null : ready;
}

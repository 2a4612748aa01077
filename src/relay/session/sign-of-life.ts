import type { Clock, Timer } from '../../lib/clock.ts';
import { SIGN_OF_LIFE_MS } from '../../protocol/tunnel/limits.ts';
import type { QuicConnection } from '../../quic/types.ts';

/** Often enough that the answer of a live edge is noticed about when it comes. */
const looks = 20;

/**
 * Pings an edge and calls `onAnswer` once, with whether a packet came from it afterwards. Cancelling the returned timer
 * ends the wait. It counts checks, not time: a relay that was blocked itself has not read what arrived meanwhile.
 */
export function askForLife(
  clock: Clock,
  edge: Pick<QuicConnection, 'ping' | 'silentMs'>,
  onAnswer: (alive: boolean) => void,
): Timer {
  const askedAtMs = clock.monotonicMs();
  let looksLeft = looks;
  edge.ping();
  const timer = clock.setInterval(() => {
    const { silentMs } = edge;
    const alive = clock.monotonicMs() - silentMs >= askedAtMs;
    looksLeft = silentMs === Number.POSITIVE_INFINITY ? 0 : looksLeft - 1;
    if (!alive && looksLeft > 0) return;
    timer.cancel();
    onAnswer(alive);
  }, SIGN_OF_LIFE_MS / looks);
  return timer;
}

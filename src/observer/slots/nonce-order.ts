import { TERMINAL_NONCE } from '../../protocol/beat/beat-frame.ts';

/** A wrap goes from the last 2^20 nonces to the first 2^20: wide enough for lost beats, too narrow for a replay. */
const wrapWindow = 1n << 20n;

/** How the nonce of a beat follows the last accepted one. A terminal nonce lies in the wrap window by itself. */
export function nonceOrder(last: bigint, next: bigint): 'forward' | 'wrap' | 'stale' {
  if (next > last) return 'forward';
  return last >= TERMINAL_NONCE - wrapWindow && next < wrapWindow ? 'wrap' : 'stale';
}

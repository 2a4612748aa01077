import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Direction } from './leg.ts';
import type { TunnelId } from './tunnel-id.ts';

const hex64 = /^[0-9a-f]{64}$/i;

/** Whether a text has the form of a bind secret, tunnel key or challenge: 64 hex characters in any case. */
export function isHex64(text: string): boolean {
  return hex64.test(text);
}

/**
 * The token that binds one leg of a tunnel (docs/protocol/tunnel.md §5), 64 lower-case hex characters.
 * `secret` keys the HMAC as the ASCII text it is written in, not as the bytes it spells; so its case counts.
 */
export function computeBindToken(secret: string, tunnelId: TunnelId, direction: Direction): string {
  return createHmac('sha256', secret).update(`${tunnelId}:${direction}`).digest('hex');
}

/**
 * The answer to a connection's `bind_challenge` that shows the token without sending it, 64 lower-case hex characters.
 * The challenge is used as the text that was received.
 */
export function computeBindProof(token: string, challenge: string, tunnelId: TunnelId, direction: Direction): string {
  return createHmac('sha256', token).update(`${challenge}:${tunnelId}:${direction}`).digest('hex');
}

/**
 * Compares secrets of any length in a time that does not depend on where they differ: digests, not texts, are compared.
 */
export function secretsEqual(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

/**
 * What `list_authorized` shows of a pair of tokens, lower-case hex: enough to compare two pairs, useless for binding.
 */
export function bindTokensDigest(ingressToken: string, egressToken: string): string {
  return sha256(`${ingressToken}:${egressToken}`).toString('hex');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

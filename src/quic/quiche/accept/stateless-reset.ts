import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Random } from '../../../lib/random.ts';

const tokenBytes = 16;

/** What a peer may take for a reset (RFC 9000 §10.3). */
const minResetBytes = 21;

/** Enough to look like any short packet. */
const usualResetBytes = 42;

/**
 * Resets a connection that a relay has forgotten (a restart): the token is made from the
 * connection id alone, with a key that outlives the process.
 */
export class StatelessReset {
  readonly #key: KeyObject;
  readonly #random: Random;

  constructor(key: Uint8Array, random: Random) {
    this.#key = createSecretKey(key);
    this.#random = random;
  }

  token(connectionId: Uint8Array): Buffer {
    return createHmac('sha256', this.#key)
      .update('stateless reset\0')
      .update(connectionId)
      .digest()
      .subarray(0, tokenBytes);
  }

  /** The token as the transport parameter of a new connection. */
  tokenNumber(connectionId: Uint8Array): bigint {
    return BigInt(`0x${this.token(connectionId).toString('hex')}`);
  }

  /**
   * The answer to a packet of `causeBytes` for an unknown connection. Always shorter than the cause, so that two ends
   * that reset each other come to an end. Null when the cause is too short to be answered.
   */
  packet(connectionId: Uint8Array, causeBytes: number): Uint8Array | null {
    const length = Math.min(usualResetBytes, causeBytes - 1);
    if (length < minResetBytes) return null;
    const packet = this.#random.bytes(length);
    packet[0] = ((packet[0] ?? 0) & 0x3f) | 0x40;
    packet.set(this.token(connectionId), length - tokenBytes);
    return packet;
  }
}

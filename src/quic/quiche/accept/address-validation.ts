import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** How long a client may take to come back with its token. */
const lifetimeMs = 15_000;

const macBytes = 16;
const timeBytes = 6;

/**
 * Tokens of Retry packets (RFC 9000 §8.1.2). They carry the time and the id that the client chose first. Both are
 * authenticated, with the client's address and the id that we gave it. So the relay keeps nothing for a client that has
 * not shown that it receives at its address.
 */
export class AddressValidation {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  createToken(client: string, originalId: Uint8Array, ownId: Uint8Array, nowMs: number): Uint8Array {
    const head = Buffer.alloc(timeBytes + originalId.length);
    head.writeUIntBE(Math.floor(nowMs), 0, timeBytes);
    head.set(originalId, timeBytes);
    return Buffer.concat([head, this.#mac(client, head, ownId)]);
  }

  /** The id that the client chose first, or null for what is not a fresh token of ours for this client and id. */
  originalId(token: Uint8Array, client: string, ownId: Uint8Array, nowMs: number): Uint8Array | null {
    if (token.length <= timeBytes + macBytes) return null;
    const head = Buffer.from(token.subarray(0, token.length - macBytes));
    if (!timingSafeEqual(token.subarray(token.length - macBytes), this.#mac(client, head, ownId))) return null;
    const ageMs = nowMs - head.readUIntBE(0, timeBytes);
    return ageMs >= 0 && ageMs <= lifetimeMs ? head.subarray(timeBytes) : null;
  }

  #mac(client: string, head: Uint8Array, ownId: Uint8Array): Buffer {
    const mac = createHmac('sha256', this.#key).update('retry\0').update(client).update('\0');
    return mac.update(ownId).update(head).digest().subarray(0, macBytes);
  }
}

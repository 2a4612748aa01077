import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { Random } from '../../lib/random.ts';
import {
  LENGTH_PREFIX_BYTES,
  MAX_CHUNK_PLAINTEXT_BYTES,
  SEAL_NONCE_BYTES,
  SEAL_OVERHEAD_BYTES,
  SEAL_TAG_BYTES,
} from '../../protocol/tunnel/limits.ts';

const algorithm = 'chacha20-poly1305';
const options = { authTagLength: SEAL_TAG_BYTES };
// One call to the system's generator for this many packets: a call for each would cost a third of the sealing.
const noncesPerDraw = 256;
const largestUdpPayloadBytes = 65_535;

/**
 * Seals and opens what a tunnel carries (docs/protocol/tunnel.md §4): ChaCha20-Poly1305, sealed = nonce ‖ ciphertext ‖
 * tag, empty AAD, random nonces. One key for both directions of one tunnel.
 */
export class PayloadCipher {
  readonly #key: KeyObject;
  readonly #random: Pick<Random, 'bytes'>;
  readonly #datagram: Buffer;
  readonly #prefixBytes: number;
  #nonces: Uint8Array = new Uint8Array(0);
  #nextNonce = 0;

  /** `key` is 32 bytes; `prefix` is the tunnel id's 16 bytes. */
  constructor(random: Pick<Random, 'bytes'>, key: Uint8Array, prefix: Uint8Array) {
    this.#random = random;
    this.#key = createSecretKey(key);
    this.#prefixBytes = prefix.length;
    this.#datagram = Buffer.allocUnsafe(prefix.length + SEAL_OVERHEAD_BYTES + largestUdpPayloadBytes);
    this.#datagram.set(prefix);
  }

  /** Prefix and sealed payload as one QUIC datagram. A view of a shared buffer: valid until the next call. */
  sealDatagram(payload: Uint8Array): Uint8Array {
    const end = this.#seal(payload, this.#datagram, this.#prefixBytes);
    return this.#datagram.subarray(0, end);
  }

  /**
   * The payload of a datagram that bears our prefix, in memory of its own; null when it was not sealed with our key.
   */
  openDatagram(datagram: Uint8Array): Uint8Array | null {
    return this.open(datagram.subarray(this.#prefixBytes));
  }

  /** Bytes of a TCP connection as `[u32 BE length][sealed]` chunks of at most 8192 plaintext bytes, in a new buffer. */
  sealChunks(plaintext: Uint8Array): Buffer {
    const chunks = Math.ceil(plaintext.length / MAX_CHUNK_PLAINTEXT_BYTES);
    const target = Buffer.allocUnsafe(plaintext.length + chunks * (LENGTH_PREFIX_BYTES + SEAL_OVERHEAD_BYTES));
    let at = 0;
    for (let from = 0; from < plaintext.length; from += MAX_CHUNK_PLAINTEXT_BYTES) {
      const piece = plaintext.subarray(from, from + MAX_CHUNK_PLAINTEXT_BYTES);
      at = target.writeUInt32BE(piece.length + SEAL_OVERHEAD_BYTES, at);
      at = this.#seal(piece, target, at);
    }
    return target;
  }

  /** What was sealed, in memory of its own; null when it is too short, was changed, or has another key. */
  open(sealed: Uint8Array): Uint8Array | null {
    const tagAt = sealed.length - SEAL_TAG_BYTES;
    if (tagAt < SEAL_NONCE_BYTES) return null;
    const decipher = createDecipheriv(algorithm, this.#key, sealed.subarray(0, SEAL_NONCE_BYTES), options);
    decipher.setAuthTag(sealed.subarray(tagAt));
    const plaintext = decipher.update(sealed.subarray(SEAL_NONCE_BYTES, tagAt));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return plaintext;
  }

  /** Writes the sealed payload into `target` at `at`; returns where it ends. */
  #seal(payload: Uint8Array, target: Buffer, at: number): number {
    const nonce = this.#takeNonce();
    const cipher = createCipheriv(algorithm, this.#key, nonce, options);
    const ciphertext = cipher.update(payload);
    cipher.final();
    target.set(nonce, at);
    target.set(ciphertext, at + SEAL_NONCE_BYTES);
    const tagAt = at + SEAL_NONCE_BYTES + ciphertext.length;
    target.set(cipher.getAuthTag(), tagAt);
    return tagAt + SEAL_TAG_BYTES;
  }

  #takeNonce(): Uint8Array {
    if (this.#nextNonce === this.#nonces.length) {
      this.#nonces = this.#random.bytes(noncesPerDraw * SEAL_NONCE_BYTES);
      this.#nextNonce = 0;
    }
    const from = this.#nextNonce;
    this.#nextNonce += SEAL_NONCE_BYTES;
    return this.#nonces.subarray(from, this.#nextNonce);
  }
}

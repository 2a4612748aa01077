import { createCipheriv, createSecretKey, type Cipheriv } from 'node:crypto';

const blockBytes = 16;
const swap = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * AES-CTR for single packets under one key (draft-sharabayko-srt-01 §6.1.2). The counter of block `b` of packet `s`:
 *
 * ```text
 * bytes 0..9 salt | 10..13 salt xor s | 14..15 b
 * ```
 *
 * One ECB cipher lives as long as the key and encrypts the counters. Calling `createCipheriv` for each packet costs a
 * third more CPU, and a native object for the garbage collector.
 */
export class PacketCipher {
  readonly #cipher: Cipheriv;
  readonly #salt: Uint32Array;
  #counters = new Uint32Array(0);
  #counterBytes: Uint8Array = new Uint8Array(0);

  /** `key` has 16, 24 or 32 bytes, `salt` 16. */
  constructor(key: Uint8Array, salt: Uint8Array) {
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, createSecretKey(key), null);
    this.#cipher.setAutoPadding(false);
    this.#salt = wordsOf(salt);
    this.#reserve(1456);
  }

  /** Encrypts or decrypts `payload` in place. */
  apply(sequence: number, payload: Uint8Array): void {
    const blocks = Math.ceil(payload.length / blockBytes);
    if (blocks === 0) return;
    if (blocks * 4 > this.#counters.length) this.#reserve(payload.length);
    this.#countFor(sequence, blocks);
    xor(payload, this.#cipher.update(this.#counterBytes.subarray(0, blocks * blockBytes)));
  }

  #reserve(bytes: number): void {
    const blocks = Math.ceil(bytes / blockBytes);
    this.#counters = new Uint32Array(blocks * 4);
    this.#counterBytes = new Uint8Array(this.#counters.buffer);
    const [salt0 = 0, salt1 = 0] = this.#salt;
    for (let word = 0; word < this.#counters.length; word += 4) {
      this.#counters[word] = salt0;
      this.#counters[word + 1] = salt1;
    }
  }

  /** Bytes 8 to 15 change: two of salt, four of salt and sequence, two of block. */
  #countFor(sequence: number, blocks: number): void {
    const [, , salt2 = 0, salt3 = 0] = this.#salt;
    const word2 = bigEndian(bigEndian(salt2) ^ (sequence >>> 16));
    const word3 = (bigEndian(salt3) & 0xffff_0000) ^ (sequence << 16);
    const counters = this.#counters;
    for (let block = 0, word = 2; block < blocks; block++, word += 4) {
      counters[word] = word2;
      counters[word + 1] = bigEndian(word3 | block);
    }
  }
}

/** Four bytes read as a big-endian number, as this machine stores them, and back. */
function bigEndian(word: number): number {
  if (!swap) return word;
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

function xor(target: Uint8Array, stream: Uint8Array): void {
  const words = target.length >> 2;
  let done = 0;
  if ((target.byteOffset & 3) === 0 && (stream.byteOffset & 3) === 0) {
    const to = new Uint32Array(target.buffer, target.byteOffset, words);
    const from = new Uint32Array(stream.buffer, stream.byteOffset, words);
    for (let word = 0; word < words; word++) to[word] = (to[word] ?? 0) ^ (from[word] ?? 0);
    done = words * 4;
  }
  for (let at = done; at < target.length; at++) target[at] = (target[at] ?? 0) ^ (stream[at] ?? 0);
}

import { openKeyMaterial, type StreamKeys } from './key-material.ts';
import { PacketCipher } from './packet-cipher.ts';
import { dataFlags, headerBytes } from './packet.ts';

/** What a KMRSP of four bytes means (draft-sharabayko-srt-01 §3.2.1.2). */
export const keyState = { unsecured: 0, noSecret: 3, badSecret: 4, badMode: 5 } as const;

/** Opening key material costs a millisecond; a peer that sends more of it than this is not answered. */
const openingsPerSecond = 10;

/** The keys under which the peer sends. */
export class ReceiveKeys {
  readonly #passphrase: string | null;
  #even: PacketCipher | null = null;
  #odd: PacketCipher | null = null;
  #lastRequest: Buffer | null = null;
  #lastResponse: Buffer | null = null;
  #windowUs = 0;
  #openings = 0;

  constructor(passphrase: string | null) {
    this.#passphrase = passphrase;
  }

  get present(): boolean {
    return this.#even !== null || this.#odd !== null;
  }

  install({ salt, even, odd }: StreamKeys): void {
    if (even !== null) this.#even = new PacketCipher(even, salt);
    if (odd !== null) this.#odd = new PacketCipher(odd, salt);
  }

  /** Decrypts the payload of a data packet in place. False when the key is not known. */
  decrypt(flags: number, sequence: number, packet: Buffer): boolean {
    const key = flags & dataFlags.keyMask;
    if (key === 0) return true;
    const cipher = key === dataFlags.evenKey ? this.#even : key === dataFlags.oddKey ? this.#odd : null;
    if (cipher === null) return false;
    cipher.apply(sequence, packet.subarray(headerBytes));
    return true;
  }

  /** A KMREQ in mid-stream. Returns the body of the KMRSP, null for no answer. */
  onRequest(nowUs: number, message: Buffer): Buffer | null {
    if (this.#lastRequest?.equals(message) === true) return this.#lastResponse;
    if (nowUs - this.#windowUs >= 1_000_000) {
      this.#windowUs = nowUs;
      this.#openings = 0;
    }
    if (++this.#openings > openingsPerSecond) return null;
    this.#lastRequest = Buffer.from(message);
    this.#lastResponse = this.#open(message);
    return this.#lastResponse;
  }

  #open(message: Buffer): Buffer | null {
    if (this.#passphrase === null) return keyStateBody(keyState.noSecret);
    const opened = openKeyMaterial(this.#passphrase, message);
    if (opened.kind === 'malformed') return null;
    if (opened.kind === 'bad-mode') return keyStateBody(keyState.badMode);
    if (opened.kind === 'bad-secret') return keyStateBody(keyState.badSecret);
    this.install(opened.keys);
    return Buffer.from(message);
  }
}

/** A KMRSP that says what is wrong. */
export function keyStateBody(state: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(state);
  return body;
}

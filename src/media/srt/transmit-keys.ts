import type { Random } from '../../lib/random.ts';
import { encodeKeyMaterial, type StreamKeys } from './key-material.ts';
import { PacketCipher } from './packet-cipher.ts';
import { dataFlags } from './packet.ts';
import type { KeyBytes } from './srt-settings.ts';

export interface TransmitKeysSettings {
  readonly passphrase: string;
  readonly keyBytes: KeyBytes;
  readonly refreshPackets: number;
  readonly announcePackets: number;
}

type Side = 'even' | 'odd';

/** An unanswered announcement is sent again after so long, or 1.5 round trips. */
const repeatUs = 100_000;
/** Counter mode must not see a sequence number twice under one key: past this, the key changes unconfirmed. */
const longestKeyPackets = 2 ** 30;

/**
 * The keys under which this end sends, and their refresh (draft-sharabayko-srt-01 §6.1.6). The next key is announced
 * `announcePackets` before the switch. The switch waits until the peer has confirmed it; after it the old key is not
 * used. Packets that are sent again were encrypted when they were new.
 */
export class TransmitKeys {
  readonly #random: Random;
  readonly #settings: TransmitKeysSettings;
  readonly #salt: Uint8Array;
  #keys: Record<Side, Uint8Array | null>;
  #side: Side;
  #cipher: PacketCipher;
  #packets = 0;
  #announcement: Buffer | null = null;
  #confirmed = false;
  #announcedUs = 0;

  /** `keys` are those of the handshake; of two, the even one is used first. */
  constructor(random: Random, settings: TransmitKeysSettings, keys: StreamKeys) {
    this.#random = random;
    this.#settings = settings;
    this.#salt = keys.salt;
    this.#keys = { even: keys.even, odd: keys.odd };
    this.#side = keys.even === null ? 'odd' : 'even';
    this.#cipher = this.#cipherOf(this.#side);
  }

  /** Encrypts in place and returns the flag that names the key. */
  encrypt(sequence: number, payload: Uint8Array): number {
    const { refreshPackets, announcePackets } = this.#settings;
    this.#packets++;
    if (this.#announcement === null && this.#packets > refreshPackets - announcePackets) this.#announce();
    if (this.#mustSwitch(refreshPackets)) this.#switch();
    this.#cipher.apply(sequence, payload);
    return this.#side === 'even' ? dataFlags.evenKey : dataFlags.oddKey;
  }

  /** The body of a KMREQ that has to go out now, null for none. */
  dueRequest(nowUs: number, rttUs: number): Buffer | null {
    if (this.#announcement === null || this.#confirmed) return null;
    if (this.#announcedUs !== 0 && nowUs - this.#announcedUs < Math.max(repeatUs, 1.5 * rttUs)) return null;
    this.#announcedUs = nowUs;
    return this.#announcement;
  }

  /** A KMRSP. Returns whether it confirms the next key. */
  onResponse(message: Buffer): boolean {
    if (this.#announcement === null || this.#confirmed || !message.equals(this.#announcement)) return false;
    this.#confirmed = true;
    return true;
  }

  #mustSwitch(refreshPackets: number): boolean {
    return (this.#confirmed && this.#packets > refreshPackets) || this.#packets > longestKeyPackets;
  }

  #announce(): void {
    const { passphrase, keyBytes } = this.#settings;
    this.#keys[other(this.#side)] = this.#random.bytes(keyBytes);
    this.#announcement = encodeKeyMaterial(passphrase, { salt: this.#salt, ...this.#keys });
    this.#confirmed = false;
    this.#announcedUs = 0;
  }

  #switch(): void {
    this.#side = other(this.#side);
    this.#cipher = this.#cipherOf(this.#side);
    this.#packets = 1;
    this.#announcement = null;
    this.#confirmed = false;
  }

  #cipherOf(side: Side): PacketCipher {
    const key = this.#keys[side];
    if (key === null) throw new Error(`there is no ${side} key`);
    return new PacketCipher(key, this.#salt);
  }
}

/** Fresh keys for a connection; the first one is even, as libsrt has it. */
export function createStreamKeys(random: Random, keyBytes: KeyBytes): StreamKeys {
  return { salt: random.bytes(16), even: random.bytes(keyBytes), odd: null };
}

function other(side: Side): Side {
  return side === 'even' ? 'odd' : 'even';
}

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  type CipherChaCha20Poly1305Types,
  type CipherGCMTypes,
} from 'node:crypto';

type Hash = 'sha256' | 'sha384';

interface Suite {
  readonly hash: Hash;
  readonly aead: CipherGCMTypes | CipherChaCha20Poly1305Types;
  readonly headerCipher: string;
  readonly keyBytes: number;
}

const suites: readonly Suite[] = [
  { hash: 'sha256', aead: 'aes-128-gcm', headerCipher: 'aes-128-ecb', keyBytes: 16 },
  { hash: 'sha384', aead: 'aes-256-gcm', headerCipher: 'aes-256-ecb', keyBytes: 32 },
  { hash: 'sha256', aead: 'chacha20-poly1305', headerCipher: 'chacha20', keyBytes: 32 },
];

const tagBytes = 16;
const sampleBytes = 16;
/** Always four bytes of packet number, so that a receiver never has to guess the rest. */
const numberBytes = 4;

/** A short-header packet with its protection taken off. */
export interface OpenedPacket {
  readonly number: number;
  readonly frames: Buffer;
}

/** The 1-RTT packet protection of one sender (RFC 9001 §5), made from its traffic secret. */
export class PacketKeys {
  readonly #suite: Suite;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #headerKey: Buffer;

  private constructor(suite: Suite, secret: Buffer) {
    this.#suite = suite;
    this.#key = expandLabel(suite.hash, secret, 'quic key', suite.keyBytes);
    this.#iv = expandLabel(suite.hash, secret, 'quic iv', 12);
    this.#headerKey = expandLabel(suite.hash, secret, 'quic hp', suite.keyBytes);
  }

  static forSuite(aead: Suite['aead'], secret: Buffer): PacketKeys {
    const suite = suites.find((candidate) => candidate.aead === aead);
    if (suite === undefined) throw new RangeError(`no suite ${aead}`);
    return new PacketKeys(suite, secret);
  }

  /** The keys that open `sample`, a short-header packet of the same sender; the log of secrets does not name the cipher. */
  static find(secret: Buffer, sample: Buffer, idBytes: number): PacketKeys {
    for (const suite of suites) {
      const keys = new PacketKeys(suite, secret);
      if (keys.open(sample, idBytes) !== null) return keys;
    }
    throw new Error('no cipher suite opens the packet');
  }

  seal(destinationId: Uint8Array, number: number, frames: Uint8Array): Buffer {
    const header = Buffer.concat([Buffer.of(0x40 | (numberBytes - 1)), destinationId, uint32(number)]);
    // The sample for header protection begins four bytes after the packet number, so short payloads need padding.
    const padded = frames.length >= numberBytes ? frames : Buffer.concat([frames], numberBytes);
    const cipher = createCipheriv(this.#suite.aead as CipherGCMTypes, this.#key, this.#nonce(number));
    cipher.setAAD(header);
    const sealed = Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()]);
    const packet = Buffer.concat([header, sealed]);
    const at = 1 + destinationId.length;
    const mask = this.#mask(packet.subarray(at + 4, at + 4 + sampleBytes));
    applyMask(packet, at, mask, numberBytes);
    return packet;
  }

  /**
   * Null when the packet is none of this sender's short-header ones. `upperNumber` are the bits of the packet number that
   * are not in the packet.
   */
  open(original: Buffer, idBytes: number, upperNumber = 0): OpenedPacket | null {
    const packet = Buffer.from(original);
    const at = 1 + idBytes;
    if (packet.length < at + 4 + sampleBytes || ((packet[0] ?? 0x80) & 0x80) !== 0) return null;
    const mask = this.#mask(packet.subarray(at + 4, at + 4 + sampleBytes));
    const length = (((packet[0] ?? 0) ^ ((mask[0] ?? 0) & 0x1f)) & 0x03) + 1;
    applyMask(packet, at, mask, length);
    const number = upperNumber + packet.readUIntBE(at, length);
    const decipher = createDecipheriv(this.#suite.aead as CipherGCMTypes, this.#key, this.#nonce(number));
    decipher.setAAD(packet.subarray(0, at + length));
    decipher.setAuthTag(packet.subarray(-tagBytes));
    try {
      const frames = Buffer.concat([decipher.update(packet.subarray(at + length, -tagBytes)), decipher.final()]);
      return { number, frames };
    } catch {
      return null;
    }
  }

  #nonce(number: number): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ number) >>> 0, 8);
    return nonce;
  }

  #mask(sample: Buffer): Buffer {
    if (this.#suite.headerCipher === 'chacha20') {
      return createCipheriv('chacha20', this.#headerKey, sample).update(Buffer.alloc(5));
    }
    const cipher = createCipheriv(this.#suite.headerCipher, this.#headerKey, null);
    return cipher.setAutoPadding(false).update(sample);
  }
}

function applyMask(packet: Buffer, at: number, mask: Buffer, length: number): void {
  packet[0] = (packet[0] ?? 0) ^ ((mask[0] ?? 0) & 0x1f);
  for (let i = 0; i < length; i++) packet[at + i] = (packet[at + i] ?? 0) ^ (mask[i + 1] ?? 0);
}

/** HKDF-Expand-Label (RFC 8446 §7.1) for lengths of one hash block. */
function expandLabel(hash: Hash, secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0, 1)]);
  return createHmac(hash, secret).update(info).digest().subarray(0, length);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

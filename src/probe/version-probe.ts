import type { Random } from '../lib/random.ts';

/**
 * A version that no relay supports (RFC 9000 §15 reserves it for this use). A QUIC server returns the versions that it
 * supports, keeps nothing and starts no connection. So each packet that comes back has passed both ways.
 */
const unknownVersion = 0x1a2a3a4a;
const negotiation = 0;
/** A first packet of QUIC must be this long; servers answer no shorter one. */
const packetBytes = 1200;
const idBytes = 8;
const saltBytes = 4;

/** Numbered packets and their answers; a salt marks them as ours. */
export class VersionProbe {
  readonly #salt: Uint8Array;
  readonly #destinationId: Uint8Array;

  constructor(random: Random) {
    this.#salt = random.bytes(saltBytes);
    this.#destinationId = random.bytes(idBytes);
  }

  packet(number: number): Buffer {
    const packet = Buffer.alloc(packetBytes);
    packet.writeUInt8(0xc0);
    packet.writeUInt32BE(unknownVersion, 1);
    packet.writeUInt8(idBytes, 5);
    packet.set(this.#destinationId, 6);
    packet.writeUInt8(idBytes, 6 + idBytes);
    packet.set(this.#salt, 7 + idBytes);
    packet.writeUInt32BE(number, 7 + idBytes + saltBytes);
    return packet;
  }

  /** The number of the packet that this answers; null where it is no answer of a QUIC server to one of these. */
  numberOf(answer: Buffer): number | null {
    // The server swaps the ids (RFC 9000 §17.2.1): ours comes first.
    if (answer.length < 6 + idBytes || answer.readUInt32BE(1) !== negotiation) return null;
    if (answer.readUInt8(5) !== idBytes || !answer.subarray(6, 6 + saltBytes).equals(this.#salt)) return null;
    return answer.readUInt32BE(6 + saltBytes);
  }
}

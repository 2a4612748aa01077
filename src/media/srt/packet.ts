/**
 * The 16-byte header of SRT packets and the control packets with short bodies (draft-sharabayko-srt-01 §3).
 *
 * ```text
 * data     word0  0 | sequence number (31)          control  word0  1 | type (15) | subtype (16)
 *          word1  PP O KK R | message number (26)            word1  type-specific information
 *          word2  timestamp, µs                              word2  timestamp, µs
 *          word3  destination socket id                      word3  destination socket id
 * ```
 */
export const headerBytes = 16;

export const controlType = {
  handshake: 0,
  keepAlive: 1,
  ack: 2,
  nak: 3,
  congestionWarning: 4,
  shutdown: 5,
  ackAck: 6,
  dropRequest: 7,
  peerError: 8,
  userDefined: 0x7fff,
} as const;

/** Subtypes of `controlType.userDefined`, which are also the types of handshake extensions. */
export const extensionType = {
  handshakeRequest: 1,
  handshakeResponse: 2,
  keyRequest: 3,
  keyResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;

/** Flags of word 1 of a data packet. */
export const dataFlags = {
  /** The packet is a whole message; live streams have no other. */
  solo: 0xc000_0000,
  inOrder: 0x2000_0000,
  evenKey: 0x0800_0000,
  oddKey: 0x1000_0000,
  keyMask: 0x1800_0000,
  retransmitted: 0x0400_0000,
  messageMask: 0x03ff_ffff,
} as const;

export function isControl(packet: Buffer): boolean {
  return ((packet[0] ?? 0) & 0x80) !== 0;
}

/** A control packet with `body` zeroed bytes behind its header. */
export function controlPacket(type: number, subtype: number, information: number, body: number): Buffer {
  const packet = Buffer.alloc(headerBytes + body);
  packet.writeUInt16BE(0x8000 | type, 0);
  packet.writeUInt16BE(subtype, 2);
  packet.writeUInt32BE(information >>> 0, 4);
  return packet;
}

/** Writes the last two words of the header. */
export function stamp(packet: Buffer, timestampUs: number, destination: number): void {
  packet.writeUInt32BE(timestampUs >>> 0, 8);
  packet.writeUInt32BE(destination, 12);
}

/** Body of a full ACK. RTTs in µs, rates a second, the buffer in packets. */
export interface FullAck {
  /** The first packet that is not acknowledged. */
  readonly next: number;
  readonly rttUs: number;
  readonly rttVarianceUs: number;
  readonly availableBuffer: number;
  readonly packetsPerSecond: number;
  readonly linkCapacity: number;
  readonly bytesPerSecond: number;
}

export function encodeFullAck(number: number, ack: FullAck): Buffer {
  const packet = controlPacket(controlType.ack, 0, number, 28);
  packet.writeUInt32BE(ack.next, 16);
  packet.writeUInt32BE(clamp32(ack.rttUs), 20);
  packet.writeUInt32BE(clamp32(ack.rttVarianceUs), 24);
  packet.writeUInt32BE(clamp32(ack.availableBuffer), 28);
  packet.writeUInt32BE(clamp32(ack.packetsPerSecond), 32);
  packet.writeUInt32BE(clamp32(ack.linkCapacity), 36);
  packet.writeUInt32BE(clamp32(ack.bytesPerSecond), 40);
  return packet;
}

export function encodeLightAck(next: number): Buffer {
  const packet = controlPacket(controlType.ack, 0, 0, 4);
  packet.writeUInt32BE(next, 16);
  return packet;
}

/** The answer to a full ACK. */
export function encodeAckAck(number: number): Buffer {
  return controlPacket(controlType.ackAck, 0, number, 0);
}

/**
 * An ACK of any of the three sizes; the RTT and buffer fields are null where it has none. Null for a body too short.
 */
export interface ReceivedAck {
  /** 0 for a light or small ACK, which no ACKACK is owed for. */
  readonly number: number;
  readonly next: number;
  readonly rttUs: number | null;
  readonly rttVarianceUs: number | null;
  readonly availableBuffer: number | null;
}

export function decodeAck(packet: Buffer): ReceivedAck | null {
  if (packet.length < headerBytes + 4) return null;
  const next = packet.readUInt32BE(16);
  if (next > 0x7fff_ffff) return null;
  const field = (at: number): number | null => (packet.length >= at + 4 ? packet.readUInt32BE(at) : null);
  return {
    number: packet.readUInt32BE(4),
    next,
    rttUs: field(20),
    rttVarianceUs: field(24),
    availableBuffer: field(28),
  };
}

/** Sequence numbers, both inclusive. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
}

export function encodeDropRequest({ first, last }: SequenceRange): Buffer {
  // Message number 0: all packets of the range, of whatever message (§3.2.9).
  const packet = controlPacket(controlType.dropRequest, 0, 0, 8);
  packet.writeUInt32BE(first, 16);
  packet.writeUInt32BE(last, 20);
  return packet;
}

export function decodeDropRequest(packet: Buffer): SequenceRange | null {
  if (packet.length < headerBytes + 8) return null;
  const first = packet.readUInt32BE(16);
  const last = packet.readUInt32BE(20);
  return first > 0x7fff_ffff || last > 0x7fff_ffff ? null : { first, last };
}

function clamp32(value: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round(value)));
}

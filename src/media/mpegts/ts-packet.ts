const packetBytes = 188;

/** A packet that carries something. */
export interface TsPayload {
  readonly pid: number;
  /** A PES packet or a section begins in it. */
  readonly start: boolean;
  readonly counter: number;
  /** A decoder can start here (random_access_indicator). */
  readonly isRandomAccess: boolean;
  /** A part of the packet. */
  readonly payload: Buffer;
}

/** Null for a packet that is broken, scrambled, or has no payload (ISO/IEC 13818-1 §2.4.3.2). */
export function readTsPacket(packet: Buffer): TsPayload | null {
  if (packet[0] !== 0x47 || packet.length < packetBytes) return null;
  const head = packet.readUInt16BE(1);
  const flags = packet.readUInt8(3);
  const adaptation = (flags & 0x20) === 0 ? 0 : 1 + packet.readUInt8(4);
  // Broken, scrambled, without payload, or with an adaptation field that leaves none.
  if ((head & 0x8000) !== 0 || (flags & 0xd0) !== 0x10 || adaptation >= packetBytes - 4) return null;
  return {
    pid: head & 0x1fff,
    start: (head & 0x4000) !== 0,
    counter: flags & 15,
    isRandomAccess: adaptation > 1 && (packet.readUInt8(5) & 0x40) !== 0,
    payload: packet.subarray(4 + adaptation),
  };
}

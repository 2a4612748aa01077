/** RTP (RFC 3550 §5.1), with MPEG-TS (RFC 2250 §2) or the codecs of `depacketiser.ts` inside. */
export const rtpHeaderBytes = 12;
/** The static payload type of MPEG-TS (RFC 3551 §6). */
export const mpegTsPayloadType = 33;

export interface RtpPacket {
  readonly payloadType: number;
  /** The last packet of a picture, or the first one of a talkspurt. */
  readonly marker: boolean;
  readonly sequence: number;
  /** 32 bits, in ticks of the payload's clock. */
  readonly timestamp: number;
  readonly ssrc: number;
  /** A part of the packet that it was read from. */
  readonly payload: Buffer;
}

/** Null for what is not RTP of version 2, or is cut short. */
export function decodeRtp(packet: Buffer): RtpPacket | null {
  const first = packet[0] ?? 0;
  if (packet.length < rtpHeaderBytes || first >> 6 !== 2) return null;
  let start = rtpHeaderBytes + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (packet.length < start + 4) return null;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  const padding = (first & 0x20) === 0 ? 0 : (packet[packet.length - 1] ?? 0);
  if (start + padding > packet.length) return null;
  return {
    payloadType: (packet[1] ?? 0) & 0x7f,
    marker: ((packet[1] ?? 0) & 0x80) !== 0,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payload: packet.subarray(start, packet.length - padding),
  };
}

/** Whether a datagram is RTCP, which shares the port at some senders: packet types 200 to 204 (RFC 5761 §4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return packet.length >= 8 && (packet[0] ?? 0) >> 6 === 2 && type >= 200 && type <= 204;
}

/** Without a marker where it is not said. */
type RtpHeader = Omit<RtpPacket, 'payload' | 'marker'> & { readonly marker?: boolean };

export function encodeRtp(header: RtpHeader, payload: Uint8Array): Buffer {
  const packet = Buffer.allocUnsafe(rtpHeaderBytes + payload.length);
  packet[0] = 0x80;
  packet[1] = header.payloadType | (header.marker === true ? 0x80 : 0);
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp >>> 0, 4);
  packet.writeUInt32BE(header.ssrc, 8);
  packet.set(payload, rtpHeaderBytes);
  return packet;
}

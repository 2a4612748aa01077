import { decodeRtp, isRtcp, mpegTsPayloadType } from '../rtp/rtp-packet.ts';
import type { RtpPosition } from './chunk.ts';

const packetBytes = 188;

export interface TsPayload {
  readonly bytes: Buffer;
  readonly rtp: RtpPosition | null;
}

/** The TS packets in a datagram: bare ones, or in RTP. Null for RTCP and for what is neither. */
export function tsPayloadOf(datagram: Buffer): TsPayload | null {
  if (isTs(datagram)) return { bytes: datagram, rtp: null };
  if (isRtcp(datagram)) return null;
  const packet = decodeRtp(datagram);
  if (packet?.payloadType !== mpegTsPayloadType || !isTs(packet.payload)) return null;
  return { bytes: packet.payload, rtp: { sequence: packet.sequence, ssrc: packet.ssrc } };
}

export function isTs(bytes: Buffer): boolean {
  return bytes.length >= packetBytes && bytes.length % packetBytes === 0 && bytes[0] === 0x47;
}

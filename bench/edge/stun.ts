import type { SocketAddress } from '../../src/quic/types.ts';

/** The few messages of STUN and TURN (RFC 8489, RFC 8656) that one unauthenticated relayed channel takes; IPv4 only. */

const cookie = 0x2112_a442;
const headerBytes = 20;
const udp = 17;
const channel = 0x4000;

/** Request types; a success is the type with bit 8 set, an error with bits 8 and 4. */
export const stunRequest = { allocate: 0x0003, channelBind: 0x0009 } as const;
const attribute = { channelNumber: 0x000c, xorPeerAddress: 0x0012, requestedTransport: 0x0019 } as const;

export function allocateRequest(transaction: Uint8Array): Buffer {
  return request(stunRequest.allocate, transaction, [attributeOf(attribute.requestedTransport, [udp, 0, 0, 0])]);
}

/** Binds the one channel that `channelData` uses to `peer`. */
export function channelBindRequest(transaction: Uint8Array, peer: SocketAddress): Buffer {
  const address = Buffer.alloc(8);
  address[1] = 1;
  address.writeUInt16BE(peer.port ^ (cookie >>> 16), 2);
  const ip = peer.ip.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
  address.writeUInt32BE((ip ^ cookie) >>> 0, 4);
  return request(stunRequest.channelBind, transaction, [
    attributeOf(attribute.channelNumber, [channel >>> 8, channel & 0xff, 0, 0]),
    attributeOf(attribute.xorPeerAddress, address),
  ]);
}

/** Whether a packet answers the request of this type and transaction; null when it is something else. */
export function readAnswer(packet: Buffer, type: number, transaction: Uint8Array): 'success' | 'error' | null {
  if (packet.length < headerBytes || !packet.subarray(8, headerBytes).equals(transaction)) return null;
  if (packet.readUInt16BE(0) === (type | 0x0100)) return 'success';
  return packet.readUInt16BE(0) === (type | 0x0110) ? 'error' : null;
}

/** Payload for the channel's peer; over UDP it needs no padding. */
export function channelData(payload: Uint8Array): Buffer {
  const packet = Buffer.allocUnsafe(4 + payload.length);
  packet.writeUInt16BE(channel, 0);
  packet.writeUInt16BE(payload.length, 2);
  packet.set(payload, 4);
  return packet;
}

function request(type: number, transaction: Uint8Array, attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length, 2);
  header.writeUInt32BE(cookie, 4);
  header.set(transaction, 8);
  return Buffer.concat([header, body]);
}

function attributeOf(type: number, value: ArrayLike<number>): Buffer {
  const encoded = Buffer.alloc(4 + value.length);
  encoded.writeUInt16BE(type, 0);
  encoded.writeUInt16BE(value.length, 2);
  encoded.set(value, 4);
  return encoded;
}

import { createCipheriv, createHmac } from 'node:crypto';
import { quicVersion1, type LongHeader } from '../packet-header.ts';

/** RFC 9001 §5.2. */
const initialSalt = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');

const tagBytes = 16;

/** HKDF-Expand-Label of TLS 1.3 for outputs of at most one hash (RFC 8446 §7.1). */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([length >> 8, length & 0xff, name.length]), name, Buffer.from([0, 1])]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

/**
 * Keys of the packets that a server sends in answer to an Initial with this destination id. Null for versions other
 * than 1.
 */
function serverInitialKeys(clientDestinationId: Uint8Array): { key: Buffer; iv: Buffer; headerKey: Buffer } {
  const initial = createHmac('sha256', initialSalt).update(clientDestinationId).digest();
  const secret = expandLabel(initial, 'server in', 32);
  return {
    key: expandLabel(secret, 'quic key', 16),
    iv: expandLabel(secret, 'quic iv', 12),
    headerKey: expandLabel(secret, 'quic hp', 16),
  };
}

/** Protects a packet whose packet number is the one byte 0 at `header.length - 1` (RFC 9001 §5.3 and §5.4). */
function protect(header: Buffer, payload: Uint8Array, clientDestinationId: Uint8Array): Buffer {
  const { key, iv, headerKey } = serverInitialKeys(clientDestinationId);
  // Packet number 0: the nonce is the iv itself.
  const cipher = createCipheriv('aes-128-gcm', key, iv, { authTagLength: tagBytes }).setAAD(header);
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  // The sample starts four bytes after the start of the packet number, whatever its length.
  const mask = createCipheriv('aes-128-ecb', headerKey, null).update(sealed.subarray(3, 3 + 16));
  const packet = Buffer.concat([header, sealed]);
  packet[0] = header.readUInt8(0) ^ (mask.readUInt8(0) & 0x0f);
  packet[header.length - 1] = mask.readUInt8(1);
  return packet;
}

/**
 * The reply to the Initial packet `incoming` (of version 1): CONNECTION_CLOSE with this transport error. It is made
 * without any state; quiche would run half a TLS handshake first.
 */
export function initialClose(incoming: LongHeader, ownId: Uint8Array, errorCode: number): Uint8Array {
  const close = Buffer.from([0x1c, errorCode, 0, 0]);
  const length = 1 + close.length + tagBytes;
  const { sourceId, destinationId } = incoming;
  const header = Buffer.concat([
    Buffer.from([0xc0, 0, 0, 0, quicVersion1, sourceId.length]),
    sourceId,
    Buffer.from([ownId.length]),
    ownId,
    // No token; the length as a two-byte varint; packet number 0.
    Buffer.from([0, 0x40 | (length >> 8), length & 0xff, 0]),
  ]);
  return protect(header, close, destinationId);
}

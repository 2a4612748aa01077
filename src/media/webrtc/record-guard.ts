import type { DtlsSocket } from 'werift';

const headerBytes = 13;
const recordType = { alert: 21, handshake: 22, data: 23 } as const;

/**
 * Keeps forged DTLS records (RFC 6347 §4.1) from a connection that has its keys: an attacker that knows its port could
 * end it. werift 0.25 takes any alert, and any unknown type, for the peer's end before it checks the seal. It begins
 * anew at a ClientHello.
 */
export function refuseForgedRecords(socket: DtlsSocket): void {
  const { socket: below } = socket.transport;
  const take = below.onData;
  below.onData = (datagram, address) => {
    const kept = recordsOf(datagram).filter((record) => isGenuine(socket, record));
    if (kept.length > 0) take(Buffer.concat(kept), address);
  };
}

/** The whole records of a datagram. */
function recordsOf(datagram: Buffer): readonly Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at + headerBytes <= datagram.length;) {
    const end = at + headerBytes + datagram.readUInt16BE(at + 11);
    if (end > datagram.length) break;
    records.push(datagram.subarray(at, end));
    at = end;
  }
  return records;
}

/** Of the others the library opens the seal by itself: a peer that repeats the end of its handshake needs an answer. */
function isGenuine(socket: DtlsSocket, record: Buffer): boolean {
  const type = record.readUInt8(0);
  const isSealed = record.readUInt16BE(3) > 0;
  if (type === recordType.alert) return isSealed && opens(socket, record);
  return isSealed && (type === recordType.handshake || type === recordType.data);
}

function opens({ cipher, sessionType }: DtlsSocket, record: Buffer): boolean {
  const header = {
    type: record.readUInt8(0),
    version: record.readUInt16BE(1),
    epoch: record.readUInt16BE(3),
    sequenceNumber: record.readUIntBE(5, 6),
  };
  try {
    cipher.cipher.decrypt(sessionType, record.subarray(headerBytes), header);
    return true;
  } catch {
    // The key does not fit: not the peer's.
    return false;
  }
}

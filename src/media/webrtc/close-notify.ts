import type { DtlsSocket } from 'werift';

const alert = 21;
const dtls12 = 0xfefd;
const closeNotify = Buffer.from([1, 0]);

/**
 * Sends the closing DTLS alert (RFC 5246 §7.2.1), which werift 0.25 never sends. Without it the peer holds a dead
 * session for up to half a minute.
 */
export async function sendCloseNotify({ cipher, dtls, sessionType, transport }: DtlsSocket): Promise<void> {
  const sequenceNumber = ++dtls.recordSequenceNumber;
  const header = { type: alert, version: dtls12, epoch: dtls.epoch, sequenceNumber };
  const sealed = cipher.cipher.encrypt(sessionType, closeNotify, header);
  const record = Buffer.alloc(13 + sealed.length);
  record[0] = alert;
  record.writeUInt16BE(dtls12, 1);
  record.writeUInt16BE(dtls.epoch, 3);
  record.writeUIntBE(sequenceNumber, 5, 6);
  record.writeUInt16BE(sealed.length, 11);
  record.set(sealed, 13);
  await transport.send(record);
}

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { BEAT_BYTES } from './beat-frame.ts';

/**
 * Encrypted beats for UDP (docs/protocol/beats.md): ChaCha20-Poly1305 with the 12-byte nonce `iv ‖ counter`.
 *
 * | layout | bytes |
 * | --- | --- |
 * | shared key | iv 8, counter 4, ciphertext 32, tag 16 |
 * | master key | pid 4, then as above; the pid is the additional data, and its agent's key is derived from it |
 */
const ivBytes = 8;
const counterBytes = 4;
const tagBytes = 16;
const pidBytes = 4;
const sharedBytes = ivBytes + counterBytes + BEAT_BYTES + tagBytes;
const masterBytes = pidBytes + sharedBytes;

/** 32 bytes. */
export type BeatKey = Uint8Array;

/** The sender of an encrypted datagram, as far as it can be read without a key; null for a wrong size. */
export interface SecureEnvelope {
  /** In the master layout; null in the shared one. */
  readonly pid: number | null;
  /** 16 hex digits. */
  readonly iv: string;
  /** u32, grows with each datagram of an iv. */
  readonly counter: number;
}

export function readEnvelope(datagram: Uint8Array): SecureEnvelope | null {
  if (datagram.length !== sharedBytes && datagram.length !== masterBytes) return null;
  const start = datagram.length === masterBytes ? pidBytes : 0;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  return {
    pid: start === 0 ? null : view.getUint32(0, true),
    iv: Buffer.from(datagram.subarray(start, start + ivBytes)).toString('hex'),
    counter: view.getUint32(start + ivBytes, true),
  };
}

/** The 32 bytes of the frame, or null when the key is another one or a byte was changed. Wrong sizes give null too. */
export function openBeat(key: BeatKey, datagram: Uint8Array): Uint8Array | null {
  const start = datagram.length - sharedBytes;
  if (start !== 0 && start !== pidBytes) return null;
  const nonceEnd = start + ivBytes + counterBytes;
  const decipher = createDecipheriv('chacha20-poly1305', key, datagram.subarray(start, nonceEnd), {
    authTagLength: tagBytes,
  });
  if (start > 0) decipher.setAAD(datagram.subarray(0, start), { plaintextLength: BEAT_BYTES });
  decipher.setAuthTag(datagram.subarray(nonceEnd + BEAT_BYTES));
  const frame = decipher.update(datagram.subarray(nonceEnd, nonceEnd + BEAT_BYTES));
  try {
    decipher.final();
    return frame;
  } catch {
    // The tag does not fit: node:crypto has no other way to say so.
    return null;
  }
}

export interface Sealing {
  /** 8 bytes. */
  readonly iv: Uint8Array;
  /** u32. Never twice with one key and iv. */
  readonly counter: number;
  /** Given: the master layout. `key` is then the agent's, as `agentKey` derives it. */
  readonly pid?: number;
}

/** The encrypted datagram of a frame: 60 bytes, or 64 with a pid. */
export function sealBeat(key: BeatKey, frame: Uint8Array, { iv, counter, pid }: Sealing): Uint8Array {
  const head = Buffer.alloc(pid === undefined ? 0 : pidBytes);
  if (pid !== undefined) head.writeUInt32LE(pid);
  const nonce = Buffer.alloc(ivBytes + counterBytes);
  nonce.set(iv);
  nonce.writeUInt32LE(counter, ivBytes);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
  if (pid !== undefined) cipher.setAAD(head, { plaintextLength: BEAT_BYTES });
  const body = Buffer.concat([cipher.update(frame), cipher.final()]);
  return Buffer.concat([head, nonce, body, cipher.getAuthTag()]);
}

/** The key of the agent with this pid: HKDF-SHA256 of the master key with an empty salt. */
export function agentKey(master: BeatKey, pid: number): BeatKey {
  return derive(master, 'varta-agent-v1\0', pid, 32);
}

/** The 8-byte iv of a client's session: HKDF-SHA256 of its 16-byte session salt with an empty salt. */
export function sessionIv(sessionSalt: Uint8Array, index: number): Uint8Array {
  return derive(sessionSalt, 'varta-iv-prefix-v1\0', index, ivBytes);
}

function derive(secret: Uint8Array, label: string, index: number, length: number): Uint8Array {
  const info = Buffer.alloc(label.length + 4);
  info.write(label, 'latin1');
  info.writeUInt32LE(index, label.length);
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), info, length));
}

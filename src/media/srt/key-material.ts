import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto';
import type { KeyBytes } from './srt-settings.ts';

/**
 * The key material message (draft-sharabayko-srt-01 §3.2.2):
 *
 * ```text
 * 0 S=0 V=1 PT=2 | 1-2 0x2029 | 3 KK | 4-7 KEKI=0 | 8 cipher=2 | 9 auth=0 | 10 SE=2 | 11 0
 * 12-13 0 | 14 SLen/4=4 | 15 KLen/4 | 16-31 salt | 32… wrapped keys: 8 + KLen, or 8 + 2 * KLen
 * ```
 */
const signature = 0x12_20_29;
const saltBytes = 16;
const fixedBytes = 16;
const iterations = 2048;
const wrapIv = Buffer.alloc(8, 0xa6);

/** Stream encrypting keys; at least one is there. */
export interface StreamKeys {
  readonly salt: Uint8Array;
  readonly even: Uint8Array | null;
  readonly odd: Uint8Array | null;
}

export type OpenedKeys =
  | { readonly kind: 'opened'; readonly keys: StreamKeys; readonly keyBytes: KeyBytes }
  /** The passphrase does not open it. */
  | { readonly kind: 'bad-secret' }
  /** Another cipher or mode than AES-CTR. */
  | { readonly kind: 'bad-mode' }
  | { readonly kind: 'malformed' };

/** Wraps the keys (RFC 3394) under a key that is derived of passphrase and salt. Takes about a millisecond. */
export function encodeKeyMaterial(passphrase: string, keys: StreamKeys): Buffer {
  const present = [keys.even, keys.odd].filter((key) => key !== null);
  const keyBytes = present[0]?.length ?? 0;
  const wrapped = wrap(deriveKey(passphrase, keys.salt, keyBytes), Buffer.concat(present));
  const message = Buffer.alloc(fixedBytes + saltBytes);
  message.writeUIntBE(signature, 0, 3);
  message[3] = (keys.even === null ? 0 : 1) | (keys.odd === null ? 0 : 2);
  message[8] = 2;
  message[10] = 2;
  message[14] = saltBytes / 4;
  message[15] = keyBytes / 4;
  message.set(keys.salt, fixedBytes);
  return Buffer.concat([message, wrapped]);
}

/** Whether `message` has the form of key material and how long its keys are; cheap, without the passphrase. */
export function inspectKeyMaterial(message: Buffer): { readonly keyBytes: KeyBytes; readonly flags: number } | null {
  if (message.length < fixedBytes + saltBytes || message.readUIntBE(0, 3) !== signature) return null;
  const flags = (message[3] ?? 0) & 3;
  const keyBytes = (message[15] ?? 0) * 4;
  if (flags === 0 || message[14] !== saltBytes / 4) return null;
  if (keyBytes !== 16 && keyBytes !== 24 && keyBytes !== 32) return null;
  const count = flags === 3 ? 2 : 1;
  return message.length === fixedBytes + saltBytes + 8 + count * keyBytes ? { keyBytes, flags } : null;
}

/** Takes about a millisecond (2,048 rounds): limit how often outsiders can cause it. */
export function openKeyMaterial(passphrase: string, message: Buffer): OpenedKeys {
  const form = inspectKeyMaterial(message);
  if (form === null) return { kind: 'malformed' };
  if (message[8] !== 2 || message[9] !== 0) return { kind: 'bad-mode' };
  const { keyBytes, flags } = form;
  const salt = Uint8Array.from(message.subarray(fixedBytes, fixedBytes + saltBytes));
  const plain = unwrap(deriveKey(passphrase, salt, keyBytes), message.subarray(fixedBytes + saltBytes));
  if (plain === null) return { kind: 'bad-secret' };
  const first = Uint8Array.from(plain.subarray(0, keyBytes));
  if (flags === 1) return { kind: 'opened', keyBytes, keys: { salt, even: first, odd: null } };
  if (flags === 2) return { kind: 'opened', keyBytes, keys: { salt, even: null, odd: first } };
  return { kind: 'opened', keyBytes, keys: { salt, even: first, odd: Uint8Array.from(plain.subarray(keyBytes)) } };
}

function deriveKey(passphrase: string, salt: Uint8Array, keyBytes: number): Buffer {
  return pbkdf2Sync(passphrase, salt.subarray(8), iterations, keyBytes, 'sha1');
}

function wrap(key: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv(`id-aes${key.length * 8}-wrap`, key, wrapIv);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

function unwrap(key: Buffer, wrapped: Buffer): Buffer | null {
  try {
    const decipher = createDecipheriv(`id-aes${key.length * 8}-wrap`, key, wrapIv);
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    // OpenSSL reports a failed integrity check as an error and in no other way.
    return null;
  }
}

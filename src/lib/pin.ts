import { createHash, X509Certificate } from 'node:crypto';

/** RFC 7469 §2.4: the algorithm, and base64 of the SHA-256 of the SubjectPublicKeyInfo. */
const keyPinForm = /^sha256\/([0-9A-Za-z+/]{43}=)$/;

/**
 * A pin as people write it, as 64 lower-case hex digits: the SHA-256 of a certificate (in any case, with or without
 * colons), or `sha256/BASE64` of its public key, which outlives the certificate. Null for anything else.
 */
export function parsePin(text: string): string | null {
  const [, base64] = keyPinForm.exec(text) ?? [];
  if (base64 !== undefined) return Buffer.from(base64, 'base64').toString('hex');
  const hex = text.replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
}

/** `sha256/BASE64` of the certificate's public key. Throws what Node throws when `certificate` (PEM or DER) is none. */
export function keyPinOf(certificate: string | Uint8Array): string {
  return `sha256/${keyDigest(new X509Certificate(certificate)).toString('base64')}`;
}

/** Whether `pin` (64 lower-case hex digits) is that of the certificate (DER) or of its public key. */
export function fitsPin(certificate: Uint8Array, pin: string): boolean {
  const digest = createHash('sha256').update(certificate).digest('hex');
  if (digest === pin) return true;
  try {
    return keyDigest(new X509Certificate(certificate)).toString('hex') === pin;
  } catch {
    // A peer may show what no library can read: no key of it fits.
    return false;
  }
}

function keyDigest({ publicKey }: X509Certificate): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** Why a certificate was not accepted, as the end of `…: its certificate …`, and what to do. */
interface CertificateWords {
  readonly text: string;
  readonly remedy: string;
}

export const compareFingerprints =
  'compare relay_fingerprint with the certificate_sha256 or key_pin that the relay logs when it starts; if the relay ' +
  'has no new one, somebody else answers in its place';

/** By words of the TLS libraries of both engines; the first that fits. */
const words: readonly (readonly [pattern: RegExp, text: string, remedy: string])[] = [
  [/another fingerprint/, 'its certificate is not the one in relay_fingerprint', compareFingerprints],
  [
    /expired|alert 45/i,
    'its certificate has expired',
    'renew the certificate of the relay; if it is still good, set the clock of this machine (timedatectl)',
  ],
  [
    /not valid yet/i,
    'its certificate is not valid yet',
    'set the clock of this machine or of the relay, whichever is wrong (timedatectl)',
  ],
  [
    /not valid for/i,
    'its certificate is for another name',
    'in relay_addrs write the host as the certificate has it, or give the relay a certificate for this host',
  ],
  [
    /unknown ?issuer|alert 48/i,
    'its certificate is not signed by the CA of relay_ca_path',
    'set relay_ca_path to the CA that signed it; a relay that signed its own needs relay_fingerprint in its place',
  ],
  [
    /alert 42/i,
    'its certificate is not valid yet, or for another name',
    'set the clock of this machine (timedatectl), and compare the host in relay_addrs with the certificate',
  ],
];

/** Null where the reason is another one. */
export function certificateWords(reason: string): CertificateWords | null {
  const found = words.find(([pattern]) => pattern.test(reason));
  return found === undefined ? null : { text: found[1], remedy: found[2] };
}

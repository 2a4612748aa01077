/** How the manager's certificate is judged (docs/protocol/manager.md §1). */
export type CertificateCheck =
  /** Normal validation, and one of these leaf certificates where any is given. */
  | { readonly kind: 'chain'; readonly fingerprints: readonly string[] }
  /** One of these leaf certificates, of any issuer. */
  | { readonly kind: 'pinned'; readonly fingerprints: readonly string[] }
  /** Anything goes: only for tests on a network that the operator owns. */
  | { readonly kind: 'unchecked' }
  | { readonly kind: 'refused'; readonly reason: string };

/** The switch that `accept_self_signed_cert` needs beside it, so that no config file alone can turn checks off. */
export const allowInsecureVariable = 'BILBYCAST_ALLOW_INSECURE';

export interface CertificateSettings {
  readonly acceptSelfSignedCert: boolean;
  readonly certFingerprints: readonly string[];
}

export function chooseCertificateCheck(settings: CertificateSettings, allowInsecure: boolean): CertificateCheck {
  const fingerprints = settings.certFingerprints.map(normalizeFingerprint).filter((pin) => pin !== null);
  if (fingerprints.length < settings.certFingerprints.length) {
    return { kind: 'refused', reason: 'manager.cert_fingerprint is not a SHA-256 fingerprint (64 hex digits)' };
  }
  if (!settings.acceptSelfSignedCert) return { kind: 'chain', fingerprints };
  if (fingerprints.length > 0) return { kind: 'pinned', fingerprints };
  if (allowInsecure) return { kind: 'unchecked' };
  const mend = `set manager.cert_fingerprint, or the environment variable ${allowInsecureVariable}=1 for tests`;
  return { kind: 'refused', reason: `manager.accept_self_signed_cert checks nothing by itself: ${mend}` };
}

/** SHA-256 in any case, with or without colons, as lower-case hex; null for anything else. */
export function normalizeFingerprint(text: string): string | null {
  const hex = text.replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
}

/** How the manager's certificate is judged (docs/protocol/manager.md §1). */
export type CertificateCheck =
  /** Normal validation, and this very leaf where a fingerprint is given. */
  | { readonly kind: 'chain'; readonly fingerprint: string | null }
  /** This very leaf, whoever signed it. */
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  /** Anything goes: only for tests on a network that the operator owns. */
  | { readonly kind: 'unchecked' }
  | { readonly kind: 'refused'; readonly reason: string };

/** The switch that `accept_self_signed_cert` needs beside it, so that no config file alone can turn checks off. */
export const allowInsecureVariable = 'BILBYCAST_ALLOW_INSECURE';

export interface CertificateSettings {
  readonly acceptSelfSignedCert: boolean;
  readonly certFingerprint: string | null;
}

export function chooseCertificateCheck(settings: CertificateSettings, allowInsecure: boolean): CertificateCheck {
  const fingerprint = settings.certFingerprint === null ? null : normalizeFingerprint(settings.certFingerprint);
  if (settings.certFingerprint !== null && fingerprint === null) {
    return { kind: 'refused', reason: 'manager.cert_fingerprint is not a SHA-256 fingerprint (64 hex digits)' };
  }
  if (!settings.acceptSelfSignedCert) return { kind: 'chain', fingerprint };
  if (fingerprint !== null) return { kind: 'pinned', fingerprint };
  if (allowInsecure) return { kind: 'unchecked' };
  const mend = `set manager.cert_fingerprint, or the environment variable ${allowInsecureVariable}=1 for tests`;
  return { kind: 'refused', reason: `manager.accept_self_signed_cert checks nothing by itself: ${mend}` };
}

/** SHA-256 in any case, with or without colons, as lower-case hex; null for anything else. */
export function normalizeFingerprint(text: string): string | null {
  const hex = text.replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
}

import { parsePin } from '../../lib/pin.ts';

/** How the manager's certificate is judged (docs/protocol/manager.md §1). A pin is 64 lower-case hex digits. */
export type CertificateCheck =
  /** Normal validation, and a leaf certificate that one of these pins fits, where any is given. */
  | { readonly kind: 'chain'; readonly pins: readonly string[] }
  /** A leaf certificate of any issuer that one of these pins fits. */
  | { readonly kind: 'pinned'; readonly pins: readonly string[] }
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
  const pins = settings.certFingerprints.map(parsePin).filter((pin) => pin !== null);
  if (pins.length < settings.certFingerprints.length) {
    return { kind: 'refused', reason: 'manager.cert_fingerprint is not a SHA-256 (64 hex digits, or sha256/BASE64)' };
  }
  if (!settings.acceptSelfSignedCert) return { kind: 'chain', pins };
  if (pins.length > 0) return { kind: 'pinned', pins };
  if (allowInsecure) return { kind: 'unchecked' };
  const mend = `set manager.cert_fingerprint, or the environment variable ${allowInsecureVariable}=1 for tests`;
  return { kind: 'refused', reason: `manager.accept_self_signed_cert checks nothing by itself: ${mend}` };
}

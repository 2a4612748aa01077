import type { Clock } from '../lib/clock.ts';
import { certificateFingerprint, keepSelfSigned } from '../quic/tls-material.ts';

/**
 * The SHA-256 of the self-signed certificate in this folder, which is made when there is none: a relay whose config is
 * beside the folder `certs` uses it, and edges are given it as `relay_fingerprint`. Rejects with AppError.
 */
export async function keepRelayCertificate(directory: string, clock: Pick<Clock, 'now'>): Promise<string> {
  const { certificate } = await keepSelfSigned(directory, clock);
  return certificateFingerprint(certificate);
}

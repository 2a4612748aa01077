/**
 * How a dialled relay proves its identity (docs/protocol/tunnel.md §8). A fingerprint is the SHA-256 of the leaf
 * certificate (DER), or of its public key (SubjectPublicKeyInfo, RFC 7469 §2.4), 64 lower-case hex digits. An engine
 * takes the CA as PEM text and one fingerprint.
 */
export type PeerVerification<Ca = { readonly caPem: string; readonly host: string }, Sha256 = string> =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'ca' } & Ca)
  | { readonly kind: 'fingerprint'; readonly sha256: Sha256 };

/**
 * The same as an operator writes it: the CA is a file, read for each dial; it verifies the host of the relay's address.
 * Any of the fingerprints will do, so that the next certificate can be added before the old one is taken out.
 */
export type ConfiguredVerification = PeerVerification<{ readonly path: string }, readonly string[]>;

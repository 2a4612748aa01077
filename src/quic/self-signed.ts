import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { dateAt } from '../lib/clock.ts';
import type { TlsIdentity } from './types.ts';

/** Edges send the first as SNI and verify neither; the second is for tools on the same machine. */
const selfSignedNames = ['relay', 'localhost'];

/** Longer than an installation lives: edges may not verify the certificate, so its end would go unnoticed. */
const selfSignedYears = 30;

const msPerDay = 86_400_000;
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/**
 * A key pair and a certificate for it and these names (or addresses), valid from a day before `nowMs` (wall clock) on.
 */
export async function createSelfSigned(
  nowMs: number,
  names: readonly string[] = selfSignedNames,
): Promise<TlsIdentity> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(16).toString('hex'),
    name: [{ CN: [names[0] ?? 'adit'] }],
    keys,
    signingAlgorithm: { ...keyAlgorithm, hash: 'SHA-256' },
    notBefore: dateAt(nowMs - msPerDay),
    notAfter: dateAt(nowMs + selfSignedYears * 365 * msPerDay),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
    ],
  });
  const privateKey = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    privateKey: `${PemConverter.encode(privateKey, 'PRIVATE KEY')}\n`,
  };
}

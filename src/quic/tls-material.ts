import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../lib/app-error.ts';
import { writeFileAtomically } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import type { TlsIdentity } from './types.ts';
import { readIfThere } from '../lib/read-if-there.ts';

/** In the directory of `keepSelfSigned`. */
const certificateFile = 'self-signed.crt';
const privateKeyFile = 'self-signed.key';

/** Where `keepSelfSigned` keeps the certificate. */
export function selfSignedPath(directory: string): string {
  return join(directory, certificateFile);
}

/** PKCS #8 says it in its label, the older form of OpenSSL in a header. */
const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * Throws AppError `tls-failed` when the texts are not PEM, the key is encrypted, or the key is not that of the first
 * certificate.
 */
export function checkTlsIdentity(tls: TlsIdentity): void {
  if (encryptedKey.test(tls.privateKey)) {
    const remedy = 'decrypt it into a file of mode 0600: openssl pkey -in KEY -out NEW';
    throw new AppError(
      'tls-failed',
      `the private key is encrypted, and nobody is there to type its password; ${remedy}`,
    );
  }
  let fits: boolean;
  try {
    fits = new X509Certificate(tls.certificate).checkPrivateKey(createPrivateKey(tls.privateKey));
  } catch (error) {
    throw new AppError('tls-failed', 'the certificate or its key is not valid PEM', { cause: error });
  }
  if (!fits) throw new AppError('tls-failed', 'the private key does not belong to the certificate');
}

/**
 * SHA-256 of the first certificate's DER, 64 lower-case hex digits: what an edge's config has as `relay_fingerprint`.
 */
export function certificateFingerprint(certificatePem: string): string {
  return createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('hex');
}

/**
 * Reads a pair of PEM files. Rejects with AppError `tls-failed`, naming the file that cannot be read or the pair that
 * does not fit.
 */
export async function loadTlsIdentity(certificatePath: string, privateKeyPath: string): Promise<TlsIdentity> {
  const identity = { certificate: await readPem(certificatePath), privateKey: await readPem(privateKeyPath) };
  try {
    checkTlsIdentity(identity);
  } catch (error) {
    throw new AppError('tls-failed', `${certificatePath} and ${privateKeyPath} cannot be used`, { cause: error });
  }
  return identity;
}

/**
 * The self-signed pair of `directory`, made for `names` when it is not there yet, both files with mode 0600. A pair
 * that does not fit (a crash between the two writes) is made anew. Rejects with AppError `io-failed` or `tls-failed`.
 */
export async function keepSelfSigned(
  directory: string,
  clock: Pick<Clock, 'now'>,
  names?: readonly string[],
): Promise<TlsIdentity> {
  const certificatePath = join(directory, certificateFile);
  const privateKeyPath = join(directory, privateKeyFile);
  const kept = await loadIfUsable(certificatePath, privateKeyPath);
  if (kept !== null) return kept;
  // Loaded where a pair is made, once in an installation's life: it is a tenth of a relay's memory.
  const { createSelfSigned } = await import('./self-signed.ts');
  const identity = await createSelfSigned(clock.now(), names);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AppError('io-failed', `could not make ${directory}`, { cause: error });
  }
  await writeFileAtomically(privateKeyPath, identity.privateKey);
  await writeFileAtomically(certificatePath, identity.certificate);
  return identity;
}

async function loadIfUsable(certificatePath: string, privateKeyPath: string): Promise<TlsIdentity | null> {
  const certificate = await readIfThere(certificatePath, () => readFile(certificatePath, 'utf8'));
  const privateKey = await readIfThere(privateKeyPath, () => readFile(privateKeyPath, 'utf8'));
  if (certificate === null || privateKey === null) return null;
  const identity = { certificate, privateKey };
  try {
    checkTlsIdentity(identity);
    return identity;
  } catch (error) {
    if (error instanceof AppError && error.code === 'tls-failed') return null;
    throw error;
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new AppError('tls-failed', `could not read ${path}`, { cause: error });
  }
}

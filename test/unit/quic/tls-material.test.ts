import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  certificateFingerprint,
  checkTlsIdentity,
  keepSelfSigned,
  loadTlsIdentity,
} from '../../../src/quic/tls-material.ts';
import { createSelfSigned } from '../../support/samples/certificates.ts';
import { failureCode } from '../../support/failure-code.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

async function inTemporaryDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'adit-tls-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('the self-signed pair', () => {
  it('is made once, for its owner only, and kept', async () => {
    await inTemporaryDirectory(async (parent) => {
      const directory = join(parent, 'certs');
      const made = await keepSelfSigned(directory, new ManualClock());
      const certificate = new X509Certificate(made.certificate);
      expect(certificate.subjectAltName).toBe('DNS:relay, DNS:localhost');
      expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
      expect(certificate.validToDate.getTime()).toBeGreaterThan(new ManualClock().now() + 20 * 365 * 86_400_000);
      for (const file of ['self-signed.crt', 'self-signed.key']) {
        expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
      }
      expect(await keepSelfSigned(directory, new ManualClock())).toEqual(made);
    });
  });

  it('is made anew when its two files do not belong together', async () => {
    await inTemporaryDirectory(async (directory) => {
      const made = await keepSelfSigned(directory, new ManualClock());
      const other = await createSelfSigned();
      await writeFile(join(directory, 'self-signed.key'), other.privateKeyPem);
      const again = await keepSelfSigned(directory, new ManualClock());
      expect(again.certificate).not.toBe(made.certificate);
      checkTlsIdentity(again);
    });
  });

  it('is not made where no directory can be', async () => {
    await inTemporaryDirectory(async (directory) => {
      await writeFile(join(directory, 'file'), '');
      expect(await failureCode(keepSelfSigned(join(directory, 'file'), new ManualClock()))).toBe('io-failed');
    });
  });
});

describe('a pair of PEM files', () => {
  it.each(['pkcs8', 'pkcs1'] as const)('says that its key is encrypted, and how to decrypt it (%s)', async (type) => {
    const { certificatePem: certificate } = await createSelfSigned();
    const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const privateKey = String(key.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }));
    expect(() => checkTlsIdentity({ certificate, privateKey })).toThrow(/is encrypted.* openssl pkey -in KEY -out NEW/);
  });

  it('is loaded when the key fits', async () => {
    await inTemporaryDirectory(async (directory) => {
      const { certificatePem, privateKeyPem, fingerprint } = await createSelfSigned({ keyKind: 'ed25519' });
      const [certificate, key] = [join(directory, 'c.pem'), join(directory, 'k.pem')];
      await writeFile(certificate, certificatePem);
      await writeFile(key, privateKeyPem);
      const identity = await loadTlsIdentity(certificate, key);
      expect(identity.privateKey).toBe(await readFile(key, 'utf8'));
      expect(certificateFingerprint(identity.certificate)).toBe(fingerprint);
      await writeFile(key, (await createSelfSigned()).privateKeyPem);
      expect(await failureCode(loadTlsIdentity(certificate, key))).toBe('tls-failed');
      expect(await failureCode(loadTlsIdentity(certificate, join(directory, 'missing')))).toBe('tls-failed');
      await writeFile(certificate, 'nonsense');
      expect(await failureCode(loadTlsIdentity(certificate, key))).toBe('tls-failed');
    });
  });
});

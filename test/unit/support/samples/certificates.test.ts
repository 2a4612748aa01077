import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSelfSigned, type KeyKind, TestAuthority } from '../../../support/samples/certificates.ts';

const keyKinds: KeyKind[] = ['ec', 'ed25519', 'rsa'];

describe('certificates for tests', () => {
  it.each(keyKinds)('an authority signs a leaf with an %s key', async (keyKind) => {
    const authority = await TestAuthority.create();
    const leaf = await authority.issue({ keyKind, dnsNames: ['relay.test'] });
    const certificate = new X509Certificate(leaf.certificatePem);
    const issuer = new X509Certificate(authority.certificate.certificatePem);

    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(leaf.privateKeyPem))).toBe(true);
    expect(certificate.checkHost('relay.test')).toBe('relay.test');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(leaf.fingerprint);
  });

  it.each(keyKinds)('a certificate with an %s key signs itself', async (keyKind) => {
    const own = await createSelfSigned({ keyKind });
    const certificate = new X509Certificate(own.certificatePem);

    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it.each(keyKinds)('an authority with an %s key signs too', async (keyKind) => {
    const authority = await TestAuthority.create('other', keyKind);
    const leaf = await authority.issue();

    expect(
      new X509Certificate(leaf.certificatePem).verify(
        new X509Certificate(authority.certificate.certificatePem).publicKey,
      ),
    ).toBe(true);
  });
});

import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fitsPin, keyPinOf, parsePin } from '../../../src/lib/pin.ts';
import { createSelfSigned, type KeyKind } from '../../support/samples/certificates.ts';

/** Made by `openssl req -x509`; the pins beside it are what `openssl x509 -pubkey` and `openssl dgst` made of it. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBdjCCAR2gAwIBAgIUTMje9cNxJGO+89MpgcftlL9XT9AwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFcmVsYXkwIBcNMjYxMjAxMDQyOTQ3WhgPMjEyNjExMDcwNDI5
NDdaMBAxDjAMBgNVBAMMBXJlbGF5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
qPuYk0qt1y5HIACgKnwy3ddoC1fl4R68N763ECJ5cQpQwD8GIiaODolgH46ypEFY
63bkXHfQsOP1g5wex4SbsaNTMFEwHQYDVR0OBBYEFCu0vGBw2pIjoa73oGLkDurN
aDHbMB8GA1UdIwQYMBaAFCu0vGBw2pIjoa73oGLkDurNaDHbMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgNHt0431m8Ff5+ysDRvcSAYQdRLt/vG1L
sqPbdpKW+qACIHEsE6iDqboRJxNOKPKdaJYjp8U9IQ6k0nnxv8h5eGm/
-----END CERTIFICATE-----
`;
const keyPin = 'sha256/RVSsWULu7DLsMKpYbKRjyk7dtPP8SnIZg50q8Z0eBHw=';
const keyDigest = '4554ac5942eeec32ec30aa586ca463ca4eddb4f3fc4a7219839d2af19d1e047c';
const fingerprint = '6e3aae3763e72a81f8d7a71bcb873c5e8f0f9b10cda9bf8f55af02c69ffd94cd';
const der = new X509Certificate(certificate).raw;

describe('a pin', () => {
  it.each([
    [fingerprint, fingerprint],
    [fingerprint.toUpperCase(), fingerprint],
    [fingerprint.replaceAll(/(..)(?=.)/g, '$1:'), fingerprint],
    [keyPin, keyDigest],
  ])('is read from %s', (text, hex) => {
    expect(parsePin(text)).toBe(hex);
  });

  it.each([
    ...['', 'abc', fingerprint.slice(1), `${fingerprint}0`, `sha256/${fingerprint}`],
    ...[keyPin.slice(0, -1), keyPin.replace('sha256/', ''), keyPin.replace('sha256/', 'sha1/'), `${keyPin} `],
    keyPin.replace('RVS', 'RV_'),
  ])('is not read from "%s"', (text) => {
    expect(parsePin(text)).toBeNull();
  });

  it('fits the certificate or its key, and no other', () => {
    expect(keyPinOf(certificate)).toBe(keyPin);
    expect(keyPinOf(der)).toBe(keyPin);
    expect([fingerprint, keyDigest, 'ab'.repeat(32)].map((pin) => fitsPin(der, pin))).toEqual([true, true, false]);
    expect(fitsPin(Buffer.from('nonsense'), keyDigest)).toBe(false);
  });

  it.each(['ec', 'ed25519', 'rsa'] satisfies KeyKind[])(
    'of an %s key fits the renewed certificate',
    async (keyKind) => {
      const first = await createSelfSigned({ keyKind });
      const renewed = await createSelfSigned({ keyKind, keys: first.keys });
      expect(renewed.fingerprint).not.toBe(first.fingerprint);
      expect(fitsPin(renewed.certificateDer, parsePin(first.keyPin) ?? '')).toBe(true);
      expect(fitsPin(renewed.certificateDer, first.fingerprint)).toBe(false);
    },
  );
});

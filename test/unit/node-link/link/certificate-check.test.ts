import { describe, expect, it } from 'vitest';
import { chooseCertificateCheck } from '../../../../src/node-link/link/certificate-check.ts';

const hex = '0a'.repeat(32);
const withColons = hex.toUpperCase().match(/../g)?.join(':') ?? '';

describe('the check of a manager certificate', () => {
  it.each([
    ['the chain by default', false, [], { kind: 'chain', pins: [] }],
    ['the chain and the leaf with a fingerprint', false, [withColons], { kind: 'chain', pins: [hex] }],
    ['the leaf alone when self-signed is accepted', true, [hex], { kind: 'pinned', pins: [hex] }],
    [
      'the leaf with a key as pinned',
      false,
      [`sha256/${Buffer.from(hex, 'hex').toString('base64')}`],
      { kind: 'chain', pins: [hex] },
    ],
    ['one of several leaves', true, [hex, 'cd'.repeat(32)], { kind: 'pinned', pins: [hex, 'cd'.repeat(32)] }],
  ] as const)(
    'is %s, with and without the insecure switch',
    (_name, acceptSelfSignedCert, certFingerprints, expected) => {
      for (const allowInsecure of [false, true]) {
        expect(chooseCertificateCheck({ acceptSelfSignedCert, certFingerprints }, allowInsecure)).toEqual(expected);
      }
    },
  );

  it('is left out only when config and environment both say so', () => {
    const settings = { acceptSelfSignedCert: true, certFingerprints: [] };
    expect(chooseCertificateCheck(settings, true)).toEqual({ kind: 'unchecked' });
    expect(chooseCertificateCheck(settings, false)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('BILBYCAST_ALLOW_INSECURE=1') as string,
    });
  });

  it('refuses a fingerprint that is none', () => {
    expect(chooseCertificateCheck({ acceptSelfSignedCert: true, certFingerprints: ['abc'] }, true).kind).toBe(
      'refused',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { chooseCertificateCheck, normalizeFingerprint } from '../../../../src/node-link/link/certificate-check.ts';

const hex = '0a'.repeat(32);
const withColons = hex.toUpperCase().match(/../g)?.join(':') ?? '';

describe('the check of a manager certificate', () => {
  it.each([
    ['the chain by default', false, null, { kind: 'chain', fingerprint: null }],
    ['the chain and the leaf with a fingerprint', false, withColons, { kind: 'chain', fingerprint: hex }],
    ['the leaf alone when self-signed is accepted', true, hex, { kind: 'pinned', fingerprint: hex }],
  ] as const)(
    'is %s, with and without the insecure switch',
    (_name, acceptSelfSignedCert, certFingerprint, expected) => {
      for (const allowInsecure of [false, true]) {
        expect(chooseCertificateCheck({ acceptSelfSignedCert, certFingerprint }, allowInsecure)).toEqual(expected);
      }
    },
  );

  it('is left out only when config and environment both say so', () => {
    const settings = { acceptSelfSignedCert: true, certFingerprint: null };
    expect(chooseCertificateCheck(settings, true)).toEqual({ kind: 'unchecked' });
    expect(chooseCertificateCheck(settings, false)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('BILBYCAST_ALLOW_INSECURE=1') as string,
    });
  });

  it('refuses a fingerprint that is none', () => {
    expect(normalizeFingerprint('abc')).toBeNull();
    expect(chooseCertificateCheck({ acceptSelfSignedCert: true, certFingerprint: 'abc' }, true).kind).toBe('refused');
  });
});

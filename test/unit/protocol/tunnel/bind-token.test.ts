import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bindTokensDigest,
  computeBindProof,
  computeBindToken,
  isHex64,
  secretsEqual,
} from '../../../../src/protocol/tunnel/bind-token.ts';
import { DIRECTIONS, oppositeDirection } from '../../../../src/protocol/tunnel/leg.ts';
import { parseTunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { directions, hex64, tunnelIds } from '../../../support/samples/arbitraries.ts';
import { bindVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const tunnelId = parseTunnelId(vectorTunnel.id) ?? expect.fail('the vector is a tunnel id');

describe('bind token and proof', () => {
  it.each(DIRECTIONS)('are the golden values for %s', (direction) => {
    const token = computeBindToken(bindVector.secret, tunnelId, direction);
    expect(token).toBe(bindVector.token[direction]);
    expect(computeBindProof(token, bindVector.challenge, tunnelId, direction)).toBe(bindVector.proof[direction]);
  });

  it('key the HMAC with the text of the secret, so its case counts', () => {
    const upper = computeBindToken(bindVector.secret.toUpperCase(), tunnelId, 'ingress');
    expect(upper).not.toBe(bindVector.token.ingress);
  });

  it('differ for the other direction, another tunnel and another challenge', () => {
    fc.assert(
      fc.property(hex64, tunnelIds, tunnelIds, directions, hex64, hex64, (secret, a, b, direction, c1, c2) => {
        fc.pre(a !== b && c1 !== c2);
        const token = computeBindToken(secret, a, direction);
        expect(isHex64(token)).toBe(true);
        expect(computeBindToken(secret, a, oppositeDirection(direction))).not.toBe(token);
        expect(computeBindToken(secret, b, direction)).not.toBe(token);
        expect(computeBindProof(token, c1, a, direction)).not.toBe(computeBindProof(token, c2, a, direction));
      }),
    );
  });
});

describe('secretsEqual', () => {
  it('agrees with === for texts of any length', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(secretsEqual(a, b)).toBe(a === b);
        expect(secretsEqual(a, a)).toBe(true);
      }),
    );
  });

  it('takes an empty text, a prefix and a megabyte', () => {
    const token = bindVector.token.egress;
    expect(secretsEqual('', token)).toBe(false);
    expect(secretsEqual(token.slice(0, 63), token)).toBe(false);
    expect(secretsEqual('a'.repeat(1_000_000), token)).toBe(false);
  });
});

describe('isHex64', () => {
  it('takes 64 hex characters in any case and nothing else', () => {
    expect(isHex64(bindVector.secret)).toBe(true);
    expect(isHex64(bindVector.secret.toUpperCase())).toBe(true);
    for (const text of ['', bindVector.secret.slice(1), `${bindVector.secret}0`, `${bindVector.secret}\n`]) {
      expect(isHex64(text)).toBe(false);
    }
    expect(isHex64(`${bindVector.secret.slice(1)}g`)).toBe(false);
  });
});

describe('bindTokensDigest', () => {
  it('is the same for the same pair only, and holds neither token', () => {
    const { ingress, egress } = bindVector.token;
    const digest = bindTokensDigest(ingress, egress);
    expect(bindTokensDigest(ingress, egress)).toBe(digest);
    expect(bindTokensDigest(egress, ingress)).not.toBe(digest);
    expect(isHex64(digest)).toBe(true);
  });
});

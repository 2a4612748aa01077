import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTunnelId, tunnelIdFromBytes, tunnelIdToBytes } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { tunnelIds } from '../../../support/samples/arbitraries.ts';
import { vectorTunnel } from '../../../support/samples/vectors.ts';

describe('tunnel id', () => {
  it('is accepted in any case, with or without hyphens, and kept lower-case and hyphenated', () => {
    const plain = vectorTunnel.bytesHex;
    for (const text of [vectorTunnel.id, vectorTunnel.id.toUpperCase(), plain, plain.toUpperCase()]) {
      expect(parseTunnelId(text)).toBe(vectorTunnel.id);
    }
  });

  it.each([
    '',
    'x',
    vectorTunnel.id.slice(1),
    `${vectorTunnel.id}0`,
    ` ${vectorTunnel.id}`,
    `{${vectorTunnel.bytesHex}}`,
    `urn:uuid:${vectorTunnel.id}`,
    vectorTunnel.id.replace('6', 'g'),
    '6f1d2c3b4-a59-4e68-8777-9a8b7c6d5e4f',
    `${vectorTunnel.bytesHex}----`,
    '-'.repeat(36),
    `${vectorTunnel.bytesHex.slice(0, 31)}\n`,
  ])('is not %j', (text) => {
    expect(parseTunnelId(text)).toBeNull();
  });

  it('becomes its 16 bytes in RFC 4122 order and back', () => {
    const id = parseTunnelId(vectorTunnel.id);
    expect(id).not.toBeNull();
    if (id === null) return;
    expect(Buffer.from(tunnelIdToBytes(id)).toString('hex')).toBe(vectorTunnel.bytesHex);
    expect(tunnelIdFromBytes(Buffer.from(vectorTunnel.bytesHex, 'hex'))).toBe(vectorTunnel.id);
  });

  it('reads the first 16 bytes of a longer view and nothing from a shorter one', () => {
    const datagram = Buffer.from(`ff${vectorTunnel.bytesHex}aabb`, 'hex').subarray(1);
    expect(tunnelIdFromBytes(datagram)).toBe(vectorTunnel.id);
    expect(tunnelIdFromBytes(datagram.subarray(0, 15))).toBeNull();
  });

  it('survives bytes → id → text → bytes for every value', () => {
    fc.assert(
      fc.property(tunnelIds, (id) => {
        expect(parseTunnelId(id.toUpperCase().replaceAll('-', ''))).toBe(id);
        expect(tunnelIdFromBytes(tunnelIdToBytes(id))).toBe(id);
      }),
    );
  });

  it('never throws on arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 30, maxLength: 38 }), (text) => {
        expect(() => parseTunnelId(text)).not.toThrow();
      }),
    );
  });
});

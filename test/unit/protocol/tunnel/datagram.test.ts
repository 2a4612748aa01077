import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasPrefix, joinDatagram, splitDatagram } from '../../../../src/protocol/tunnel/datagram.ts';
import { tunnelIdToBytes } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { tunnelIds } from '../../../support/samples/arbitraries.ts';
import { sealVector, vectorTunnel } from '../../../support/samples/vectors.ts';

describe('datagram', () => {
  it('is the raw tunnel id followed by the payload, as in the golden vector', () => {
    const prefix = Buffer.from(vectorTunnel.bytesHex, 'hex');
    const datagram = joinDatagram(prefix, Buffer.from(sealVector.sealedHex, 'hex'));
    expect(datagram.toString('hex')).toBe(sealVector.datagramHex);
  });

  it('splits into what it was joined from, without a copy', () => {
    fc.assert(
      fc.property(tunnelIds, fc.uint8Array({ maxLength: 1500 }), (id, payload) => {
        const datagram = joinDatagram(tunnelIdToBytes(id), payload);
        const parts = splitDatagram(datagram) ?? expect.fail('long enough');
        expect(Buffer.compare(parts.prefix, tunnelIdToBytes(id))).toBe(0);
        expect(Buffer.compare(parts.payload, payload)).toBe(0);
        expect(parts.payload.buffer).toBe(datagram.buffer);
      }),
    );
  });

  it('may have an empty payload but not a short prefix', () => {
    expect(splitDatagram(Buffer.alloc(16))?.payload).toHaveLength(0);
    expect(splitDatagram(Buffer.alloc(15))).toBeNull();
    expect(splitDatagram(Buffer.alloc(0))).toBeNull();
  });

  it('belongs to the tunnel whose id it begins with and to no other', () => {
    const prefix = Buffer.from(vectorTunnel.bytesHex, 'hex');
    const datagram = joinDatagram(prefix, Buffer.from('x'));
    expect(hasPrefix(datagram, prefix)).toBe(true);
    expect(hasPrefix(datagram.subarray(0, 15), prefix)).toBe(false);
    for (let i = 0; i < 16; i++) {
      const other = Buffer.from(datagram);
      other[i] = (other[i] ?? 0) ^ 1;
      expect(hasPrefix(other, prefix)).toBe(false);
    }
  });
});

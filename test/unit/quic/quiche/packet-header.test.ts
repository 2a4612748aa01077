import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasFixedBit, isLongHeader, parseLongHeader } from '../../../../src/quic/quiche/packet-header.ts';

function initial(token: readonly number[], tokenLength: readonly number[] = [token.length]): Buffer {
  return Buffer.from([0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 10, ...tokenLength, ...token, 0x41, 0x00]);
}

describe('packet headers', () => {
  it('are long or short by their first bit, and version 1 by their second', () => {
    expect(isLongHeader(initial([]))).toBe(true);
    expect(isLongHeader(Buffer.from([0x4f]))).toBe(false);
    expect(hasFixedBit(Buffer.from([0x4f]))).toBe(true);
    expect(hasFixedBit(Buffer.from([0x0f]))).toBe(false);
    expect(isLongHeader(Buffer.alloc(0)) || hasFixedBit(Buffer.alloc(0))).toBe(false);
  });

  it('give ids and token of an Initial', () => {
    expect(parseLongHeader(initial([0xaa, 0xbb]))).toEqual({
      version: 1,
      initial: true,
      destinationId: Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]),
      sourceId: Buffer.from([9, 10]),
      token: Buffer.from([0xaa, 0xbb]),
    });
    expect(parseLongHeader(initial([0xcc], [0x40, 1]))?.token).toEqual(Buffer.from([0xcc]));
    expect(parseLongHeader(initial([1, 2], [0x80, 0, 0, 2]))).toBeNull();
    expect(parseLongHeader(initial([1, 2], [60]))).toBeNull();
  });

  it('give the ids of other packets and versions, and of the longest ids that a version may have', () => {
    const handshake = initial([]);
    handshake.writeUInt8(0xe3, 0);
    expect(parseLongHeader(handshake)).toMatchObject({ initial: false, version: 1 });
    const future = initial([]);
    future.writeUInt32BE(0x6b3343cf, 1);
    expect(parseLongHeader(future)).toMatchObject({ initial: false, version: 0x6b3343cf });
    const long = Buffer.concat([Buffer.from([0xc0, 0, 0, 0, 1, 21]), Buffer.alloc(21), Buffer.from([0, 0])]);
    expect(parseLongHeader(long)).toBeNull();
    long.writeUInt8(9, 4);
    expect(parseLongHeader(long)?.destinationId).toHaveLength(21);
  });

  it('never read beyond the packet, whatever is in it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (packet) => {
        const header = parseLongHeader(packet);
        if (header === null) return;
        const used = 7 + header.destinationId.length + header.sourceId.length + header.token.length;
        expect(used).toBeLessThanOrEqual(packet.length);
      }),
      { numRuns: 5000 },
    );
    for (let length = 0; length < 20; length += 1) {
      expect(parseLongHeader(initial([1]).subarray(0, length))?.token.length ?? 0).toBeLessThanOrEqual(1);
    }
  });
});

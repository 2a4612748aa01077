import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_STREAM_HEADER_BYTES } from '../../../../src/protocol/tunnel/limits.ts';
import { encodeStreamHeader, parseStreamHeader } from '../../../../src/protocol/tunnel/stream-header.ts';
import { parseTunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { mangledObjects, tunnelIds } from '../../../support/samples/arbitraries.ts';
import { frameBytes, frameVectors, vectorTunnel } from '../../../support/samples/vectors.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('stream header', () => {
  it('is written as the golden frame and read back', () => {
    const id = parseTunnelId(vectorTunnel.id) ?? expect.fail('the vector is a tunnel id');
    const frame = encodeStreamHeader(id);
    expect(frame).toEqual(frameBytes(frameVectors.streamHeader));
    expect(parseStreamHeader(frame.subarray(4))).toEqual({ kind: 'header', tunnelId: id });
  });

  it('fits its limit and survives the way for every tunnel', () => {
    fc.assert(
      fc.property(tunnelIds, (tunnelId) => {
        const frame = encodeStreamHeader(tunnelId);
        expect(frame.length - 4).toBeLessThanOrEqual(MAX_STREAM_HEADER_BYTES);
        expect(parseStreamHeader(frame.subarray(4))).toEqual({ kind: 'header', tunnelId });
      }),
    );
  });

  it('ignores unknown fields and takes a tunnel id in any spelling', () => {
    const header = { tunnel_id: vectorTunnel.bytesHex.toUpperCase(), stream_type: 'tcp', priority: 3 };
    expect(parseStreamHeader(json(header))).toEqual({ kind: 'header', tunnelId: vectorTunnel.id });
  });

  it.each([
    [{ tunnel_id: vectorTunnel.id }, 'not a stream header'],
    [{ stream_type: 'tcp' }, 'not a stream header'],
    [null, 'not a stream header'],
    [[], 'not a stream header'],
    [{ tunnel_id: 'nope', stream_type: 'tcp' }, 'tunnel_id is not a UUID'],
    [{ tunnel_id: vectorTunnel.id, stream_type: 'udp' }, 'unknown stream_type'],
  ])('is malformed as %j', (value, reason) => {
    expect(parseStreamHeader(json(value))).toEqual({ kind: 'malformed', reason });
  });

  it('answers every mangled input with a value, never an exception', () => {
    const inputs = fc.oneof(fc.uint8Array(), mangledObjects(['tunnel_id', 'stream_type'], ['tcp']).map(json));
    fc.assert(
      fc.property(inputs, (payload) => {
        expect(['header', 'malformed']).toContain(parseStreamHeader(payload).kind);
      }),
      { numRuns: 1000 },
    );
  });
});

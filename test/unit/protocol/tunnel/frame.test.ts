import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../../../src/protocol/tunnel/frame.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../../../src/protocol/tunnel/limits.ts';
import { cuts } from '../../../support/samples/arbitraries.ts';
import { frameBytes, frameVectors } from '../../../support/samples/vectors.ts';

/** Reads until nothing is left, copying each payload as text; ends with the kind of the last read. */
function drain(reader: FrameReader): string[] {
  const seen: string[] = [];
  for (;;) {
    const read = reader.next();
    if (read.kind !== 'frame') return [...seen, read.kind];
    seen.push(Buffer.from(read.payload).toString('latin1'));
  }
}

function prefixed(payload: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(payload.length);
  return Buffer.concat([prefix, payload]);
}

describe('encodeFrame', () => {
  it.each(Object.entries(frameVectors))('writes the golden %s frame', (_name, vector) => {
    expect(encodeFrame(JSON.parse(vector.json) as object).equals(frameBytes(vector))).toBe(true);
  });

  it('counts the length in bytes, not in characters', () => {
    const frame = encodeFrame({ name: 'Zürich 東京' });
    expect(frame.readUInt32BE()).toBe(frame.length - 4);
    expect(JSON.parse(frame.subarray(4).toString())).toEqual({ name: 'Zürich 東京' });
  });

  it('makes the largest legal frame and refuses a longer one', () => {
    const overhead = '{"a":""}'.length;
    expect(encodeFrame({ a: 'x'.repeat(MAX_CONTROL_FRAME_BYTES - overhead) })).toHaveLength(
      MAX_CONTROL_FRAME_BYTES + 4,
    );
    expect(() => encodeFrame({ a: 'x'.repeat(MAX_CONTROL_FRAME_BYTES - overhead + 1) })).toThrow(RangeError);
  });
});

describe('FrameReader', () => {
  const stream = Buffer.concat(Object.values(frameVectors).map(frameBytes));
  const texts = Object.values(frameVectors).map((vector) => vector.json);

  it('reads frames that arrive in one piece', () => {
    const reader = new FrameReader(16_384);
    reader.push(stream);
    expect(drain(reader)).toEqual([...texts, 'incomplete']);
    expect(reader.bufferedBytes).toBe(0);
  });

  it('reads frames that arrive byte by byte', () => {
    const reader = new FrameReader(16_384);
    const seen = [...stream].flatMap((byte) => {
      reader.push(Uint8Array.of(byte));
      return drain(reader).slice(0, -1);
    });
    expect(seen).toEqual(texts);
  });

  it('reads the same frames wherever the stream is split in two', () => {
    for (let at = 0; at <= stream.length; at++) {
      const reader = new FrameReader(16_384);
      reader.push(stream.subarray(0, at));
      const first = drain(reader).slice(0, -1);
      reader.push(stream.subarray(at));
      expect([...first, ...drain(reader).slice(0, -1)]).toEqual(texts);
    }
  });

  it('gives back any payloads from any pieces, whether read at once or at the end', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 6 });
    const cases = payloads.chain((list) => fc.tuple(fc.constant(list), cuts(Buffer.concat(list.map(prefixed)))));
    fc.assert(
      fc.property(cases, fc.boolean(), ([list, pieces], readAtOnce) => {
        const reader = new FrameReader(9000);
        const seen: string[] = [];
        for (const piece of pieces) {
          reader.push(piece);
          if (readAtOnce) seen.push(...drain(reader).slice(0, -1));
        }
        seen.push(...drain(reader).slice(0, -1));
        expect(seen).toEqual(list.map((payload) => Buffer.from(payload).toString('latin1')));
        expect(reader.bufferedBytes).toBe(0);
      }),
    );
  });

  it('reads a large frame from small pieces, then small frames again', () => {
    const large = Buffer.alloc(200_000, 7);
    const bytes = Buffer.concat([prefixed(large), prefixed(Buffer.from('after'))]);
    const reader = new FrameReader(MAX_CONTROL_FRAME_BYTES);
    const seen: string[] = [];
    for (let at = 0; at < bytes.length; at += 3) {
      reader.push(bytes.subarray(at, at + 3));
      seen.push(...drain(reader).slice(0, -1));
    }
    expect(seen).toEqual([large.toString('latin1'), 'after']);
  });

  it('does not depend on the buffer that was pushed staying as it was', () => {
    const reader = new FrameReader(100);
    const piece = prefixed(Buffer.from('abc'));
    reader.push(piece.subarray(0, 6));
    const rest = Buffer.from(piece.subarray(6));
    piece.fill(0);
    reader.push(rest);
    expect(drain(reader)).toEqual(['abc', 'incomplete']);
  });

  it('takes an empty payload as a frame and an empty push as nothing', () => {
    const reader = new FrameReader(10);
    reader.push(new Uint8Array());
    expect(reader.next()).toEqual({ kind: 'incomplete' });
    reader.push(Buffer.alloc(4));
    expect(drain(reader)).toEqual(['', 'incomplete']);
  });

  it('reports how many bytes are missing, so that nothing after the frame need be read', () => {
    const reader = new FrameReader(1024);
    const bytes = Buffer.concat([frameBytes(frameVectors.streamHeader), Buffer.from('data')]);
    let at = 0;
    const asked: number[] = [];
    while (reader.needed > 0) {
      // One byte short of what is asked for, as a network may do.
      const count = Math.max(1, reader.needed - 1);
      asked.push(reader.needed);
      reader.push(bytes.subarray(at, at + count));
      at += count;
    }
    expect(asked).toEqual([4, 1, 72, 1]);
    expect(bytes.subarray(at).toString()).toBe('data');
    expect(drain(reader)).toEqual([frameVectors.streamHeader.json, 'incomplete']);
    expect(reader.needed).toBe(4);
  });

  it('accepts a frame of exactly the cap and refuses one byte more before its body arrives', () => {
    const fits = new FrameReader(5);
    fits.push(prefixed(Buffer.from('12345')));
    expect(drain(fits)).toEqual(['12345', 'incomplete']);
    const tooLong = new FrameReader(5);
    tooLong.push(Buffer.from([0, 0, 0, 6]));
    expect(tooLong.needed).toBe(0);
    expect(tooLong.next()).toEqual({ kind: 'oversize', length: 6 });
  });

  it('stays refused after an oversize frame, holds nothing and takes nothing', () => {
    const reader = new FrameReader(MAX_CONTROL_FRAME_BYTES);
    reader.push(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    expect(reader.next()).toEqual({ kind: 'oversize', length: 0xffff_ffff });
    reader.push(Buffer.alloc(1000));
    expect(reader.bufferedBytes).toBe(0);
    expect(reader.needed).toBe(0);
    reader.maxFrameBytes = 0xffff_ffff;
    expect(reader.next()).toEqual({ kind: 'oversize', length: 0xffff_ffff });
  });

  it('delivers the frames that stand before an oversize one', () => {
    const reader = new FrameReader(8);
    reader.push(Buffer.concat([prefixed(Buffer.from('fine')), prefixed(Buffer.alloc(9))]));
    expect(drain(reader)).toEqual(['fine', 'oversize']);
  });

  it('applies a new cap from the next frame on, also to bytes that are already there', () => {
    const reader = new FrameReader(4);
    reader.push(Buffer.concat([prefixed(Buffer.from('bind')), prefixed(Buffer.alloc(40, 0x61))]));
    expect(reader.next().kind).toBe('frame');
    reader.maxFrameBytes = 40;
    expect(drain(reader)).toEqual(['a'.repeat(40), 'incomplete']);
  });

  it('tells an end inside a frame from an end between frames', () => {
    const reader = new FrameReader(100);
    reader.push(frameBytes(frameVectors.ping).subarray(0, 3));
    expect(reader.bufferedBytes).toBe(3);
  });
});

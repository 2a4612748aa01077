import { expect, it } from 'vitest';
import { KeptFrame } from '../../../../src/manager/hub/kept-frame.ts';
import { readFrame, readStats } from '../../../../src/manager/hub/node-frame.ts';

it('keeps the newest frame, whatever becomes of the memory that it came in', () => {
  const kept = new KeptFrame();
  expect(readStats(kept.bytes)).toBeNull();
  for (const size of [10, 5_000, 100, 3_000_000, 20]) {
    const frame = Buffer.from(JSON.stringify({ type: 'stats', timestamp: 't', payload: { text: 'x'.repeat(size) } }));
    expect(readFrame(frame)).toMatchObject({ kind: 'stats' });
    kept.put(frame, size);
    frame.fill(0);
    expect(readStats(kept.bytes)).toEqual({ text: 'x'.repeat(size) });
    expect(kept.at).toBe(size);
  }
});

it('uses its memory again, and gives back what one large frame needed', () => {
  const kept = new KeptFrame();
  const memory = (): ArrayBufferLike => kept.bytes.buffer;
  kept.put(Buffer.alloc(2_000), 1);
  const first = memory();
  kept.put(Buffer.alloc(1_500), 2);
  expect(memory()).toBe(first);
  kept.put(Buffer.alloc(1_000_000), 3);
  kept.put(Buffer.alloc(2_000), 4);
  expect(memory().byteLength).toBe(2_048);
});

it.each([
  ['{"type":"stats","timestamp":"t","payload":{}}', 'stats'],
  ['{"payload":{},"timestamp":"t","type":"stats"}', 'stats'],
  ['{"timestamp":"t","type":"stats","payload":{}}', 'stats'],
  ['{"type":"health","timestamp":"t","payload":{}}', 'health'],
  ['{"type":"stats', 'malformed'],
  ['', 'malformed'],
])('reads the kind of the frame %s: %s', (text, kind) => {
  expect(readFrame(Buffer.from(text)).kind).toBe(kind);
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { lostCode, SpliceWorld } from '../../support/peers/quic-splice.ts';
import { until } from '../../support/until.ts';

function blobOf(length: number, seed: number): Buffer {
  const blob = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) blob.writeUInt32LE(((at + seed) * 2654435761) >>> 0, at);
  return blob;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each(await builtEngines())('splices of the %s engine', (name) => {
  it('copy both ways, count what each leg sent, and end when both directions have', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice('request');
    await until(() => spliced.sink.text === 'request');
    spliced.sink.stream.write(Buffer.from('answers'));
    await until(() => spliced.source.text === 'answers');
    spliced.source.stream.finish();
    await until(() => spliced.sink.end?.kind === 'finished');
    expect(spliced.ends).toBe(0);
    expect(spliced.source.end).toBeNull();
    spliced.sink.stream.write(Buffer.from(' and more'));
    spliced.sink.stream.finish();
    await until(() => spliced.source.end?.kind === 'finished');
    await until(() => spliced.ends === 1);
    expect(spliced.source.text).toBe('answers and more');
    expect(spliced.forward.totals().streamBytes).toBe('request'.length);
    expect(spliced.backward.totals().streamBytes).toBe('answers and more'.length);
    expect(spliced.backward.bytesOut).toBe('answers and more'.length);
  });

  it('send what was written before them first', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice('payload', 'header:');
    await until(() => spliced.sink.text === 'header:payload');
    expect(spliced.forward.totals().streamBytes).toBe('payload'.length);
  });

  it('S1 pass a reset on with its code, and the other direction lives', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    spliced.source.stream.reset(4242);
    await until(() => spliced.sink.end !== null);
    expect(spliced.sink.end).toEqual({ kind: 'reset', code: 4242 });
    spliced.sink.stream.write(Buffer.from('alive'));
    await until(() => spliced.source.text === 'alive');
    spliced.sink.stream.reset(4243);
    await until(() => spliced.source.end !== null);
    expect(spliced.source.end).toEqual({ kind: 'reset', code: 4243 });
    await until(() => spliced.ends === 1);
  });

  it('S1 pass a stop on with its code within 50 ms on an idle direction, and the other one lives', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    await until(() => spliced.sink.text === 'a');
    spliced.sink.stream.stop(99);
    await until(() => spliced.source.stopped !== null);
    expect(spliced.source.stopped).toBe(99);
    spliced.sink.stream.write(Buffer.from('alive'));
    await until(() => spliced.source.text === 'alive');
    spliced.source.stream.stop(98);
    await until(() => spliced.sink.stopped === 98);
    await until(() => spliced.ends === 1);
  });

  it('S1 never make a truncated transfer look complete', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    spliced.sink.pause();
    spliced.source.stream.write(blobOf(3_000_000, 1));
    await until(() => spliced.forward.totals().streamBytes > 100_000);
    spliced.source.stream.reset(11);
    spliced.sink.resume();
    await until(() => spliced.sink.end !== null);
    expect(spliced.sink.end).toEqual({ kind: 'reset', code: 11 });
  });

  it('S1 pass a reset on although the sink takes nothing', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    spliced.sink.pause();
    spliced.source.stream.write(blobOf(8_000_000, 2));
    const passed = (): number => spliced.forward.totals().streamBytes;
    let before = -1;
    // Nothing moves any more: every window on the way is full.
    await until(() => passed() > 100_000 && before === (before = passed()), { pollMs: 100 });
    spliced.source.stream.reset(13);
    await until(() => spliced.sink.stream.read(1).kind === 'reset');
    expect(spliced.sink.stream.read(1)).toEqual({ kind: 'reset', code: 13 });
  });

  it('carry megabytes both ways at once, unchanged', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    const up = blobOf(8_000_000, 3);
    const down = blobOf(8_000_000, 5);
    spliced.source.stream.write(up);
    spliced.source.stream.finish();
    spliced.sink.stream.write(down);
    spliced.sink.stream.finish();
    await until(() => spliced.ends === 1);
    await until(() => spliced.sink.end?.kind === 'finished' && spliced.source.end?.kind === 'finished');
    expect(digest(spliced.sink.bytes)).toBe(digest(Buffer.concat([Buffer.from('a'), up])));
    expect(digest(spliced.source.bytes)).toBe(digest(down));
    expect(spliced.forward.totals().streamBytes).toBe(up.length + 1);
    expect(spliced.backward.totals().streamBytes).toBe(down.length);
  });

  it('S2 stop taking from the source when the sink is not read, and leave other streams their speed', async () => {
    await using world = await SpliceWorld.start(name);
    const stuck = await world.splice();
    const free = await world.splice();
    stuck.sink.pause();
    stuck.source.stream.write(blobOf(16_000_000, 7));
    await until(() => stuck.forward.totals().streamBytes > 100_000);
    free.source.stream.write(blobOf(4_000_000, 9));
    free.source.stream.finish();
    await until(() => free.sink.end?.kind === 'finished');
    // The receive windows of both hops (with their growth) and what the splice holds; the rest waits at its writer.
    expect(stuck.forward.totals().streamBytes).toBeLessThan(4 * 1024 * 1024);
    expect(stuck.source.stream.queuedBytes).toBeGreaterThan(8_000_000);
    stuck.sink.resume();
    stuck.source.stream.finish();
    await until(() => stuck.sink.end?.kind === 'finished');
    expect(stuck.sink.length).toBe(16_000_001);
  });

  it('S3 reset the other leg with the given code when a connection ends', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    await until(() => spliced.sink.text === 'a');
    world.left.client.connection.close(0, 'gone');
    await until(() => spliced.sink.end !== null && spliced.sink.stopped !== null);
    expect(spliced.sink.end).toEqual({ kind: 'reset', code: lostCode });
    expect(spliced.sink.stopped).toBe(lostCode);
    await until(() => spliced.ends === 1);
    expect(world.right.client.closed).toBeNull();
  });

  it('abort both directions of both streams, once', async () => {
    await using world = await SpliceWorld.start(name);
    const spliced = await world.splice();
    await until(() => spliced.sink.text === 'a');
    spliced.handle.abort(6);
    expect(spliced.ends).toBe(0);
    spliced.handle.abort(7);
    await until(() => spliced.ends === 1);
    for (const end of [spliced.source, spliced.sink]) {
      await until(() => end.end !== null && end.stopped !== null);
      expect(end.end).toEqual({ kind: 'reset', code: 6 });
      expect(end.stopped).toBe(6);
    }
  });

  it('run side by side on one pair of connections', async () => {
    await using world = await SpliceWorld.start(name);
    const all = [];
    for (let n = 0; n < 64; n += 1) all.push({ spliced: await world.splice(), blob: blobOf(100_000 + n, n) });
    for (const { spliced, blob } of all) {
      spliced.source.stream.write(blob);
      spliced.source.stream.finish();
      spliced.sink.stream.finish();
    }
    for (const { spliced, blob } of all) {
      await until(() => spliced.ends === 1);
      await until(() => spliced.sink.end?.kind === 'finished');
      expect(digest(spliced.sink.bytes.subarray(1))).toBe(digest(blob));
    }
  });

  it('give stream credits back on both legs, however they end', async () => {
    await using world = await SpliceWorld.start(name, { maxBidiStreams: 8 });
    for (let round = 0; round < 30; round += 1) {
      const spliced = await world.splice();
      await until(() => spliced.sink.text === 'a');
      if (round % 2 === 0) spliced.handle.abort(1);
      spliced.source.stream.finish();
      spliced.source.stream.stop(2);
      await until(() => spliced.sink.end !== null);
      spliced.sink.stream.finish();
      await until(() => spliced.ends === 1);
    }
  });
});

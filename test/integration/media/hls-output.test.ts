import { createSocket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import { isVideo } from '../../../src/media/codec/media-unit.ts';
import { TsDemuxer } from '../../../src/media/mpegts/ts-demuxer.ts';
import { TsMuxer } from '../../../src/media/mpegts/ts-muxer.ts';
import { HttpOrigin } from '../../support/media/http-origin.ts';
import { MediaBed } from '../../support/media/media-bed.ts';
import { aacFrame, picture } from '../../support/media/media-samples.ts';
import { pause } from '../../support/pause.ts';
import { until } from '../../support/until.ts';

const input = { type: 'udp', bind_addr: '127.0.0.1:0' };

function output(origin: HttpOrigin, changes: object = {}): object {
  return { id: 'hls', name: 'hls', type: 'hls', ingest_url: origin.url, segment_duration_secs: 0.5, ...changes };
}

interface FeedOptions {
  readonly keyEvery?: number;
  /** Waits for this server, so that no segment is left out because the machine is slow. */
  readonly waitsFor?: HttpOrigin;
}

/** A segment for each half second. */
const segmentPictures = 12;

/** Sends pictures with a key frame each half second, faster than they would be shown, until `isEnough`. */
async function feed(bed: MediaBed, isEnough: () => boolean, options: FeedOptions = {}): Promise<void> {
  const { keyEvery = segmentPictures, waitsFor } = options;
  const { input: state } = await bed.reports(({ input: { local_addr: address } }) => address !== '');
  const port = Number(state.local_addr?.split(':')[1]);
  const socket = createSocket('udp4');
  const muxer = new TsMuxer();
  try {
    for (let index = 0; !isEnough(); index++) {
      if (index > 5000) throw new Error('not within 5,000 pictures');
      const units = [picture('h264', index * 3600, index % keyEvery === 0, 1500), aacFrame(index * 3600)];
      for (const chunk of units.flatMap((unit) => muxer.push(0, unit))) socket.send(chunk, port, '127.0.0.1');
      await pause(4);
      await until(() => waitsFor === undefined || index < (waitsFor.segmentsTried + 2) * segmentPictures);
    }
  } finally {
    socket.close();
  }
}

describe('an HLS output', () => {
  test('puts segments and their list in order, one at a time, with its token, over connections that close', async () => {
    await using origin = await HttpOrigin.start((_name, count) => ({ status: 201, close: count % 2 === 0 }));
    await using bed = await MediaBed.start(input, [output(origin, { auth_token: 'a token', max_segments: 4 })]);
    const isEnough = (): boolean => origin.playlist.includes('segment_6.ts');
    await feed(bed, isEnough, { waitsFor: origin });
    expect(origin.mostAtOnce).toBe(1);
    expect(origin.puts.slice(0, 4)).toEqual([
      'PUT /live/segment_0.ts',
      'PUT /live/playlist.m3u8',
      'PUT /live/segment_1.ts',
      'PUT /live/playlist.m3u8',
    ]);
    expect([...origin.tokens]).toEqual(['Bearer a token']);
    expect(origin.playlist).not.toContain('GAP');
    for (const [name, bytes] of origin.documents) {
      if (name.endsWith('.ts')) expect(new TsDemuxer().push(bytes).find(isVideo)?.isKey, name).toBe(true);
    }
    expect(bed.messages).toEqual([]);
  });

  test('leaves a gap for what a server refuses, and raises one event for the run', async () => {
    await using origin = await HttpOrigin.start((name) => ({ status: /segment_[12]\.ts/.test(name) ? 503 : 201 }));
    await using bed = await MediaBed.start(input, [output(origin, { max_segments: 30 })]);
    await feed(bed, () => origin.playlist.includes('segment_4.ts'), { waitsFor: origin });
    expect(origin.playlist).toMatch(/segment_0\.ts\n#EXT-X-GAP\n#EXTINF:[\d.]+,\nsegment_1\.ts\n#EXT-X-GAP\n/);
    expect(bed.messages).toEqual(['HLS segment upload failed: segment_1.ts: the server answered 503']);
    const report = await bed.reports(({ outputs }) => outputs[1]?.segments_missing === 2);
    expect(report.outputs[1]?.last_problem).toBeUndefined();
  });

  test('fails openly where it may not write, and the flow goes on', async () => {
    await using origin = await HttpOrigin.start(() => ({ status: 403 }));
    await using bed = await MediaBed.start(input, [output(origin)]);
    await feed(bed, () => bed.messages.length === 2);
    expect(bed.messages).toEqual([
      'HLS segment upload failed: segment_0.ts: the server answered 403',
      'HLS output failed: segment_0.ts: the server answered 403',
    ]);
    await bed.reports(({ outputs }) => outputs[1]?.state === 'failed' && outputs[0]?.state === 'sending');
  });

  test('gives up on a server that hangs after its time, and goes on', async () => {
    await using origin = await HttpOrigin.start((name, count) =>
      name === 'segment_0.ts' && count < 3 ? null : { status: 201 },
    );
    await using bed = await MediaBed.start(input, [output(origin)]);
    await feed(bed, () => origin.playlist !== '');
    expect(bed.messages).toEqual(['HLS segment upload failed: segment_0.ts: no answer within 5 s']);
  });

  test('reports that no key frames come', async () => {
    await using origin = await HttpOrigin.start(() => ({ status: 201 }));
    await using bed = await MediaBed.start(input, [output(origin)]);
    await feed(bed, () => bed.messages.length === 1, { keyEvery: 1_000_000 });
    expect(bed.messages[0]).toMatch(/^HLS output failed: no key frame for \d+ s$/);
  });

  test('says in its list that nothing follows when it is stopped', async () => {
    await using origin = await HttpOrigin.start(() => ({ status: 201 }));
    await using bed = await MediaBed.start(input, [output(origin)]);
    await feed(bed, () => origin.playlist.includes('segment_2.ts'));
    expect(origin.playlist).not.toContain('ENDLIST');
    await bed.stopFlow();
    expect(origin.playlist).toMatch(/segment_\d+\.ts\n#EXT-X-ENDLIST\n$/);
  });

  test('is stopped while a server hangs', async () => {
    await using origin = await HttpOrigin.start(() => null);
    await using bed = await MediaBed.start(input, [output(origin)]);
    await feed(bed, () => origin.puts.length === 1);
    await bed.stopFlow();
    await until(() => origin.puts.length === 1);
    expect(bed.messages).toEqual([]);
  });
});

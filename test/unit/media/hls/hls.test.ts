import { describe, expect, test } from 'vitest';
import { isVideo, type MediaUnit } from '../../../../src/media/codec/media-unit.ts';
import { Playlist } from '../../../../src/media/hls/playlist.ts';
import { Segmenter, type Segment } from '../../../../src/media/hls/segmenter.ts';
import { HlsUploader, type UploadAction } from '../../../../src/media/hls/uploader.ts';
import { TsAnalysis } from '../../../../src/media/mpegts/ts-analysis.ts';
import { TsDemuxer } from '../../../../src/media/mpegts/ts-demuxer.ts';
import { TsMuxer } from '../../../../src/media/mpegts/ts-muxer.ts';
import { damaged, fuzzInputs } from '../../../support/media/fuzz.ts';
import { aacFrame, picture } from '../../../support/media/media-samples.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

/** 25 pictures a second, a key frame each second. */
function film(seconds: number, start = 0): MediaUnit[] {
  return Array.from({ length: seconds * 25 }, (_, index) => [
    picture('h264', start + index * 3600, index % 25 === 0, 1500),
    aacFrame(start + index * 3600),
  ]).flat();
}

function mux(units: readonly MediaUnit[]): Buffer[] {
  const muxer = new TsMuxer();
  return units.flatMap((unit) => muxer.push(0, unit));
}

function cut(chunks: readonly Buffer[], durationSecs = 2): { segments: Segment[]; segmenter: Segmenter } {
  const segmenter = new Segmenter({ durationSecs });
  return { segments: chunks.flatMap((chunk) => segmenter.push(0, chunk)), segmenter };
}

function segment(number: number): Segment {
  return { number, durationSecs: 2, isDiscontinuous: false, bytes: Buffer.from([number]) };
}

describe('segments', () => {
  test('begin with PAT, PMT and a key frame, and hold the stream as it came', () => {
    const chunks = mux(film(7));
    const { segments } = cut(chunks);
    expect(segments.map(({ number, durationSecs }) => [number, durationSecs])).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    for (const { bytes } of segments) {
      expect([0, 1].map((packet) => bytes.readUInt16BE(packet * 188 + 1) & 0x1fff)).toEqual([0, 0x1000]);
      const first = new TsDemuxer().push(bytes).find(isVideo);
      expect(first?.isKey).toBe(true);
    }
    const whole = Buffer.concat(segments.map(({ bytes }) => bytes.subarray(2 * 188)));
    expect(Buffer.concat(chunks).includes(whole)).toBe(true);
    const analysis = new TsAnalysis();
    analysis.push(0, Buffer.concat(segments.map(({ bytes }) => bytes)));
    expect(analysis.counters.continuity_errors).toBe(0);
  });

  test('end with the first key frame after the duration, never within a group of pictures', () => {
    expect(cut(mux(film(7)), 1.5).segments.map(({ durationSecs }) => durationSecs)).toEqual([2, 2, 2]);
    expect(cut(mux(film(4)), 0.5).segments.map(({ durationSecs }) => durationSecs)).toEqual([1, 1, 1]);
  });

  test('of sound alone are cut at any frame', () => {
    const sound = Array.from({ length: 300 }, (_, index) => aacFrame(index * 1920));
    const [first] = cut(mux(sound)).segments;
    expect(first?.durationSecs).toBeCloseTo(2, 1);
  });

  test('mark a break of the time line, and measure by arrival there', () => {
    const segmenter = new Segmenter({ durationSecs: 2 });
    const chunks = [...mux(film(3)), ...mux(film(4, 9e8))];
    const segments = chunks.flatMap((chunk, index) => segmenter.push(index * 10_000, chunk));
    expect(segments.some(({ isDiscontinuous }) => isDiscontinuous)).toBe(true);
    expect(segments.every(({ durationSecs }) => durationSecs > 0 && durationSecs < 20)).toBe(true);
  });

  test('need key frames: their absence is told after ten durations', () => {
    const segmenter = new Segmenter({ durationSecs: 2 });
    const keyless = film(4).filter((unit) => !isVideo(unit) || !unit.isKey);
    for (const chunk of mux(keyless)) expect(segmenter.push(0, chunk)).toEqual([]);
    expect(segmenter.keylessSecs(19e6)).toBeNull();
    expect(segmenter.keylessSecs(21e6)).toBe(21);
    expect(segmenter.dropped).toBeGreaterThan(0);
  });

  test('are dropped above 64 MiB', () => {
    const segmenter = new Segmenter({ durationSecs: 10 });
    for (const chunk of mux(film(1))) segmenter.push(0, chunk);
    const megabyte = Buffer.alloc(188 * 5578);
    for (let at = 0; at < 65; at++) segmenter.push(0, megabyte);
    expect(segmenter.dropped * 188).toBeGreaterThan(64 * 1_048_576);
  });

  test('come out of any bytes, or nothing does', () => {
    const random = new SeededRandom(61);
    const stream = Buffer.concat(mux(film(3)));
    const samples = Array.from({ length: stream.length / 188 }, (_, index) =>
      stream.subarray(index * 188, index * 188 + 188),
    );
    const segmenter = new Segmenter({ durationSecs: 0.5 });
    let count = 0;
    for (let input = 0; input < fuzzInputs; input++) {
      const packet =
        random.float() < 0.5 ? damaged(random, samples) : (samples[input % samples.length] ?? Buffer.alloc(0));
      const bytes = Buffer.concat([packet, Buffer.alloc(188)]).subarray(0, 188);
      count += segmenter.push(input * 1000, bytes).length;
    }
    expect(count).toBeGreaterThan(0);
  }, 600_000);
});

describe('a playlist', () => {
  test('keeps the latest segments, its numbers, its target and its breaks', () => {
    const list = new Playlist(2);
    const entry = { isDiscontinuous: false, isGap: false };
    list.add({ ...entry, number: 0, durationSecs: 3.6, isDiscontinuous: true });
    list.add({ ...entry, number: 1, durationSecs: 2 });
    list.add({ ...entry, number: 2, durationSecs: 2.0014, isDiscontinuous: true, isGap: true });
    expect(list.toString()).toBe(
      [
        ...['#EXTM3U', '#EXT-X-VERSION:8', '#EXT-X-TARGETDURATION:4', '#EXT-X-MEDIA-SEQUENCE:1'],
        ...['#EXT-X-DISCONTINUITY-SEQUENCE:1', '#EXTINF:2.000,', 'segment_1.ts'],
        ...['#EXT-X-DISCONTINUITY', '#EXT-X-GAP', '#EXTINF:2.001,', 'segment_2.ts', ''],
      ].join('\n'),
    );
  });
});

describe('the uploads', () => {
  const stored = { kind: 'stored' } as const;
  const unavailable = { kind: 'refused', status: 503 } as const;
  const putsOf = (actions: readonly UploadAction[]): string[] =>
    actions.flatMap((action) => (action.kind === 'put' ? [action.name] : []));
  const events = (actions: readonly UploadAction[]): UploadAction[] => actions.filter(({ kind }) => kind !== 'put');

  test('go one at a time and in order: a segment, then the list with it', () => {
    const uploader = new HlsUploader(5);
    expect(putsOf(uploader.offer(0, segment(0)))).toEqual(['segment_0.ts']);
    expect(uploader.offer(0, segment(1))).toEqual([]);
    const [list] = uploader.done(0, stored);
    expect(list).toMatchObject({ name: 'playlist.m3u8' });
    expect(putsOf(uploader.done(0, stored))).toEqual(['segment_1.ts']);
  });

  test('are tried twice; what failed stays in the list as a gap, and a run is one event', () => {
    const uploader = new HlsUploader(5);
    uploader.offer(0, segment(0));
    expect(putsOf(uploader.done(0, unavailable))).toEqual(['segment_0.ts']);
    expect(uploader.done(0, unavailable)).toEqual([
      { kind: 'upload-failed', error: 'segment_0.ts: the server answered 503', previousFailures: 0 },
    ]);
    uploader.offer(0, segment(1));
    uploader.done(0, unavailable);
    expect(uploader.done(0, { kind: 'failed', error: 'refused' })).toEqual([]);
    uploader.offer(0, segment(2));
    const [list] = uploader.done(0, stored);
    if (list?.kind !== 'put') throw new Error('no list');
    expect(list.body.toString().match(/#EXT-X-GAP/g)).toHaveLength(2);
    uploader.done(0, stored);
    uploader.offer(0, segment(3));
    uploader.done(0, unavailable);
    expect(events(uploader.done(0, unavailable))).toMatchObject([{ previousFailures: 2 }]);
    expect([uploader.uploaded, uploader.missing]).toEqual([1, 3]);
  });

  test.each([401, 403, 404, 410])('are given up at once after %i, and tried every 30 s', (status) => {
    const uploader = new HlsUploader(5);
    uploader.offer(0, segment(0));
    const error = `segment_0.ts: the server answered ${status}`;
    expect(events(uploader.done(0, { kind: 'refused', status }))).toEqual([
      { kind: 'upload-failed', error, previousFailures: 0 },
      { kind: 'failed', error },
    ]);
    expect(uploader.offer(29e6, segment(1))).toEqual([]);
    expect(putsOf(uploader.offer(30e6, segment(2)))).toEqual(['segment_1.ts']);
    expect(uploader.done(30e6, { kind: 'refused', status })).toEqual([]);
    expect(putsOf(uploader.offer(60e6, segment(3)))).toEqual(['segment_2.ts']);
    uploader.done(60e6, stored);
    expect(uploader.hasFailed).toBe(true);
    uploader.done(60e6, stored);
    expect(uploader.hasFailed).toBe(false);
  });

  test('are given up after ten segments in a row, with one event', () => {
    const uploader = new HlsUploader(5);
    const raised = Array.from({ length: 12 }, (_, number) => [
      ...uploader.offer(0, segment(number)),
      ...uploader.done(0, unavailable),
      ...uploader.done(0, unavailable),
    ]).flatMap(events);
    expect(raised.map(({ kind }) => kind)).toEqual(['upload-failed', 'failed']);
    expect(raised[1]).toMatchObject({ error: '10 segments in a row failed: segment_9.ts: the server answered 503' });
  });

  test('of a slow server leave out the oldest that wait, and the list stays in order', () => {
    const uploader = new HlsUploader(10);
    for (let number = 0; number < 6; number++) uploader.offer(0, segment(number));
    const puts: UploadAction[] = [];
    for (let turn = 0; turn < 8; turn++) puts.push(...uploader.done(0, stored));
    const lists = puts.flatMap((action) =>
      action.kind === 'put' && action.name === 'playlist.m3u8' ? [action.body.toString()] : [],
    );
    expect(lists.at(-1)?.match(/segment_\d+|GAP/g)).toEqual([
      'segment_0',
      'GAP',
      'segment_1',
      'GAP',
      'segment_2',
      'segment_3',
      'segment_4',
      'segment_5',
    ]);
    expect(uploader.missing).toBe(2);
  });

  test('report once that no segment can be made', () => {
    const uploader = new HlsUploader(5);
    expect(uploader.stall('no key frame for 20 s')).toEqual([{ kind: 'failed', error: 'no key frame for 20 s' }]);
    expect(uploader.stall('no key frame for 21 s')).toEqual([]);
  });
});

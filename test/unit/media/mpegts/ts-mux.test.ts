import { describe, expect, test } from 'vitest';
import { adtsHeader } from '../../../../src/media/codec/aac.ts';
import { isVideo, type MediaUnit } from '../../../../src/media/codec/media-unit.ts';
import { nalType } from '../../../../src/media/codec/nal.ts';
import { AudioReader } from '../../../../src/media/mpegts/audio-reader.ts';
import { readPcr } from '../../../../src/media/mpegts/pcr-watch.ts';
import { encodePes } from '../../../../src/media/mpegts/pes.ts';
import { TimeLine } from '../../../../src/media/mpegts/time-line.ts';
import { TsAnalysis } from '../../../../src/media/mpegts/ts-analysis.ts';
import { TsDemuxer } from '../../../../src/media/mpegts/ts-demuxer.ts';
import { TsMuxer } from '../../../../src/media/mpegts/ts-muxer.ts';
import { damaged, fuzzInputs } from '../../../support/media/fuzz.ts';
import { aacConfig, aacFrame, h264Sets, opusPacket, picture } from '../../../support/media/media-samples.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const frame = 3600;
/** Of the clock. */
const ticksPerMs = 27_000;

/** Ten pictures a key frame, with sound between them. */
function film(pictures: number, sound: (pts: number) => MediaUnit = aacFrame, step = frame): MediaUnit[] {
  return Array.from({ length: pictures }, (_, index) => [
    picture('h264', index * step, index % 10 === 0, 1000 + index * 37),
    sound(index * step + 100),
  ]).flat();
}

function mux(units: readonly MediaUnit[], muxer = new TsMuxer()): Buffer {
  return Buffer.concat(units.flatMap((unit, index) => muxer.push(index * 20_000, unit)));
}

function packetsOf(stream: Buffer): Buffer[] {
  return Array.from({ length: stream.length / 188 }, (_, index) => stream.subarray(index * 188, index * 188 + 188));
}

function pidOf(packet: Buffer): number {
  return packet.readUInt16BE(1) & 0x1fff;
}

function clocksOf(stream: Buffer): number[] {
  const clocked = packetsOf(stream).filter((packet) => {
    return ((packet[3] ?? 0) & 0x20) !== 0 && (packet[4] ?? 0) >= 7 && ((packet[5] ?? 0) & 0x10) !== 0;
  });
  return clocked.map((packet) => readPcr(packet, 6));
}

function steps(values: readonly number[]): number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? 0));
}

/** Units as they were put in: on a time line of their own, and a picture's sets with it. */
function relative(units: readonly MediaUnit[]): MediaUnit[] {
  const [first] = units;
  const start = first?.pts ?? 0;
  return units.map((unit) => ({ ...unit, pts: unit.pts - start, ...(isVideo(unit) && { dts: unit.dts - start }) }));
}

describe('a transport stream that is muxed here', () => {
  test.each([
    ['H.264 and AAC', film(40)],
    ['H.264 and Opus', film(40, opusPacket)],
    ['H.265', Array.from({ length: 20 }, (_, index) => picture('h265', index * frame, index % 10 === 0))],
    ['sound alone', Array.from({ length: 50 }, (_, index) => aacFrame(index * 1920))],
    [
      'B-frames and large pictures',
      [picture('h264', 0, true, 200_000, 7200), picture('h264', 3600, false, 90_000, 10_800)],
    ],
  ])('gives back its pictures and sound: %s', (_name, units) => {
    const demuxer = new TsDemuxer();
    const analysis = new TsAnalysis();
    const muxer = new TsMuxer();
    const stream = mux(units, muxer);
    analysis.push(0, stream);
    expect(analysis.counters.continuity_errors).toBe(0);
    const out = [...demuxer.push(stream)];
    // A picture above 64 KiB has no length: it is complete when the next one begins.
    if (out.length < units.length) out.push(...demuxer.push(mux([picture('h264', 20_000, false)], muxer)).slice(0, 1));
    expect(relative(out)).toEqual(relative(units));
  });

  test('comes in chunks of at most seven whole packets', () => {
    const chunks = new TsMuxer().push(0, picture('h264', 0, true, 20_000));
    expect(chunks.every(({ length }) => length % 188 === 0 && length <= 7 * 188)).toBe(true);
    expect(chunks.length).toBeGreaterThan(10);
  });

  test.each([1500, 3600, 3754, 9000, 30_000])(
    'has clocks at most 40 ms and tables at most 100 ms apart: %i',
    (step) => {
      const stream = mux(film(60, aacFrame, step));
      expect(Math.max(...steps(clocksOf(stream)))).toBeLessThanOrEqual(40 * ticksPerMs);
      let clock = 0;
      const tables: number[] = [];
      for (const packet of packetsOf(stream)) {
        clock = clocksOf(packet)[0] ?? clock;
        if (pidOf(packet) === 0 && clock !== 0) tables.push(clock);
      }
      expect(Math.max(...steps(tables))).toBeLessThanOrEqual(100 * ticksPerMs);
    },
  );

  test('has PAT, PMT, a delimiter and all parameter sets in front of each key frame', () => {
    const muxer = new TsMuxer();
    mux(film(3), muxer);
    const bare = picture('h264', 3 * frame, true);
    const packets = packetsOf(Buffer.concat(muxer.push(0, { ...bare, nals: bare.nals.slice(-1) })));
    const first = packets.findIndex((packet) => pidOf(packet) === 0x100);
    expect(packets.slice(0, first).map(pidOf)).toContain(0x1000);
    expect((packets[first]?.[5] ?? 0) & 0x40).toBe(0x40);
    const demuxer = new TsDemuxer();
    const [unit] = demuxer.push(Buffer.concat(packets));
    if (unit === undefined || !isVideo(unit)) throw new Error('no picture');
    expect(unit.nals.slice(0, 2)).toEqual(h264Sets);
    expect(unit.nals.map((nal) => nalType('h264', nal))).toEqual([7, 8, 5]);
    expect(Buffer.concat(packets).includes(Buffer.from([0, 0, 0, 1, 9, 0xf0]))).toBe(true);
  });

  test('goes on with its clock where nothing comes, and never past what may still come', () => {
    const muxer = new TsMuxer();
    const stream = [...muxer.push(0, picture('h264', 0, true))];
    for (let nowUs = 0; muxer.nextUs < Number.POSITIVE_INFINITY && nowUs < 5e6; nowUs += 4000) {
      stream.push(...muxer.tick(nowUs));
    }
    expect(muxer.nextUs).toBe(Number.POSITIVE_INFINITY);
    stream.push(...muxer.push(2e6, picture('h264', 180_000, false)));
    const clocks = clocksOf(Buffer.concat(stream));
    expect(clocks.length).toBeGreaterThan(40);
    expect(Math.min(...steps(clocks))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps(clocks))).toBeLessThanOrEqual(40 * ticksPerMs);
  });

  test('marks a leap of its source as a discontinuity, and fills none', () => {
    const muxer = new TsMuxer();
    muxer.push(0, picture('h264', 0, true));
    const [first] = muxer.push(0, picture('h264', 9e7, true)).filter((chunk) => clocksOf(chunk).length > 0);
    const marked = packetsOf(first ?? Buffer.alloc(0)).filter((packet) => clocksOf(packet).length > 0);
    expect(marked).toHaveLength(1);
    expect((marked[0]?.[5] ?? 0) & 0x80).toBe(0x80);
  });

  test('leaves out a frame of AAC that is too long for its header, and goes on', () => {
    const muxer = new TsMuxer();
    expect(muxer.push(0, aacFrame(0, 8185))).toEqual([]);
    const out = new TsDemuxer().push(mux([aacFrame(1920, 8184)], muxer));
    expect(out.map((unit) => !isVideo(unit) && unit.frame.length)).toEqual([8184]);
  });

  test('gets a new version of its map when a stream is added', () => {
    const muxer = new TsMuxer();
    const demuxer = new TsDemuxer();
    demuxer.push(mux([picture('h264', 0, true)], muxer));
    expect(demuxer.tracks).toEqual({ video: 'h264', audio: null });
    demuxer.push(mux([opusPacket(frame)], muxer));
    expect(demuxer.tracks).toEqual({ video: 'h264', audio: 'opus' });
  });
});

describe('the demuxer', () => {
  test('drops a picture with a missing packet, counts it, and goes on with the next', () => {
    const units = [0, 1, 2, 3].map((index) => picture('h264', index * frame, index === 0));
    const packets = packetsOf(mux(units));
    const second = packets.findIndex(
      (packet, index) => pidOf(packet) === 0x100 && index > 25 && (packet[1] ?? 0) < 0x40,
    );
    const demuxer = new TsDemuxer();
    const out = demuxer.push(Buffer.concat(packets.toSpliced(second, 1)));
    expect(out).toHaveLength(3);
    expect(demuxer.droppedPackets).toBe(1);
  });

  test('goes on through the wrap of the 33-bit clock', () => {
    const start = 2 ** 33 - 5 * frame;
    const units = Array.from({ length: 12 }, (_, index) => picture('h264', start + index * frame, index === 0));
    const out = new TsDemuxer().push(mux(units));
    expect(steps(out.map(({ pts }) => pts))).toEqual(new Array(11).fill(frame));
  });

  test('puts frames of AAC together that lie across packets, with their own times', () => {
    const frames = [0, 1, 2, 3].map((index) => aacFrame(index * 1920, 100 + index));
    const content = Buffer.concat(frames.flatMap(({ frame }) => [adtsHeader(aacConfig, frame.length), frame]));
    const reader = new AudioReader('aac', new TimeLine());
    // The second packet begins within the third frame: its time is that of the fourth.
    const units = [
      ...reader.read(encodePes(0xc0, 0, 0, [content.subarray(0, 300)])),
      ...reader.read(encodePes(0xc0, 5760, 5760, [content.subarray(300)])),
    ];
    expect(units).toEqual(frames);
  });

  test('finds its way again after lost sync', () => {
    const stream = mux(film(20));
    const noise = Buffer.alloc(188 * 5, 0x55);
    const at = 188 * 40;
    const out = new TsDemuxer().push(Buffer.concat([stream.subarray(0, at), noise, stream.subarray(at)]));
    expect(out).toHaveLength(40);
  });

  test('survives any bytes, and what survives can be muxed again', () => {
    const random = new SeededRandom(21);
    const samples = packetsOf(Buffer.concat([mux(film(10)), mux(film(5, opusPacket))]));
    let demuxer = new TsDemuxer();
    let muxer = new TsMuxer();
    for (let input = 0; input < fuzzInputs; input++) {
      if (input % 2000 === 0) {
        demuxer = new TsDemuxer();
        muxer = new TsMuxer();
        demuxer.push(Buffer.concat(samples.slice(0, 3)));
      }
      const packet =
        random.float() < 0.5 ? damaged(random, samples) : (samples[input % samples.length] ?? Buffer.alloc(0));
      for (const unit of demuxer.push(Buffer.concat([packet, Buffer.alloc(188)]).subarray(0, 188))) {
        for (const chunk of muxer.push(input * 1000, unit)) expect(chunk.length % 188).toBe(0);
      }
    }
    expect(demuxer.droppedPackets).toBeGreaterThan(0);
  }, 600_000);
});

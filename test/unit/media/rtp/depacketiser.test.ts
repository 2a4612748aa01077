import { describe, expect, test } from 'vitest';
import type { MediaUnit, VideoCodec } from '../../../../src/media/codec/media-unit.ts';
import { DtsGuess } from '../../../../src/media/codec/dts-guess.ts';
import { AacDepacketiser } from '../../../../src/media/rtp/aac-depacketiser.ts';
import { createDepacketiser, type Depacketiser, type RtpFormat } from '../../../../src/media/rtp/depacketiser.ts';
import { RtpOrder } from '../../../../src/media/rtp/rtp-order.ts';
import { decodeRtp, encodeRtp, type RtpPacket } from '../../../../src/media/rtp/rtp-packet.ts';
import { SourceClock } from '../../../../src/media/rtp/source-clock.ts';
import { damaged, fuzzInputs } from '../../../support/media/fuzz.ts';
import { aacConfig, aacFrame, opusPacket, picture } from '../../../support/media/media-samples.ts';
import { RtpPacketiser } from '../../../support/media/rtp-packetiser.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const hbr = { sizeBits: 13, indexBits: 3 };
const formats = {
  h264: [{ codec: 'h264' }, 90_000],
  h265: [{ codec: 'h265' }, 90_000],
  aac: [{ codec: 'aac', config: aacConfig, format: hbr }, 48_000],
  opus: [{ codec: 'opus' }, 48_000],
} as const satisfies Readonly<Record<string, readonly [RtpFormat, number]>>;

function depacketiser(codec: keyof typeof formats): Depacketiser {
  const [format, rate] = formats[codec];
  const clock = new SourceClock(rate);
  clock.anchor(0, 0);
  return createDepacketiser(format, clock);
}

function packet(bytes: Buffer): RtpPacket {
  const decoded = decodeRtp(bytes);
  if (decoded === null) throw new Error('not RTP');
  return decoded;
}

function packetsOf(codec: keyof typeof formats, units: readonly MediaUnit[]): RtpPacket[] {
  const packetiser = new RtpPacketiser(96, formats[codec][1]);
  return units.flatMap((unit) => packetiser.packets(unit)).map(packet);
}

function film(codec: VideoCodec): MediaUnit[] {
  return [0, 1, 2, 3].map((index) => picture(codec, index * 3600, index === 0, index === 1 ? 100 : 5000));
}

describe('units in RTP', () => {
  test.each([
    ['h264', film('h264')],
    ['h265', film('h265')],
    ['aac', [0, 1, 2].map((index) => aacFrame(index * 1920))],
    ['opus', [0, 1, 2].map((index) => opusPacket(index * 1800))],
  ] as const)('come out as they were put in, through the wrap of sequence numbers: %s', (codec, units) => {
    const reader = depacketiser(codec);
    const packets = packetsOf(codec, units);
    expect(packets.flatMap((each) => reader.push(0, each))).toEqual(units);
    expect(reader.damaged).toBe(0);
  });

  test('of which a packet is missing are dropped whole, and counted', () => {
    const packets = packetsOf('h264', film('h264'));
    for (const missing of [1, 3, packets.length - 2]) {
      const reader = depacketiser('h264');
      const out = packets.toSpliced(missing, 1).flatMap((each) => reader.push(0, each));
      expect(out).toHaveLength(3);
      expect(reader.damaged).toBe(1);
    }
  });

  test('without a marker end when the next one begins', () => {
    const reader = depacketiser('h264');
    const bare = packetsOf('h264', film('h264')).map((each) => ({ ...each, marker: false }));
    expect(bare.flatMap((each) => reader.push(0, each))).toHaveLength(3);
  });

  test('of AAC may share a packet, or span several', () => {
    const reader = new AacDepacketiser(hbr);
    const [one, two] = [Buffer.alloc(100, 1), Buffer.alloc(50, 2)];
    const shared = Buffer.concat([Buffer.from([0, 32, 100 >> 5, (100 & 31) << 3, 50 >> 5, (50 & 31) << 3]), one, two]);
    const head = { payloadType: 96, timestamp: 0, ssrc: 1 };
    const first = reader.push(packet(encodeRtp({ ...head, sequence: 1 }, shared)));
    expect(first).toEqual([
      { index: 0, timestamp: 0, frame: one },
      { index: 1, timestamp: 0, frame: two },
    ]);
    const size = Buffer.from([0, 16, 100 >> 5, (100 & 31) << 3]);
    const parts = [one.subarray(0, 60), one.subarray(60)].map((part) => Buffer.concat([size, part]));
    const whole = parts.flatMap((part, index) =>
      reader.push(packet(encodeRtp({ ...head, sequence: 2 + index }, part))),
    );
    expect(whole.map(({ frame }) => frame)).toEqual([one]);
  });

  test.each([0, 1])('of AAC that span packets, and lost their part %d, leave the next frame whole', (lost) => {
    const reader = new AacDepacketiser(hbr);
    const size = Buffer.from([0, 16, 100 >> 5, (100 & 31) << 3]);
    const packets = [1, 2, 3].flatMap((fill, frame) =>
      [60, 40].map((bytes, part) => {
        const head = { payloadType: 96, timestamp: frame * 1024, ssrc: 1, sequence: frame * 2 + part };
        return packet(encodeRtp(head, Buffer.concat([size, Buffer.alloc(bytes, fill)])));
      }),
    );
    const frames = packets.toSpliced(lost, 1).flatMap((each) => reader.push(each));
    expect(frames.map(({ frame }) => frame)).toEqual([Buffer.alloc(100, 2), Buffer.alloc(100, 3)]);
  });
});

describe('the order of RTP packets', () => {
  const numbered = (sequence: number): RtpPacket =>
    packet(encodeRtp({ payloadType: 96, sequence: sequence & 0xffff, timestamp: 0, ssrc: 1 }, Buffer.from([1])));
  const sequences = (packets: readonly RtpPacket[]): number[] => packets.map(({ sequence }) => sequence);

  test('is restored, doubles are dropped, and a lost one is waited for no longer than 100 ms', () => {
    const order = new RtpOrder();
    const out = [65_534, 0, 65_535, 65_535, 1].flatMap((sequence) => order.push(0, numbered(sequence)));
    expect(sequences(out)).toEqual([65_534, 65_535, 0, 1]);
    expect(order.push(0, numbered(3))).toEqual([]);
    expect(order.push(50_000, numbered(4))).toEqual([]);
    expect(sequences(order.push(100_000, numbered(5)))).toEqual([3, 4, 5]);
    expect(order.lost).toBe(1);
    expect(order.push(100_000, numbered(2))).toEqual([]);
  });

  test('waits for no more than 64 packets, and follows a sender that begins anew', () => {
    const order = new RtpOrder();
    order.push(0, numbered(0));
    const out = Array.from({ length: 64 }, (_, index) => order.push(0, numbered(index + 2)));
    expect(out.at(-1)).toHaveLength(64);
    expect(sequences(order.push(0, numbered(40_000)))).toEqual([40_000]);
  });
});

describe('times of RTP', () => {
  test('go on through the wrap of 32 bits, and streams with one anchor share a line', () => {
    const video = new SourceClock(90_000);
    const audio = new SourceClock(48_000);
    expect(video.isAnchored).toBe(false);
    video.anchor(2 ** 32 - 900, 1000);
    audio.anchor(77, 1000);
    expect(video.place(5, 2 ** 32 - 900)).toBe(1000);
    expect(video.place(5, 900)).toBe(2800);
    expect(audio.place(5, 77 + 960)).toBe(2800);
  });

  test('without an anchor begin when the first packet comes', () => {
    const clock = new SourceClock(48_000);
    expect(clock.place(1_000_000, 123_456)).toBe(90_000);
    expect(clock.place(9_000_000, 123_456 + 48_000)).toBe(180_000);
  });

  test('of decoding never run back once it is known how many pictures are reordered', () => {
    const guess = new DtsGuess();
    const shown = Array.from({ length: 20 }, (_, group) => [3, 1, 2].map((offset) => group * 3 + offset)).flat();
    const decoded = shown.map((pts) => guess.next(pts));
    expect(decoded.every((dts, index) => dts <= (shown[index] ?? 0))).toBe(true);
    const settled = decoded.slice(6);
    expect(settled).toEqual(settled.toSorted((one, other) => one - other));
    const plain = new DtsGuess();
    expect([1, 2, 3].map((pts) => plain.next(pts))).toEqual([1, 2, 3]);
  });
});

describe('bad RTP', () => {
  test('a picture that never ends is given up at 8 MiB', () => {
    const reader = depacketiser('h264');
    const payload = Buffer.concat([Buffer.from([0x41]), Buffer.alloc(60_000, 1)]);
    const out = Array.from({ length: 150 }, (_, sequence) =>
      reader.push(0, packet(encodeRtp({ payloadType: 96, sequence, timestamp: 0, ssrc: 1 }, payload))),
    );
    expect(out.flat()).toEqual([]);
    expect(reader.push(0, packetsOf('h264', [picture('h264', 3600, true, 100)])[0] ?? packet(Buffer.alloc(0)))).toEqual(
      [],
    );
    expect(reader.damaged).toBeGreaterThan(0);
  });

  test('any payload gives units or nothing', () => {
    const random = new SeededRandom(41);
    const order = new RtpOrder();
    for (const codec of ['h264', 'h265', 'aac', 'opus'] as const) {
      const reader = depacketiser(codec);
      const units =
        codec === 'h264' || codec === 'h265' ? film(codec) : codec === 'aac' ? [aacFrame(0)] : [opusPacket(0)];
      const samples = new RtpPacketiser(96, 90_000);
      const datagrams = units.flatMap((unit) => samples.packets(unit));
      let out = 0;
      for (let input = 0; input < fuzzInputs / 4; input++) {
        const decoded = decodeRtp(damaged(random, datagrams));
        if (decoded === null) continue;
        const inOrder = { ...decoded, sequence: input & 0xffff };
        for (const each of [...order.push(input * 1000, decoded), inOrder])
          out += reader.push(input * 1000, each).length;
      }
      expect(out, codec).toBeGreaterThan(0);
    }
  }, 600_000);
});

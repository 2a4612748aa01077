import { describe, expect, test } from 'vitest';
import { AlignedMerge } from '../../../../src/media/merge/aligned-merge.ts';
import { LegWatch } from '../../../../src/media/merge/leg-watch.ts';
import { RtpMerge } from '../../../../src/media/merge/rtp-merge.ts';
import { streamPacket } from '../../../support/media/ts-packets.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const ssrc = 7;

function rtpBed() {
  const out: number[] = [];
  const merge = new RtpMerge<number>(150_000, (_now, item) => out.push(item));
  const push = (nowUs: number, leg: 1 | 2, number: number): void => {
    merge.push(nowUs, leg, { sequence: (65_000 + number) & 0xffff, ssrc }, number);
  };
  return { merge, out, push };
}

describe('two legs of RTP', () => {
  test('make one stream without a gap or a double, across the wrap of the numbers, whatever either loses', () => {
    const { merge, out, push } = rtpBed();
    const random = new SeededRandom(3);
    for (let number = 0; number < 5000; number++) {
      const cut = Math.floor(number / 500) % 2 === 0 ? 1 : 2;
      // The other leg is 20 ms behind. One is cut, the other may lose nothing then; else each loses some.
      if (cut !== 1) push(number * 1000, 1, number);
      if (cut !== 2 && number >= 20 && random.float() >= 0) push(number * 1000, 2, number - 20);
      if (cut === 2 && number % 500 < 20 && number >= 20) push(number * 1000, 2, number - 20);
      if (cut === 1 && number % 500 > 479) push(number * 1000, 2, number);
      merge.tick(number * 1000);
    }
    expect(out).toEqual(Array.from({ length: out.length }, (_, index) => (out[0] ?? 0) + index));
    expect(merge.counters.duplicates).toBeGreaterThan(0);
  });

  test('wait for the other leg no longer than the window', () => {
    const { merge, out, push } = rtpBed();
    push(0, 1, 0);
    push(1000, 1, 3);
    expect(out).toEqual([0]);
    push(20_000, 2, 1);
    expect(out).toEqual([0, 1]);
    expect(merge.counters.recovered).toBe(1);
    merge.tick(1000 + 149_999);
    expect(out).toEqual([0, 1]);
    merge.tick(20_000 + 150_000);
    expect(out).toEqual([0, 1, 3]);
    expect(merge.counters.lost).toBe(1);
  });

  test('after a stall wait until the socket of the other leg is read', () => {
    const { merge, out, push } = rtpBed();
    push(0, 1, 0);
    push(1000, 1, 2);
    merge.tick(251_000);
    push(252_000, 2, 1);
    expect(out).toEqual([0, 1, 2]);
    expect(merge.counters.lost).toBe(0);
  });

  test('wait for the other leg as long as a leg that has ended was early', () => {
    const { merge, out, push } = rtpBed();
    push(0, 1, 0);
    push(1000, 1, 2);
    merge.onLegEnded(1000, 500_000);
    for (let nowUs = 1000; nowUs < 500_000; nowUs += 10_000) merge.tick(nowUs);
    push(500_000, 2, 1);
    expect(out).toEqual([0, 1, 2]);
    expect(merge.counters.lost).toBe(0);
  });

  test('count what one leg skips and the other has brought before', () => {
    const { merge, out, push } = rtpBed();
    for (const number of [0, 1, 2, 3]) push(number * 1000, 1, number);
    for (const number of [0, 3]) push(4000, 2, number);
    expect(out).toEqual([0, 1, 2, 3]);
    expect(merge.counters).toMatchObject({ recovered: 2, lost: 0, duplicates: 2 });
  });

  test('take another source only once the one before has ended', () => {
    const { merge, out, push } = rtpBed();
    push(0, 1, 0);
    merge.push(10_000, 2, { sequence: 5, ssrc: 8 }, 100);
    expect(out).toEqual([0]);
    merge.push(200_000, 2, { sequence: 6, ssrc: 8 }, 101);
    expect(out).toEqual([0, 101]);
  });
});

function numberedPacket(number: number): Buffer {
  const bytes = streamPacket(0x100, number);
  bytes.writeUInt32BE(number, 10);
  return bytes;
}

describe('two legs of raw TS', () => {
  test('wait for the place to go on where the leg that takes over is behind', () => {
    const out: number[] = [];
    const merge = new AlignedMerge((_now, bytes) => out.push(bytes.readUInt32BE(10)));
    for (let number = 0; number < 100; number++) {
      merge.push(number * 1000, 1, numberedPacket(number));
      if (number >= 60) merge.push(number * 1000, 2, numberedPacket(number - 60));
    }
    merge.onDisconnected(100_000, 1);
    for (let number = 100; number < 300; number++) merge.push(number * 1000, 2, numberedPacket(number - 60));
    expect(out).toEqual(Array.from({ length: 240 }, (_, index) => index));
    expect(merge.counters).toMatchObject({ switches: 1, lost: 0 });
  });

  test('go on after half a second where no packets match, and count that', () => {
    const out: number[] = [];
    const merge = new AlignedMerge((_now, bytes) => out.push(bytes.readUInt32BE(10)));
    for (let number = 0; number < 100; number++) merge.push(number * 1000, 1, numberedPacket(number));
    merge.onDisconnected(100_000, 1);
    for (let number = 100; number < 700; number++) merge.push(number * 1000, 2, numberedPacket(number + 10_000));
    expect(out[99]).toBe(99);
    expect(out[100]).toBe(10_600);
    expect(merge.counters).toMatchObject({ switches: 1, lost: 1 });
  });

  test('go over without a gap where this end stood still for longer than the ring when the running leg ended', () => {
    const out: number[] = [];
    const merge = new AlignedMerge((_now, bytes) => out.push(bytes.readUInt32BE(10)));
    for (let number = 0; number < 100; number++) {
      merge.push(number * 1000, 1, numberedPacket(number));
      merge.push(number * 1000, 2, numberedPacket(number));
    }
    // What came meanwhile is read after 800 ms: first the other leg's, then the end of the running one.
    merge.push(900_000, 2, numberedPacket(100));
    merge.onDisconnected(900_000, 1);
    for (let number = 101; number < 200; number++) merge.push(800_000 + number * 1000, 2, numberedPacket(number));
    expect(out).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(merge.counters).toMatchObject({ switches: 1, lost: 0 });
  });

  test('go over from one to the other without a gap where their packets match', () => {
    const out: Buffer[] = [];
    const merge = new AlignedMerge((_now, bytes) => out.push(bytes));
    for (let number = 0; number < 100; number++) {
      merge.push(number * 1000, 1, numberedPacket(number));
      if (number >= 30) merge.push(number * 1000, 2, numberedPacket(number - 30));
    }
    for (let number = 100; number < 600; number++) merge.push(number * 1000, 2, numberedPacket(number - 30));
    const numbers = out.map((bytes) => bytes.readUInt32BE(10));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index));
    expect(numbers.length).toBe(570);
    expect(merge.counters.switches).toBe(1);
  });
});

describe('the watch over two legs', () => {
  test('reports once that a leg is lost, once that both are, and again after they came back', () => {
    const watch = new LegWatch();
    const said: string[] = [];
    const note = (alarms: readonly { kind: string; leg?: number }[]): void => {
      said.push(...alarms.map(({ kind, leg = '' }) => `${kind}${leg}`));
    };
    for (let ms = 0; ms < 500; ms += 100) {
      watch.onData(ms * 1000, 1);
      watch.onData(ms * 1000, 2);
    }
    for (let ms = 500; ms < 4000; ms += 100) {
      watch.onData(ms * 1000, 2);
      note(watch.check(ms * 1000));
    }
    expect(said).toEqual(['leg-lost1']);
    for (let ms = 4000; ms < 8000; ms += 100) note(watch.check(ms * 1000));
    expect(said).toEqual(['leg-lost1', 'legs-lost']);
    watch.onData(8_000_000, 1);
    watch.onData(8_000_000, 2);
    note(watch.onDisconnected(8_100_000, 2, 'shutdown'));
    expect(said).toEqual(['leg-lost1', 'legs-lost', 'leg-lost2']);
    note(watch.onDisconnected(8_200_000, 1, 'shutdown'));
    expect(said.slice(3)).toEqual(['leg-lost1', 'legs-lost']);
  });

  test('says nothing of legs that have never delivered', () => {
    const watch = new LegWatch();
    expect(watch.check(10_000_000)).toEqual([]);
    expect(watch.onDisconnected(10_000_000, 1, 'shutdown')).toEqual([]);
  });
});

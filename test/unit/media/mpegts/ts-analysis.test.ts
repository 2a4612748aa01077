import { describe, expect, test } from 'vitest';
import { mpegCrc32 } from '../../../../src/media/mpegts/crc32.ts';
import { TsAnalysis } from '../../../../src/media/mpegts/ts-analysis.ts';
import { damaged, fuzzInputs } from '../../../support/media/fuzz.ts';
import { pcrPacket, section, sectionPacket, streamPacket } from '../../../support/media/ts-packets.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const pat = section(0x00, 1, Buffer.from([0x00, 0x01, 0xf0, 0x00]));
const pmt = section(
  0x02,
  1,
  Buffer.from([0xe1, 0x00, 0xf0, 0x00, 0x1b, 0xe1, 0x00, 0xf0, 0x00, 0x0f, 0xe1, 0x01, 0xf0, 0x00]),
);

function tables(counter: number): Buffer {
  return Buffer.concat([sectionPacket(0, counter, pat), sectionPacket(0x1000, counter, pmt)]);
}

describe('the analysis of a transport stream', () => {
  test('the CRC of a section is that of the standard', () => {
    expect(mpegCrc32(Buffer.from('123456789'))).toBe(0x0376e6e7);
    expect(mpegCrc32(pat)).toBe(0);
  });

  test('names programmes and codecs and measures the rate', () => {
    const analysis = new TsAnalysis();
    analysis.push(0, tables(0));
    for (let second = 0; second <= 10; second++) analysis.push(second * 100_000, streamPacket(0x100, second));
    const { media_analysis: media } = analysis.report(1_000_000);
    expect(media.programs).toEqual([
      {
        program_number: 1,
        pmt_pid: 0x1000,
        streams: [
          { pid: 0x100, kind: 'video', codec: 'H.264' },
          { pid: 0x101, kind: 'audio', codec: 'AAC' },
        ],
      },
    ]);
    expect(media.bitrate_bps).toBe(13 * 188 * 8);
  });

  test('counts a gap once, and neither a packet sent twice nor a gap that is meant', () => {
    const analysis = new TsAnalysis();
    for (const counter of [14, 15, 0, 0, 1]) analysis.push(0, streamPacket(0x100, counter));
    expect(analysis.counters.continuity_errors).toBe(0);
    analysis.push(0, streamPacket(0x100, 4));
    expect(analysis.counters.continuity_errors).toBe(1);
    analysis.push(0, pcrPacket(0x100, 9, 0, true));
    expect(analysis.counters.continuity_errors).toBe(1);
    for (const counter of [10, 10, 10]) analysis.push(0, streamPacket(0x100, counter));
    expect(analysis.counters.continuity_errors).toBe(2);
  });

  test('counts lost sync, transport errors and broken sections', () => {
    const analysis = new TsAnalysis();
    const noSync = streamPacket(0x100, 0);
    noSync[0] = 0;
    analysis.push(0, Buffer.concat([noSync, noSync]));
    const marked = streamPacket(0x100, 0);
    marked[1] = (marked[1] ?? 0) | 0x80;
    analysis.push(0, marked);
    const broken = Buffer.from(pat);
    broken[9] = 0x77;
    analysis.push(0, sectionPacket(0, 0, broken));
    expect(analysis.counters).toMatchObject({
      sync_byte_errors: 2,
      ts_sync_loss: 1,
      transport_errors: 1,
      crc_errors: 1,
    });
  });

  test('counts tables and streams that stay away, once for each time', () => {
    const analysis = new TsAnalysis();
    analysis.push(0, tables(0));
    for (let ms = 100; ms <= 6000; ms += 100) analysis.push(ms * 1000, streamPacket(0x100, (ms / 100) & 15));
    expect(analysis.counters.pat_errors).toBe(10);
    expect(analysis.counters.pmt_errors).toBe(10);
    expect(analysis.counters.pid_errors).toBe(1);
  });

  test('tells a late clock from a broken one', () => {
    const analysis = new TsAnalysis();
    analysis.push(0, tables(0));
    analysis.push(0, pcrPacket(0x100, 0, 0));
    analysis.push(90_000, pcrPacket(0x100, 0, 90_000 * 27));
    expect(analysis.counters).toMatchObject({ pcr_repetition_errors: 0, pcr_discontinuity_errors: 0 });
    analysis.push(290_000, pcrPacket(0x100, 0, 290_000 * 27));
    expect(analysis.counters.pcr_repetition_errors).toBe(1);
    analysis.push(330_000, pcrPacket(0x100, 0, 5_000_000 * 27));
    expect(analysis.counters.pcr_discontinuity_errors).toBe(1);
    analysis.push(370_000, pcrPacket(0x100, 0, 1000 * 27, true));
    expect(analysis.counters.pcr_discontinuity_errors).toBe(1);
  });

  test('survives any bytes and follows no more PIDs than the tables name', () => {
    const random = new SeededRandom(5);
    const analysis = new TsAnalysis();
    const samples = [tables(0), streamPacket(0x100, 0), pcrPacket(0x100, 0, 1)];
    for (let input = 0; input < fuzzInputs; input++) analysis.push(input * 1000, damaged(random, samples));
    expect(analysis.report(1e9).media_analysis.programs.length).toBeLessThanOrEqual(256);
  }, 600_000);
});

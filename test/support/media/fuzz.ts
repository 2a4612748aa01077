import process from 'node:process';
import type { Random } from '../../../src/lib/random.ts';

/** Inputs for each state machine: 100,000, or what ADIT_FUZZ_INPUTS says for a long run. */
export const fuzzInputs = Number(process.env['ADIT_FUZZ_INPUTS'] ?? 100_000);

/** For all of them on a machine that is busy: a million took thirteen minutes at load 25. */
export const fuzzTimeoutMs = 600_000 * Math.max(1, fuzzInputs / 100_000);

/** One of the samples, damaged: bits turned, cut short, made longer, words replaced by extremes; or pure noise. */
export function damaged(random: Random, samples: readonly Buffer[]): Buffer {
  const pick = (below: number): number => Math.floor(random.float() * below);
  const sample = samples[pick(samples.length)] ?? Buffer.alloc(0);
  if (random.float() < 0.05) return Buffer.from(random.bytes(pick(120)));
  let bytes = Buffer.from(sample);
  for (let change = 1 + pick(3); change > 0; change--) {
    const kind = pick(5);
    if (kind === 0 && bytes.length > 0) bytes[pick(bytes.length)] = pick(256);
    else if (kind === 1) bytes = bytes.subarray(0, pick(bytes.length + 1));
    else if (kind === 2) bytes = Buffer.concat([bytes, Buffer.from(random.bytes(pick(40)))]);
    else if (kind === 3 && bytes.length >= 4) bytes.writeUInt32BE(extreme(pick(6)), pick(bytes.length - 3));
    else if (bytes.length >= 2) bytes.writeUInt16BE(pick(65_536), pick(bytes.length - 1));
  }
  return bytes;
}

function extreme(index: number): number {
  return [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff][index] ?? 0;
}

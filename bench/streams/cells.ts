import { faultless, type Faults } from '../../test/support/network/faulty-path.ts';

/** A condition of the path that a TCP stream is sent over. */
export interface StreamCell {
  readonly name: string;
  /** In force in both directions. */
  readonly faults: Partial<Faults>;
  /** Part of the quick run. */
  readonly isQuick: boolean;
}

/** One cell in one round: a line of the table. */
export interface StreamCase {
  readonly id: string;
  readonly cell: StreamCell;
  /** Where the path loses and reorders, the same for each column. */
  readonly seed: number;
}

/** 40 Mbit/s: the machine carries more, so the path decides. */
export const linkBytesPerSecond = 5_000_000;
const linkBufferMs = 40;
const usualRttMs = 40;
/** More than there are lines: no two rounds have a seed in common. */
const seedsOfRound = 1000;

function cell(name: string, faults: Partial<Faults>, isQuick = false): StreamCell {
  const link = { bytesPerSecond: linkBytesPerSecond, queueBytes: (linkBytesPerSecond * linkBufferMs) / 1000 };
  return { name, faults: { ...faultless, ...link, delayMs: usualRttMs / 2, ...faults }, isQuick };
}

const allCells: readonly StreamCell[] = [
  cell('loss 0 %', {}, true),
  ...[0.3, 1, 2, 5].map((percent) =>
    cell(`loss ${percent} %`, { lossRate: percent / 100 }, percent === 1 || percent === 5),
  ),
  ...[10, 80, 200].map((rttMs) =>
    cell(`loss 0.3 %, RTT ${rttMs} ms`, { lossRate: 0.003, delayMs: rttMs / 2 }, rttMs === 80),
  ),
  cell('bursts 0.2 %/20 %', { burstRate: 0.002, burstEndRate: 0.2 }),
  cell('2 % reordered by 15 ms', { reorderRate: 0.02, reorderMs: 15 }, true),
  cell('jitter 10 ms', { jitterMs: 10, jitterReorders: true }),
];

/** Lines of the table, with the seeds of one round: everything, or what tells most within five minutes. */
export function streamCases(isFull: boolean, roundSeed: number): readonly StreamCase[] {
  return allCells
    .filter(({ isQuick }) => isFull || isQuick)
    .map((each, index) => ({ id: `TCP, ${each.name}`, cell: each, seed: roundSeed * seedsOfRound + index }));
}

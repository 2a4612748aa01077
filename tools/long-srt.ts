import process from 'node:process';
import { repairTrial, type RepairPair } from '../test/support/media/repair-trial.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:srt [seeds] [seconds]`: SRT over a path that loses 2 % of its packets each way, for ten minutes of
 * virtual time with each seed and round trip. Pairs our sender and receiver, and each of them with a model of libsrt.
 * Prints one line for each pair. Fails where a packet is missing that may not be: libsrt's own sender may lose some
 * where the latency is four round trips.
 */
const [seeds, seconds] = readCounts('long:srt -- [seeds] [seconds]', [20, 600]);
const roundTripsMs = [40, 60, 80] as const;

const cells: readonly (readonly [pair: RepairPair, roundTrips: number, mayMiss: boolean])[] = [
  ['ours to ours', 4, false],
  ['ours to libsrt', 4, false],
  ['libsrt to ours', 6, false],
  ['libsrt to ours', 4, true],
  ['libsrt to libsrt', 4, true],
];

for (const [pair, roundTrips, mayMiss] of cells) {
  const total = { pair, latency: `${roundTrips} round trips`, runs: 0, sent: 0, missing: 0, repeated: 0, load: 0 };
  for (const rttMs of roundTripsMs) {
    for (let seed = 1; seed <= seeds; seed++) {
      const result = repairTrial({ pair, seed, seconds, loss: 0.02, rttMs, roundTrips });
      total.runs++;
      total.sent += result.sent;
      total.missing += result.missing;
      total.repeated += result.repeated;
      total.load = Math.max(total.load, result.load);
    }
  }
  process.stdout.write(`${JSON.stringify(total)}\n`);
  if (total.repeated > 0 || (total.missing > 0 && !mayMiss)) process.exitCode = 1;
}

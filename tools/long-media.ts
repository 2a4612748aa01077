import process from 'node:process';
import { legsTrial } from '../test/support/media/legs-trial.ts';
import { lossTowardsLibsrt, lossTowardsUs } from '../test/support/media/loss-trial.ts';
import { pause } from '../test/support/pause.ts';
import type { NumberCount } from '../test/support/media/number-check.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:media [seconds] [latency ms]`: runs media for ten minutes, or the time in the argument, all at the same
 * time. SRT against libsrt in both directions, with 2 % loss both ways and key refreshes. Two legs of RTP and two of
 * raw TS: one leg is lossy, the other is cut every 20 s. The latency is that of the lossy paths; a busy machine needs
 * more than a network. Needs srt-live-transmit. Fails where a packet is missing that may not be.
 */
const [seconds, latencyMs] = readCounts('long:media -- [seconds] [latency in ms]', [600, 1000]);
const loss = { seconds, lossRate: 0.02, latencyMs };
const legs = { seconds, everySecs: 20, cutSecs: 5 };
/** Programs that start at the same time are slow to start. */
const betweenMs = 10_000;

const rawTs = 'two legs of raw TS, one cut every 20 s';

await Promise.all([
  run(0, 'libsrt to a flow, 2 % loss both ways', () => lossTowardsUs(loss)),
  run(1, 'a flow to libsrt, 2 % loss both ways', () => lossTowardsLibsrt(loss)),
  run(2, 'two legs of RTP, one cut every 20 s', () => legsTrial({ ...legs, rtp: true })),
  run(3, rawTs, () => legsTrial({ ...legs, rtp: false })),
]);
process.exit();

async function run(place: number, trial: string, play: () => Promise<NumberCount>): Promise<void> {
  await pause(place * betweenMs);
  const result = await play();
  process.stdout.write(`${JSON.stringify({ trial, seconds, ...result })}\n`);
  if (trial !== rawTs && result.missing + result.repeated > 0) process.exitCode = 1;
}

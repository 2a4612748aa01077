import process from 'node:process';
import { legsTrial } from '../test/support/media/legs-trial.ts';
import { lossThrough, lossTowardsLibsrt, lossTowardsUs } from '../test/support/media/loss-trial.ts';
import { pause } from '../test/support/pause.ts';
import type { NumberCount } from '../test/support/media/number-check.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:media [seconds] [latency ms]`: runs media for ten minutes, or the time in the argument, all at the same
 * time. SRT against libsrt in both directions and through a flow, with 2 % and 5 % loss both ways and key refreshes.
 * Two legs of RTP, and two of raw TS: one leg is lossy, the other is cut every 20 s; of raw legs also the one that runs.
 * The latency is that of the lossy paths; a busy machine needs more than a network. Needs srt-live-transmit. Fails where
 * a packet is missing that may not be: of 5 % one in 100,000 may.
 */
const [seconds, latencyMs] = readCounts('long:media -- [seconds] [latency in ms]', [600, 1000]);
const loss = { seconds, lossRate: 0.02, latencyMs };
const heavy = { ...loss, lossRate: 0.05 };
const legs = { seconds, everySecs: 20, cutSecs: 5 };
/** Programs that start at the same time are slow to start. */
const betweenMs = 10_000;

interface Trial {
  readonly trial: string;
  readonly play: () => Promise<NumberCount>;
  /** That may be missing, of what was carried. */
  readonly mayMiss?: number;
}

const trials: readonly Trial[] = [
  { trial: 'libsrt to a flow, 2 % loss both ways', play: () => lossTowardsUs(loss) },
  { trial: 'a flow to libsrt, 2 % loss both ways', play: () => lossTowardsLibsrt(loss) },
  { trial: 'libsrt through a flow to libsrt, 2 % loss both ways, twice', play: () => lossThrough(loss) },
  { trial: 'libsrt to a flow, 5 % loss both ways', play: () => lossTowardsUs(heavy), mayMiss: 1e-5 },
  { trial: 'a flow to libsrt, 5 % loss both ways', play: () => lossTowardsLibsrt(heavy), mayMiss: 1e-5 },
  { trial: 'two legs of RTP, one cut every 20 s', play: () => legsTrial({ ...legs, rtp: true }) },
  { trial: 'two legs of raw TS, one cut every 20 s', play: () => legsTrial({ ...legs, rtp: false }), mayMiss: 1 },
  {
    trial: 'two legs of raw TS, the running one cut every 20 s',
    play: () => legsTrial({ ...legs, rtp: false, inTurns: true }),
    mayMiss: 1,
  },
];

await Promise.all(trials.map(run));
process.exit();

async function run({ trial, play, mayMiss = 0 }: Trial, place: number): Promise<void> {
  await pause(place * betweenMs);
  const result = await play();
  process.stdout.write(`${JSON.stringify({ trial, seconds, ...result })}\n`);
  if (result.repeated > 0 || result.missing > result.packets * mayMiss) process.exitCode = 1;
}

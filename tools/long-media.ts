import process from 'node:process';
import { legsTrial } from '../test/support/media/legs-trial.ts';
import { lossTowardsLibsrt, lossTowardsUs } from '../test/support/media/loss-trial.ts';
import type { NumberCount } from '../test/support/media/number-check.ts';

/**
 * `npm run long:media [seconds]`: SRT against libsrt for ten minutes, or as many seconds as the argument says, all at the
 * same time: 2 % loss both ways with key refreshes, towards us and from us; two legs of RTP and of raw TS, of which one is
 * lossy and the other cut every 20 s. Needs srt-live-transmit. Fails where a packet is missing that may not be.
 */
const seconds = Number(process.argv[2] ?? 600);
const loss = { seconds, lossRate: 0.02, latencyMs: 300 };
const legs = { seconds, everySecs: 20, cutSecs: 5 };

await Promise.all([
  run('libsrt to a flow, 2 % loss both ways', lossTowardsUs(loss), false),
  run('a flow to libsrt, 2 % loss both ways', lossTowardsLibsrt(loss), false),
  run('two legs of RTP, one cut every 20 s', legsTrial({ ...legs, rtp: true }), false),
  run('two legs of raw TS, one cut every 20 s', legsTrial({ ...legs, rtp: false }), true),
]);
process.exit();

async function run(trial: string, running: Promise<NumberCount>, mayLose: boolean): Promise<void> {
  const result = await running;
  process.stdout.write(`${JSON.stringify({ trial, seconds, ...result })}\n`);
  if (!mayLose && result.missing + result.repeated > 0) process.exitCode = 1;
}

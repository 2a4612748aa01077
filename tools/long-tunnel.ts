import { loadavg } from 'node:os';
import process from 'node:process';
import { parseSrtOrder, usage, type SrtOrder } from '../bench/srt/srt-order.ts';
import { missedBars, tableHead, tableLine } from '../bench/srt/srt-table.ts';
import { srtTrial } from '../bench/srt/srt-trial.ts';

/**
 * `npm run long:tunnel`: SRT from ffmpeg to srt-live-transmit over a path of 80 ms that loses packets and delays each
 * by up to 20 ms, for ten minutes a cell. The same stream goes at the same time over the path alone, and through an
 * edge, a relay and an edge on each engine. Prints the continuity errors of what came out (docs/media-paths.md). The
 * exit status is 1 where a tunnel has more of them than the path alone, or any at 1 and 2 % of loss. Needs ffmpeg and
 * srt-live-transmit.
 */
if (process.argv.includes('--help')) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const order = parseSrtOrder(process.argv.slice(2));
if (typeof order === 'string') {
  process.stderr.write(`${order}\n`);
  process.exit(2);
}
await runAll(order);
process.exit();

async function runAll(settings: SrtOrder): Promise<void> {
  const { seconds, cells, engines, rttMs, jitterMs, latencyMs, beside } = settings;
  say(
    `Continuity errors; ${seconds} s a line, RTT ${rttMs} ms and up to ${jitterMs} ms of jitter, ` +
      `SRT's latency ${latencyMs} ms; --seed ${cells[0]?.seed ?? '?'} repeats the paths.\n`,
  );
  say(tableHead(['bare', ...engines]));
  const missed: string[] = [];
  const waiting = [...cells];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const outcome = await srtTrial(cell, settings);
      say(tableLine(cell, outcome));
      const place = `${cell.megabits} Mbit/s, ${cell.lossPercent} %`;
      missed.push(...missedBars(cell, outcome).map((line) => `${place}, ${line}`));
    }
  };
  await Promise.all(Array.from({ length: beside }, work));
  say(`\nThe load of the machine was ${(loadavg()[1] ?? 0).toFixed(1)} in the last five minutes.`);
  for (const line of missed) say(`MISSED: ${line}`);
  if (missed.length > 0) process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

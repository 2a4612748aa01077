import process from 'node:process';
import type { Check } from './check.ts';
import { mediamtxChecks } from './mediamtx-checks.ts';
import { srtChecks } from './srt-checks.ts';
import { webChecks } from './web-checks.ts';

/**
 * `npm run media:checks [-- row…]`: what media flows must show with programs of others, with its figures; or only the
 * rows whose names have one of these words. `MEDIAMTX` names a mediamtx, `HLSJS` an hls.min.js: without them their rows
 * are left out. Times are those at which the edge's manager had the event, so the machine must be quiet. Fails where
 * something did not hold.
 */
const { MEDIAMTX: mediamtx, HLSJS: hlsJs } = process.env;
const wanted = process.argv.slice(2);
const checks = [
  ...srtChecks,
  ...webChecks(hlsJs ?? null),
  ...(mediamtx === undefined ? [] : mediamtxChecks(mediamtx)),
].filter(({ row }) => wanted.length === 0 || wanted.some((part) => row.includes(part)));

async function play({ row, peer, must, run }: Check): Promise<boolean> {
  const { shows, held } = await run().catch((error: unknown) => {
    return { shows: error instanceof Error ? error.message : String(error), held: false };
  });
  process.stdout.write(`${held ? 'held' : 'NOT HELD'}: ${row}, ${peer} (${must}): ${shows}\n`);
  return held;
}

let broken = 0;
for (const check of checks) if (!(await play(check))) broken++;
process.exit(broken === 0 ? 0 : 1);

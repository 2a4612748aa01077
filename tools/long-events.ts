import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { engines, openDatabases } from '../test/support/manager/databases.ts';
import { runKillTrial } from '../test/support/manager/kill-trial.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:events`: a node raises 50 000 events (or the number of the first argument). Meanwhile its manager is
 * killed with -9 twenty times, on both databases.
 */
const [events, kills] = readCounts('long:events -- [events] [kills]', [50_000, 20]);
const masterKey = randomBytes(32).toString('hex');

for (const engine of engines) {
  await using databases = await openDatabases(engine);
  const result = await runKillTrial({ databaseUrl: await databases.newUrl(), events, kills, masterKey });
  process.stdout.write(`${JSON.stringify({ engine, kills, ...result })}\n`);
  if (result.missing > 0 || result.doubled > 0 || result.outOfOrder > 0) process.exitCode = 1;
}
